"""Takes the served models, gives every file of `triton_serving/`: the client, the model repository and what runs and explains them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from triton_migrate.base import TritonMigrateError
from triton_migrate.changes import NewFile
from triton_migrate.generate.bare import holder
from triton_migrate.generate.config import config_pbtxt, cpu_config_pbtxt, waits
from triton_migrate.generate.deployment import deployment
from triton_migrate.generate.documents import compose, dockerfile, readme, requirements
from triton_migrate.generate.served import ServedApp
from triton_migrate.generate.templates import render
from triton_migrate.plan.copied.placement import DEVICE
from triton_migrate.plan.cutting.alone import identifier
from triton_migrate.plan.cutting.exits import DEFINITION
from triton_migrate.plan.leaving.answers import PREFIX
from triton_migrate.plan.planned import MAX_BATCH_SIZE
from triton_migrate.plan.records import Network, ServedModel

ROOT = PurePosixPath("triton_serving")
CODEC = "triton_codec"  # not "codec": an application may have a module of that name, and its folder comes first on Triton's path
NETWORK = "triton_network"
CALL = "triton_call"
METRICS = "triton_metrics"
STEP = "triton_step"


def repository_files(models: tuple[ServedModel, ...], app: ServedApp, *, inprocess: bool = False) -> tuple[NewFile, ...]:
    """All files, paths relative to the application's root. Raises TritonMigrateError if a model cannot be served as it is."""
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise TritonMigrateError(f"two models are called {name}")
    return (
        *_application_side(models, app),
        *(file for model in models for file in _model(model)),
        *export_files(models),
        *alone_files(models, inprocess),
        *_surroundings(models, app, inprocess),
    )


def uses_codec(model: ServedModel) -> bool:
    """Whether its `pipeline.py` imports `triton_codec`, so that the file must lie beside it."""
    return uses_call(model) or f"from {CODEC} import" in model.pipeline or f"import {CODEC}" in model.pipeline


def uses_metrics(model: ServedModel) -> bool:
    """Whether its moved code counts in metrics of the application."""
    return f"from {METRICS} import" in model.pipeline or f"import {METRICS}" in model.pipeline


def uses_call(model: ServedModel) -> bool:
    """Whether it imports `triton_call`."""
    return model.alone or f"from {CALL} import" in model.pipeline


def ends_early(model: ServedModel) -> bool:
    """Whether the application may answer where its moved code looks something up."""
    return DEFINITION in model.pipeline


def _application_side(models: tuple[ServedModel, ...], app: ServedApp) -> Iterator[NewFile]:
    streams, ensembles = any(m.decoupled for m in models), any(m.steps for m in models)
    calls = any(uses_call(m) and not m.alone for m in models)
    metrics = any(uses_metrics(m) for m in models)
    versions, reloads = any(m.versions for m in models), any(m.reloaded for m in models)
    levels, answers = any(m.levels is not None for m in models), any(PREFIX in m.pipeline for m in models)
    early = any(ends_early(m) for m in models)
    text = render(
        "client.py", streams=streams, ensembles=ensembles, calls=calls, metrics=metrics, versions=versions, reloads=reloads, levels=levels,
        answers=answers, early=early, http_errors=app.http_errors,
    )  # fmt: skip
    yield _file("__init__.py", "", "makes the client importable")
    yield _file("client.py", text, "calls Triton over HTTP or gRPC, or runs the pipelines in process")
    yield _file(f"{CODEC}.py", render(f"{CODEC}.py"), "turns Python values into tensors and back")
    if metrics:
        yield _file(f"{METRICS}.py", render(f"{METRICS}.py"), "the application's own metrics where they are counted in Triton")


def _model(model: ServedModel) -> Iterator[NewFile]:
    folder = f"model_repository/{model.name}"
    yield _file(f"{folder}/config.pbtxt", config_pbtxt(model), f"tells Triton the tensors of {model.name}")
    if (for_cpu := cpu_config_pbtxt(model)) is not None:
        yield _file(f"{folder}/configs/cpu.pbtxt", for_cpu, "the same for a machine without GPU: --model-config-name=cpu")
    if model.steps:
        yield _file(f"{folder}/1/.gitkeep", "", "Triton wants a version folder, and git drops empty ones")
        return
    for number, pipeline in model.pipelines:
        yield from _version(model, f"{folder}/{number}", pipeline)


def _version(model: ServedModel, folder: str, pipeline: str) -> Iterator[NewFile]:
    """The folder of one version."""
    yield _file(f"{folder}/model.py", *_server(model))
    yield _file(f"{folder}/pipeline.py", pipeline, model.why)
    if model.networks or model.beside:
        asks = f"asks Triton for {_named(model.networks)} once exported" if model.networks else f"what {STEP} shares with other models"
        yield _file(f"{folder}/{NETWORK}.py", render(f"{NETWORK}.py"), asks)
    if model.beside:
        yield _file(
            f"{folder}/{STEP}.py", render(f"{STEP}.py"), "does what a stage beside it did around its network, once that is exported"
        )
    if uses_call(model):
        yield _file(f"{folder}/{CALL}.py", render(f"{CALL}.py"), "the same as the application's copy")
    if uses_metrics(model):
        yield _file(f"{folder}/{METRICS}.py", render(f"{METRICS}.py"), "the same as the application's copy: counts at Triton's /metrics")
    if uses_codec(model):
        yield _file(
            f"{folder}/{CODEC}.py", render(f"{CODEC}.py"), "the same as the application's copy: Triton gives a model its own folder only"
        )


