"""Takes a course, gives the control flow around its predict sites: what an ensemble cannot express, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.classify.records import Evidence
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api
from triton_migrate.trace.records import Step


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Control flow that makes a pipeline loose: recursion, carried state, a jump to other stages, a model chosen by a model."""

    message: str
    span: Span


def obstacles(course: Course, stages: frozenset[Scope]) -> tuple[Obstacle, ...]:
    """All of them, each once."""
    found = (*_recursions(course), *_carrying_loops(course), *_chosen_models(course), *_jumps(course, stages))
    return tuple(dict.fromkeys(found))


def harmless(course: Course) -> Iterator[Evidence]:
    """Control flow that CATEGORIES calls none: maps, guards, optional outputs, the choice of a whole pipeline."""
    for loop, scope, step in _loops(course):
        if not _carried(course, scope, loop):
            yield Evidence("batch-loop", "the model runs once for each item, and the results are collected", step.span)
    for site in course.sites:
        if any(isinstance(p, ir.Comprehension) and site.call in flow.walk(p) for p in flow.own(course.steps[site.step].stmt)):
            yield Evidence("batch-loop", "the model runs once for each item, and the results are collected", site.span)
    for step in course.pipeline.steps:
        if not isinstance(step.stmt, ir.If) or step.scope in course.loaders:
            continue
        body, rest = _arms(course, step, step.stmt)
        if of.from_model(step) and of.rejects(step.stmt):
            yield Evidence("early-exit", "an empty or wrong result ends the request here", step.span)
        elif of.from_client(step) and not of.from_model(step):
            if body and rest and body != rest:
                yield Evidence("dispatch", "a field of the request picks the pipeline", step.span)
            elif not body and course.inside(step.scope, step.stmt.body) & course.pipeline.after and not step.stmt.orelse:
                yield Evidence("optional-output", "the client says whether this is part of the answer", step.span)


def _recursions(course: Course) -> Iterator[Obstacle]:
    """A function that calls itself around the model; once for each item of a list is a map."""
    for scope in sorted(course.reaching, key=lambda s: (s.file, s.name)):
        for step in course.by_scope[scope]:
            again = step.number in course.leading and any(e is scope or scope in course.below(e) for e in step.enters)
            if again and not _maps(course, step):
                yield Obstacle(f"{scope.qualname} calls itself around the model", step.span)
                break


def _maps(course: Course, step: Step) -> bool:
    looped = any(isinstance(outer, (ir.For, ir.While)) for outer in course.enclosing(step))
    return looped or any(isinstance(part, ir.Comprehension) for part in flow.own(step.stmt))


# ---------------------------------------------------------------- loops


def _loops(course: Course) -> Iterator[tuple[ir.For | ir.While, Scope, Step]]:
    """The loops with a predict site in their body, each with its head."""
    seen: set[tuple[Scope, ir.At]] = set()
    for number in sorted(course.leading):
        step = course.steps[number]
        for outer in course.enclosing(step):
            if isinstance(outer, (ir.For, ir.While)) and number in course.inside(step.scope, outer.body):
                head = next((s for s in course.by_scope[step.scope] if s.stmt is outer), None)
                if head is not None and (step.scope, outer.at) not in seen:
                    seen.add((step.scope, outer.at))
                    yield outer, step.scope, head


def _carrying_loops(course: Course) -> Iterator[Obstacle]:
    for loop, scope, step in _loops(course):
        if not _runs_stages(loop) and (carried := _carried(course, scope, loop)):
            yield Obstacle(f"{', '.join(sorted(carried))} is carried from one round of the loop around the model to the next", step.span)


def _runs_stages(loop: ir.For | ir.While) -> bool:
    """`for stage in stages: value = stage(value)`: each round is another stage, and written out it is a driver that only passes values."""
    return isinstance(loop, ir.For) and isinstance(loop.target, ir.Name) and all(_runs(stmt, loop.target.id) for stmt in loop.body)


def _runs(stmt: ir.Stmt, stage: str) -> bool:
    if not isinstance(stmt, ir.Assign):
        return isinstance(stmt, ir.Evaluate) and not any(n.id == stage for e in flow.expressions(stmt) for n in flow.names(e))  # a log line
    called = stmt.value.value if isinstance(stmt.value, ir.Await) else stmt.value
    if not isinstance(called, ir.Call) or stmt.augmented:
        return False
    what = called.func.value if isinstance(called.func, ir.Attribute) else called.func
    return isinstance(what, ir.Name) and what.id == stage and all(isinstance(a, (ir.Name, ir.Constant)) for a in called.args)


