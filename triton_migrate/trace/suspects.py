"""Takes a call that is named as if it ran a model, gives why it could not be followed: what the report says of it instead of nothing."""

from __future__ import annotations

import builtins

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame, last_name
from triton_migrate.resolve.values import Api, Unknown, Values
from triton_migrate.trace import guessed
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import Break

OBJECTS = frozenset(  # what is called itself, by the last word of its name
    {"model", "clf", "classifier", "regressor", "estimator", "net", "network", "pipe", "predictor", "detector", "recognizer", "embedder"}
)


def suspected(call: ir.Call, values: Values, frame: Frame) -> Break | None:
    """What keeps a call that looks as if it ran a model from being followed; None where it is known."""
    if not all(isinstance(v, (Api, Unknown)) for v in values):
        return None
    apis = [v.path for v in values if isinstance(v, Api) and not _nowhere(v)]
    if apis and last_name(call.func) not in guessed.METHODS:  # `encode` and `generate` are methods of many things
        return None
    if apis:
        return Break(Span(frame.scope.file, *call.at), f"what `{apis[0]}` does is not known")
    reasons = [v.reason for v in values if isinstance(v, Unknown)]
    return Break(Span(frame.scope.file, *call.at), f"nothing is known of `{_object(call)}`" + (f": {reasons[0]}" if reasons else ""))


def looks(call: ir.Call) -> bool:
    """Whether a call is named as if it ran a model."""
    name = last_name(call.func).lower()
    if isinstance(call.func, ir.Attribute) and name == "encode":
        return bool(call.args) and not isinstance(call.args[0], ir.Constant)  # else of a text
    if isinstance(call.func, ir.Attribute) and (name in guessed.RUNNING or "predict" in name):
        return True
    return name.rstrip("0123456789").rstrip("_").rpartition("_")[2] in OBJECTS and bool(call.args or call.keywords)


def _nowhere(api: Api) -> bool:
    """Whether a name is bound nowhere, so that it is taken for one of Python's own."""
    root, _, name = api.path.partition(".")
    return root == "builtins" and not hasattr(builtins, name.partition(".")[0].partition("(")[0])


def _object(call: ir.Call) -> str:
    return callee_text(call.func.value if isinstance(call.func, ir.Attribute) else call.func)
