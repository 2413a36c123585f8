"""Takes a function that remembers its results (`@lru_cache`), gives why it cannot leave: what else is done with its memory."""

from __future__ import annotations

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope, last_name
from triton_migrate.rulebook.vocabulary import Cache


def remembers(evaluator: Evaluator, scope: Scope) -> bool:
    """Whether a function remembers its results."""
    frame = evaluator.program.generic(scope).parent
    decorators = [d.func if isinstance(d, ir.Call) else d for d in scope.function.decorators]
    return frame is not None and any(evaluator.rulebook.find(a.path, Cache) for d in decorators for a in evaluator.apis(d, frame))


def managed(evaluator: Evaluator, scope: Scope) -> NoCut | None:
    """Where the program clears the cache of a function that remembers its results, or asks about it (`get_model.cache_clear()`)."""
    if not remembers(evaluator, scope):
        return None
    for other in (
        s for f in evaluator.program.files.values() for s in f.scopes if not evaluator.program.is_test(s.file) and s.kind != "class"
    ):
        if other.kind == "function" and other.function.is_generator:
            continue  # what a lifespan does at the end of the application
        for stmt in flow.flatten(other.body):
            for part in (p for p in flow.own(stmt) if isinstance(p, ir.Attribute) and not p.attr.startswith("__")):
                if last_name(part.value) == scope.name and not isinstance(part.value, ir.Call):
                    held = evaluator.values(part.value, evaluator.program.generic(other))
                    if any(f.scope is scope for v in held for f in evaluator.callables(v)):
                        reason = f"{scope.name} remembers what it gave; what is done with its memory here would not reach the model's side"
                        return NoCut(
                            reason, Span(other.file, *stmt.at), f"do without it here, or load the model once instead of in {scope.name}"
                        )
    return None
