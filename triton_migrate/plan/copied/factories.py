"""Takes an object that a function of the program makes, gives in how many ways what the program keeps of it was made.

`cats = make("cats.onnx")` and `dogs = make("dogs.onnx")` are two objects, though the one line in `make` that makes both is all that the
evaluator knows them by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Frame, Store
from triton_migrate.resolve.values import Instance, Site, Values

Way: TypeAlias = tuple[Values, tuple[str, ...]]  # what is called, and what it is given


def ways(evaluator: Evaluator, texts: dict[str, Text], made: Instance, stores: list[tuple[Store, str]]) -> frozenset[Way]:
    """The different calls that made what the program keeps under a name, an attribute or a key; `stores`: of these two, all there are."""
    place = evaluator.program.call_at(made.site)
    if place is None or place.scope.kind != "function" or _kept_there(place):
        return frozenset()
    found: set[Way] = set()
    for call, frame, held in (*_named(evaluator), *_stored(evaluator, stores)):
        if Site(frame.scope.file, call.at) != made.site and evaluator.reach.runs(frame.scope, call.at) and made in held:
            given = (*((None, a) for a in call.args), *call.keywords)
            told = tuple(f"{key}={_told(evaluator, texts, value, frame)}" for key, value in given)
            found.add((evaluator.values(call.func, frame), told))
    return frozenset(found)


def _kept_there(place: CallPlace) -> bool:
    """Whether the function keeps what it makes, so that each call of it gives the same object: `global model; model = Model(path)`."""
    for stmt in flow.around(place.scope.body, place.call.at):
        if isinstance(stmt, ir.Assign):
            fixed = place.scope.globals | place.scope.nonlocals
            return any(isinstance(t, ir.Attribute) or (isinstance(t, ir.Name) and t.id in fixed) for t in stmt.targets)
    return False


def _named(evaluator: Evaluator) -> Iterator[tuple[ir.Call, Frame, Values]]:
    for file, frame in evaluator.program.frames.items():
        for binding in (b for bound in frame.scope.bindings.values() for b in bound):
            if binding.how == "value" and (call := _called(binding.expr)) is not None and not evaluator.program.is_test(file):
                yield call, frame, evaluator.binding(binding, frame)


def _stored(evaluator: Evaluator, stores: list[tuple[Store, str]]) -> Iterator[tuple[ir.Call, Frame, Values]]:
    for store, _ in stores:
        if (call := _called(store.value)) is not None and not evaluator.program.is_test(store.scope.file):
            yield call, evaluator.program.generic(store.scope), evaluator.stored(store)


def _called(expr: ir.Expr | None) -> ir.Call | None:
    inner = expr.value if isinstance(expr, ir.Await) else expr
    return inner if isinstance(inner, ir.Call) else None


def _told(evaluator: Evaluator, texts: dict[str, Text], expr: ir.Expr, frame: Frame) -> str:
    constant = evaluator.constant(expr, frame)
    return repr(constant) if constant is not None else texts[frame.scope.file].piece(expr.at)