def alone_files(models: tuple[ServedModel, ...], inprocess: bool) -> Iterator[NewFile]:
    """What stands in the application for the models that are served alone; `inprocess`: and runs Triton in its process."""
    alone = tuple({"name": m.name, "identifier": identifier(m.name)} for m in models if m.alone)
    if any(uses_call(m) for m in models):
        yield _file(f"{CALL}.py", render(f"{CALL}.py"), "a call and its result as bytes")
    if alone:
        yield _file("models.py", render("models.py", models=alone), "stands in the place of the application's models")
        yield _file("dropin.py", render("dropin.py", inprocess=inprocess), "an object with the calls of a model")
        yield _file("shared_memory.py", render("shared_memory.py"), "tensors by memory that Triton has mapped, too")
        yield _file("gpu_memory.py", render("gpu_memory.py"), "the same on a GPU, for tensors that are there")
    if alone and inprocess:
        yield _file("inprocess/__init__.py", "", "Triton in the application's process")
        yield _file("inprocess/server.py", render("inprocess_server.py"), "Triton's C API from Python: no network interface")
        yield _file("inprocess/infer.c", render("inprocess_infer.c", model=alone[0]), "the same from C")
        yield _file("inprocess/Makefile", render("inprocess_Makefile"), "builds infer.c")


def _server(model: ServedModel) -> tuple[str, str]:
    """The text of `model.py`, and what it does."""
    placed = DEVICE in model.pipeline
    if model.alone:
        text = render("model_alone.py", networks=model.networks, placed=placed)
        return text, "serves the model of pipeline.py: a request is one call of it"
    if model.decoupled:
        return render("model_decoupled.py", waits=waits(model), placed=placed), "serves pipeline.py: sends each result as it comes"
    if model.stacked:
        text = render("model_stacked.py", networks=model.networks, placed=placed, beside=model.beside)
        return text, "serves pipeline.py: stack, call once, split"
    text = render("model_single.py", networks=model.networks, placed=placed, beside=model.beside, early=ends_early(model))
    return text, "serves pipeline.py"


def export_files(models: tuple[ServedModel, ...]) -> Iterator[NewFile]:
    """A script for each network, and what they share. What they write is not for git."""
    scripts = {network.name: (network, model) for model in reversed(models) for network in model.networks}
    if not scripts:
        return
    frozen, ensembles = any(uses_call(m) for m in models), any(n.steps for m in models for n in m.networks)
    stages = [network.bare.stage for network, _ in scripts.values() if network.bare is not None]
    text = render("exporting.py", calls=frozen, ensembles=ensembles, metrics=any(uses_metrics(m) for m in models), bare=bool(stages))
    yield _file("exporting.py", text, "what the export scripts share")
    if stages:
        yield _file("wiring.py", render("wiring.py"), f"puts an exported network in the place of its stage ({', '.join(sorted(stages))})")
    yield _file(f"{NETWORK}.py", render(f"{NETWORK}.py"), "stands in the place of a network: while it is exported, and in Triton")
    for name, (network, model) in sorted(scripts.items()):
        calls = dict.fromkeys(c for m in models for n in m.networks if n.name == name for c in n.calls)
        values = {
            "network": network,
            "calls": list(calls),
            "model": model,
            "tolerance": network.tolerance,
            "max_batch_size": MAX_BATCH_SIZE,
            "ports": lambda pairs: json.dumps(dict(pairs)),
            "holder": holder,
            "port": lambda pair: "(" + ", ".join(map(json.dumps, pair)) + ")",
        }
        yield _file(f"export_{name}.py", render(f"export_{network.script}.py", **values), network.why)
    ignored = "".join(f"model_repository/{name}/\n" for name in sorted(scripts))
    yield _file(".gitignore", f"# written by export_<name>.py\n{ignored}", "exported networks are built, not kept")


def _named(networks: tuple[Network, ...]) -> str:
    return ", ".join(network.name for network in networks)


def _surroundings(models: tuple[ServedModel, ...], app: ServedApp, inprocess: bool) -> Iterator[NewFile]:
    yield _file("README.md", readme(models, app, inprocess=inprocess), "what moved, how to run it, how to go back")
    yield _file("requirements.txt", requirements(models), "what the models need inside Triton")
    yield _file("Dockerfile", dockerfile(models, app), "Triton with the models")
    yield _file("alive.py", render("alive.py"), "asks each model for a small inference: Triton does not tell when one's process died")
    yield _file("docker-compose.yml", compose(models, app), "Triton and the application together")
    yield from (_file(*each) for each in deployment(app))


def _file(path: str, text: str, reason: str) -> NewFile:
    return NewFile(str(ROOT / path), text, reason)
