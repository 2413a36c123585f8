"""Takes calls and functions, gives how they fit together: which argument a parameter or a rule's port gets, and what a function returns.

Of a call of a library, gives what the rules say of it.
"""

from __future__ import annotations

from typing import NamedTuple

from triton_migrate.index import ir
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.vocabulary import ChannelTake, DataConvert, FlowBind, FlowCall


def argument_map(parameters: tuple[ir.Parameter, ...], call: ir.Call) -> dict[str, ir.Expr]:
    """Which argument expression each parameter gets; star arguments end the positional ones."""
    found: dict[str, ir.Expr] = {}
    positional = [p for p in parameters if p.kind == "positional"]
    for i, arg in enumerate(call.args):
        if isinstance(arg, ir.Starred) or i >= len(positional):
            break
        found[positional[i].name] = arg
    names = {p.name for p in parameters}
    found.update({k: v for k, v in call.keywords if k in names})
    return found


def port(call: ir.Call, name: str) -> ir.Expr | None:
    """The argument a rule's port names ("path|0", "methods", "0")."""
    for part in name.split("|"):
        if part.isdigit():
            index = int(part)
            if index < len(call.args) and not any(isinstance(a, ir.Starred) for a in call.args[: index + 1]):
                return call.args[index]
        elif part and part not in {"*", "self"}:
            for key, value in call.keywords:
                if key == part:
                    return value
    return None


def results(function: ir.Function) -> tuple[ir.Expr, ...]:
    """The expressions of the function's own `return` statements (and of `yield`s, when it is a generator)."""
    found: list[ir.Expr] = []
    _results(function.body, found)
    return tuple(found)


def _results(body: ir.Block, found: list[ir.Expr]) -> None:
    for stmt in body:
        match stmt:
            case ir.Return(_, value):
                if value is not None:
                    found.append(value)
            case ir.Evaluate(_, ir.Yield(_, value, _)) | ir.Assign(_, _, ir.Yield(_, value, _)):
                if value is not None:
                    found.append(value)
            case ir.If(_, _, one, two) | ir.For(_, _, _, one, two) | ir.While(_, _, one, two):
                _results(one, found)
                _results(two, found)
            case ir.With(_, _, one):
                _results(one, found)
            case ir.Try(_, one, handlers, two, final):
                for block in (one, *(h.body for h in handlers), two, final):
                    _results(block, found)
            case ir.Match(_, _, cases):
                for case in cases:
                    _results(case.body, found)


class Called(NamedTuple):
    """What the rules say of a call of a library; `gives` is the path of its result."""

    bind: FlowBind | None
    flow: FlowCall | None
    take: ChannelTake | None
    convert: DataConvert | None
    gives: str


def called(book: Rulebook, path: str) -> Called:
    """What the rules say of a call of this path."""
    return Called(
        book.find(path, FlowBind), book.find(path, FlowCall), book.find(path, ChannelTake), book.find(path, DataConvert),
        book.canonical(path + "()"),
    )  # fmt: skip
