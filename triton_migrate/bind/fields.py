"""Takes a parameter of a function, gives which attributes of the objects in it are read: rows of a database travel as those."""

from __future__ import annotations

from dataclasses import dataclass, field

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope

ASKS = frozenset({"len", "list", "tuple", "enumerate", "reversed", "sorted", "bool", "any", "all", "sum", "min", "max", "zip"})
OPAQUE = ("unknown", "object")
CHANGES = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "add", "discard", "sort", "reverse"})


@dataclass(slots=True)
class Use:
    """How a function uses a parameter. `changed`: it writes to it, which its caller would not see."""

    attributes: dict[str, None] = field(default_factory=dict)
    methods: dict[str, None] = field(default_factory=dict)
    changed: bool = False
    escapes: bool = False  # it is handed to something whose use of it is not known


def use_of(evaluator: Evaluator, scope: Scope, name: str, body: ir.Block | None = None) -> Use:
    """Of the name, of what it is iterated into, and of the parameters of the program's functions it is passed to.

    `body`: only these statements of the function.
    """
    found = Use()
    _follow(evaluator, scope, name, found, set(), body)
    return found


def fields_of(use: Use, kind: VType) -> tuple[str, ...]:
    """What travels of objects of a type that is not known: their attributes, where nothing else is asked of them."""
    opaque = kind.kind in OPAQUE or (kind.kind in ("list", "tuple") and any(i.kind in OPAQUE for i in kind.items))
    return tuple(use.attributes) if opaque and not use.methods and not use.escapes else ()


def _follow(evaluator: Evaluator, scope: Scope, name: str, found: Use, seen: set[tuple[Scope, str]], body: ir.Block | None = None) -> None:
    if (scope, name) in seen:
        return
    seen.add((scope, name))
    body = body if body is not None else scope.function.body
    names = _aliases(body, name)
    frame = evaluator.program.generic(scope)
    for stmt in flow.flatten(body):
        _written(stmt, names, found)
        for expr in flow.expressions(stmt):
            for part in walk(expr):
                _read(evaluator, part, names, frame, found, seen)


def _aliases(body: ir.Block, name: str) -> frozenset[str]:
    """The name, and those that loops and plain assignments give to it or to an element of it."""
    names = {name}
    while True:
        before = len(names)
        for stmt in flow.flatten(body):
            if isinstance(stmt, ir.For):
                _bind(stmt.target, stmt.iterable, names)
            elif isinstance(stmt, ir.Assign) and stmt.value is not None and not stmt.augmented:
                for target in stmt.targets:
                    _bind(target, stmt.value, names)
            for part in flow.own(stmt):
                if isinstance(part, ir.Comprehension):
                    for target, iterable, _ in part.loops:
                        _bind(target, iterable, names)
        if len(names) == before:
            return frozenset(names)


def _bind(target: ir.Expr, value: ir.Expr, names: set[str]) -> None:
    if isinstance(target, ir.Name) and _is_of(value, names):
        names.add(target.id)
    elif isinstance(target, ir.Sequence) and _is_of(value, names):
        names.update(t.id for t in target.items if isinstance(t, ir.Name))


def _is_of(value: ir.Expr, names: set[str] | frozenset[str]) -> bool:
    """`rows`, `rows[0]`, `rows[:5]`, `reversed(rows)`, `rows or []`."""
    match value:
        case ir.Name(_, name):
            return name in names
        case ir.Subscript(_, base):
            return _is_of(base, names)
        case ir.Call(_, ir.Name(_, called), args, _):
            return called in ASKS - {"len", "bool", "any", "all", "sum"} and any(_is_of(a, names) for a in args)
        case ir.Operation(_, operator, operands):
            return operator in ("Or", "And") and any(_is_of(o, names) for o in operands)
        case ir.Conditional(_, _, then, orelse):
            return _is_of(then, names) or _is_of(orelse, names)
    return False


def _written(stmt: ir.Stmt, names: frozenset[str], found: Use) -> None:
    targets = stmt.targets if isinstance(stmt, (ir.Assign, ir.Delete)) else ()
    for target in targets:
        if isinstance(target, (ir.Attribute, ir.Subscript)) and _is_of(target.value, names):
            found.changed = True


def _read(evaluator: Evaluator, part: ir.Expr, names: frozenset[str], frame: Frame, found: Use, seen: set[tuple[Scope, str]]) -> None:
    if isinstance(part, ir.Call):
        if isinstance(part.func, ir.Attribute) and _is_of(part.func.value, names):
            found.methods[part.func.attr] = None
            found.attributes.pop(part.func.attr, None)
            found.changed |= part.func.attr in CHANGES
        handed = [a for a in (*part.args, *(v for _, v in part.keywords)) if _is_of(a, names)]
        if handed and not (isinstance(part.func, ir.Name) and part.func.id in ASKS):
            _handed(evaluator, part, names, frame, found, seen)
    elif isinstance(part, ir.Attribute) and _is_of(part.value, names) and part.attr not in found.methods:
        found.attributes[part.attr] = None


def _handed(evaluator: Evaluator, call: ir.Call, names: frozenset[str], frame: Frame, found: Use, seen: set[tuple[Scope, str]]) -> None:
    functions = [f for v in evaluator.values(call.func, frame) for f in evaluator.callables(v)]
    found.escapes |= not functions
    for function in functions:
        parameters = function.scope.function.parameters
        given = argument_map(parameters[1:] if function.scope.owner is not None else parameters, call)
        for parameter, value in given.items():
            if _is_of(value, names):
                _follow(evaluator, function.scope, parameter, found, seen)
