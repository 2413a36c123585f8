"""Takes a block, gives it with the statements that may answer early as they are on the model's side, where a model is looked up.

`try: model = get_model(name)` with `except KeyError: return jsonify(...), 404`, or `if model is None: return ...` below it: the look-up
leaves, what answers stays. There the pipeline ends early, and the app goes on at that place, with the error that was caught there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness

CLASS = "EarlyExit"
DEFINITION = f'''\
class {CLASS}(Exception):
    """The application goes on at this place, with the error that is caught here, if any."""
'''


@dataclass(frozen=True, slots=True)
class Exit:
    """A statement of the app that may answer early. `moved`: what it is on the model's side; `number`: how both call the place.

    Of a `try` whose last statements answer only the `parted` first ones may leave; then that is where what leaves ends.
    """

    stmt: ir.If | ir.Try
    moved: ir.If | ir.Try
    number: int
    parted: bool = False

    @property
    def staying(self) -> tuple[ir.Block, ...]:
        """The blocks that answer."""
        return tuple(h.body for h in self.stmt.handlers) if isinstance(self.stmt, ir.Try) else (self.stmt.body,)

    @property
    def asked(self) -> ir.At:
        """What of the statement leaves: there the app asks whether the pipeline ended here."""
        return stretch(self.moved.body) if isinstance(self.moved, ir.Try) else self.moved.test.at

    @property
    def caught(self) -> tuple[ir.Expr, ...]:
        """The classes of errors that it names."""
        types = (h.type for h in self.stmt.handlers) if isinstance(self.stmt, ir.Try) else ()
        return tuple(e for t in types if t is not None for e in (t.items if isinstance(t, ir.Sequence) else (t,)))

    @property
    def bare(self) -> bool:
        """Whether it catches whatever is raised."""
        return isinstance(self.stmt, ir.Try) and any(h.type is None for h in self.stmt.handlers)

    def replaced(self) -> tuple[tuple[ir.At, str], ...]:
        """The text of the blocks that stay, on the model's side."""
        return tuple((stretch(block), f"raise {CLASS}({self.number})") for block in self.staying)

    def settles(self, name: Callable[[str], bool]) -> bool:
        """Whether it binds or asks about a name of that kind."""
        about = flow.binds(self.moved.body) if isinstance(self.moved, ir.Try) else {n.id for n in flow.names(self.moved.test)}
        return any(map(name, sorted(about)))

    def needs(self, made: set[str]) -> bool:
        """Whether what answers reads something that only the model's side would have; the error counts as a text."""
        if isinstance(self.stmt, ir.If):
            return bool(flow.reads(self.stmt.body) & made)
        return any(flow.reads(h.body) & (made - {h.name}) or (h.name is not None and _looks_into(h)) for h in self.stmt.handlers)


def early(stmt: ir.Stmt, number: int, leaves: Callable[[ir.Stmt], bool]) -> Exit | None:
    """The statement as an exit, where it can be one. `leaves`: whether a statement ends the function."""
    match stmt:
        case ir.If(at, test, body, ()) if leaves(body[-1]):
            return Exit(stmt, ir.If(at, test, (_ended(body),), ()), number)
        case ir.Try(at, body, handlers, (), ()) if all(leaves(h.body[-1]) for h in handlers):
            return Exit(stmt, ir.Try(at, body, tuple(h._replace(body=(_ended(h.body),)) for h in handlers), (), ()), number)
    return None


def parted(made: Exit, count: int) -> Exit:
    """A `try` of which only the first statements leave."""
    stmt, moved = made.stmt, made.moved
    assert isinstance(stmt, ir.Try) and isinstance(moved, ir.Try)
    body = stmt.body[:count]
    return replace(made, moved=ir.Try((*stmt.at[:2], *body[-1].at[2:]), body, moved.handlers, (), ()), parted=True)


def stretch(block: ir.Block) -> ir.At:
    return (*block[0].at[:2], *block[-1].at[2:])


def _ended(block: ir.Block) -> ir.Raise:
    """At no statement's own place: what is known of that is not true of it."""
    return ir.Raise((*block[0].at[:2], *block[0].at[:2]), None, None)


def _looks_into(handler: ir.Handler) -> bool:
    """Whether a handler asks for more of the error than its class and its text, which are all that cross."""
    parts = [p for s in flow.flatten(handler.body) for p in flow.own(s)]
    inside = (p.value for p in parts if isinstance(p, (ir.Attribute, ir.Subscript)))
    written = (a for p in parts if isinstance(p, ir.Call) and isinstance(p.func, ir.Name) and p.func.id in ("repr", "vars") for a in p.args)
    return any(isinstance(e, ir.Name) and e.id == handler.name for e in (*inside, *written)) or handler.name in liveness.written(
        handler.body
    )
