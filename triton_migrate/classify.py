"""Takes traced pipelines, gives a `Verdict` for each: the rules of CATEGORIES.md, with the evidence for the one that decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.entries.records import Entry
from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import (
    DataConvert,
    Effect,
    ModelConfigure,
    ModelConstruct,
    ModelLoad,
    ModelPredict,
    ModelTrain,
    Rule,
    WebAbort,
    WebRequest,
    WebResponse,
)
from triton_migrate.trace.records import Cell, InputOrigin, Pipeline, PredictOrigin, PredictSite, Step

ARITHMETIC = frozenset({"Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "MatMult"})
COMPARISONS = frozenset({"Lt", "LtE", "Gt", "GtE"})
CONTAINER_BUILTINS = frozenset(
    f"builtins.{n}"
    for n in ("float", "int", "str", "bool", "len", "list", "tuple", "dict", "range", "zip", "enumerate", "isinstance", "print")
)
# Methods that only change the container, on whatever a library gave.
CONVERSIONS = frozenset(
    {"decode", "tolist", "to_list", "to_dict", "item", "numpy", "cpu", "detach", "reshape", "squeeze", "flatten", "ravel", "astype"}
)
UNLOADING = frozenset({"clear", "pop", "popitem"})  # taking away adds nothing that could feed a model
NEAR_TIGHT = ("tight", "individual", "modular", "loose")  # ties go to the first
TARGETS = {"tight": "pytriton", "individual": "model", "modular": "ensemble", "loose": "python-backend"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact and where it stands."""

    rule: str
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """The category of one pipeline. `confidence` is 0..1; `looser_if` the one edit that would move it to a looser category."""

    category: str
    rule: str
    confidence: float
    runner_up: str
    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...]
    looser_if: str | None
    effort: int
    effort_why: str

    @property
    def target(self) -> str:
        return TARGETS[self.category]


@dataclass(frozen=True, slots=True)
class _Program:
    """What the pipelines say together: who writes which cell, what is trained, how many entries use a function."""

    writers: dict[Cell, tuple[tuple[Pipeline, Step], ...]]
    trained: tuple[tuple[Pipeline, Step], ...]
    users: Counter[Scope]


def classify(pipelines: tuple[Pipeline, ...]) -> tuple[Verdict | None, ...]:
    """One verdict per pipeline, in order; None where no model is reached."""
    writers: dict[Cell, list[tuple[Pipeline, Step]]] = {}
    trained = []
    users: Counter[Scope] = Counter()
    loaders = _loading(tuple(s for p in pipelines for s in p.steps))
    for pipeline in pipelines:
        users.update({s.scope for s in pipeline.steps})
        for step in pipeline.steps:
            for cell in step.writes:
                if not _loads(step, cell, loaders):
                    writers.setdefault(cell, []).append((pipeline, step))
            if any(isinstance(r, ModelTrain) for c in step.calls for r in c.rules):
                trained.append((pipeline, step))
    program = _Program({c: tuple(w) for c, w in writers.items()}, tuple(trained), users)
    return tuple(_verdict(p, program) if p.sites else None for p in pipelines)


def _loading(steps: tuple[Step, ...]) -> set[Scope]:
    """Functions that load a model themselves, and constructors that do so through other functions."""
    found = {s.scope for s in steps if any(isinstance(r, (ModelLoad, ModelConstruct)) for c in s.calls for r in c.rules)}
    reached, before = set(found), 0
    while before != len(reached):
        before = len(reached)
        reached |= {s.scope for s in steps if s.enters & reached}
    return found | {scope for scope in reached if scope.name == "__init__"}


def _loads(step: Step, cell: Cell, loaders: set[Scope]) -> bool:
    """A write that only puts a loaded or freshly made object in place (lazy loading), unloads, or runs a model that keeps its result."""
    rules = [r for c in step.calls for r in c.rules]
    if any(isinstance(r, ModelConfigure) and r.input for r in rules) or (step.predicts and isinstance(step.stmt, ir.Evaluate)):
        return True
    if isinstance(step.stmt, ir.Assign) and not step.stmt.augmented and any(isinstance(r, (ModelLoad, ModelConfigure)) for r in rules):
        return True  # another finished artifact, even at the client's wish, is no state of the application
    if isinstance(step.stmt, ir.Assign) and step.enters & loaders:
        return True
    if isinstance(step.stmt, ir.Evaluate) and isinstance(step.stmt.value, ir.Call) and isinstance(step.stmt.value.func, ir.Attribute):
        if step.stmt.value.func.attr in UNLOADING:
            return True
    if any(isinstance(o, (InputOrigin, PredictOrigin)) for o in step.taint):
        return False
    if isinstance(step.stmt, ir.Assign) and not step.stmt.augmented:
        return cell not in step.taint or not step.calls or bool(step.enters)  # made anew from constants
    return any(isinstance(r, ModelConfigure) for r in rules)


