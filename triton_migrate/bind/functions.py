"""Takes a pipeline, gives the smallest function around its predict sites that can be bound as it is, or why none can."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.bind.fields import fields_of, use_of
from triton_migrate.bind.reach import Reach
from triton_migrate.bind.records import Argument
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting.cut import Crossing, NoCut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.rows import frame_at
from triton_migrate.plan.values.tensors import tensor
from triton_migrate.plan.values.vtype import UNKNOWN
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Literal
from triton_migrate.rulebook.vocabulary import Effect, WebAbort, WebRequest, WebResponse
from triton_migrate.trace.records import PredictSite

LOCKS = ("threading.", "multiprocessing.", "asyncio.")
STUCK = "call the model in a function of plain arguments and results"


class Candidate:
    """One function on the way from the handler to a predict site; `problem` says why it cannot be bound."""

    def __init__(self, cutter: Cutter, reach: Reach, site: PredictSite, depth: int, handlers: frozenset[Scope]) -> None:
        self.cutter, self.evaluator, self.judge, self.types, self.reach = cutter, cutter.evaluator, cutter.judge, cutter.types, reach
        self.site, self.depth, self.handlers = site, depth, handlers
        self.frame = frame_at(site, depth)
        self.scope = self.frame.scope
        self.callee = ""
        self.arguments: tuple[Argument, ...] = ()
        self.result = Crossing("result", UNKNOWN)
        self.problem = self._shape() or self._body() or self._receiver() or self._parameters() or self._returned()

    def _no(self, reason: str, at: ir.At | None = None, fix: str = STUCK) -> NoCut:
        return NoCut(reason, Span(self.scope.file, *(at or self.scope.function.at)), fix)

    # ------------------------------------------------------------ the function itself

    def _shape(self) -> NoCut | None:
        function, parent = self.scope.function, self.scope.parent
        name = self.scope.qualname
        if self.scope in self.handlers:
            return self._no(f"the model is called in {name} itself, which answers the request")
        if (
            parent is None
            or parent.kind == "function"
            or (parent.kind == "class" and (parent.parent is None or parent.parent.kind != "module"))
        ):
            return self._no(f"{name} is defined inside another function", fix="define it at module level")
        if function.is_async or function.is_generator:
            return self._no(f"{name} is a {'coroutine' if function.is_async else 'generator'}", fix="call the model in a plain function")
        if any(p.kind.startswith("*") for p in function.parameters):
            return self._no(f"{name} takes any arguments", fix="name the parameters")
        if (locked := next(locks_around(self.cutter, self.site, self.depth), None)) is not None:
            return self._no(
                f"{name} is called while a lock is held, which the thread of Triton would wait for", locked, "take the lock inside"
            )
        return None

    def _body(self) -> NoCut | None:
        """Nothing of a request or a database session: those belong to the thread that answers."""
        for scope in inside(self.cutter, self.scope):
            for step in self.judge.by_scope.get(scope, ()):
                for call in step.calls:
                    if any(isinstance(r, (WebAbort, WebRequest, WebResponse)) for r in call.rules) or self.judge.of_the_web(call.api):
                        return self._no(f"{self.scope.qualname} uses {call.api.path}, which belongs to the request", call.at,
                                        "read what is needed of the request before, and pass it")  # fmt: skip
                    if any(isinstance(r, Effect) and r.kind in ("db-read", "db-write") for r in call.rules):
                        return self._no(f"{self.scope.qualname} uses the database, whose session belongs to the request", call.at,
                                        "look up before, and pass what was found")  # fmt: skip
                frame = self.evaluator.program.generic(scope)
                for name in (p for p in flow.own(step.stmt) if isinstance(p, ir.Name)):
                    if any(self.judge.of_the_web(v) for v in self.evaluator.values(name, frame)):
                        return self._no(f"{self.scope.qualname} reads {name.id}, an object of the web framework", name.at,
                                        f"read what is needed of {name.id} before, and pass it")  # fmt: skip
        return None

    def _receiver(self) -> NoCut | None:
        function = self.scope.function
        if self.scope.owner is None or self._is_static():
            owner = f"{self.scope.owner.name}." if self.scope.owner is not None else ""
            self.callee = f'live("{self.scope.file}").{owner}{function.name}'
            return None
        first = function.parameters[0].name
        held = self.reach.object(self.evaluator.name(first, self.frame))
        if held is None:
            return self._no(f"cannot tell where the application keeps the {self.scope.owner.name} that is called",
                            fix="keep it in a global of a module, or in app.state")  # fmt: skip
        self.callee = f"{held}.{function.name}"
        return None

    def _is_static(self) -> bool:
        return any(isinstance(d, ir.Name) and d.id == "staticmethod" for d in self.scope.function.decorators)

    # ------------------------------------------------------------ what travels

    def _parameters(self) -> NoCut | None:
        function = self.scope.function
        bound = self.scope.owner is not None and not self._is_static()
        taken: set[str] = {"ERROR"}
        made = []
        for parameter in function.parameters[1:] if bound else function.parameters:
            argument = self._argument(parameter, taken)
            if isinstance(argument, NoCut):
                return argument
            made.append(argument)
        if not any(a.tensor for a in made):
            return self._no(f"{self.scope.qualname} takes nothing that could be sent", fix="pass the model's input as an argument")
        self.arguments = tuple(made)
        return None

    def _argument(self, parameter: ir.Parameter, taken: set[str]) -> Argument | NoCut:
        name, keyword = parameter.name, parameter.kind == "keyword"
        values = {v for v in self.evaluator.name(name, self.frame) if not isinstance(v, Literal)}
        if self.judge.is_receiver(name, self.frame):
            live = self.reach.object(frozenset(values))
            if live is None:
                return self._no(f"cannot tell where the application keeps {name}, an argument of {self.scope.qualname}",
                                fix="keep it in a global of a module")  # fmt: skip
            return Argument(name, keyword, None, Crossing(name, UNKNOWN), live=live)
        kind = self.types.name(name, self.frame)
        if any(self.judge.of_the_web(v) for v in values):
            return self._no(f"{name}, an argument of {self.scope.qualname}, belongs to the request", fix="pass plain values of it")
        use = use_of(self.evaluator, self.scope, name)
        if use.changed:
            return self._no(f"{self.scope.qualname} changes {name}, which its caller would not see", fix=f"return what becomes of {name}")
        fields = fields_of(use, kind)
        if kind.travels is False and not fields:
            return self._no(f"{name}, an argument of {self.scope.qualname}, cannot be sent", fix=f"pass plain values instead of {name}")
        crossing = Crossing(name, UNKNOWN if fields else kind)
        return Argument(name, keyword, tensor(crossing, taken), crossing, fields)

    def _returned(self) -> NoCut | None:
        call, frame = self.site.chain[self.depth - 1]
        kind = self.types.of(call, frame)
        if kind.travels is False:
            return self._no(f"what {self.scope.qualname} returns cannot be sent", fix="return an array, numbers or text")
        self.result = Crossing(self.scope.name.strip("_") or "result", kind)
        return None


def inside(cutter: Cutter, scope: Scope) -> frozenset[Scope]:
    """A function and those of the program that it calls, directly or not."""
    found, waiting = {scope}, [scope]
    while waiting:
        for step in cutter.judge.by_scope.get(waiting.pop(), ()):
            waiting += [s for s in step.enters if s not in found]
            found |= step.enters
    return frozenset(found)


def locks_around(cutter: Cutter, site: PredictSite, depth: int) -> Iterator[ir.At]:
    """Where callers of the function at this depth hold a lock across the call."""
    for level in range(depth):
        call, frame = site.chain[level]
        yield from _held(cutter, call, frame)


def locks_at(cutter: Cutter, site: PredictSite) -> Iterator[ir.At]:
    """The same for the predict call itself."""
    yield from locks_around(cutter, site, len(site.chain))
    yield from _held(cutter, site.call, site.frame)


def _held(cutter: Cutter, call: ir.Call, frame: Frame) -> Iterator[ir.At]:
    for stmt in flow.flatten(frame.scope.body):
        if isinstance(stmt, ir.With) and any(ir.holds(s.at, call.at) for s in stmt.body) and _takes_lock(cutter, stmt, frame):
            yield stmt.at


def locked(cutter: Cutter, inner: ir.Stmt, frame: Frame) -> bool:
    """Whether the function holds a lock where the statement runs."""
    around = (s for s in flow.flatten(frame.scope.body) if isinstance(s, ir.With) and any(ir.holds(b.at, inner.at) for b in s.body))
    return any(_takes_lock(cutter, stmt, frame) for stmt in around)


def _takes_lock(cutter: Cutter, stmt: ir.With, frame: Frame) -> bool:
    return any(isinstance(v, Api) and v.path.startswith(LOCKS) for expr, _ in stmt.items for v in cutter.evaluator.values(expr, frame))
