"""Takes what leaves the app, gives what nothing in it needs any more: loads, helpers, attributes, parameters and their arguments.

Statements that only prepare a model or log about it go with the model.
"""

from __future__ import annotations

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.plan.cutting.liveness import imported_names
from triton_migrate.rewrite.leftovers.members import attribute_read, element_read
from triton_migrate.rewrite.leftovers.names import name_read
from triton_migrate.rewrite.leftovers.record import Leftovers
from triton_migrate.rewrite.mentions import Mention, is_bare_call, within
from triton_migrate.rewrite.operations import (
    DeleteStatements,
    Operation,
    RemoveArgument,
    RemoveParameter,
    RemoveUnusedImports,
    ReplaceExpression,
)


def settle(left: Leftovers) -> dict[str, list[Operation]]:
    """Delete until nothing more is left over; gives the operations by file."""
    changed = True
    while changed:
        changed = False
        for file in list(left.gone):
            for name in sorted(_taken_names(left, file)):
                changed |= name_read(left, file, name)
            for attr in sorted(_taken_attributes(left, file)):
                changed |= attribute_read(left, attr)
            for key in sorted(_taken_elements(left, file)):
                changed |= element_read(left, key)
        changed |= _hollow(left)
    for file, places in left.deleted.items():
        outer = [p for p in places if not any(p != q and ir.holds(q, p) for q in places)]
        spans = tuple(Span(file, *p) for p in sorted(outer) if not _inside_other_edit(left, file, p))
        if spans:
            left.operations.setdefault(file, []).append(DeleteStatements(spans, drop_empty=True))
        left.operations[file] = [o for o in left.operations.get(file, []) if not _in_deleted(left, file, o)]
    for file in left.gone:
        module = left.evaluator.program.files[file].module
        inner = {n for s in left.evaluator.program.files[file].scopes if s.kind == "function" for n in imported_names(s)}
        taken = (n for n in _taken_names(left, file) if n in inner or left.is_import(file, n))
        names = tuple(sorted(n for n in taken if (module, n) not in left.passed))
        if names:
            left.operations.setdefault(file, []).append(RemoveUnusedImports(names))
    return left.operations


def _in_deleted(left: Leftovers, file: str, operation: Operation) -> bool:
    """An argument or parameter of something that goes as a whole."""
    match operation:
        case RemoveArgument(span) | RemoveParameter(span) | ReplaceExpression(span):
            at = span.at
            return any(ir.holds(d, at) for d in left.deleted.get(file, ()))
    return False


def _inside_other_edit(left: Leftovers, file: str, at: ir.At) -> bool:
    own = left.deleted.get(file, set()) | left.whole.get(file, set())
    return any(g not in own and ir.holds(g, at) for g in left.gone[file])


def _taken_names(left: Leftovers, file: str) -> set[str]:
    return {n for n, mentions in left.mentions.names[file].items() if any(not left.alive(file, m.expr.at) for m in mentions)}


def _taken_attributes(left: Leftovers, file: str) -> set[str]:
    return {a for a, mentions in left.mentions.attributes.items() if any(f == file and not left.alive(f, m.expr.at) for f, m in mentions)}


def _taken_elements(left: Leftovers, file: str) -> set[str]:
    return {k for k, mentions in left.mentions.elements.items() if any(f == file and not left.alive(f, m.expr.at) for f, m in mentions)}


def _hollow(left: Leftovers) -> bool:
    """A loader whose every statement is gone, with the calls and hooks that ran it."""
    changed = False
    for file in list(left.deleted):
        for stmt in left.evaluator.program.files[file].facts.body:
            spare = isinstance(stmt, ir.Define) and left.alive(file, stmt.at) and (file, stmt.at) not in left.kept
            if isinstance(stmt, ir.Define) and spare and _is_hollow(left, file, stmt.function):
                calls = [m for m in left.live(file, stmt.function.name) if not within(m.expr.at, [stmt])]
                if all(is_bare_call(m) for m in calls) and not left.used_elsewhere(file, stmt.function.name):
                    for other in (stmt, *(m.stmt for m in calls)):
                        left.delete(file, other)
                    changed = True
    return changed


def _is_hollow(left: Leftovers, file: str, function: ir.Function) -> bool:
    rest = [s for s in function.body if left.alive(file, s.at) and not isinstance(s, (ir.Declare, ir.Jump))]
    rest = [s for s in rest if not (isinstance(s, ir.Evaluate) and isinstance(s.value, ir.Constant))]
    removed = any(not left.alive(file, s.at) for s in function.body)
    scope = left.evaluator.program.files[file].module.children.get(id(function))
    return (
        removed
        and scope is not None
        and all(left.prepares(Mention(s.value, s, scope)) for s in rest if isinstance(s, ir.Evaluate))
        and all(isinstance(s, ir.Evaluate) for s in rest)
    )
