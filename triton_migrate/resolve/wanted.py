"""Takes an expression that names a module or a member of one, gives the texts it may be.

What comes from outside the program (an environment variable, an option of the command line, a setting) says what its default says: the
application as it is started without any is the one that is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Binding, Frame
from triton_migrate.resolve.values import Api, Literal, Value
from triton_migrate.rulebook.vocabulary import DataConvert

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

MANY = 16  # names that one expression may stand for
ENVIRONMENT = frozenset({"os.getenv()", "os.environ.get()", "os.environ[]"})
OPTIONS = "argparse.ArgumentParser().parse_"  # what options come out of
PIECES = frozenset({"split", "rsplit", "partition", "rpartition"})  # of a text; `"a.b.C".rsplit(".", 1)`


def texts(ev: Evaluator, expr: ir.Expr | None, frame: Frame) -> tuple[str, ...]:
    """One text, those of a table that a loop goes over (`for path, name in MODELS`), or none where something is not known."""
    found = _texts(ev, expr, frame) if expr is not None else None
    return tuple(sorted(set(found))) if found and len(set(found)) <= MANY else ()


def _texts(ev: Evaluator, expr: ir.Expr, frame: Frame) -> list[str] | None:
    match expr:
        case ir.Joined(_, parts) | ir.Operation(_, "Add", parts):  # f"routes.{name}"
            choices = [texts(ev, part, frame) for part in parts]
            return ["".join(choice) for choice in product(*choices)] if 0 < prod(map(len, choices)) <= MANY else None
    if (piece := _piece(expr, frame)) is not None:
        text, call, at, where = piece
        method = call.func.attr if isinstance(call.func, ir.Attribute) else ""
        given = [ev.constant(argument, where) for argument in call.args]
        pieces = [getattr(t, method)(*given) for t in texts(ev, text, where)] if _splits(given) else []
        return [p[at] for p in pieces] if all(-len(p) <= at < len(p) for p in pieces) else None
    found: list[str] = []
    for value in ev.values(expr, frame):
        if isinstance(value, Literal) and isinstance(value.value, str):
            found.append(value.value)
        elif (outside := _outside(ev, value)) is not None:
            found += outside
        else:
            return None
    return found


def _splits(given: list[object]) -> bool:
    """Whether a text's method takes such arguments: a separator, and how often it is looked for."""
    match given:
        case [] | [str()] | [str(), int()]:
            return given[:1] != [""]
    return False


def _piece(expr: ir.Expr, frame: Frame) -> tuple[ir.Expr, ir.Call, int, Frame] | None:
    """The text, the call, the piece and where that is of `text.rsplit(".", 1)[0]`, and of `module, name = text.rsplit(".", 1)`."""
    match expr:
        case ir.Subscript(_, ir.Call(_, ir.Attribute(_, text, method)) as call, index) if method in PIECES:
            match index:
                case ir.Constant(_, int() as at):
                    return text, call, at, frame
                case ir.Operation(_, "USub", (ir.Constant(_, int() as at),)):
                    return text, call, -at, frame
        case ir.Name(_, name):
            where: Frame | None = frame
            while where is not None and name not in where.scope.bindings:
                where = where.parent
            match where.scope.bindings[name] if where is not None else ():
                case [Binding(how="value", expr=ir.Call(_, ir.Attribute(_, text, method)) as call, unpacked=(at,))] if method in PIECES:
                    return (text, call, at, where) if where is not None else None
                case [Binding(how="value", expr=ir.Subscript() as part, unpacked=())]:
                    return _piece(part, where) if where is not None else None
    return None


def _outside(ev: Evaluator, value: Value) -> list[str] | None:
    """What a value from outside the program is if nobody says another; None for any other value."""
    if not isinstance(value, Api):
        return None
    if value.path in ENVIRONMENT:
        place = ev.program.call_at(value.site)
        default = port(place.call, "default|1") if place is not None else None
        return list(texts(ev, default, ev.program.generic(place.scope))) if place is not None and default is not None else []
    rule = ev.rulebook.find(value.path.rpartition(".")[0].removesuffix("()"), DataConvert)
    if rule is not None and rule.settings:
        return []  # the field of a class of settings, whose default is a value of its own
    if value.path.startswith(OPTIONS):
        return [text for default, where in _defaults(ev, value.path.rpartition(".")[2]) for text in texts(ev, default, where)]
    return None


def _defaults(ev: Evaluator, option: str) -> Iterator[tuple[ir.Expr, Frame]]:
    for place in ev.program.calls("add_argument"):
        names = [a.value.lstrip("-").replace("-", "_") for a in place.call.args if isinstance(a, ir.Constant) and isinstance(a.value, str)]
        if option in names and (default := port(place.call, "default")) is not None:
            yield default, ev.program.generic(place.scope)
