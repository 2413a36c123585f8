"""Takes the served models and the application, gives what people and containers read: README, Dockerfile, compose file, requirements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain

from triton_migrate.base import Span
from triton_migrate.generate.config import STREAMS, waits
from triton_migrate.generate.deployment import PORT, image_name, settings
from triton_migrate.generate.served import ServedApp
from triton_migrate.generate.templates import render
from triton_migrate.plan.copied.commandline import GIVEN
from triton_migrate.plan.records import ServedModel, Tensor


def readme(models: tuple[ServedModel, ...], app: ServedApp, *, inprocess: bool = False) -> str:
    return render(
        "README.md",
        models=models,
        app=app,
        json=any(_is_json(tensor) for model in models for tensor in (*model.inputs, *model.outputs)),
        artifacts=_once(chain.from_iterable(model.artifacts for model in models)),
        tensors=described,
        places=_places,
        networks={network.name: network for model in models for network in model.networks},
        not_exported=_once(chain.from_iterable(model.not_exported for model in models)),
        together=_together,
        alone=any(model.alone for model in models),
        metrics=_once(
            f"`{model.name}`" for model in models if "triton_metrics import" in model.pipeline or "import triton_metrics" in model.pipeline
        ),
        arguments=_once(f"`{model.name}`" for model in models if GIVEN in model.pipeline),
        inprocess=inprocess,
        shared=shared(models),
        binary=any(tensor.provenance == "bytes" for model in models for tensor in (*model.inputs, *model.outputs)),
    )


def shared(models: tuple[ServedModel, ...]) -> dict[str, tuple[str, ...]]:
    """The models that several ensembles have as a stage, with the names of those."""
    users = {m.name: tuple(e.name for e in models if any(s.model == m.name for s in e.steps)) for m in models}
    return {name: ensembles for name, ensembles in users.items() if len(ensembles) > 1}


def dockerfile(models: tuple[ServedModel, ...], app: ServedApp) -> str:
    networks = [network for model in models for network in model.networks]
    needs = sorted(_once(chain.from_iterable(network.needs for network in networks)))
    return render(
        "Dockerfile",
        networks=sorted(_once(network.name for network in networks)),
        needs=["'numpy<2'", *needs],
        app=app,
        cached=any(m.cached for m in models),
        reloads=any(m.reloaded for m in models),
        bare=any(network.bare is not None for network in networks),
    )


def compose(models: tuple[ServedModel, ...], app: ServedApp) -> str:
    # a JSON value is a YAML value, whatever the target's name is
    told = settings(app, "http://triton:8000")
    return render(
        "docker-compose.yml",
        app=app,
        command=json.dumps(app.command(PORT)),
        environment="{ " + ", ".join(f"{name}: {json.dumps(value)}" for name, value in told.items()) + " }",
        json=json.dumps,
        service=image_name(app),
        fixed=", ".join(_once(span.place for span in app.beside.fixed)),
        alone=any(model.alone for model in models),
    )


def requirements(models: tuple[ServedModel, ...]) -> str:
    """One distribution per line. pip itself joins our `numpy<2` with a pin of the application's, or says that they exclude each other."""
    needed = sorted(_once(chain.from_iterable(model.requirements for model in models)), key=str.lower)
    return "\n".join(
        ("# what the models need inside Triton; its Python backend (2.51) corrupts tensors under numpy 2", "numpy<2", *needed, "")
    )


def _together(model: ServedModel) -> str:
    """What becomes of requests that are there at the same time."""
    if model.steps:
        return "as each stage takes them"
    if model.decoupled:
        return "side by side, in one event loop" if waits(model) else f"side by side, {STREAMS} streams at once"
    return f"stacked, up to {model.max_batch_size} in one call" if model.stacked else "one by one"


def described(tensors: tuple[Tensor, ...]) -> str:
    """Names, types and shapes, as a table's cell."""
    return ", ".join(_described(tensor) for tensor in tensors)


def _described(tensor: Tensor) -> str:
    return f"{tensor.name} {'*JSON*' if _is_json(tensor) else tensor.dtype} [{','.join(str(size) for size in tensor.dims)}]"


def _is_json(tensor: Tensor) -> bool:
    return tensor.provenance == "json"


def _places(moved: tuple[Span, ...]) -> Iterator[str]:
    for span in sorted(moved):
        yield span.place if span.line == span.end_line else f"{span.place}-{span.end_line}"


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
