"""Takes an expression of a statement, gives whether it is work on the data, or only field access and the choice of a model."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Step

COMPUTES = frozenset({"Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "MatMult", "Lt", "LtE", "Gt", "GtE"})
DECIDES = COMPUTES | {"Eq", "NotEq", "In", "NotIn"}  # on a result: a threshold or a label


def changes(part: ir.Expr, step: Step, operators: frozenset[str], after: bool) -> bool:
    """Whether a part of a statement computes, chooses or looks up, by itself. `after`: the statement works on a model's result."""
    match part:
        case ir.Operation(_, operator):
            return bool(set(operator.split("+")) & operators)
        case ir.Conditional(_, test):
            return not _asks_for_a_type(test)
        case ir.Joined():
            return True
        case ir.Subscript(_, table, key):
            return not _is_field(key, step) and not (_is_target(part, step) and _is_dict(table, step.scope))
        case ir.Call(_, ir.Attribute(_, _, "get"), (_, ir.Constant(_, default))) if default is not None:
            return True  # a default filled in
        case ir.Call(_, ir.Attribute(_, table, "get"), (key, *_)) if not _is_field(key, step):
            return after or _is_table(table, step.scope)  # a look-up: of a label, of a code
    return False


def _asks_for_a_type(test: ir.Expr) -> bool:
    """`[x] if not isinstance(x, list) else x`: which container it comes in."""
    asked = test.operands[0] if isinstance(test, ir.Operation) and test.operator == "Not" else test
    return isinstance(asked, ir.Call) and isinstance(asked.func, ir.Name) and asked.func.id == "isinstance"


def _is_target(part: ir.Expr, step: Step) -> bool:
    return isinstance(step.stmt, ir.Assign) and not step.stmt.augmented and any(part is target for target in step.stmt.targets)


def _is_dict(expr: ir.Expr, scope: Scope) -> bool:
    """`columns = {}`, filled field by field."""
    made = tuple(_assigned(expr, scope))
    return bool(made) and all(isinstance(e, ir.Mapping) for e in made)


def codes(part: ir.Expr, scope: Scope) -> bool:
    """`CODES[name]`, `CODES.get(name)`: what a table of the program has for an option."""
    match part:
        case ir.Subscript(_, table, _) | ir.Call(_, ir.Attribute(_, table, "get"), _):
            return any(
                isinstance(e, ir.Mapping) and e.keys and all(isinstance(k, ir.Constant) for k in e.keys) for e in _assigned(table, scope)
            )
    return False


def receiver(callee: ir.Expr) -> Iterator[ir.Expr]:
    """What a call is made on, `models[name].predict`, without what calls on the way to it are given."""
    yield callee
    match callee:
        case ir.Attribute(_, value, _):
            yield from receiver(value)
        case ir.Subscript(_, value, key):
            yield from flow.walk(key)
            yield from receiver(value)
        case ir.Call(_, func, _, _):
            yield from receiver(func)


def _listed(step: Step) -> frozenset[str]:
    """Names that go over a list of texts or numbers that the code spells out: an element by such a name is field access."""
    loops = [(s.target, s.iterable) for s in flow.flatten(step.scope.body) if isinstance(s, ir.For)]
    loops += [(bound, over) for part in flow.own(step.stmt) if isinstance(part, ir.Comprehension) for bound, over, _ in part.loops]
    return frozenset(bound.id for bound, over in loops if isinstance(bound, ir.Name) and _spelled_out(over, step.scope))


def _spelled_out(expr: ir.Expr, scope: Scope) -> bool:
    """`["a", "b"]`, or a name that only such lists are assigned to."""
    lists = tuple(_assigned(expr, scope))
    return bool(lists) and all(isinstance(e, ir.Sequence) and all(isinstance(item, ir.Constant) for item in e.items) for e in lists)


def _is_table(expr: ir.Expr, scope: Scope) -> bool:
    """`{"male": 0, "female": 1}`, or a name that such a dict is assigned to."""
    return any(isinstance(e, ir.Mapping) and e.keys for e in _assigned(expr, scope))


def _assigned(expr: ir.Expr, scope: Scope | None) -> Iterator[ir.Expr | None]:
    """What a name is assigned in the nearest scope that does; any other expression is itself."""
    if not isinstance(expr, ir.Name):
        yield expr
        return
    while scope is not None:
        block = (s for s in flow.flatten(scope.body) if isinstance(s, ir.Assign))
        given = [s.value for s in block if any(isinstance(t, ir.Name) and t.id == expr.id for t in s.targets)]
        yield from given
        scope = None if given else scope.parent


def _is_field(key: ir.Expr, step: Step) -> bool:
    """Constant indexing: `[0]`, `[-1]`, `[:, 1]`, `[["age", "sex"]]`; a row that the client names is looked up."""
    match key:
        case ir.Name():
            return key.id in _listed(step)
        case ir.Sequence():
            return all(_is_field(item, step) for item in key.items)
        case ir.Operation():
            return next(flow.names(key), None) is None
    return isinstance(key, (ir.Constant, ir.Slice))
