"""Takes the predict sites of an individual pipeline or of a consumer, gives the cuts that serve its model alone.

The design, from here to the running port:
- a cut of `kind` "alone" takes the *receiver* of a predict call, no more: `model.predict(x)` becomes `triton_models.iris.predict(x)`.
  The application's own code before and after the call is untouched, so any value may be an argument or a result.
- `Planner` tries it first for individual pipelines and consumers, then the other ways; a model that other pipelines call by those ways
  is not served twice.
- the served model has one input CALL and one output RESULT, both UINT8 [-1]: the call and its result as `triton_call` freezes them, arrays
  as they are in memory. A row of the batch axis is a call; where the rule knows rows to be independent, calls that wait are made as one.
- `generate.alone` writes pipeline.py (load, original), `model_alone.py` serves it; `dropin.py` in the application has the calls,
  `shared_memory.py` brings the bytes to Triton, `inprocess/` does so without a server.
"""

from __future__ import annotations

import re

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.constants import Constant, chains, constants
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.cutting.liveness import find_block, path_to
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.rows import PredictCalls
from triton_migrate.plan.values.types import Types
from triton_migrate.plan.values.vtype import parse
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.trace.records import PredictSite

PATHS = ("str", "unknown")  # what may be the path of a file that the application wrote, on its own disk
STUCK = ("object", "buffer", "stream", "generator", "file", "record")
WHY = "the model is served by itself; the application's own code around it stays as it is"


def identifier(name: str) -> str:
    """How the application's code calls the stand-in of a model."""
    return re.sub(r"\W", "_", name)


def receiver(site: PredictSite) -> ir.Expr:
    """The expression that is the model: `model` of `model.predict(x)` and of `model(x)`."""
    func = site.call.func
    return func.value if isinstance(func, ir.Attribute) and not site.api.path.endswith("()") else func


def method(site: PredictSite) -> str:
    """The name of the call, "()" for that of the model itself."""
    func = site.call.func
    return func.attr if isinstance(func, ir.Attribute) and not site.api.path.endswith("()") else "()"


def alone(sites: tuple[PredictSite, ...], types: Types, judge: Judge, predicts: PredictCalls) -> tuple[Cut, ...]:
    """A cut per function and model; empty when some call cannot be made by a stand-in."""
    groups: dict[object, list[PredictSite]] = {}
    for site in sites:
        groups.setdefault((site.scope, site.models), []).append(site)
    if not all(_stands_alone(s, types, judge) for s in sites):
        return ()
    return tuple(_cut(tuple(group), predicts) for group in groups.values())


def written_at(site: PredictSite) -> tuple[ir.Stmt, tuple[ir.Expr, ...]] | None:
    """The statement that makes the call and the expressions in it down to the call; None where something else does (`Thread(target=f)`)."""
    own = ((s, tuple(path_to(e, site.call))) for s in flow.flatten(site.scope.body) for e in flow.expressions(s))
    return next((found for found in own if found[1]), None)


def _stands_alone(site: PredictSite, types: Types, judge: Judge) -> bool:
    held = receiver(site)
    if (written := written_at(site)) is None:
        return False
    called = any(isinstance(p, ir.Call) for p in walk(held)) and not judge.getters.entered(held, site.frame)
    if len(site.models) != 1 or called or site.models[0].when == "per-request":
        return False
    result = parse(site.rule.result).kind
    arguments = [*site.call.args, *(v for _, v in site.call.keywords)]
    kinds = {types.of(a, site.frame).kind for a in arguments}
    if result in STUCK or kinds & set(STUCK) or (kinds & set(PATHS) and judge.writes_files(site.scope, written[0])):
        return False
    name = {held.id} if isinstance(held, ir.Name) else set()
    kept = {id(p) for chain, _ in chains(tuple(arguments), name) for p in walk(chain)}
    return not any(judge.uses_loaded(p, site.frame) for a in arguments for p in walk(a) if id(p) not in kept)


def read(evaluator: Evaluator, sites: tuple[PredictSite, ...]) -> tuple[Constant, ...]:
    """What the application reads of the model besides its calls."""
    names = ((s.scope, receiver(s)) for s in sites)
    own = {(scope.file, e.id) for scope, e in names if isinstance(e, ir.Name) and (scope.kind == "module" or e.id not in scope.bindings)}
    return constants(evaluator, sites, frozenset(own))


def reads_more(judge: Judge, sites: tuple[PredictSite, ...]) -> bool:
    """Whether the application reads something else of the model (`model.classes_`): served alone, it would be loaded on both sides."""
    apart = {id(s.call.func) for s in sites} | {id(p) for c in read(judge.evaluator, sites) for p in walk(c.expr)}
    for step in judge.pipeline.steps:
        frame = judge.evaluator.program.generic(step.scope)
        parts = (p for p in flow.own(step.stmt) if isinstance(p, ir.Attribute) and id(p) not in apart)
        if any(judge.uses_loaded(p, frame) for p in parts):
            return True
    return False


def _cut(sites: tuple[PredictSite, ...], predicts: PredictCalls) -> Cut:
    scope, frame = sites[0].scope, sites[0].frame
    block, index = find_block(scope.body, sites[0].call)
    stacked = all(s.rule.row_independent and len(predicts.rows(s) or ()) == 1 for s in sites)
    return Cut("alone", scope, frame, block, index, index, sites, (), (), (), False, stacked, sites[0].call, (), 0.0, WHY)