def _carried(course: Course, scope: Scope, loop: ir.For | ir.While) -> frozenset[str]:
    """Names with a value before the loop that a round reads for the model's data before it binds them; collecting or counting is none."""
    inside = course.inside(scope, loop.body) & course.around
    places = frozenset(course.steps[number].stmt.at for number in inside)
    before = flow.binds(tuple(s for s in flow.flatten(scope.body) if s.at[2:] <= loop.at[:2] and not flow.blocks(s)))
    target = flow.binds((loop,)) - flow.binds(loop.body)
    early, _ = _early(loop.body, frozenset(target), places)
    changed = early & flow.binds(loop.body) & before
    runs = frozenset(course.steps[number].stmt.at for number in inside if number in course.leading)
    fed = _feeding(loop, runs)
    return frozenset(
        name for name in changed
        if not _only_counts(loop.body, name) and not _only_gathers(loop.body, name, runs)
        and (name in fed or not _only_picks(loop.body, name))
    )  # fmt: skip


def _early(block: ir.Block, bound: frozenset[str], places: frozenset[ir.At]) -> tuple[frozenset[str], frozenset[str]]:
    """Names that statements at `places` read before the block binds them, and the names bound after it."""
    early: frozenset[str] = frozenset()
    for stmt in block:
        if stmt.at in places:
            early |= _read(stmt) - bound
        if isinstance(stmt, ir.If):
            one, after_one = _early(stmt.body, bound, places)
            two, after_two = _early(stmt.orelse, bound, places)
            early |= one | two
            bound = after_two if _leaves(stmt.body) else after_one if _leaves(stmt.orelse) else after_one & after_two
            continue
        bound |= flow.binds((stmt,)) if not flow.blocks(stmt) else flow.binds((stmt,)) - flow.binds(sum(flow.blocks(stmt), ()))
        for inner in flow.blocks(stmt):
            found, bound = _early(inner, bound, places)
            early |= found
    return early, bound


def _leaves(block: ir.Block) -> bool:
    return bool(block) and isinstance(block[-1], (ir.Return, ir.Raise, ir.Jump)) and not _passes_on(block[-1])


def _passes_on(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Jump) and stmt.kind == "pass"


def _read(stmt: ir.Stmt) -> set[str]:
    """The names a statement reads for others: `total += x` reads `total` for itself only."""
    own = {n.id for t in stmt.targets for n in flow.names(t)} if isinstance(stmt, ir.Assign) else set()
    read = {n.id for e in flow.expressions(stmt) for n in flow.names(e)}
    if isinstance(stmt, ir.Assign) and stmt.value is not None and not stmt.augmented:
        return {n.id for n in flow.names(stmt.value)}
    return read - own


def _only_counts(body: ir.Block, name: str) -> bool:
    """Every change of the name is `name += constant`."""
    changes = [s for s in flow.flatten(body) if name in flow.binds((s,)) and not flow.blocks(s)]
    return all(isinstance(s, ir.Assign) and s.augmented and isinstance(s.value, ir.Constant) for s in changes)


def _only_gathers(body: ir.Block, name: str, runs: frozenset[ir.At]) -> bool:
    """`rows = np.vstack([rows, row])`: what reads the name binds it anew, and runs no model with it."""
    reading = [s for s in flow.flatten(body) if any(n.id == name for e in flow.expressions(s) for n in flow.names(e))]
    return all(isinstance(s, ir.Assign) and s.at not in runs and flow.binds((s,)) == {name} for s in reading)


def _only_picks(body: ir.Block, name: str) -> bool:
    """`if score > best: best = score`: every change puts another value in its place."""
    changes = [s for s in flow.flatten(body) if name in flow.binds((s,)) and not flow.blocks(s)]
    return all(isinstance(s, ir.Assign) and not s.augmented and name not in _read(s) for s in changes)


def _feeding(loop: ir.For | ir.While, runs: frozenset[ir.At]) -> frozenset[str]:
    """The names that what is run in a later round depends on: its data, and whether the loop comes to it."""
    body = tuple(flow.flatten(loop.body))
    found = {n.id for e in flow.expressions(loop) for n in flow.names(e)} if isinstance(loop, ir.While) else set()
    for stmt in body:
        within = flow.flatten(sum(flow.blocks(stmt), ()))
        if stmt.at in runs or any(s.at in runs or (isinstance(s, (ir.Jump, ir.Return)) and not _passes_on(s)) for s in within):
            found |= {n.id for e in flow.expressions(stmt) for n in flow.names(e)}
    while True:
        more = {n.id for s in body if flow.binds((s,)) & found or _calls_on(s, found) for e in flow.expressions(s) for n in flow.names(e)}
        if more <= found:
            return frozenset(found)
        found |= more


