"""Rules on what Python models ask of other models (BLS): a model that asks itself, over whatever way, waits for ever."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.check.elsewhere import made_elsewhere
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model

REQUEST = "InferenceRequest"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request for the model of that name, written in `file`."""

    name: str
    file: Path
    line: int


def asking_problems(repository: Path, models: Mapping[str, Model]) -> Iterator[Problem]:
    """Of the requests that name their model in so many words. `models` are those of the repository by name."""
    asking = {name: tuple(_asked_by(model)) for name, model in models.items()}
    for name, requests in asking.items():
        for asked in requests:
            place = asked.file.relative_to(repository).as_posix()
            if asked.name not in models:
                severity = "note" if made_elsewhere(repository, asked.name) else "warning"
                message = f"asks for model {asked.name!r}, which is not in the repository"
                yield Problem(place, asked.line, severity, "asks-no-model", message, f"there are {', '.join(sorted(models))}")
            elif way := _way(asked.name, name, models, asking, ()):
                message = f"the model comes to ask itself and waits for ever: {' -> '.join((name, *way))}"
                yield Problem(place, asked.line, "error", "asks-in-circle", message, "break the circle")


def _way(
    start: str, end: str, models: Mapping[str, Model], asking: Mapping[str, tuple[_Asked, ...]], path: tuple[str, ...]
) -> tuple[str, ...]:
    """The models from one to the other, both among them; empty without a way."""
    if start == end:
        return (*path, end)
    if start in path or start not in models:
        return ()
    steps = (step.model_name for step in models[start].config.ensemble_scheduling.step)
    beyond = (*steps, *(asked.name for asked in asking[start]))
    return next((way for name in beyond if (way := _way(name, end, models, asking, (*path, start)))), ())


def _asked_by(model: Model) -> Iterator[_Asked]:
    files = model.model_files if model.backend == "python" else ()
    return (asked for file in files if file.is_file() for asked in _asked_in(file))


def _asked_in(file: Path) -> tuple[_Asked, ...]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ()
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == REQUEST)
    named = ((k.value, call.lineno) for call in calls for k in call.keywords if k.arg == "model_name")
    return tuple(_Asked(v.value, file, line) for v, line in named if isinstance(v, ast.Constant) and isinstance(v.value, str))
