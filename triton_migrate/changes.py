"""Takes nothing, gives the shapes of what would be written (`NewFile`, `FileEdit`, `ChangeSet`), their patch, and the only writer.

Text is kept so that it gives back the bytes of the file: line ends and a byte order mark are part of it, the encoding is what a Python
file declares, and what is not UTF-8 elsewhere travels as surrogates. Patches are therefore made of bytes.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import subprocess
import tokenize
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import partial
from hashlib import sha1
from pathlib import Path, PurePosixPath
from typing import Literal

from triton_migrate.base import Span, TritonMigrateError

Safety = Literal["safe", "review"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to create. `path` is relative to the app, `/`-separated."""

    path: str
    text: str
    reason: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file to change. `before` is its text now, as `read_text` gives it; `review`: a person should look before it is used."""

    path: str
    before: str
    after: str
    reason: str
    safety: Safety


@dataclass(frozen=True, slots=True)
class NotDone:
    """An edit that was not made, where, and why."""

    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    new: tuple[NewFile, ...] = ()
    edits: tuple[FileEdit, ...] = ()

    def ordered(self) -> tuple[NewFile | FileEdit, ...]:
        """By path, without edits that change nothing."""
        return tuple(sorted((*self.new, *(edit for edit in self.edits if edit.before != edit.after)), key=lambda change: change.path))


def onto(found: ChangeSet, texts: Mapping[str, str], root: Path, reason: str) -> ChangeSet:
    """The changes of an application whose files had other `texts`, as changes of what is in `root`."""
    edited = {edit.path for edit in found.edits}
    own = (FileEdit(path, read_text(root / path), text, reason, "review") for path, text in texts.items() if path not in edited)
    edits = (replace(e, before=read_text(root / e.path)) if e.path in texts else e for e in found.edits)
    return ChangeSet(found.new, (*edits, *own))


# ---------------------------------------------------------------- text and bytes


def read_text(path: Path) -> str:
    """Read a file such that `FileEdit` can give back its bytes."""
    data = path.read_bytes()
    if path.suffix == ".py":
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    return data.decode("utf-8", "surrogateescape")


def bytes_of(path: str, text: str) -> bytes:
    """The bytes of a file with this text."""
    if not path.endswith(".py"):
        return text.encode("utf-8", "surrogateescape")
    lines = io.BytesIO("\n".join(re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2]).encode("utf-8", "replace"))
    try:
        encoding, _ = tokenize.detect_encoding(lines.readline)
        return text.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    except (SyntaxError, UnicodeEncodeError) as error:
        raise TritonMigrateError(f"cannot be written in its encoding: {error}", file=path, hint="save the file as UTF-8") from error


# ---------------------------------------------------------------- patch


def patch_bytes(changes: ChangeSet) -> bytes:
    """A patch for `git apply`; `git apply -R` restores the tree byte for byte."""
    return b"".join(map(_patch_of, changes.ordered()))


def diff_of(change: NewFile | FileEdit) -> str:
    """The part of the patch that is about one file; empty for an edit that changes nothing."""
    return _patch_of(change).decode("utf-8", "replace") if isinstance(change, NewFile) or change.before != change.after else ""


def _patch_of(change: NewFile | FileEdit) -> bytes:
    is_new = isinstance(change, NewFile)
    before = b"" if isinstance(change, NewFile) else bytes_of(change.path, change.before)
    after = bytes_of(change.path, change.text if isinstance(change, NewFile) else change.after)
    old, new = _quoted(f"a/{change.path}"), _quoted(f"b/{change.path}")
    head = [f"diff --git {old} {new}"]
    if isinstance(change, NewFile):
        head.append(f"new file mode {'100755' if change.executable else '100644'}")
    head.append(f"index {'0000000' if is_new else _blob(before)}..{_blob(after)}")
    hunks = b"".join(_hunks(_lines(before), _lines(after)))
    if hunks:
        tab = "\t" if " " in change.path and not old.startswith('"') else ""  # git's mark for where a name with spaces ends
        head += ["--- /dev/null" if is_new else f"--- {old}{tab}", f"+++ {new}{tab}"]
    return "".join(f"{line}\n" for line in head).encode() + hunks


def _blob(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()[:7]


def _quoted(path: str) -> str:
    """A path as git writes it: in double quotes, as C does, when it has unusual characters."""
    plain = [chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in '"\\' else f"\\{byte:03o}" for byte in os.fsencode(path)]
    return path if len(plain) == len(path) and "".join(plain) == path else f'"{"".join(plain)}"'


def _lines(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", data)


def _hunks(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[bytes]:
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(3):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        yield f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@\n".encode()
        for tag, old, old_stop, new, new_stop in group:
            if tag == "equal":
                yield from (_patch_line(b" ", line) for line in before[old:old_stop])
            else:
                yield from (_patch_line(b"-", line) for line in before[old:old_stop])
                yield from (_patch_line(b"+", line) for line in after[new:new_stop])


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _patch_line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


# ---------------------------------------------------------------- check


def check(changes: ChangeSet, root: Path) -> None:
    """Raise for a change that cannot be made or would break the app: wrong place, stale text, code or configuration that does not parse."""
    paths = [*(new.path for new in changes.new), *(edit.path for edit in changes.edits)]
    targets = [_target(root, path) for path in paths]
    if twice := next((path for path, target in zip(paths, targets, strict=True) if targets.count(target) > 1), None):
        raise TritonMigrateError("two changes of one file", file=twice)
    for new in changes.new:
        if os.path.lexists(root / new.path):
            raise TritonMigrateError("would be created, but is there already", file=new.path, hint="move it away, or undo the earlier port")
        _check_text(new.path, new.text)
    for edit in changes.edits:
        try:
            now = (root / edit.path).read_bytes()
        except OSError as error:
            raise TritonMigrateError(f"cannot be read: {error.strerror}", file=edit.path) from error
        if now != bytes_of(edit.path, edit.before):
            raise TritonMigrateError("changed since it was scanned", file=edit.path, hint="scan again")
        _check_text(edit.path, edit.after)


def _target(root: Path, path: str) -> Path:
    """Where a change really goes, links followed."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or ".git" in parts or os.sep in path.replace("/", ""):
        raise TritonMigrateError("not a path inside the app", file=path)
    target = (root / path).resolve()
    if not target.is_relative_to(root.resolve()):
        raise TritonMigrateError("a link leads out of the app", file=path, hint="give the folder that the link leads to")
    if blocking := next((parent for parent in target.parents if parent.exists() and not parent.is_dir()), None):
        raise TritonMigrateError(f"{blocking.name} is a file, not a folder", file=path)
    return target


