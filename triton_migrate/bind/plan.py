"""Takes the tight pipelines that were selected, gives the `BindPlan`: predict calls bound by themselves, else functions around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from triton_migrate.bind.calls import typed_calls
from triton_migrate.bind.functions import STUCK, Candidate
from triton_migrate.bind.owned import touching
from triton_migrate.bind.reach import Reach
from triton_migrate.bind.records import Argument, BindPlan, Bound
from triton_migrate.bind.regions import Outline, outline
from triton_migrate.bind.versions import Conflict
from triton_migrate.classify import Verdict
from triton_migrate.entries.records import Entry, Task
from triton_migrate.index import ir
from triton_migrate.index.text import Text
from triton_migrate.plan.cutting.cut import Crossing, Cut, NoCut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.records import NotPorted, Tensor
from triton_migrate.plan.values.tensors import CODEC, tensor
from triton_migrate.plan.values.vtype import SHAPED, UNKNOWN
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.models import model_name
from triton_migrate.trace.records import Pipeline, PredictSite

CALL = "only rows travel: the predict call runs on the live model of the owner, all that wait in one call"
FUNCTION = "the function runs as it is on the owner's live object, with its locks and the state it reads"
REGION = "the statements around the model become a function of plain values, which the owner runs on its live objects"
TRAINED = "only the process that trains the model has it as it is now"
INLINE = "the model is called in the function that answers the request"
RESERVED = frozenset(
    {
        "apart", "application", "attach", "bound", "each", "fields", "infer", "infer_async", "live", "models", "np", "objects", "original",
        "owned", "together", "waiting", *CODEC.split("|"),
    }
)  # names of bindings.py  # fmt: skip
WORKERS = frozenset({"celery", "rq", "dramatiq", "huey", "arq", "taskiq", "django-q"})
OWN_COPY = "its worker processes keep their own copies of the state it reads or changes"


@dataclass(slots=True)
class _Draft:
    """What is bound by one pipeline, before those of all pipelines are joined."""

    kind: str
    scope: Scope
    pipeline: Pipeline
    cut: Cut | None = None
    candidate: Candidate | None = None
    outline: Outline | None = None
    receiver: str = ""


def bind(
    evaluator: Evaluator,
    texts: dict[str, Text],
    selected: tuple[tuple[Pipeline, Verdict], ...],
    every: tuple[Pipeline, ...],
    conflicts: tuple[Conflict, ...] = (),
) -> BindPlan:
    """`every` are all pipelines of the application: their routes may touch what is live, too. `conflicts` are pins PyTriton cannot meet."""
    if conflicts:
        first = conflicts[0]
        return BindPlan((), (), tuple(NotPorted(p.entry.id, first.reason, first.span, first.fix) for p, _ in selected))
    reach, handlers = Reach(evaluator, texts), frozenset(p.entry.scope for p in every)
    drafts: dict[object, list[_Draft]] = {}
    refused: list[NotPorted] = []
    for pipeline, _ in selected:
        if _is_bound(evaluator, pipeline):
            continue
        made = _drafted(Cutter(evaluator, pipeline), reach, pipeline, handlers)
        if isinstance(made, NoCut):
            refused.append(NotPorted(pipeline.entry.id, made.reason, made.span, made.fix))
            continue
        for draft in made:
            run = draft.outline.cut.span if draft.outline is not None else None
            drafts.setdefault((draft.kind, draft.scope, draft.receiver, run), []).append(draft)
    taken: set[str] = set(RESERVED)
    bound = tuple(_bound(members, taken) for members in drafts.values())
    touched = touching(evaluator, every, bound)
    tasks = {p.entry.id: p.entry for p in touched if isinstance(p.entry, Task) and _in_a_worker(p.entry)}
    lost = {p.entry.id: p for p in touched if p.entry.id in tasks and not _takes_plain_values(tasks[p.entry.id])}
    for entry in [e for b in bound for e in b.endpoints if e in lost]:
        refused.append(NotPorted(entry, OWN_COPY, lost[entry].sites[0].span, "keep the state where all processes reach it"))
    owned = tuple((m, p.entry.path) for p in touched if isinstance(p.entry, Entry) for m in p.entry.methods if m not in ("HEAD", "OPTIONS"))
    kept = tuple(b for b in bound if not set(b.endpoints) <= set(lost))
    workers = tuple(dict.fromkeys(task.handler.scope for e, task in tasks.items() if e not in lost)) if kept else ()
    return BindPlan(kept, tuple(dict.fromkeys(owned)), tuple(refused), workers)


def _in_a_worker(task: Task) -> bool:
    """Whether processes of their own run it: background tasks, threads and executors are the web process's."""
    return task.queue in WORKERS


