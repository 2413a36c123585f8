"""Takes a statement at the top level of a file, gives whether it prepares a name of that file, starts work, or belongs in load().

And what the whole process shares: a load into TensorFlow's default graph is found by no name, so that nothing would bring it along.
"""

from __future__ import annotations

from collections.abc import Iterable

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.leaving.reaching import loads, reaches
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Container, Instance, Module, Site, UserClass
from triton_migrate.rulebook.vocabulary import Effect, ModelLoad, ModelPredict, TaskEnqueue
from triton_migrate.trace.records import PredictSite


def preparing(evaluator: Evaluator, file: str, name: str) -> list[ir.Stmt]:
    """The statements at the top level that make a name what it is; not what only a person who starts the file does with it (trains it)."""
    module = evaluator.program.files[file].module
    found = [s for s in flow.module_body(module.body) if concerns(evaluator, file, s, name)]
    on_import = [s for s in found if not evaluator.reach.by_hand(module, s.at)]
    return on_import if any(name in flow.binds((s,)) for s in on_import) else found


def concerns(evaluator: Evaluator, file: str, stmt: ir.Stmt, name: str) -> bool:
    """Whether the statement binds the name, or works on its object before a request does."""
    frame = evaluator.program.frames[file]
    if isinstance(stmt, (ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom)) or flow.is_main(stmt):
        return False
    assigned = (t for s in flow.flatten((stmt,)) if isinstance(s, ir.Assign) for t in s.targets)
    if name in flow.binds((stmt,)) or any(isinstance(t, (ir.Attribute, ir.Subscript)) and root(t) == {name} for t in assigned):
        return True  # `options.threads = 2` makes it what it is, too
    if isinstance(stmt, ir.With):  # `with graph.as_default(): ...`
        return any(isinstance(o, ir.Call) and root(o.func) == {name} for o, _ in stmt.items) and runs(evaluator, file, stmt)
    if not isinstance(stmt, ir.Evaluate) or not isinstance(stmt.value, ir.Call) or not isinstance(stmt.value.func, ir.Attribute):
        return False
    return root(stmt.value.func) == {name} and works(evaluator, stmt, stmt.value, frame)


def works(evaluator: Evaluator, stmt: ir.Stmt, call: ir.Call, frame: Frame) -> bool:
    """Whether a call that is a statement may change its receiver: it neither logs nor predicts nor gives a worker something to do."""
    if _logs(evaluator, call, frame) or enqueues(evaluator, stmt, frame):
        return False
    return not reaches(evaluator, call, frame, lambda _, rule: isinstance(rule, ModelPredict))


def changed_elsewhere(evaluator: Evaluator, file: str, name: str) -> Span | None:
    """Where another file of the application changes a name of this one, or its object, on being imported: `limits.margin = 0.9`."""
    held = [v for v in evaluator.name(name, evaluator.program.frames[file]) if isinstance(v, (Container, Instance, UserClass))]
    found = [s for value in held for _, s in evaluator.stores.on_import(value)]
    found += [s for attr, s in evaluator.stores.on_import(Module(file)) if attr == name]
    own = (Span(s.scope.file, *s.at) for s in found if s.scope.file != file and evaluator.reach.runs(s.scope, s.at))
    return min(own, default=None)


def set_elsewhere(evaluator: Evaluator, file: str, name: str) -> Span | None:
    """Where a function of another file of the application sets a name of this one: `store.model = load()`."""
    stores = (s for s in evaluator.stores.attribute(Module(file), name) if s.scope.file != file and s.scope.kind == "function")
    return min((Span(s.scope.file, *s.at) for s in stores if evaluator.reach.runs(s.scope, s.at)), default=None)


def _logs(evaluator: Evaluator, call: ir.Call, frame: Frame) -> bool:
    return any((e := evaluator.rulebook.find(a.called, Effect)) and e.kind == "log" for a in evaluator.apis(call.func, frame))


def enqueues(evaluator: Evaluator, stmt: ir.Stmt, frame: Frame) -> bool:
    """Whether a statement only starts a worker, or gives it work (`worker.start()`)."""
    call = stmt.value if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) else None
    return any(evaluator.rulebook.find(a.called, TaskEnqueue) for a in (evaluator.apis(call.func, frame) if call is not None else ()))


def runs(evaluator: Evaluator, file: str, stmt: ir.Stmt) -> bool:
    """Whether a top-level statement loads a model or reads files: then it belongs in load()."""
    frame = evaluator.program.frames[file]
    return any(isinstance(expr, ir.Call) and loads(evaluator, expr, frame) for expr in flow.every(stmt))


def root(expr: ir.Expr) -> set[str]:
    """The name at the root of `a.b().c[0]`."""
    while isinstance(expr, (ir.Attribute, ir.Subscript, ir.Call)):
        expr = expr.func if isinstance(expr, ir.Call) else expr.value
    return {expr.id} if isinstance(expr, ir.Name) else set()


def left_behind(evaluator: Evaluator, sites: Iterable[PredictSite], brought: Iterable[Span]) -> NoCut | None:
    """What hinders, where a model is loaded into what is the default at that moment by code that does not come along."""
    brought = tuple(brought)
    for model in (m for site in sites for m in site.models):
        place = evaluator.program.call_at(Site(model.span.file, model.span.at))
        if place is None or any(span.holds(model.span) for span in brought):
            continue
        frame = evaluator.program.generic(place.scope)
        rules = (evaluator.rulebook.find(a.called, ModelLoad) for a in evaluator.apis(place.call.func, frame))
        if any(rule is not None and rule.within for rule in rules):
            reason = f"{model.loader} loads into what the whole process shares, and stays in the application"
            return NoCut(reason, model.span, "load it in the function that makes the session, into a graph of its own")
    return None
