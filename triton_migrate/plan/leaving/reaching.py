"""Takes a call, gives whether it, or the functions of the program that it calls, do something of a library's."""

from __future__ import annotations

from collections.abc import Callable

from triton_migrate.index import flow, ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import Effect, ModelConfigure, ModelLoad

DEPTH = 4
RUNTIME = ("file-read", "network", "process", "db-read")


def reaches(evaluator: Evaluator, call: ir.Call, frame: Frame, wanted: Callable[[str, object], bool], depth: int = 0) -> bool:
    """Whether `wanted` says so of a library call's path and one of its rules; the rule is None where it is asked of the path alone."""
    for value in evaluator.values(call.func, frame):
        if isinstance(value, Api):
            if any(wanted(value.path, rule) for rule in (None, *evaluator.rulebook.rules_for(value.called))):
                return True
        elif depth < DEPTH:
            for function in evaluator.callables(value):
                inner = evaluator.program.generic(function.scope)
                calls = (e for s in function.scope.function.body for e in flow.every(s) if isinstance(e, ir.Call))
                if any(reaches(evaluator, c, inner, wanted, depth + 1) for c in calls):
                    return True
    return False


def loads(evaluator: Evaluator, call: ir.Call, frame: Frame) -> bool:
    """Whether a call loads a model or reads files."""
    return reaches(evaluator, call, frame, lambda path, rule: path == "builtins.open" or _is_runtime(rule))


def _is_runtime(rule: object) -> bool:
    if isinstance(rule, ModelConfigure):
        return bool(rule.artifact)  # a tokenizer's folder
    return isinstance(rule, ModelLoad) or (isinstance(rule, Effect) and rule.kind in RUNTIME)
