"""Takes a pipeline, gives the routes that load its model's file anew while the application runs, where Triton can do that in their place.

`model = load(PATH)` in a route becomes `triton.reload("iris")`: the same file, read again where the model is. A route that puts another
file there, or a model that it made, changes what the application is; that has to happen where the model is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course
from triton_migrate.classify.state import fills
from triton_migrate.entries.records import Entry
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.registries import Mark, marks
from triton_migrate.plan.around.watchers import watching
from triton_migrate.plan.cutting.alone import receiver
from triton_migrate.plan.cutting.liveness import blocks_around
from triton_migrate.plan.records import ServedModel
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.records import Cell, InputOrigin, Pipeline, Step


@dataclass(frozen=True, slots=True)
class Reload:
    """What one route, or a thread that watches the file, does to load it anew: `stmts` of the function at `scope`, in a row or not.

    `cells` hold what is loaded, and `caught` are the classes of exceptions that the route catches around it, as it writes them.
    """

    entry: str
    scope: Scope
    stmts: tuple[ir.Stmt, ...]
    cells: frozenset[Cell]
    caught: tuple[ir.Expr, ...]
    models: frozenset[Mark]

    @property
    def places(self) -> tuple[Span, ...]:
        return tuple(Span(self.scope.file, *s.at) for s in self.stmts)


def replacing(evaluator: Evaluator, pipeline: Pipeline, every: tuple[Pipeline, ...]) -> Iterator[tuple[Course, Step, set[Cell]]]:
    """The steps of routes that predict nothing and put another model in place of this one, with what they put it into."""
    cells = frozenset(o for site in pipeline.sites for o in site.taint if isinstance(o, Cell) and o.lasting)
    for course in (Course(p, evaluator) for p in every if p is not pipeline and not p.sites and isinstance(p.entry, Entry)):
        for step in course.pipeline.steps:
            if found := replaces(course, step) & cells:
                yield course, step, found


def replaces(course: Course, step: Step) -> set[Cell]:
    """What the step puts a loaded model into, unless it only fills what is empty."""
    if step.scope.name == "__init__" or not (of.loads(step) or step.taint & course.loading):
        return set()
    return {cell for cell in step.writes if cell.lasting and not fills(course, step, cell)}


def reloads(evaluator: Evaluator, pipeline: Pipeline, every: tuple[Pipeline, ...]) -> tuple[Reload, ...]:
    """How the pipeline's model is loaded anew; empty where nothing does, and where a route does more than that."""
    if len({(m.loader, m.artifact) for m in pipeline.models}) != 1:
        return ()
    held = frozenset(m for s in pipeline.sites for m in marks(evaluator.values(receiver(s), s.frame)))
    found: dict[str, Reload] = {}
    for course, step, cells in replacing(evaluator, pipeline, every):
        stmt = _statement(evaluator, course, step, cells)
        if stmt is None:
            return ()
        known = found.get(course.pipeline.entry.id)
        stmts = tuple(dict.fromkeys((*(known.stmts if known is not None else ()), stmt)))
        both = cells | (known.cells if known is not None else set())
        caught = tuple(_caught(course.root, stmt))
        found[course.pipeline.entry.id] = Reload(course.pipeline.entry.id, course.root, stmts, frozenset(both), caught, held)
    for watch in watching(evaluator, pipeline, every):
        caught = tuple(_caught(watch.scope, watch.stmt))
        found[watch.place.place] = Reload(watch.place.place, watch.scope, (watch.stmt,), frozenset({watch.cell}), caught, held)
    return tuple(found.values())


def asking_anew(
    served: list[tuple[tuple[str, ...], tuple[ServedModel, ...]]], anew: dict[str, tuple[Reload, ...]]
) -> dict[Reload, tuple[str, ...]]:
    """The models that each route loads anew. `served`: pipelines, by their ids, with the models of the repository that they ask."""
    found: dict[tuple[str, tuple[Span, ...]], tuple[Reload, list[str]]] = {}
    for endpoints, models in served:
        for reload in (r for e in endpoints for r in anew.get(e, ())):
            names = found.setdefault((reload.entry, reload.places), (reload, []))[1]
            names += [m.name for m in models if not m.steps and m.name not in names]
    return {reload: tuple(names) for reload, names in found.values()}


def _statement(evaluator: Evaluator, course: Course, step: Step, cells: set[Cell]) -> ir.Stmt | None:
    """The statement of the route that leads to the load; None where it does more, or depends on the request."""
    loading = [s for s in course.pipeline.steps if s.number == step.number or s.number in step.taint]
    if any(s.inputs or any(isinstance(o, InputOrigin) for o in s.taint) for s in loading):
        return None
    if step.scope is course.root:
        return _opening(course.root, step.stmt)
    callers = course.callers.get(step.scope, [])
    if len(callers) != 1 or callers[0].scope is not course.root or not isinstance(callers[0].stmt, ir.Evaluate):
        return None
    return callers[0].stmt if _only_loads(evaluator, course, step.scope, cells) else None


def _opening(scope: Scope, stmt: ir.Stmt) -> ir.Stmt:
    """The statement; or the `with open(...) as f:` of which it is all."""
    for block, index in blocks_around(scope.function.body, stmt.at):
        outer = block[index]
        if isinstance(outer, ir.With) and outer.body == (stmt,) and flow.binds((outer._replace(body=()),)) & flow.reads((stmt,)):
            return outer
    return stmt


def _only_loads(evaluator: Evaluator, course: Course, scope: Scope, cells: set[Cell]) -> bool:
    """Whether a function does nothing but load: it may open files, keep what it needs in locals, and log."""
    for stmt in flow.flatten(scope.function.body):
        match stmt:
            case ir.Declare() | ir.With() | ir.Jump(_, "pass") | ir.Return(_, None) | ir.Evaluate(_, ir.Constant()):
                continue
            case ir.Assign():
                lasting = {c for s in course.by_scope.get(scope, ()) if s.stmt is stmt for c in s.writes if c.lasting}
                if lasting <= cells:
                    continue
            case ir.Evaluate(_, ir.Call(_, func)):
                apis = evaluator.apis(func, evaluator.program.generic(scope))
                told = (evaluator.rulebook.find(a.called, Effect) for a in apis)
                if any(e is not None and e.kind == "log" for e in told):
                    continue
        return False
    return True


def _caught(scope: Scope, stmt: ir.Stmt) -> Iterator[ir.Expr]:
    for outer in flow.around(scope.function.body, stmt.at):
        if isinstance(outer, ir.Try) and any(ir.holds(s.at, stmt.at) for s in outer.body):
            for handler in outer.handlers:
                types = handler.type.items if isinstance(handler.type, ir.Sequence) else (handler.type,)
                yield from (t for t in types if t is not None)