def _takes_plain_values(task: Task) -> bool:
    """Whether its function can be called by another process: at module level, no task object among the arguments."""
    scope = task.handler.scope
    bound = any(isinstance(d, ir.Call) and any(k == "bind" for k, _ in d.keywords) for d in scope.function.decorators)
    return scope.parent is not None and scope.parent.kind == "module" and not scope.function.is_async and not bound


def _is_bound(evaluator: Evaluator, pipeline: Pipeline) -> bool:
    """Whether an earlier port has bound it: the port of a port changes nothing."""
    scopes = {f.scope for s in pipeline.sites for f in (*(f for _, f in s.chain), s.frame)}
    calls = ((s, d) for s in scopes for d in s.function.decorators if isinstance(d, ir.Call))
    frames = evaluator.program.frames
    return any(a.path.startswith("triton_serving.") for s, d in calls for a in evaluator.apis(d.func, frames[s.file]))


def passable(selected: tuple[tuple[Pipeline, Verdict], ...]) -> tuple[tuple[tuple[Pipeline, Verdict], ...], BindPlan]:
    """Those that are tight by a look-up only, which can stay in the route; the others are refused."""
    refused = tuple(
        NotPorted(p.entry.id, f"{v.evidence[0].message}: {TRAINED}", v.evidence[0].span, "port it with --target pytriton")
        for p, v in selected
        if v.rule != "T1"
    )
    return tuple((p, v) for p, v in selected if v.rule == "T1"), BindPlan((), (), refused)


def unbound(plan: BindPlan, problem: NoCut) -> BindPlan:
    """Nothing of the plan, for a problem that its edits met."""
    refused = (NotPorted(e, problem.reason, problem.span, problem.fix) for b in plan.bound for e in b.endpoints)
    return BindPlan((), (), (*plan.not_ported, *refused))


def _drafted(cutter: Cutter, reach: Reach, pipeline: Pipeline, handlers: frozenset[Scope]) -> list[_Draft] | NoCut:
    """Typed predict calls, or functions around them, or else a run of statements: of these, what leaves the code most as it is."""
    if calls := typed_calls(cutter, reach):
        return [_Draft("call", cut.scope, pipeline, cut=cut, receiver=receiver) for cut, receiver in calls]
    functions = _functions(cutter, reach, pipeline, handlers)
    if not isinstance(functions, NoCut):
        return functions
    run = outline(cutter, reach)
    if isinstance(run, NoCut):
        return functions if functions.reason != INLINE else run
    return [_Draft("region", run.cut.scope, pipeline, outline=run)]


def _functions(cutter: Cutter, reach: Reach, pipeline: Pipeline, handlers: frozenset[Scope]) -> list[_Draft] | NoCut:
    """The smallest function around each predict site that can be bound."""
    found: list[_Draft] = []
    for site in pipeline.sites:
        scopes = {site.scope, *(f.scope for _, f in site.chain)}
        if any(d.scope in scopes for d in found):
            continue
        problem = NoCut(INLINE, site.span, STUCK)
        for depth in range(len(site.chain), 0, -1):
            candidate = Candidate(cutter, reach, site, depth, handlers)
            if candidate.problem is None:
                found.append(_Draft("function", candidate.scope, pipeline, candidate=candidate))
                break
            problem = candidate.problem if problem.reason == INLINE else problem
        else:
            return problem
    return found


