"""Takes planned models that are pipelines of stages, gives them with a model for each stage: equal stages are one model, and shared.

The tensors of an ensemble that come from the application and go to it are those of the model it takes the place of; between two
stages a value has the tensor that its type allows (`tensors.edge`). Both ends of an edge have the same type and dims.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from triton_migrate.plan.cutting.cut import Crossing
from triton_migrate.plan.planned import PlannedModel, pipeline_name
from triton_migrate.plan.records import Tensor, Wired
from triton_migrate.plan.staged.graph import Edge, Graph, GraphStage
from triton_migrate.plan.values.tensors import edge, records

WHOLE = ("json", "bytes")  # written so, the type of a value does not matter


def with_parts(models: tuple[PlannedModel, ...], graphs: Mapping[str, Graph]) -> tuple[PlannedModel, ...]:
    """`graphs`: those of the ensembles, by the name of the model."""
    taken = {model.name for model in models}
    ensembles = tuple((model, graphs[model.name]) for model in models if model.name in graphs)
    tensors = _alike(ensembles, {e: t for model, graph in ensembles for e, t in _tensors(model, graph).items()})
    stages: dict[object, GraphStage] = {}
    users: dict[object, list[PlannedModel]] = {}
    for model, graph in ensembles:
        for stage in graph.stages:
            stages.setdefault(_key(stage, tensors), stage)
            users.setdefault(_key(stage, tensors), []).append(model)
    parts = {key: _part(stage, tensors, users[key], taken) for key, stage in stages.items()}
    wired = {m.name: tuple(_wired(parts[_key(s, tensors)], s, tensors) for s in graph.stages) for m, graph in ensembles}
    return tuple(replace(m, parts=wired.get(m.name, ())) for m in models)


def _tensors(model: PlannedModel, graph: Graph) -> dict[Edge, Tensor]:
    """The tensor of each edge."""
    made = [e for stage in graph.stages for e in stage.made]
    given = {c.name: t for t, c in model.inputs}
    answered = {c.name: t for t, c in model.outputs}
    taken = {t.name for t in (*given.values(), *answered.values())}
    found = {e: given[e.name] for stage in graph.stages for e in stage.given if e not in made}
    return found | {e: answered[e.name] if e.outer else edge(Crossing(e.name, e.type), taken) for e in made}


def _alike(ensembles: tuple[tuple[PlannedModel, Graph], ...], tensors: dict[Edge, Tensor]) -> dict[Edge, Tensor]:
    """A value that goes to the application in one pipeline, and to a stage in another, is written alike, so that its stage is shared."""
    found = dict(tensors)
    groups: dict[object, list[tuple[Edge, ...]]] = {}
    for _, graph in ensembles:
        for stage in graph.stages:
            groups.setdefault(stage.key, []).append((*stage.given, *stage.made))
    changed = True
    while changed:
        changed = False
        for same in (position for group in groups.values() for position in zip(*group, strict=False)):
            told = next((found[e] for e in same if found[e].provenance == "json"), None)
            for e in same:
                loose = found[e].provenance == "bytes" or (e.type.kind == "array" and found[e].provenance != "json")
                if told is not None and loose and not e.outer:
                    found[e] = replace(told, name=found[e].name, variable=found[e].variable)
                    changed = True
    return found


def _key(stage: GraphStage, tensors: dict[Edge, Tensor]) -> object:
    """Stages of equal keys are one model."""
    written = ((tensors[e], e.type) for e in (*stage.given, *stage.made))
    kinds = tuple((t.dtype, t.dims, t.provenance if t.provenance in WHOLE else (k.kind, k.one_row), records(k)) for t, k in written)
    return (stage.key, len(stage.given), kinds)


def _part(stage: GraphStage, tensors: dict[Edge, Tensor], users: list[PlannedModel], taken: set[str]) -> PlannedModel:
    """The model of a stage, with tensors by the names that its own code has for the values."""
    first, cut = users[0], stage.cut
    given, made = ([tensors[e] for e in side] for side in (stage.given, stage.made))
    name = pipeline_name(stage.callee) if stage.callee is not None else f"{first.name}_{made[0].variable}"
    while name in taken:
        name += "_stage"
    taken.add(name)
    own: set[str] = set()
    inputs = tuple((_renamed(t, c.name, own), c) for t, c in zip(given, cut.inputs, strict=True))
    outputs = tuple((_renamed(t, t.variable, own), c) for t, c in zip(made, cut.outputs, strict=True))
    raised = dict.fromkeys((c.scope.file, e) for user in users for c, names in zip(user.cuts, user.errors, strict=True) for e in names)
    return PlannedModel(
        name, (cut,), stage.cutter, inputs, outputs, cut.stacked, ((),), tuple(dict.fromkeys(e for user in users for e in user.endpoints)),
        tuple(dict.fromkeys(m for s in cut.sites for m in s.models)), tuple(raised),
    )  # fmt: skip


def _renamed(tensor: Tensor, variable: str, own: set[str]) -> Tensor:
    name = re.sub(r"\W", "_", variable).upper().strip("_") or "VALUE"
    while name in own:
        name += "_"
    own.add(name)
    return replace(tensor, name=name, variable=variable)


def _wired(part: PlannedModel, stage: GraphStage, tensors: dict[Edge, Tensor]) -> tuple[PlannedModel, Wired]:
    inputs = ((t.name, tensors[e].name) for (t, _), e in zip(part.inputs, stage.given, strict=True))
    outputs = ((t.name, tensors[e].name) for (t, _), e in zip(part.outputs, stage.made, strict=True))
    return part, Wired(part.name, tuple(inputs), tuple(outputs))
