"""Takes an object that load() makes, gives load() what the application does to it before a request comes.

`app.state.service = Service()`, then in a start-up hook `app.state.service.load_model(path)`, or `await to_thread(service.load_model)`, and
`app.state.service.limit = 3`: wherever the object is kept, and whoever does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.copied import topmost, unloading
from triton_migrate.plan.cutting.liveness import blocks_around
from triton_migrate.plan.leaving.reaching import loads
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope
from triton_migrate.resolve.values import Api, Instance, UserClass, UserFunction, Value, Values

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure

DEPTH = 4


class Begin(NamedTuple):
    """What is done to the object: a call of a method that loads, or a whole statement; `receivers` are the places that name the object."""

    scope: Scope
    node: ir.Call | ir.Stmt
    receivers: tuple[ir.At, ...]
    waits: bool

    @property
    def span(self) -> Span:
        return Span(self.scope.file, *self.node.at)


class Begun:
    """What is done to the objects of one pipeline.py; `closure` holds its text."""

    def __init__(self, closure: Closure) -> None:
        self.closure, self.evaluator, self.program = closure, closure.evaluator, closure.evaluator.program
        self._imported: dict[Scope, Values] = {}  # by a module: what it takes from others
        self._there: set[Span] = set()  # calls and statements that are in pipeline.py already

    def copied(self, scope: Scope, at: ir.At, parts: Iterable[ir.Expr]) -> None:
        """A statement or an expression of the application, with all its parts, is in pipeline.py as it is."""
        self._there |= {Span(scope.file, *at), *(Span(scope.file, *e.at) for e in parts if isinstance(e, ir.Call))}

    def done(self, value: Value) -> frozenset[str]:
        """What is done to an object, as the application writes it."""
        held = frozenset({value})
        found = ((b, self.closure.texts[b.scope.file]) for b in (*self._changes(held), *self._loading(held)))
        return frozenset(text.piece(b.node.at, tuple((r, "_") for r in b.receivers)) for b, text in found)

    def run(self, values: Values, made: str) -> None:
        """What the application has the object do that `made` is, load() does, too."""
        held = frozenset(v for v in values if isinstance(v, (Instance, UserClass)) or (isinstance(v, Api) and v.made is not None))
        if not held:
            return
        whole = list(self._changes(held))
        within = [b.span for b in whole]
        single = [b for b in self._loading(held) if not any(span.holds(b.span) for span in within)]
        found = sorted((*whole, *single), key=lambda b: b.span)
        for one, other in pairwise(found):
            if one.scope is other.scope and _either(one.scope, one.node.at, other.node.at):
                reason = f"{made} is prepared otherwise in one case than in another"
                raise self.closure.stuck(reason, other.span, "let one statement prepare it, and choose what that is given")
        for begin in found:
            self._there.add(begin.span)
            text = self._text(begin, made)
            if begin.waits:
                self.closure.imports["asyncio"] = "import asyncio"
                text = f"asyncio.run({text.rstrip()})\n"
            if text not in self.closure.load:
                self.closure.load.append(text)

    def _text(self, begin: Begin, made: str) -> str:
        scope, node, closure = begin.scope, begin.node, self.closure
        file, frame = scope.file, self.program.generic(scope)
        every = [p for a in _given(node) for p in flow.walk(a)] if isinstance(node, ir.Call) else list(flow.every(node))
        parts = [e for e in every if not any(ir.holds(r, e.at) or ir.holds(e.at, r) for r in begin.receivers)]
        names = tuple(e for e in parts if isinstance(e, ir.Name))
        local = closure.objects.prepared_at(scope, ir.Sequence(node.at, "tuple", names), node.at) if names else set()
        closure.require_all(file, {n.id for n in names} - local - closure.settings.only(parts, frame), begin.span)
        replace = (*((r, made) for r in begin.receivers), *closure.replacements(file, parts, local, frame))
        text = closure.texts[file]
        if not isinstance(node, ir.Call):
            return text.statements(node.at, node.at, replace)
        assert isinstance(node.func, ir.Attribute)
        given = [text.piece(a.at, replace) for a in node.args]
        given += [("**" if k is None else f"{k}=") + text.piece(v.at, replace) for k, v in node.keywords]
        return f"{made}.{node.func.attr}({', '.join(given)})\n"

    # ------------------------------------------------------------ calls that load, wherever they are

    def _loading(self, held: Values) -> Iterator[Begin]:
        own = self._own(held)
        methods = {m.name: m for cls in reversed(own) for m in cls.children.values() if m.kind == "function" and m.name != "__init__"}
        for method in (m for m in methods.values() if self._sets(m) and self._loads(m)):
            for place in (*self.program.calls(method.name), *self.evaluator.handing.of(method.name)):
                func, frame = place.call.func, self.program.generic(place.scope)
                if not isinstance(func, ir.Attribute) or place.scope.owner in own or self._elsewhere(place.scope, place.call.at):
                    continue
                if held & self.evaluator.values(func.value, frame) and not self._asked(place):
                    yield Begin(place.scope, place.call, (func.value.at,), method.function.is_async)

    def _own(self, held: Values) -> tuple[Scope, ...]:
        """The classes of the objects, with their bases: those load when they like."""
        classes = (v.of if isinstance(v, Instance) else v for v in held if isinstance(v, (Instance, UserClass)))
        bases = (base for cls in classes for base in self.evaluator.mro(cls))
        return tuple(dict.fromkeys(base.scope for base in bases if isinstance(base, UserClass)))

    def _asked(self, place: CallPlace) -> bool:
        """Whether the call is for what it gives (`return engine.label(text)`, which loads when it is first asked)."""
        around = blocks_around(place.scope.body, place.call.at)
        if not around:
            return True
        block, index = around[-1]
        stmt = block[index]
        if isinstance(stmt, ir.Evaluate) and flow.unawaited(stmt.value).at == place.call.at:
            return False
        settled = all(self.closure.objects.settled.expression(a, place.scope) for a in _given(place.call))
        return not settled or self._answers(place.scope)

    def _loads(self, method: Scope) -> bool:
        frame = self.program.generic(method)
        calls = (e for s in flow.flatten(method.function.body) for e in flow.every(s) if isinstance(e, ir.Call))
        return any(loads(self.evaluator, c, frame) for c in calls)

    def _sets(self, method: Scope, depth: int = 0) -> bool:
        """Whether a method, or one that it calls of the same object, puts something into an object."""
        assigned = (s for s in flow.flatten(method.function.body) if isinstance(s, ir.Assign))
        if any(isinstance(t, (ir.Attribute, ir.Subscript)) for s in assigned for t in s.targets):
            return True
        return depth < DEPTH and any(self._sets(inner, depth + 1) for inner in unloading.called(self.evaluator, method))

    # ------------------------------------------------------------ statements after the one that makes it

    def _changes(self, held: Values) -> Iterator[Begin]:
        """What is done to it after it is made, or kept somewhere, by what runs before the first request (a hook until it yields)."""
        for scope, made in self._places(held).items():
            ends = min((e.at for s in flow.flatten(scope.body) for e in flow.expressions(s) if flow.yields(e)), default=None)
            whole: dict[ir.At, tuple[ir.Stmt, list[ir.At]]] = {}
            for stmt in flow.flatten(scope.body):
                if (made and stmt.at[:2] < min(made)[2:]) or (ends is not None and stmt.at[:2] > ends[:2]):
                    continue
                for receiver in self._changed(stmt, scope, held):
                    outer = next((b[i] for b, i in blocks_around(scope.body, stmt.at) if not _around(b[i], (*made, ends))), stmt)
                    if not flow.is_main(outer):
                        whole.setdefault(outer.at, (outer, []))[1].append(receiver)
            for stmt, receivers in whole.values():
                if self._elsewhere(scope, stmt.at):
                    continue
                match stmt:
                    case ir.Evaluate(_, ir.Await(_, ir.Call() as call)):
                        yield Begin(scope, call, tuple(receivers), waits=True)
                    case _:
                        yield Begin(scope, stmt, tuple(receivers), waits=False)

    def _places(self, held: Values) -> dict[Scope, list[ir.At]]:
        """Where something may be done to it, with where it is made or kept there; a request runs through none of them."""
        sites = [v.site if isinstance(v, Instance) else v.made for v in held if isinstance(v, (Instance, Api))]
        places = ((p.scope, p.call.at) for site in sites if (p := self.program.call_at(site)) is not None)
        kept = ((s.scope, s.at) for s, _ in self.closure.objects.stores() if self.evaluator.stored(s) & held)
        own = self._own(held)
        found: dict[Scope, list[ir.At]] = {}
        for scope, at in (*places, *kept):
            found.setdefault(scope, []).append(at)
        later = (*self.closure.moments.beginning, *(f.scope for f in self.program.frames.values() if self._imports(f, held)))
        found |= {scope: [] for scope in later if scope not in found}
        return {s: ats for s, ats in found.items() if s.kind != "class" and s.owner not in own and not self._answers(s)}

    def _imports(self, frame: Frame, held: Values) -> bool:
        if (known := self._imported.get(frame.scope)) is None:
            names = (name for name, bindings in frame.scope.bindings.items() if any(b.how == "from" for b in bindings))
            known = self._imported[frame.scope] = frozenset().union(*(self.evaluator.name(name, frame) for name in names))
        return not held.isdisjoint(known)

    def _changed(self, stmt: ir.Stmt, scope: Scope, held: Values) -> Iterator[ir.At]:
        """The place in a statement that names the object, where it changes it."""
        frame = self.program.generic(scope)
        match stmt:
            case ir.Assign(_, (ir.Attribute(_, receiver, attr),)) if self._read(attr, held):
                yield from self._named(receiver, scope, held)
            case ir.Assign(_, (ir.Subscript(_, receiver),)):
                yield from self._named(receiver, scope, held)
            case ir.Evaluate(_, value):
                call = flow.unawaited(value)
                if isinstance(call, ir.Call) and isinstance(call.func, ir.Attribute):
                    own = [f.scope for f in self.evaluator.values(call.func, frame) if isinstance(f, UserFunction)]
                    if topmost.works(self.evaluator, stmt, call, frame) and (not own or any(map(self._sets, own))):
                        yield from self._named(call.func.value, scope, held)

    def _read(self, attr: str, held: Values) -> bool:
        """Whether an attribute is for the model's side, too: read by the object itself, by a library, or by what a request runs through."""
        methods = (m for cls in self._own(held) for m in cls.children.values() if m.kind == "function")
        library = any(isinstance(v, Api) for v in held)
        return library or any(attr in self.program.named(scope) for scope in (*methods, *self.closure.answering))

    def _named(self, expr: ir.Expr, scope: Scope, held: Values) -> Iterator[ir.At]:
        """The object in `app.state.service.model`."""
        frame = self.program.generic(scope)
        while not held & self.evaluator.values(expr, frame):
            if not isinstance(expr, (ir.Attribute, ir.Subscript)):
                return
            expr = expr.value
        if not isinstance(expr, ir.Name):
            yield expr.at
            return
        bound = {b.how for b in scope.bindings.get(expr.id, ())}
        if "element" not in bound and (scope.kind != "module" or bound <= {"from"}):
            yield expr.at  # what a module does to its own names comes along with them

    # ------------------------------------------------------------ what is not of this kind

    def _elsewhere(self, scope: Scope, at: ir.At) -> bool:
        """Whether pipeline.py does it anyhow, or the application never does."""
        span = Span(scope.file, *at)
        if span in self._there or any(whole.holds(span) for whole in (*self.closure.copied, *self.closure.moved)):
            return True
        ran = any((span.file, block[index].at) in self.closure.ran for block, index in blocks_around(scope.body, at))
        return ran or not self.evaluator.reach.runs(scope, at)

    def _answers(self, scope: Scope) -> bool:
        """Whether a request runs through it."""
        return scope.kind == "function" and (scope in self.closure.answering or self.closure.answers(scope))


def _given(call: ir.Call) -> tuple[ir.Expr, ...]:
    return (*call.args, *(value for _, value in call.keywords))


def _around(stmt: ir.Stmt, places: Iterable[ir.At | None]) -> bool:
    return any(at is not None and ir.holds(stmt.at, at) for at in places)


def _either(scope: Scope, one: ir.At, other: ir.At) -> bool:
    """Whether two places are in different branches of one statement."""
    first, second = (blocks_around(scope.body, at) for at in (one, other))
    for (mine, here), (theirs, there) in zip(first, second, strict=False):
        if mine is not theirs:
            return True
        if here != there:
            return False
    return False
