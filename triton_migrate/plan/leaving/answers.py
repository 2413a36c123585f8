"""Takes a pipeline, gives which of the error answers that its code raises may be raised on the model's side, and again in the application.

`raise HTTPException(404, "no such model")` where a model is looked up cannot stay when the look-up leaves. What is raised there carries
the arguments; the client makes the framework's own error of them. Everywhere else status codes stay where they are decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.leaving.errors import known_as
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Values
from triton_migrate.rulebook.vocabulary import ModelConstruct, ModelLoad, WebAbort
from triton_migrate.trace.records import Pipeline, Step

PREFIX = '{"answer": '  # of the text of such an error: client.py knows it by that


def answer_class(evaluator: Evaluator, values: Values) -> str | None:
    """The library's name of an exception class that ends a request with an error status."""
    paths = {v.path for v in values if isinstance(v, Api) and v.path[v.path.rfind(".") + 1 :][:1].isupper() and "()" not in v.path}
    return next((p for p in sorted(paths) if evaluator.rulebook.find(p, WebAbort) is not None), None)


class Answers:
    """Answers for one pipeline. `below`: the steps of functions, and of all that calls of them enter."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline, below: Callable[[Iterable[Scope]], Iterator[Step]]) -> None:
        self.evaluator, self.program, self.pipeline, self.below = evaluator, evaluator.program, pipeline, below
        self._on_way = frozenset(f.scope for s in pipeline.sites for f in (*(frame for _, frame in s.chain), s.frame))
        self._known: dict[tuple[Scope, ir.At], frozenset[int]] = {}
        self._own: dict[Scope, list[Step]] = {}  # the steps of each function
        for step in pipeline.steps:
            self._own.setdefault(step.scope, []).append(step)

    def parts(self, stmt: ir.Stmt, scope: Scope) -> frozenset[int]:
        """The parts (by id) of a statement that raise such an answer, or catch one, where a model is looked up."""
        if (scope, stmt.at) not in self._known:
            named = self._named(stmt, scope)
            found = frozenset(id(p) for p in named) if named and self._looks_up(stmt, scope) else frozenset()
            self._known[(scope, stmt.at)] = found
        return self._known[(scope, stmt.at)]

    def allows(self, step: Step, at: ir.At) -> bool:
        """Whether the call at that place of a step makes the answer that it raises."""
        stmt = step.stmt
        made = stmt.exception if isinstance(stmt, ir.Raise) else None
        return isinstance(made, ir.Call) and made.at == at and bool(self.parts(stmt, step.scope))

    def raised(self, moved: ir.Block, scope: Scope) -> Values:
        """The classes of answers that moved statements raise, themselves or in what they call."""
        places = {s.at for s in flow.flatten(moved)}
        steps = [s for s in self._own.get(scope, ()) if s.stmt.at in places]
        inside = (*steps, *self.below({e for s in steps for e in s.enters}))
        return frozenset(
            value
            for stmt, where in dict.fromkeys((s.stmt, s.scope) for s in inside if isinstance(s.stmt, ir.Raise))
            for name in self._named(stmt, where)
            for value in self.evaluator.name(name.id, self.program.generic(where))
        )

    def unknown(self, moved: ir.Block, scope: Scope) -> bool:
        """Whether the file that asks for the model has no name for a class that it would have to raise."""
        return any(known_as(self.evaluator, value, scope.file) is None for value in self.raised(moved, scope))

    def _named(self, stmt: ir.Stmt, scope: Scope) -> tuple[ir.Name, ...]:
        """The names of such classes in `raise HTTPException(...)` and `except HTTPException`."""
        exprs: list[ir.Expr] = []
        if isinstance(stmt, ir.Raise) and isinstance(stmt.exception, ir.Call):
            exprs = [stmt.exception.func]
        elif isinstance(stmt, ir.Try):
            exprs = [p for h in stmt.handlers if h.type is not None for p in walk(h.type)]
        frame = self.program.generic(scope)
        names = (e for e in exprs if isinstance(e, ir.Name) and e.id not in scope.bindings)
        return tuple(n for n in names if answer_class(self.evaluator, self.evaluator.name(n.id, frame)) is not None)

    def _looks_up(self, stmt: ir.Stmt, scope: Scope) -> bool:
        """Whether a model is loaded beside it: in its function, or, where that is on the way to a predict call, in the same block."""
        if scope.kind != "function":
            return False
        if scope not in self._on_way:
            return any(map(_loads, self.below((scope,))))
        around = [s for s in flow.around(scope.body, stmt.at) if isinstance(s, (ir.If, ir.Try, ir.With))]
        places = {inner.at for s in around for inner in flow.flatten((s,))}
        near = [s for s in self._own.get(scope, ()) if s.stmt.at in places]
        return any(map(_loads, (*near, *self.below({e for s in near for e in s.enters}))))


def _loads(step: Step) -> bool:
    return any(isinstance(rule, (ModelLoad, ModelConstruct)) for call in step.calls for rule in call.rules)
