"""Takes all pipelines and what is bound, gives the routes that read or change live state outside it: the owner answers those.

Live state is what some entry changes while the application runs: a global or attribute that it writes, a model that it trains, a library's
object that it fills.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.bind.records import Bound
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.reloads import replaces, replacing
from triton_migrate.plan.around.watchers import watching
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import Effect, ModelTrain
from triton_migrate.trace.records import Cell, Pipeline, Step

CHANGES = ("mutate",)


def live_cells(evaluator: Evaluator, pipelines: tuple[Pipeline, ...]) -> frozenset[Cell]:
    """The state that changes while the application runs."""
    courses = (Course(p, evaluator) for p in pipelines)
    return frozenset(cell for course in courses for step in course.pipeline.steps for cell in _changes(course, step))


def switched_cells(pipelines: tuple[Pipeline, ...]) -> frozenset[Cell]:
    """What an entry that runs no model sets to what is there (`engine.limit = 3`): what reads it has to be where it is set.

    Not where it loads or unloads: such an entry says in words of its own what there is (`self.loaded = False`).
    """
    entries = (p.steps for p in pipelines if not p.sites and not any(of.loads(s) or _unloads(s) for s in p.steps))
    return frozenset(c for steps in entries for s in steps if _switches(s) for c in s.writes if c.lasting)


def _switches(step: Step) -> bool:
    value = step.stmt.value if isinstance(step.stmt, ir.Assign) and not step.stmt.augmented else None
    return value is not None and step.scope.name != "__init__" and not any(isinstance(p, ir.Call) for p in flow.walk(value))


def _unloads(step: Step) -> bool:
    stmt = step.stmt
    nothing = isinstance(stmt, ir.Assign) and isinstance(stmt.value, ir.Constant) and stmt.value.value is None
    return bool(step.writes) and (nothing or isinstance(stmt, ir.Delete))


def touching(evaluator: Evaluator, pipelines: tuple[Pipeline, ...], bound: tuple[Bound, ...]) -> tuple[Pipeline, ...]:
    """The pipelines that touch live state outside what is bound."""
    courses, changed = tuple(Course(p, evaluator) for p in pipelines), live_cells(evaluator, pipelines)
    names = frozenset(cell.name for cell in changed)
    return tuple(c.pipeline for c in courses if any(_touches(c, step, changed, names) for step in _outside(c, bound)))


def replaced(evaluator: Evaluator, pipeline: Pipeline, every: tuple[Pipeline, ...]) -> bool:
    """Whether a route that predicts nothing, or a thread, puts another model in place of this one: that happens where the model is."""
    return any(next(found, None) is not None for found in (replacing(evaluator, pipeline, every), watching(evaluator, pipeline, every)))


def _changes(course: Course, step: Step) -> Iterator[Cell]:
    """What lasts and changes: cells that are written, and those that hold what is trained or filled."""
    if step.scope.name == "__init__" or _loads(course, step):
        yield from () if course.pipeline.sites else replaces(course, step)
        return
    yield from (cell for cell in step.writes if cell.lasting)
    if names := frozenset(_mutated(step)):
        yield from (o for o in step.taint if isinstance(o, Cell) and o.lasting and o.name in names)


def _loads(course: Course, step: Step) -> bool:
    """Putting a model in its place, at once or when it is first asked for, changes nothing that it will say."""
    entered = (s for scope in step.enters for s in course.by_scope.get(scope, ()))
    return of.loads(step) or any(map(of.loads, entered)) or bool(step.taint & course.loading and not of.from_model(step))


def _mutated(step: Step) -> Iterator[str]:
    """Names and attributes that lead to the receiver of a call that trains it or changes it."""
    for call in step.calls:
        if any(isinstance(r, ModelTrain) or (isinstance(r, Effect) and r.kind in CHANGES) for r in call.rules):
            spelled = of.call_expression(step, call)
            at: ir.Expr | None = spelled.func if spelled is not None else None
            while isinstance(at, (ir.Attribute, ir.Subscript, ir.Call)):
                if isinstance(at, ir.Attribute):
                    yield at.attr
                at = at.func if isinstance(at, ir.Call) else at.value
            if isinstance(at, ir.Name):
                yield at.id


def _outside(course: Course, bound: tuple[Bound, ...]) -> Iterator[Step]:
    """The steps that do not run in the owner's bound functions: those in functions which only they call are inside, too."""
    within: set[Scope] = {b.scope for b in bound if b.kind == "function"}
    while True:
        more = {
            s for s, calls in course.callers.items() if s not in within and s is not course.root and all(c.scope in within for c in calls)
        }
        if not more:
            break
        within |= more
    yield from (step for step in course.pipeline.steps if step.scope not in within)


def _touches(course: Course, step: Step, changed: frozenset[Cell], names: frozenset[str]) -> bool:
    if step.writes & changed or any(True for _ in _mutated(step)):
        return True
    called = {s.call.func.value.at for s in course.sites if s.step == step.number and isinstance(s.call.func, ir.Attribute)}
    spoken = {n for p in flow.own(step.stmt) if not any(ir.holds(a, p.at) for a in called) for n in _name(p)}
    return any(cell.name in spoken and course.reads(step, cell) for cell in changed)


def _name(part: ir.Expr) -> tuple[str, ...]:
    return (part.attr,) if isinstance(part, ir.Attribute) else (part.id,) if isinstance(part, ir.Name) else ()
