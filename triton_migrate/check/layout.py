"""Rules on names, folders and files of one model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from triton_migrate.check.records import Problem
from triton_migrate.check.repository import BACKENDS, PLATFORMS, Model


def layout_problems(repository: Path, model: Model) -> Iterator[Problem]:
    """Name, backend, version folders, model files."""
    config = model.config
    if config.name and config.name != model.name:
        yield model.error(
            model.fields.at("name"),
            "name-differs",
            f"name {config.name!r} is not the folder's name {model.name!r}",
            "they must be equal, or leave `name` out",
        )
    yield from _backend(model)
    if not model.versions:
        odd = [f.name for f in model.folder.iterdir() if f.is_dir() and f.name != "configs"]
        why = f"; {odd[0]!r} is no plain number" if odd else ""
        yield Problem(
            model.file,
            1,
            "error",
            "no-version",
            f"model {model.name} has no version folder{why}",
            f"mkdir {model.name}/1, with a .gitkeep in it: git drops empty folders",
        )
    elif not model.served:
        yield model.error(
            model.fields.at("version_policy"),
            "no-version",
            "the version policy asks for versions that are not there",
            f"there are {', '.join(v.name for v in model.versions)}",
        )
    for file in model.model_files:
        if not file.exists():
            effect = "the server would load for ever" if model.backend == "python" else "the model does not load"
            place = file.relative_to(repository).as_posix()
            yield Problem(
                place,
                1,
                "error",
                "no-model-file",
                f"model {model.name} has no {place}: {effect}",
                "put the file there, or name it in default_model_filename",
            )


def _backend(model: Model) -> Iterator[Problem]:
    config = model.config
    if not config.backend and not config.platform and not model.ensemble:
        yield Problem(model.file, 1, "error", "no-backend", "has neither backend nor platform", f"one of: {', '.join(sorted(BACKENDS))}")
    elif config.platform and config.platform not in PLATFORMS and not config.backend:
        yield model.error(
            model.fields.at("platform"),
            "unknown-platform",
            f"platform {config.platform!r} is none that the server knows",
            f"write backend:, or one of: {', '.join(PLATFORMS)}",
        )
    elif config.platform and config.backend and PLATFORMS.get(config.platform) != config.backend:
        yield model.warning(
            model.fields.at("platform"),
            "backend-and-platform",
            f"platform {config.platform!r} is not that of backend {config.backend!r}, which is used",
            "leave platform out",
        )
