"""Rules on names, folders and files of one model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from triton_migrate.check.elsewhere import made_elsewhere
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import BACKENDS, PLATFORMS, Model


def layout_problems(repository: Path, model: Model) -> Iterator[Problem]:
    """Name, backend, version folders, model files."""
    config = model.config
    if config.name and config.name != model.name:
        tell = model.error if model.versions else model.note  # without versions it is no model yet: a configuration to be copied
        yield tell(
            model.fields.at("name"),
            "name-differs",
            f"name {config.name!r} is not the folder's name {model.name!r}",
            "they must be equal, or leave `name` out",
        )
    yield from _backend(model)
    if not model.versions:
        yield _no_version(repository, model)
    elif not model.served:
        yield model.error(
            model.fields.at("version_policy"),
            "no-version",
            "the version policy asks for versions that are not there",
            f"there are {', '.join(v.name for v in model.versions)}",
        )
    for file in model.model_files:
        if not file.exists():
            absent = "note" if made_elsewhere(repository, model.name) else "error"
            effect = "the server would load for ever" if model.backend == "python" else "the model does not load"
            place = file.relative_to(repository).as_posix()
            yield Problem(
                place,
                1,
                absent,
                "no-model-file",
                f"model {model.name} has no {place}: {effect}",
                "put the file there, or name it in default_model_filename",
            )


def _no_version(repository: Path, model: Model) -> Problem:
    """A note where the folder comes with the weights, which no checkout has; a Python file and an ensemble have no such excuse."""
    odd = [f.name for f in model.folder.iterdir() if f.is_dir() and f.name != "configs"]
    why = f"; {odd[0]!r} is no plain number" if odd else ""
    weights = model.backend != "python" and not model.ensemble
    later = not odd and (weights or any(made_elsewhere(repository, name) for name in {model.name, str(model.config.name)}))
    return Problem(
        model.file,
        1,
        "note" if later else "error",
        "no-version",
        f"model {model.name} has no version folder{why}",
        f"mkdir {model.name}/1, with a .gitkeep in it: git drops empty folders",
    )


def _backend(model: Model) -> Iterator[Problem]:
    config = model.config
    if not model.backend and not model.ensemble and model.versions:
        yield Problem(model.file, 1, "error", "no-backend", "has neither backend nor platform", f"one of: {', '.join(sorted(BACKENDS))}")
    elif config.platform and config.platform not in PLATFORMS and not config.backend:
        yield model.error(
            model.fields.at("platform"),
            "unknown-platform",
            f"platform {config.platform!r} is none that the server knows",
            f"write backend:, or one of: {', '.join(PLATFORMS)}",
        )
    elif config.platform == "ensemble" and config.backend not in ("", "ensemble"):
        yield model.error(
            model.fields.at("backend"), "backend-and-platform", f"an ensemble has no backend {config.backend!r}", "leave backend out"
        )
    elif config.platform and config.backend and PLATFORMS.get(config.platform) != config.backend:
        yield model.warning(
            model.fields.at("platform"),
            "backend-and-platform",
            f"platform {config.platform!r} is not that of backend {config.backend!r}, which is used",
            "leave platform out",
        )
