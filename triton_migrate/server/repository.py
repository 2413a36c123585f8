"""The model repository of a ported app: takes its folder, gives its models as the server will see them.

What is wrong here is told with file and line before anything is started, because the server names neither, and because a Python
model without its file makes the server load for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triton_migrate.base import TritonMigrateError

if TYPE_CHECKING:
    from triton_migrate.check.repository import Model

STAND_INS = ("fil", "onnxruntime", "pytorch")
_RUN_HERE = ("python", *STAND_INS)


@dataclass(frozen=True, slots=True)
class RepositoryModel:
    """One model folder. `files` are what the served versions load; an ensemble has none."""

    name: str
    folder: Path
    config_file: Path
    backend: str  # python | ensemble | onnxruntime | pytorch
    files: tuple[Path, ...]
    cached: bool  # asks for the response cache, which the server has only when told so
    processes: int  # Python processes that serve it: one per instance, none for an ensemble

    @property
    def missing(self) -> tuple[Path, ...]:
        return tuple(file for file in self.files if not file.is_file())


def location(app: Path) -> Path:
    return app / "triton_serving" / "model_repository"


def has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists()


def read(app: Path, *, gpu: bool) -> tuple[RepositoryModel, ...]:
    """The models under `location(app)`, ensembles last. Without a GPU `configs/cpu.pbtxt` counts, as `--model-config-name=cpu` does."""
    folder = location(app)
    names = sorted(f.name for f in folder.iterdir() if f.is_dir() and f.name[0] not in "._") if folder.is_dir() else []
    if not names and (app / "triton_serving" / "bindings.py").is_file():
        raise TritonMigrateError(f"the models of {app} are bound in the application", hint="start the application: Triton comes with it")
    if not names:
        raise TritonMigrateError(
            f"{app} has no models in triton_serving/model_repository", hint=f"apply first: triton-migrate apply {app} --write"
        )
    return read_folder(folder, gpu=gpu)


def read_folder(folder: Path, *, gpu: bool) -> tuple[RepositoryModel, ...]:
    """The same of a model repository, wherever it lies."""
    names = sorted(f.name for f in folder.iterdir() if f.is_dir() and f.name[0] not in "._")
    models = [_read_model(folder / name, gpu) for name in names]
    return tuple(sorted(models, key=lambda model: model.backend == "ensemble"))


def _read_model(folder: Path, gpu: bool) -> RepositoryModel:
    for_cpu = folder / "configs" / "cpu.pbtxt"
    config_file = for_cpu if for_cpu.is_file() and not gpu else folder / "config.pbtxt"
    found = _read_config(folder, config_file)
    config, backend = found.config, found.backend
    if backend not in (*_RUN_HERE, "ensemble"):
        message = (
            f"model {folder.name} needs the backend '{backend}', which cannot be run here"
            if backend
            else "has neither backend nor platform"
        )
        raise TritonMigrateError(
            message, file=str(config_file), hint=f"here run: {', '.join(_RUN_HERE)}; for others use Triton's container"
        )
    if not found.served:
        hint = f"mkdir {folder / '1'} (git drops empty folders: put a .gitkeep in it)"
        raise TritonMigrateError(f"model {folder.name} has no version folder", file=str(folder), hint=hint)
    files = found.model_files
    processes = sum(group.count or 1 for group in config.instance_group) or 1 if files else 0
    model = RepositoryModel(folder.name, folder, config_file, backend, files, config.response_cache.enable, processes)
    if backend == "python" and model.missing:
        missing = model.missing[0]
        raise TritonMigrateError(f"model {folder.name} has no {missing.name}", file=str(missing), hint="apply again, or restore the file")
    return model


def _read_config(folder: Path, file: Path) -> Model:
    from triton_migrate.check.records import Problem  # Triton's client takes long to load, and every command comes by here
    from triton_migrate.check.repository import read_config

    found = read_config(folder.parent, folder, file)
    if isinstance(found, Problem):
        raise TritonMigrateError(found.message, file=str(file), line=found.line, hint=found.fix)
    return found
