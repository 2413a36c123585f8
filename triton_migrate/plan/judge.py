"""Takes statements and values of one pipeline, gives what the cut weighs: what may move, what must stay, what is a model, what is heavy."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.types import Types
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, Value
from triton_migrate.rulebook.vocabulary import (
    Effect,
    ModelConstruct,
    ModelLoad,
    WebAbort,
    WebApp,
    WebParameter,
    WebRequest,
    WebResponse,
    WebRouter,
)
from triton_migrate.trace.records import Pipeline, Step


class Judge:
    """Answers for one pipeline."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline, types: Types) -> None:
        self.evaluator, self.rulebook, self.pipeline, self.types = evaluator, evaluator.rulebook, pipeline, types
        self.steps: dict[tuple[Scope, ir.At], Step] = {(s.scope, s.stmt.at): s for s in pipeline.steps}
        self.by_scope: dict[Scope, list[Step]] = {}
        for step in pipeline.steps:
            self.by_scope.setdefault(step.scope, []).append(step)

    # ------------------------------------------------------------ what may move

    def movable(self, stmt: ir.Stmt, frame: Frame, final: bool = False) -> bool:
        """Whether a statement may leave the function: nothing of request or response, no jump out, no lasting effect."""
        for inner in flow.flatten((stmt,)):
            if isinstance(inner, (ir.Declare, ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom)):
                return False
            if isinstance(inner, ir.Jump) and inner.kind != "pass" and not isinstance(stmt, (ir.For, ir.While)):
                return False
            if isinstance(inner, ir.Return) and not final:
                return False
            if any(isinstance(p, (ir.Yield, ir.Await)) for e in flow.expressions(inner) for p in walk(e)):
                return False
            step = self.steps.get((frame.scope, inner.at))
            if step is not None and not self.leaves(step, frozenset()):
                return False
            parts = (p for e in flow.expressions(inner) for p in walk(e)) if step is None else ()
            if any(self.of_the_web(v) for p in parts for v in self.evaluator.values(p, frame)):
                return False
        return True

    def leaves(self, step: Step, seen: frozenset[Scope]) -> bool:
        """Whether nothing in a step, or in what it calls, has to stay in the app."""
        if step.responds or step.writes:
            return False
        for call in step.calls:
            if any(isinstance(r, (WebAbort, WebResponse, WebRequest)) or _lasting(r) for r in call.rules) or self.of_the_web(call.api):
                return False
        frame = self.evaluator.program.generic(step.scope)
        read = (n for e in flow.expressions(step.stmt) for n in flow.names(e))
        if any(self.of_the_web(v) and not self.is_loaded(v) for n in read for v in self.evaluator.values(n, frame)):
            return False
        return all(self.leaves(s, seen | {e}) for e in step.enters - seen for s in self.by_scope.get(e, ()))

    def of_the_web(self, value: Value) -> bool:
        """Requests, responses, applications, routers and what they make: they stay in the app."""
        if not isinstance(value, Api):
            return False
        path, made_by = value.path, value.path.removesuffix("()")
        if self.rulebook.find(path, WebRequest) or self.rulebook.find(path, WebAbort) or self.rulebook.find(made_by, WebResponse):
            return True
        parameter = self.rulebook.find(made_by, WebParameter) if path.endswith("()") else None
        if parameter is not None and not parameter.default and parameter.source != "dependency":  # an object, not a marker like Query()
            return True
        root = path.split("()")[0]
        return bool(self.rulebook.find(root, WebApp) or self.rulebook.find(root, WebRouter)) and not path.startswith(f"{root}().state.")

    def writes_files(self, scope: Scope, first: ir.Stmt) -> bool:
        """Whether the entry stores something in a file before that statement: what reads it must stay on this machine."""
        start = self.steps.get((scope, first.at))
        return start is not None and any(
            s.number < start.number and any(isinstance(r, Effect) and r.kind == "file-write" for c in s.calls for r in c.rules)
            for s in self.pipeline.steps
        )

    # ------------------------------------------------------------ models and other objects

    def is_receiver(self, name: str, frame: Frame) -> bool:
        """A live-in that holds a model, or an object of the program that does: made anew on the model's side."""
        values = {
            v for v in self.evaluator.name(name, frame) if not (isinstance(v, Literal) and v.value is None)
        }  # `model = None` until loaded
        return bool(values) and all(self.is_loaded(v) or (isinstance(v, Instance) and not self._is_data(v)) for v in values)

    def _is_data(self, instance: Instance) -> bool:
        return self.types.record(instance.of).kind == "record"

    def is_loaded(self, value: Value) -> bool:
        """A model or preprocessor that some call loaded, or an instance of a model class."""
        if isinstance(value, Instance):
            return any(isinstance(b, Api) and self.rulebook.find(b.path, ModelConstruct) for b in self.evaluator.mro(value.of))
        if not isinstance(value, Api) or not value.path.endswith(("()", "]")):
            return False
        if any(value.site == s.api.made for s in self.pipeline.sites if value.site is not None):
            return True
        place = self.evaluator.program.call_at(value.site) if value.site is not None else None
        if place is None:
            return bool(self.rulebook.find(value.path.removesuffix("()"), ModelLoad))
        apis = self.evaluator.apis(place.call.func, self.evaluator.program.generic(place.scope))
        loads = [a for a in apis if self.rulebook.find(a.called, ModelLoad) or self.rulebook.find(a.called, ModelConstruct)]
        return bool(loads) and value.path == self.rulebook.canonical(loads[0].path + "()")

    def uses_loaded(self, expr: ir.Expr, frame: Frame) -> bool:
        """`x.attribute` or `x[key]` of something loaded."""
        base = expr.value if isinstance(expr, (ir.Attribute, ir.Subscript)) else None
        return base is not None and any(self.is_loaded(v) for v in self.evaluator.values(base, frame))

    # ------------------------------------------------------------ what costs

    def around(self, scope: Scope) -> list[Step]:
        """The pipeline's steps in this function that are part of the model's data path."""
        wanted = self.pipeline.before | self.pipeline.after | {s.step for s in self.pipeline.sites}
        return [s for s in self.by_scope.get(scope, ()) if s.number in wanted]

    def heavy(self, step: Step, seen: frozenset[Scope] = frozenset()) -> bool:
        """Whether the statement needs a library worth moving out of the app, or something of a loaded object."""
        for call in step.calls:
            library = self.rulebook.library_of(call.api.path)
            if library is not None and library.heavy and not any(isinstance(r, ModelLoad) for r in call.rules):
                return True
        frame = self.evaluator.program.generic(step.scope)
        for part in (p for e in flow.expressions(step.stmt) for p in walk(e)):
            if isinstance(part, (ir.Name, ir.Attribute)) and self.types.of(part, frame).kind in ("tensor", "image"):
                return True
            if self.uses_loaded(part, frame):
                return True
        return any(self.heavy(s, seen | {e}) for e in step.enters - seen for s in self.by_scope.get(e, ()))


def _lasting(rule: object) -> bool:
    return isinstance(rule, Effect) and rule.kind in ("db-read", "db-write", "network", "file-write")