def _verdict(pipeline: Pipeline, program: _Program) -> Verdict:
    flags = _flags(pipeline)
    confidence = max(0.5, 0.95 - 0.05 * min(len(pipeline.breaks), 6) - (0.1 if not pipeline.models else 0))
    if tight := _tight(pipeline, program):
        rule, evidence, looser = tight
        return Verdict("tight", rule, confidence, "loose", evidence, flags, looser, 5, "the model stays in the application (PyTriton)")
    if one := _individual(pipeline):
        effort = "only the predict call changes"
        return Verdict("individual", "I1", confidence, "loose", one, flags, None, 1, effort)
    if stages := _modular(pipeline, program):
        rule, evidence = stages
        return Verdict("modular", rule, confidence, "loose", evidence, flags, None, 3, "each stage becomes a model of an ensemble")
    return Verdict(
        "loose", "loose", confidence, "modular", _loose_evidence(pipeline), flags, None, 3, "pre- and post-processing move with the model"
    )


# ---------------------------------------------------------------- tight


def _tight(pipeline: Pipeline, program: _Program) -> tuple[str, tuple[Evidence, ...], str] | None:
    for site in pipeline.sites:
        for owner, step in program.trained:
            if owner is pipeline and all(m.when == "per-request" for m in site.models):
                continue  # fitted, used and dropped within one request
            if _trains(step, site) or _replaces(owner, step, site):
                return (
                    "T2",
                    (Evidence("T2", f"{owner.entry.id} trains the model that {site.text} uses", step.span), _site_evidence("T2", site)),
                    f"the training in {step.span.place} ran outside the application",
                )
        for cell in sorted((o for o in site.taint if isinstance(o, Cell)), key=str):
            if _written_first(pipeline, cell):
                continue
            for owner, step in program.writers.get(cell, ()):
                return (
                    "T1",
                    (
                        Evidence("T1", f"{cell.name} feeds {site.text} and is changed at run time by {owner.entry.id}", step.span),
                        _site_evidence("T1", site),
                    ),
                    f"{cell.name} (changed in {step.span.place}) were passed in with the request",
                )
        reads = [
            s
            for s in pipeline.steps
            if s.number in site.taint
            and any(_is_effect(r, "db-read") for c in s.calls for r in c.rules)
            and not _names_a_blob(pipeline, s, site)
        ]
        if reads:
            return (
                "T1",
                (Evidence("T1", f"a stored value read here feeds {site.text}", reads[0].span), _site_evidence("T1", site)),
                f"the look-up in {reads[0].span.place} were passed in with the request",
            )
    return None


def _written_first(pipeline: Pipeline, cell: Cell) -> bool:
    """Whether the entry assigns the cell before it reads it: what feeds the model is this request's own (`not-re-entrant`)."""
    for step in pipeline.steps:
        if cell in step.writes and isinstance(step.stmt, ir.Assign) and not step.stmt.augmented and not _keeps(step.stmt):
            return cell not in step.taint
        if cell in step.writes or cell in step.taint:
            return False
    return False


def _keeps(stmt: ir.Assign) -> bool:
    """`d["key"] = x` changes a part and keeps the rest."""
    return any(isinstance(target, ir.Subscript) for target in stmt.targets)


def _names_a_blob(pipeline: Pipeline, read: Step, site: PredictSite) -> bool:
    """A look-up by a key that the client gave, whose result only says which file to open: the client's own input, acquired."""
    if not any(isinstance(o, InputOrigin) for o in read.taint):
        return False
    opened = (s for s in pipeline.steps if s.number in site.taint and read.number in s.taint)
    return any(_is_effect(r, "file-read") for s in opened for c in s.calls for r in c.rules)


def _trains(step: Step, site: PredictSite) -> bool:
    sites = {c.api.site for c in step.calls if any(isinstance(r, ModelTrain) for r in c.rules)}
    return site.api.site is not None and site.api.site in sites