def _bound(members: list[_Draft], taken: set[str]) -> Bound:
    first = members[0]
    endpoints = tuple(dict.fromkeys(d.pipeline.entry.id for d in members))
    sites = tuple({s.span: s for d in members for s in _sites(d)}.values())
    models = tuple(dict.fromkeys(m for d in members for s in _sites(d) for m in s.models))
    if first.cut is not None:
        cut, names = first.cut, {"ERROR"}
        given = replace(cut.inputs[0], name=_variable(cut))
        argument = Argument("rows", False, tensor(given, names), given)
        outputs = {c.name: c for d in members if d.cut is not None for c in d.cut.outputs}
        made = tuple((tensor(c, names), c) for c in outputs.values())
        shaped = given.type.kind in SHAPED and given.type.one_row
        stacked = cut.stacked and shaped and all(c.type.one_row for c in outputs.values())
        name = _free(model_name(models[0]) if models else first.scope.name, taken)
        return Bound("call", name, first.scope, first.receiver, (argument,), made, stacked, sites, endpoints, models, CALL)
    if first.outline is not None:
        run = first.outline
        name = _free(f"run_{first.scope.name.strip('_')}", taken)
        output = tensor(run.result, {"ERROR", *(a.tensor.name for a in run.arguments if a.tensor)})
        callee = f'live("{first.scope.file}").{name}'
        return Bound("region", name, first.scope, callee, run.arguments, ((output, run.result),), False, sites, endpoints, models, REGION,
                     run.cut, run.replaced, run.place)  # fmt: skip
    assert first.candidate is not None
    candidates = [d.candidate for d in members if d.candidate is not None]
    result = _agreed([c.result for c in candidates])
    arguments = tuple(_agreed_argument(same) for same in zip(*(c.arguments for c in candidates), strict=True))
    output = tensor(result, {"ERROR", *(a.tensor.name for a in arguments if a.tensor)})
    owner = f"{first.scope.owner.name}_" if first.scope.owner is not None else ""
    name = _free(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", owner + first.scope.name).lower().strip("_"), taken)
    return Bound(
        "function", name, first.scope, first.candidate.callee, arguments, ((output, result),), False, sites, endpoints, models, FUNCTION
    )


def _sites(draft: _Draft) -> tuple[PredictSite, ...]:
    if draft.cut is not None or draft.outline is not None:
        return draft.cut.sites if draft.cut is not None else draft.pipeline.sites
    return tuple(s for s in draft.pipeline.sites if any(f.scope is draft.scope for f in (*(f for _, f in s.chain), s.frame)))


def _agreed(crossings: list[Crossing]) -> Crossing:
    """A value as all callers know it; JSON carries what they know differently."""
    kinds = {c.type for c in crossings}
    return crossings[0] if len(kinds) == 1 else Crossing(crossings[0].name, UNKNOWN)


def _agreed_argument(same: tuple[Argument, ...]) -> Argument:
    first = same[0]
    crossing = _agreed([a.crossing for a in same])
    if first.tensor is None or crossing == first.crossing:
        return first
    made = Tensor(first.tensor.name, "STRING", (1,), first.name, "json")
    return Argument(first.name, first.keyword, made, crossing, tuple(dict.fromkeys(f for a in same for f in a.fields)))


def _variable(cut: Cut) -> str:
    rows = next((a for s in cut.sites for a in (*s.call.args, *(v for _, v in s.call.keywords))), None)
    return rows.id if isinstance(rows, ir.Name) else "input"


def _free(name: str, taken: set[str]) -> str:
    made = re.sub(r"\W", "_", name) or "model"
    while made in taken:
        made += "_model"
    taken.add(made)
    return made
