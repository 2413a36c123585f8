"""Takes the folder of a Triton model repository, gives what the server would refuse or not do, with file and line, without a server.

The server tells most of it in its log only, names no file, and three mistakes make it load for ever or crash. Rules and wording follow
what a real server (2.51) did with broken repositories; `tests/test_check.py` puts both side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.check.asking import asking_problems
from triton_migrate.check.ensemble import ensemble_problems
from triton_migrate.check.layout import layout_problems
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model, read
from triton_migrate.check.scheduling import scheduling_problems
from triton_migrate.check.source import source_problems
from triton_migrate.check.tensors import tensor_problems


def check(repository: Path) -> tuple[Problem, ...]:
    """Every problem of the models under `repository`, by file and line. Raises TritonMigrateError where there is no model at all.

    The folder of one model stands for its repository, a folder that holds repositories further down for all of them.
    """
    if not repository.is_dir():
        raise TritonMigrateError(f"{repository} is no folder", hint="name the folder that holds one folder per model")
    found = [(root, problem) for root in _repositories(repository) for problem in _found(root)]
    if not found and not _repositories(repository):
        raise TritonMigrateError(f"{repository} has no models", hint="a model is a folder with a config.pbtxt")
    return tuple(sorted({replace(problem, file=_place(repository, root, problem.file)) for root, problem in found}))


def _repositories(folder: Path) -> tuple[Path, ...]:
    """`folder` where it holds models; what it belongs to where it is one; else those below."""
    inside = [child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")]
    if (folder / "config.pbtxt").is_file() or (inside and all(child.name.isdecimal() for child in inside)):
        return (folder.parent,)
    if any((child / "config.pbtxt").is_file() or any(child.glob("[0-9]*/")) for child in inside):
        return (folder,)
    return tuple(sorted({file.parent.parent for file in folder.rglob("config.pbtxt") if not file.parent.name.isdecimal()}))


def _place(given: Path, root: Path, file: str) -> str:
    """Relative to the folder that was named, where the repository is below it."""
    return (root / file).relative_to(given).as_posix() if root.is_relative_to(given) else file


def _found(repository: Path) -> tuple[Problem, ...]:
    models, unread = read(repository)
    return (*unread, *_problems(repository, models))


def _problems(repository: Path, models: tuple[Model, ...]) -> Iterator[Problem]:
    main = {model.name: model for model in models if model.file == f"{model.name}/config.pbtxt"}
    for model in models:
        yield from layout_problems(repository, model)
        yield from tensor_problems(model)
        yield from scheduling_problems(model)
        yield from source_problems(repository, model)
        if model.ensemble:
            yield from ensemble_problems(model, main | _named(models, Path(model.file).name))
    yield from asking_problems(repository, main)


def _named(models: tuple[Model, ...], file: str) -> dict[str, Model]:
    """What a server started with --model-config-name takes instead of config.pbtxt, where a model has it."""
    return {model.name: model for model in models if Path(model.file).name == file}


__all__ = ["Problem", "check"]