def _replaces(owner: Pipeline, training: Step, site: PredictSite) -> bool:
    """Whether the entry that trains also writes a model file, and the site's model comes out of one."""
    if any(s.step == training.number for s in owner.sites) or not site.models:
        return False
    written = any(_is_effect(r, "file-write") and _of_models(c.api.path) for s in owner.steps for c in s.calls for r in c.rules)
    return written and any(m.artifact is not None or m.when == "per-request" for m in site.models)


def _of_models(path: str) -> bool:
    """Whether a call that writes a file writes a model."""
    name = path.rpartition(".")[2]
    return path in ("joblib.dump", "pickle.dump", "torch.save") or name.startswith(
        ("save_model", "log_model", "save_weights", "save_pretrained")
    )


def _is_effect(rule: Rule, kind: str) -> bool:
    return isinstance(rule, Effect) and rule.kind == kind


# ---------------------------------------------------------------- individual


def _individual(pipeline: Pipeline) -> tuple[Evidence, ...] | None:
    if any(m.fused for m in pipeline.models) or any(s.rule.fused for s in pipeline.sites):
        return None
    steps = {s.number: s for s in pipeline.steps}
    loaders = {s.scope for s in pipeline.steps if any(isinstance(r, ModelLoad) for c in s.calls for r in c.rules)}
    loaders -= {pipeline.entry.handler.scope, *(s.scope for s in pipeline.sites)}
    around = [
        s for n in sorted(pipeline.before | pipeline.after | {s.step for s in pipeline.sites}) if (s := steps[n]).scope not in loaders
    ]
    if len({m.id for m in pipeline.models}) > 1 or not all(_converts(s) for s in around):
        return None
    return tuple(_site_evidence("I1", s) for s in pipeline.sites)


def _converts(step: Step) -> bool:
    """Only container conversion in the sense of I1."""
    if isinstance(step.stmt, ir.If):
        return not step.stmt.orelse and all(isinstance(s, (ir.Return, ir.Raise)) for s in step.stmt.body)
    callees = {part.func for e in _expressions(step.stmt) for part in walk(e) if isinstance(part, ir.Call)} if step.predicts else set()
    chosen = {id(p) for callee in callees for p in walk(callee)}  # which model is run is no change of the data
    for expr in _expressions(step.stmt):
        for part in walk(expr):
            if id(part) in chosen and isinstance(part, ir.Subscript):
                continue
            if isinstance(part, ir.Operation) and set(part.operator.split("+")) & (ARITHMETIC | COMPARISONS):
                return False
            if isinstance(part, (ir.Conditional, ir.Joined)):
                return False
            if isinstance(part, ir.Subscript) and not isinstance(part.key, (ir.Constant, ir.Slice, ir.Operation, ir.Sequence)):
                return False
    return all(_call_converts(c.rules, c.api.path) or any(isinstance(r, ModelPredict) for r in c.rules) for c in step.calls)


def _call_converts(rules: tuple[Rule, ...], path: str) -> bool:
    if path in CONTAINER_BUILTINS or path.startswith(("builtins.NoneType().", "builtins.dict().", "builtins.list().append")):
        return True
    if not rules and path.rpartition(".")[2] in CONVERSIONS:
        return True
    allowed = (WebRequest, WebResponse, WebAbort, ModelConfigure)
    return any(
        isinstance(r, allowed) or (isinstance(r, DataConvert) and r.container) or _is_effect(r, "log") or _is_effect(r, "time")
        for r in rules
    )


def _expressions(stmt: ir.Stmt) -> tuple[ir.Expr, ...]:
    match stmt:
        case ir.Assign(_, targets, value, _, _):
            return (*targets, *([value] if value is not None else []))
        case ir.Evaluate(_, value):
            return (value,)
        case ir.Return(_, value):
            return (value,) if value is not None else ()
        case ir.With(_, items, _):
            return tuple(e for e, _ in items)
        case ir.For(_, target, iterable, _, _):
            return (target, iterable)
    return ()


# ---------------------------------------------------------------- modular


def _modular(pipeline: Pipeline, program: _Program) -> tuple[str, tuple[Evidence, ...]] | None:
    stages = _stage_functions(pipeline)
    if len(stages) < 2:
        return None
    shared = [s for s in stages if program.users[s] > 1]
    holders = {site.scope for site in pipeline.sites}
    if len(holders) > 1 and len(pipeline.models) > 1:
        return "M1b", _stage_evidence("M1b", stages)
    if shared:
        return "M1a", _stage_evidence("M1a", stages)
    handler = pipeline.entry.handler.scope
    if len(holders) == 1 and holders != {handler} and all(_only_calls(pipeline, h) for h in holders):
        loose_ends = [s for s in pipeline.steps if s.scope is handler and s.number in pipeline.before | pipeline.after and not _passes(s)]
        if not loose_ends:
            return "M1c", _stage_evidence("M1c", stages)
    return None


