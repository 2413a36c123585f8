"""Takes the program, gives where each name, attribute and reflected string is written: what "nothing uses it any more" is asked of."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope

REFLECTION = frozenset({"getattr", "hasattr", "setattr", "delattr", "attrgetter"})


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a name, an attribute or an equal string is written; `stmt` is the innermost statement around it."""

    expr: ir.Expr
    stmt: ir.Stmt
    scope: Scope


class Mentions:
    """`names` by file and name, `attributes` by name with their file, `elements` by key so (`x["key"]`, `x.get("key")`),
    `strings` by file: what `getattr` and `__all__` speak of."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.names: dict[str, dict[str, list[Mention]]] = {}
        self.attributes: dict[str, list[tuple[str, Mention]]] = {}
        self.elements: dict[str, list[tuple[str, Mention]]] = {}
        self.strings: dict[str, set[str]] = {}
        for path, file in evaluator.program.files.items():
            self.names[path], self.strings[path] = {}, set(file.facts.exports or ())
            for scope in file.scopes:
                self._read(path, scope.node.body, scope)

    def _read(self, path: str, body: ir.Block, scope: Scope) -> None:
        for stmt in flow.flatten(body):
            exprs = list(flow.expressions(stmt))
            if isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                exprs.append(stmt.annotation)
            if isinstance(stmt, ir.Define):
                function = stmt.function
                exprs += [*function.decorators, *(e for p in function.parameters for e in (p.annotation, p.default) if e is not None)]
                exprs += [function.returns] if function.returns is not None else []
            if isinstance(stmt, ir.DefineClass):
                exprs += [*stmt.definition.decorators, *stmt.definition.bases, *(v for _, v in stmt.definition.keywords)]
            for expr in exprs:
                for part in deep(expr):
                    mention = Mention(part, stmt, scope)
                    if isinstance(part, ir.Name):
                        self.names[path].setdefault(part.id, []).append(mention)
                    elif isinstance(part, ir.Attribute):
                        self.attributes.setdefault(part.attr, []).append((path, mention))
                    if (key := element_key(part)) is not None:
                        self.elements.setdefault(key, []).append((path, mention))
                    if (asked := asked_attribute(part)) is not None:
                        self.attributes.setdefault(asked, []).append((path, mention))
                    elif isinstance(part, ir.Call) and isinstance(part.func, ir.Name) and part.func.id in REFLECTION:
                        self.strings[path] |= {str(a.value) for a in part.args if isinstance(a, ir.Constant)}


def element_key(expr: ir.Expr) -> str | None:
    """The constant key of `x["key"]` and `x.get("key")`."""
    match expr:
        case ir.Subscript(_, _, ir.Constant(_, str() as key)):
            return key
        case ir.Call(_, ir.Attribute(_, _, "get" | "pop"), (ir.Constant(_, str() as key), *_), _):
            return key
    return None


def asked_attribute(expr: ir.Expr) -> str | None:
    """The name in `getattr(x, "name", None)` and `hasattr(x, "name")`."""
    match expr:
        case ir.Call(_, ir.Name(_, "getattr"), (_, ir.Constant(_, str() as name), ir.Constant(_, None)), ()):
            return name
        case ir.Call(_, ir.Name(_, "hasattr"), (_, ir.Constant(_, str() as name)), ()):
            return name
    return None


LISTING = frozenset({"sorted", "list", "tuple", "set", "len", "iter", "enumerate", "join"})


def asks_keys(mention: Mention) -> bool:
    """Whether a dict is only asked for its keys here: `x in d`, `sorted(d)`, `d.keys()`, `for x in d`."""
    if isinstance(mention.stmt, ir.For) and mention.stmt.iterable is mention.expr:
        return True
    for part in (p for e in flow.expressions(mention.stmt) for p in deep(e)):
        match part:
            case ir.Operation(_, "In" | "NotIn", (_, held)) if held is mention.expr:
                return True
            case ir.Call(_, ir.Name(_, called) | ir.Attribute(_, _, called), (held,), _) if held is mention.expr and called in LISTING:
                return True
            case ir.Attribute(_, held, "keys") if held is mention.expr:
                return True
            case ir.Comprehension(_, _, _, _, loops) if any(over is mention.expr for _, over, _ in loops):
                return True
    return False


def owner_of(expr: ir.Expr) -> ir.Expr | None:
    """The object whose attribute a mention is."""
    return expr.value if isinstance(expr, ir.Attribute) else expr.args[0] if isinstance(expr, ir.Call) else None


def holder_of(expr: ir.Expr) -> ir.Expr | None:
    """The container whose element a mention is."""
    if isinstance(expr, ir.Call):
        return expr.func.value if isinstance(expr.func, ir.Attribute) else None
    return expr.value if isinstance(expr, ir.Subscript) else None


def membership(mention: Mention, key: str) -> tuple[ir.Expr, bool] | None:
    """`"key" in x` and `"key" not in x` around a mention of x."""
    for expr in flow.expressions(mention.stmt):
        for part in deep(expr):
            match part:
                case ir.Operation(_, "In" | "NotIn" as operator, (ir.Constant(_, str() as found), inner)) if inner is mention.expr:
                    return (part, operator == "In") if found == key else None
    return None


def deep(expr: ir.Expr) -> list[ir.Expr]:
    found = list(walk(expr))
    for part in list(found):
        if isinstance(part, ir.Lambda):
            found += list(flow.every_of_function(part.function))
        elif isinstance(part, ir.Comprehension):
            found += [p for target, _, _ in part.loops for p in walk(target)]
    return found


def binds(stmt: ir.Stmt, name: str) -> bool:
    if isinstance(stmt, ir.Define):
        return stmt.function.name == name
    if isinstance(stmt, ir.DefineClass):
        return stmt.definition.name == name
    return name in flow.binds((stmt,))


def within(at: ir.At, statements: list[ir.Stmt]) -> bool:
    for stmt in statements:
        start = stmt.at[:2]
        if isinstance(stmt, ir.Define):
            start = min([stmt.at, *(d.at for d in stmt.function.decorators)])[:2]
        if start <= at[:2] and at[2:] <= stmt.at[2:]:
            return True
    return False


def is_parameter(scope: Scope, name: str) -> bool:
    return any(p.name == name for p in scope.function.parameters)


def free_names_of(scope: Scope) -> set[str]:
    return flow.free_names(scope.function) if scope.kind == "function" else set()


def stores(mention: Mention) -> bool:
    """`x.attr = value` or `del x.attr`."""
    if isinstance(mention.stmt, ir.Assign):
        return any(t is mention.expr for t in mention.stmt.targets) and not mention.stmt.augmented
    return isinstance(mention.stmt, ir.Delete)


def unpacks(mention: Mention) -> tuple[ir.Attribute, ...]:
    """The other attributes of `self.scaler, self.model = load()`; none where that is not how the value is stored."""
    match mention.stmt:
        case ir.Assign(_, (ir.Sequence(_, _, items),)) if any(i is mention.expr for i in items):
            others = tuple(i for i in items if isinstance(i, ir.Attribute) and i is not mention.expr)
            return others if len(others) == len(items) - 1 else ()
    return ()


def is_bare_call(mention: Mention) -> bool:
    return isinstance(mention.stmt, ir.Evaluate) and isinstance(mention.stmt.value, ir.Call) and mention.stmt.value.func is mention.expr


def guards(mention: Mention, name: str) -> bool:
    """`if model is None: return ...` before the predict call: the client raises by itself when there is no model."""
    stmt = mention.stmt
    if not isinstance(stmt, ir.If) or stmt.orelse or mention.scope.kind != "function":
        return False
    ends = isinstance(stmt.body[-1], (ir.Return, ir.Raise))
    found = presence(mention, name)
    return ends and found is not None and found[0] is stmt.test and not found[1]


def presence(mention: Mention, name: str) -> tuple[ir.Expr, bool] | None:
    """The test around a mention that only asks whether the object is there, and whether it is true when it is."""
    for expr in flow.expressions(mention.stmt):
        for part in deep(expr):
            match part:
                case ir.Operation(_, "Is" | "IsNot" as operator, (left, ir.Constant(_, None))) if left is mention.expr:
                    return part, operator == "IsNot"
                case ir.Operation(_, "Not", (inner,)) if inner is mention.expr:
                    return part, False
                case ir.Call(_, ir.Name(_, "bool"), (inner,), ()) if inner is mention.expr:
                    return part, True
                case ir.Call(_, ir.Name(_, "hasattr")) if part is mention.expr:
                    return part, True
    return None
