"""Takes the served models, gives every file of `triton_serving/`: the client, the model repository and what runs and explains them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from triton_migrate.base import TritonMigrateError
from triton_migrate.changes import NewFile
from triton_migrate.generate.config import config_pbtxt
from triton_migrate.generate.documents import compose, dockerfile, readme, requirements
from triton_migrate.generate.served import ServedApp
from triton_migrate.generate.templates import render
from triton_migrate.plan.records import ServedModel

ROOT = PurePosixPath("triton_serving")
CODEC = "triton_codec"  # not "codec": an application may have a module of that name, and its folder comes first on Triton's path


def repository_files(models: tuple[ServedModel, ...], app: ServedApp) -> tuple[NewFile, ...]:
    """All files, paths relative to the application's root. Raises TritonMigrateError if a model cannot be served as it is."""
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise TritonMigrateError(f"two models are called {name}")
    return (*_application_side(), *(file for model in models for file in _model(model)), *_surroundings(models, app))


def uses_codec(model: ServedModel) -> bool:
    """Whether its `pipeline.py` imports `triton_codec`, so that the file must lie beside it."""
    return f"from {CODEC} import" in model.pipeline or f"import {CODEC}" in model.pipeline


def _application_side() -> Iterator[NewFile]:
    yield _file("__init__.py", "", "makes the client importable")
    yield _file("client.py", render("client.py"), "calls Triton over HTTP or gRPC, or runs the pipelines in process")
    yield _file(f"{CODEC}.py", render(f"{CODEC}.py"), "turns Python values into tensors and back")


def _model(model: ServedModel) -> Iterator[NewFile]:
    folder = f"model_repository/{model.name}"
    template = "model_stacked.py" if model.stacked else "model_single.py"
    yield _file(f"{folder}/config.pbtxt", config_pbtxt(model), f"tells Triton the tensors of {model.name}")
    yield _file(
        f"{folder}/1/model.py", render(template), "serves pipeline.py: stack, call once, split" if model.stacked else "serves pipeline.py"
    )
    yield _file(f"{folder}/1/pipeline.py", model.pipeline, model.why)
    if uses_codec(model):
        yield _file(
            f"{folder}/1/{CODEC}.py", render(f"{CODEC}.py"), "the same as the application's copy: Triton gives a model its own folder only"
        )


def _surroundings(models: tuple[ServedModel, ...], app: ServedApp) -> Iterator[NewFile]:
    yield _file("README.md", readme(models, app), "what moved, how to run it, how to go back")
    yield _file("requirements.txt", requirements(models), "what the models need inside Triton")
    yield _file("Dockerfile", dockerfile(), "Triton with the models")
    yield _file("docker-compose.yml", compose(app), "Triton and the application together")


def _file(path: str, text: str, reason: str) -> NewFile:
    return NewFile(str(ROOT / path), text, reason)