def _stage_functions(pipeline: Pipeline) -> tuple[Scope, ...]:
    """Functions of the pipeline that lie wholly before, at or after the model, touch no request and keep nothing."""
    found: dict[Scope, list[Step]] = {}
    for step in pipeline.steps:
        if step.scope is not pipeline.entry.handler.scope:
            found.setdefault(step.scope, []).append(step)
    sides = []
    several = len({site.scope for site in pipeline.sites}) > 1
    for scope, steps in found.items():
        numbers = {s.number for s in steps}
        inside = [bool(numbers & pipeline.before), any(s.predicts for s in steps), bool(numbers & pipeline.after)]
        clean = not any(s.inputs or s.writes or s.responds for s in steps) and scope.name != "__init__"
        returns = any(isinstance(s.stmt, ir.Return) and s.stmt.value is not None for s in steps)
        enters = any(s.enters for s in steps)
        works = inside[1] or not all(_converts(s) for s in steps)
        whole = sum(inside) == 1 or (inside[1] and (several or not inside[0]))
        if clean and returns and works and not enters and (whole or _only_calls(pipeline, scope)):
            sides.append(scope)
    return tuple(sides)


def _only_calls(pipeline: Pipeline, scope: Scope) -> bool:
    steps = [s for s in pipeline.steps if s.scope is scope]
    return all(s.predicts or _converts(s) or isinstance(s.stmt, ir.With) for s in steps) and not any(s.enters for s in steps)


def _passes(step: Step) -> bool:
    return bool(step.enters) or bool(step.inputs) or bool(step.responds) or _converts(step) or isinstance(step.stmt, ir.Return)


# ---------------------------------------------------------------- evidence and flags


def _site_evidence(rule: str, site: PredictSite) -> Evidence:
    return Evidence(rule, f"{site.text} runs the model", site.span)


def _stage_evidence(rule: str, stages: tuple[Scope, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(rule, f"{s.qualname} is a stage of its own", Span(s.file, *s.function.at)) for s in stages)


def _loose_evidence(pipeline: Pipeline) -> tuple[Evidence, ...]:
    words = {"parse": "reads the request", "pre": "prepares the input", "post": "interprets the result", "respond": "builds the answer"}
    found = [Evidence("loose", f"{s.name} {words[s.kind]}", s.span) for s in pipeline.stages if s.kind in words]
    return (*(_site_evidence("loose", s) for s in pipeline.sites), *found)


def _flags(pipeline: Pipeline) -> tuple[str, ...]:
    flags = []
    cells = {o for s in pipeline.sites for o in s.taint if isinstance(o, Cell)}
    if any(_written_first(pipeline, cell) for cell in cells):
        flags.append("not-re-entrant")
    if any(
        isinstance(r, ModelLoad)
        for s in pipeline.steps
        for c in s.calls
        for r in c.rules
        if any(isinstance(o, InputOrigin) for o in c.taint)
    ):
        flags.append("dynamic-models")
    if any(m.fused for m in pipeline.models):
        flags.append("fused")
    if any(m.when == "first-use" for m in pipeline.models):
        flags.append("lazy-load")
    steps = {s.number: s for s in pipeline.steps}
    if any(_is_effect(r, "db-write") for n in pipeline.after for c in steps[n].calls for r in c.rules):
        flags.append("db-write-after")
    return tuple(flags)


def application_category(pipelines: tuple[Pipeline, ...], verdicts: tuple[Verdict | None, ...]) -> tuple[str, float]:
    """The category of most inference entries; entries with the same predict sites and stages count once, half tight is tight."""
    distinct: dict[object, str] = {}
    confidences = []
    for pipeline, verdict in zip(pipelines, verdicts, strict=True):
        if verdict is not None:
            entry = pipeline.entry.handler.scope if not isinstance(pipeline.entry, Entry) else None
            key = (tuple(s.span for s in pipeline.sites), tuple(s.span for s in pipeline.stages), entry)
            distinct[key] = verdict.category
            confidences.append(verdict.confidence)
    if not distinct:
        return "none", 1.0
    counts = Counter(distinct.values())
    if 2 * counts["tight"] >= sum(counts.values()):
        return "tight", min(confidences)
    best = max(counts.values())
    return next(c for c in NEAR_TIGHT if counts[c] == best), min(confidences)
