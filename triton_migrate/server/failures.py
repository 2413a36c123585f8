"""Why models did not load: takes the server's log, gives one reason per model with the user's file and line.

The server tells reasons in three places only its log has: configurations it refuses while reading the repository (`Poll failed`, the
line of a syntax error before it), models that failed to start, and ensembles that do not fit their steps (both in the sentence it
ends with). Python errors carry frames, innermost first, in paths of the staged copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError

_SYNTAX = re.compile(r"Error parsing text-format inference\.ModelConfig: (\d+):\d+: (.*)")
_POLL = re.compile(r"\"Poll failed for model directory '([^']+)': (.*)\"")
_LOAD = re.compile(r"load failed for model '([^']+)': (.*?)(?=\nload failed for model '|\Z)", re.DOTALL)
_WRAPPING = re.compile(r"^(version \d+ is at UNAVAILABLE state: |Internal: |Invalid argument: |Not found: )+")
_FRAME = re.compile(r"^  (/.+)\((\d+)\): ", re.MULTILINE)
_BAD_SYNTAX = re.compile(r"\((\w+\.py), line (\d+)\)$")
_DEPENDS = re.compile(r"(ensemble '[^']+' depends on '[^']+') which has no loaded version")
# What the server says on every machine without a GPU, and what says nothing to the user.
_NOISE = re.compile(r"CudaDriverHelper|CUDA (driver|memory pool)|NVML|DCGM|[Pp]inned|unable to create stream")
_PREFIX = re.compile(r"^[IWE]\d{4} [\d:.]+\s+\d+ [\w.]+:\d+\]\s*")


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """One model that did not load. `file` is in the user's tree when the reason could be placed there."""

    model: str
    reason: str
    file: Path | None = None
    line: int | None = None


def load_failures(log: str, staged: Path, repository: Path) -> tuple[LoadFailure, ...]:
    """Every model the log blames, in its order; those that only depend on a broken one come last."""
    found = [*_refused_configs(log, repository), *_failed_loads(log, staged, repository)]
    return tuple(sorted(found, key=lambda failure: _DEPENDS.match(failure.reason) is not None))


def as_error(failures: tuple[LoadFailure, ...]) -> TritonMigrateError:
    """The first of them as the error that ends the command; the caller has told all."""
    first, more = failures[0], len(failures) - 1
    hint = f"{more} more failed" if more else None
    if first.reason.startswith("ModuleNotFoundError"):
        hint = "install it where the models run, or choose that interpreter with --python"
    file = None if first.file is None else str(first.file)
    return TritonMigrateError(f"model {first.model} does not load: {first.reason}", file=file, line=first.line, hint=hint)


def worth_telling(line: str) -> str | None:
    """A log line as the user should see it: warnings, errors and what models print; None for the server's own chatter."""
    match = _PREFIX.match(line)
    if _NOISE.search(line) or not line.strip() or line[0] in "+|" or (match and line[0] == "I"):
        return None
    return line[match.end() :].strip().strip('"').replace("\\n", "\n") if match else line.rstrip()


def _refused_configs(log: str, repository: Path) -> Iterator[LoadFailure]:
    syntax: re.Match[str] | None = None
    for line in log.splitlines():
        if match := _SYNTAX.search(line):
            syntax = match
        elif match := _POLL.search(line):
            name, reason = match.groups()
            config = repository / name / "config.pbtxt"
            if syntax is not None and "text proto" in reason:
                yield LoadFailure(name, syntax[2], config, int(syntax[1]))
            else:
                yield LoadFailure(name, reason.replace("\\n", " "), config)
            syntax = None


def _failed_loads(log: str, staged: Path, repository: Path) -> Iterator[LoadFailure]:
    _, _, verdict = log.partition("error: creating server: ")
    for name, text in _LOAD.findall(verdict):
        reason = _WRAPPING.sub("", text.split("\n", 1)[0]).strip().rstrip(";")
        if match := _DEPENDS.match(reason):
            reason = f"{match[1]}, which did not load"
        if reason.startswith("Stub process"):
            reason = "its Python process died while loading (os._exit, no memory, or a crash in native code)"
        yield LoadFailure(name, reason, *_place(text, reason, staged / name, repository / name))


def _place(text: str, reason: str, staged: Path, folder: Path) -> tuple[Path | None, int | None]:
    """Innermost frame in the model's own folder, else the innermost frame that is not the interpreter's own."""
    frames = [(Path(file), int(line)) for file, line in _FRAME.findall(text) if "/lib/python" not in file]
    for file, line in frames:
        if file.is_relative_to(staged):
            return folder / file.relative_to(staged), line
    if match := _BAD_SYNTAX.search(reason):
        return next(iter(sorted(folder.glob(f"*/{match[1]}"))), None), int(match[2])
    return frames[0] if frames else (None, None)
