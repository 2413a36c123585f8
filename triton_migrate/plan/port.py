"""Takes pipelines and verdicts, gives the `PortPlan`: one planned model per cut, shared by the entries that reach it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from triton_migrate.classify import Verdict
from triton_migrate.index import ir
from triton_migrate.plan.cut import Crossing, Cut, NoCut
from triton_migrate.plan.cutter import Cutter
from triton_migrate.plan.errors import caught
from triton_migrate.plan.records import NotPorted, Tensor
from triton_migrate.plan.tensors import tensor
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.models import model_name
from triton_migrate.trace.records import ModelRef, Pipeline

MAX_BATCH_SIZE = 64
TIGHT = "the model is tied to the application's own state; its target, PyTriton inside the application, is not written by apply yet"
LATER = {"tight": TIGHT}


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """One model of the repository: where it is cut out (`cuts`, one per function that will call it), its tensors, its callers."""

    name: str
    cuts: tuple[Cut, ...]
    cutter: Cutter
    inputs: tuple[tuple[Tensor, Crossing], ...]
    outputs: tuple[tuple[Tensor, Crossing], ...]
    stacked: bool
    errors: tuple[tuple[str, ...], ...]  # by cut: the classes the app catches around it
    endpoints: tuple[str, ...]
    models: tuple[ModelRef, ...]

    @property
    def cut(self) -> Cut:
        return self.cuts[0]


@dataclass(frozen=True, slots=True)
class PortPlan:
    models: tuple[PlannedModel, ...]
    not_ported: tuple[NotPorted, ...]


def plan(evaluator: Evaluator, selected: tuple[tuple[Pipeline, Verdict], ...]) -> PortPlan:
    """Cut every selected pipeline; those with the same cut, or that only call the same model, share one served model."""
    groups: dict[object, list[tuple[Pipeline, Cut, Cutter]]] = {}
    refused: list[NotPorted] = []
    for pipeline, verdict in selected:
        if verdict.category in LATER:
            refused.append(NotPorted(pipeline.entry.id, LATER[verdict.category], verdict.evidence[0].span, verdict.looser_if or ""))
            continue
        cutter = Cutter(evaluator, pipeline)
        cuts = cutter.choose()
        if isinstance(cuts, NoCut):
            refused.append(NotPorted(pipeline.entry.id, cuts.reason, cuts.span, cuts.fix))
            continue
        for cut in cuts:
            groups.setdefault(_identity(cut), []).append((pipeline, cut, cutter))
    taken: set[str] = set()
    models = []
    for members in groups.values():
        made = _planned(evaluator, members, taken)
        taken.add(made.name)
        models.append(made)
    return PortPlan(tuple(models), tuple(refused))


def _identity(cut: Cut) -> object:
    if cut.kind == "region":
        return (cut.scope, cut.span)
    ((_, kind),) = [(c.name, c.type) for c in cut.inputs]
    return (tuple(m.id for s in cut.sites for m in s.models)[:1], kind.kind, kind.dtype, kind.rank, kind.one_row)


def _planned(evaluator: Evaluator, members: list[tuple[Pipeline, Cut, Cutter]], taken: set[str]) -> PlannedModel:
    cuts = _distinct_cuts([c for _, c, _ in members])
    first, cutter = cuts[0], members[0][2]
    refs = tuple(dict.fromkeys(m for cut in cuts for s in cut.sites for m in s.models))
    names: set[str] = set()
    outputs: dict[str, Crossing] = {c.name: c for cut in cuts for c in cut.outputs}
    inputs = [replace(c, name=c.name or _variable(first)) for c in first.inputs]
    errors: dict[Cut, dict[str, None]] = {c: {} for c in cuts}
    for _, cut, _ in members:
        kept = next(c for c in cuts if _place(c) == _place(cut))
        errors[kept].update(dict.fromkeys(caught(evaluator, cut)))
    name = _free_name(model_name(refs[0]) if first.kind == "model" and refs else _pipeline_name(first.scope), first.scope, taken)
    return PlannedModel(
        name, tuple(cuts), cutter, tuple((tensor(c, names), c) for c in inputs), tuple((tensor(c, names), c) for c in outputs.values()),
        all(c.stacked for c in cuts), tuple(("Exception",) if "Exception" in e else tuple(e) for e in errors.values()),
        tuple(dict.fromkeys(p.entry.id for p, _, _ in members)), refs,
    )  # fmt: skip


def _distinct_cuts(cuts: list[Cut]) -> list[Cut]:
    """The same run reached from several entries is cut once; sites of the same function are gathered."""
    found: dict[object, Cut] = {}
    for cut in cuts:
        found.setdefault(_place(cut), cut)
    return list(found.values())


def _place(cut: Cut) -> object:
    return (cut.scope, cut.span if cut.kind == "region" else tuple(s.span for s in cut.sites))


def _variable(cut: Cut) -> str:
    """What the app calls the rows it predicts with."""
    rows = next((a for s in cut.sites for a in (*s.call.args, *(v for _, v in s.call.keywords))), None)
    return rows.id if isinstance(rows, ir.Name) else "input"


def _free_name(name: str, scope: Scope, taken: set[str]) -> str:
    """Two models cut from one artifact are told apart by the function that calls them."""
    made = name if name not in taken else f"{name}_{scope.name}"
    while made in taken:
        made += "_2"
    return made


def _pipeline_name(scope: Scope) -> str:
    owner = scope.owner.name if scope.owner is not None else ""
    words = owner if owner and scope.name.startswith("__") else f"{owner}_{scope.name}" if owner else scope.name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower().strip("_") or "pipeline"