def _check_text(path: str, text: str) -> None:
    data = bytes_of(path, text)
    if path.endswith(".py"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(data, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise TritonMigrateError(f"would not compile: {error.msg}", file=path, line=error.lineno) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise TritonMigrateError(f"would not compile: {error}", file=path) from error
    elif PurePosixPath(path).name == "config.pbtxt":
        _check_config(path, text)


def _check_config(path: str, text: str) -> None:
    # Imported here because it brings gRPC along, which a scan should not wait for.
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    try:
        text_format.Parse(text, model_config_pb2.ModelConfig())
    except text_format.ParseError as error:
        raise TritonMigrateError(f"not a Triton model configuration: {error}", file=path, line=error.GetLine()) from error


# ---------------------------------------------------------------- write


def write(changes: ChangeSet, root: Path, *, allow_dirty: bool = False) -> None:
    """Make all changes or, whatever happens, none. Refuses files with uncommitted changes, which git could not bring back."""
    check(changes, root)
    if not allow_dirty:
        _refuse_uncommitted(changes, root)
    with ExitStack() as undo:  # unwinds on any failure; what is left in it on success is forgotten
        try:
            staged = [_staged(change, root, undo) for change in changes.ordered()]
            backups = [_replaced(target, temporary, undo) for target, temporary in staged]
        except OSError as error:
            where = os.path.dirname(error.filename) if error.filename else str(root)
            raise TritonMigrateError(f"cannot be written to: {error.strerror}; nothing was changed", file=where) from error
        undo.pop_all()
    for backup in filter(None, backups):
        with suppress(OSError):
            backup.unlink()


def _staged(change: NewFile | FileEdit, root: Path, undo: ExitStack) -> tuple[Path, Path]:
    """Write the new contents beside their target."""
    target = _target(root, change.path)
    for folder in reversed([parent for parent in target.parents if not parent.exists()]):
        folder.mkdir()
        undo.callback(folder.rmdir)
    temporary = _beside(target)
    undo.callback(temporary.unlink, missing_ok=True)
    mode = 0o777 if isinstance(change, NewFile) and change.executable else 0o666
    with open(temporary, "xb", opener=partial(os.open, mode=mode)) as file:
        file.write(bytes_of(change.path, change.text if isinstance(change, NewFile) else change.after))
        file.flush()
        os.fsync(file.fileno())
    if isinstance(change, FileEdit):
        shutil.copymode(target, temporary)
    return target, temporary


def _replaced(target: Path, temporary: Path, undo: ExitStack) -> Path | None:
    """Put the new contents in place; gives the backup that undoing needs."""
    if not target.exists():
        undo.callback(target.unlink, missing_ok=True)
        os.replace(temporary, target)
        return None
    backup = _beside(target)
    try:
        os.link(target, backup)
    except OSError:  # a file system without hard links
        shutil.copy2(target, backup)
    undo.callback(backup.unlink, missing_ok=True)  # renaming a file onto its own hard link leaves both names
    undo.callback(os.replace, backup, target)
    os.replace(temporary, target)
    return backup


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")


def _refuse_uncommitted(changes: ChangeSet, root: Path) -> None:
    paths = [change.path for change in changes.ordered()]
    command = ["git", "--literal-pathspecs", "-C", str(root), "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"]
    try:
        done = subprocess.run([*command, "--", *paths], capture_output=True, env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"})
    except OSError:  # no git
        return
    if done.returncode != 0:
        if b"not a git repository" in done.stderr:
            return
        said = os.fsdecode(done.stderr).strip()
        raise TritonMigrateError(f"git cannot tell what is uncommitted: {said}", file=str(root), hint="--allow-dirty writes all the same")
    dirty = [os.fsdecode(entry[3:]) for entry in done.stdout.split(b"\0") if entry]
    if dirty:
        raise TritonMigrateError(f"uncommitted changes in {', '.join(sorted(dirty))}", hint="commit them, or use --allow-dirty")
