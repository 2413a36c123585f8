"""Takes the folder of a Triton model repository, gives what the server would refuse or not do, with file and line, without a server.

The server tells most of it in its log only, names no file, and three mistakes make it load for ever or crash. Rules and wording follow
what a real server (2.51) did with broken repositories; `tests/test_check.py` puts both side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.check.ensemble import ensemble_problems
from triton_migrate.check.layout import layout_problems
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model, read
from triton_migrate.check.scheduling import scheduling_problems
from triton_migrate.check.source import source_problems
from triton_migrate.check.tensors import tensor_problems


def check(repository: Path) -> tuple[Problem, ...]:
    """Every problem of the models under `repository`, by file and line. Raises TritonMigrateError where there is no model at all."""
    if not repository.is_dir():
        raise TritonMigrateError(f"{repository} is no folder", hint="name the folder that holds one folder per model")
    models, unread = read(repository)
    if not models and not unread:
        raise TritonMigrateError(f"{repository} has no models", hint="a model is a folder with a config.pbtxt")
    return tuple(sorted({*unread, *_problems(repository, models)}))


def _problems(repository: Path, models: tuple[Model, ...]) -> Iterator[Problem]:
    main = {model.name: model for model in models if model.file == f"{model.name}/config.pbtxt"}
    for model in models:
        yield from layout_problems(repository, model)
        yield from tensor_problems(model)
        yield from scheduling_problems(model)
        yield from source_problems(repository, model)
        if model.ensemble:
            yield from ensemble_problems(model, main)


__all__ = ["Problem", "check"]
