"""Takes calls, gives those that only hand out a model which they load when it is first needed (`get_model()(x)`).

Such a call changes a global, but to nothing that the model's side could not have from its own start: it stands for the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.leaving.remembered import remembers
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace.records import Cell, Step


class Getters:
    """Answers for one pipeline. `steps_of`: what functions and those that they call do; `lasting`: what of it outlives the request."""

    def __init__(
        self,
        evaluator: Evaluator,
        steps_of: Callable[[Iterable[Scope]], Iterator[Step]],
        lasting: Callable[[Step], set[Cell]],
        is_held: Callable[[ir.Expr, Frame], bool],
    ) -> None:
        self.evaluator, self.steps_of, self.lasting, self.is_held = evaluator, steps_of, lasting, is_held
        self._known: dict[tuple[Scope, ir.At], frozenset[Scope]] = {}

    def entered(self, part: ir.Expr, frame: Frame) -> frozenset[Scope]:
        """The functions that such a call enters; none where it is another one, or all that a variable is set to."""
        if not isinstance(part, ir.Call) or part.args or part.keywords or not isinstance(part.func, (ir.Name, ir.Attribute)):
            return frozenset()
        key = (frame.scope, part.at)
        if key not in self._known:
            called = frozenset(f.scope for v in self.evaluator.values(part.func, frame) for f in self.evaluator.callables(v))
            body = frame.scope.function.body if frame.scope.kind == "function" else ()
            whole = any(isinstance(s, ir.Assign) and s.value is part for s in flow.flatten(body))
            fills = called and not whole and all(map(self._loads_once, called))
            self._known[key] = called if fills and self.is_held(part, frame) else frozenset()
        return self._known[key]

    def of(self, exprs: Iterable[ir.Expr], frame: Frame) -> tuple[ir.Expr, ...]:
        return tuple(part for part in exprs if self.entered(part, frame))

    def _loads_once(self, scope: Scope) -> bool:
        """Whether all that a function of a module changes is a global, which it sets to a model behind a look whether that is there.

        Or nothing, where it remembers what it gave (`@lru_cache`).
        """
        if scope.parent is None or scope.parent.kind != "module" or scope.is_lambda or scope.function.parameters:
            return False
        changes = [s for s in self.steps_of((scope,)) if self.lasting(s)]
        return all(s.scope is scope and self._is_first_use(s, scope) for s in changes) if changes else remembers(self.evaluator, scope)

    def _is_first_use(self, step: Step, scope: Scope) -> bool:
        stmt = step.stmt
        if not isinstance(stmt, ir.Assign) or stmt.value is None or not all(isinstance(t, ir.Name) for t in stmt.targets):
            return False
        names = flow.binds((stmt,))
        guards = (s for s in flow.flatten(scope.function.body) if isinstance(s, ir.If) and ir.holds(s.at, stmt.at))
        guarded = any({n.id for n in flow.names(g.test)} == names and not any(isinstance(p, ir.Call) for p in walk(g.test)) for g in guards)
        return guarded and self.is_held(stmt.value, self.evaluator.program.generic(scope))