def _calls_on(stmt: ir.Stmt, names: set[str]) -> bool:
    """`rows.append(x)` changes `rows`."""
    called = stmt.value.func if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) else None
    return isinstance(called, ir.Attribute) and any(n.id in names for n in flow.names(called.value))


# ---------------------------------------------------------------- branches


def alternatives(course: Course) -> frozenset[frozenset[int]]:
    """The pairs of predict sites of which a request runs one: they lie in two arms of a branch."""
    found: set[frozenset[int]] = set()
    for step in course.pipeline.steps:
        if isinstance(step.stmt, ir.If):
            body, other = _arms(course, step, step.stmt)
            found |= {frozenset((a, b)) for a in body - other for b in other - body}
    return frozenset(found)


def _arms(course: Course, step: Step, stmt: ir.If) -> tuple[frozenset[int], frozenset[int]]:
    """The predict sites under a branch, and those it passes by: the other arm, or what follows a branch that leaves."""
    body = _sites(course, course.inside(step.scope, stmt.body))
    other = _sites(course, course.inside(step.scope, stmt.orelse))
    if stmt.body and isinstance(stmt.body[-1], ir.Return):
        other |= _sites(course, _following(course, step, stmt))
    return body, other


def _sites(course: Course, numbers: frozenset[int]) -> frozenset[int]:
    return frozenset(site for number in numbers for site in course.leading.get(number, ()))


def _following(course: Course, step: Step, stmt: ir.If) -> frozenset[int]:
    return frozenset(s.number for s in course.by_scope[step.scope] if s.stmt.at[:2] >= stmt.at[2:])


def _chosen_models(course: Course) -> Iterator[Obstacle]:
    """The result of one model decides which other one runs next."""
    for step in course.pipeline.steps:
        if not of.from_model(step) or step.scope in course.loaders:
            continue
        if isinstance(step.stmt, ir.If):
            if _asks_whether_given(step.stmt, step.scope):
                continue
            body, rest = _arms(course, step, step.stmt)
            models = [frozenset(m for n in arm for m in _models(course, n)) for arm in (body, rest)]
            if body and rest and models[0] != models[1]:
                yield Obstacle("the result of one model decides which model runs next", step.span)
            elif body and not rest and not _leaves(step.stmt.body) and _sites(course, _following(course, step, step.stmt)) - body:
                yield Obstacle("the result of one model decides whether another runs before the next", step.span)
        elif isinstance(step.stmt, ir.Assign) and _picks(course, step):
            yield Obstacle("the result of one model decides which model runs next", step.span)


def _asks_whether_given(stmt: ir.If, scope: Scope) -> bool:
    """`def marks(image, places=None): if places is None:`: the caller's code decides this, whatever it gives."""
    match stmt.test:
        case ir.Operation(_, "Is" | "IsNot", (ir.Name(_, name), ir.Constant(_, None))):
            optional = (p for p in scope.function.parameters if isinstance(p.default, ir.Constant) and p.default.value is None)
            return scope.kind == "function" and any(p.name == name for p in optional)
    return False


def _models(course: Course, number: int) -> tuple[object, ...]:
    return next(((site.models or (site.span,)) for site in course.sites if site.number == number), ())


def _picks(course: Course, step: Step) -> bool:
    """`model = models[label]`: the statement takes one of the models that are run."""
    value = step.stmt.value if isinstance(step.stmt, ir.Assign) else None
    if not isinstance(value, ir.Subscript) or isinstance(value.key, ir.Constant):
        return False
    run = {(site.api.made, site.api.path) for site in course.sites}
    found = course.evaluator.values(value, course.evaluator.program.generic(step.scope))
    picked = [v for v in found if isinstance(v, Api) and v.site is not None]
    return any(v.site == made and path.startswith(v.path) for v in picked for made, path in run)  # `model.names[label]` is no model


def _jumps(course: Course, stages: frozenset[Scope]) -> Iterator[Obstacle]:
    """An exit that depends on the data and leads through other stages than the rest of the function."""
    for step in course.pipeline.steps:
        stmt = step.stmt
        if not isinstance(stmt, ir.If) or step.scope not in course.reaching or not stmt.body or not isinstance(stmt.body[-1], ir.Return):
            continue
        if not any(isinstance(o, int) and o in course.around for o in step.taint):
            continue
        taken = _entered(course, course.inside(step.scope, stmt.body)) & stages
        passed = _entered(course, _following(course, step, stmt)) & stages
        if taken and passed and not taken <= passed and of.from_model(step):
            yield Obstacle("an early exit leads to other stages than the rest", step.span)


def _entered(course: Course, numbers: frozenset[int]) -> frozenset[Scope]:
    return frozenset(e for number in numbers for e in course.steps[number].enters)
