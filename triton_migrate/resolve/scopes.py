"""Takes the facts of a file, gives its tree of scopes: which names each module, class and function binds, and by what.

Also collects, for the whole file, what the resolver looks up backwards: attribute and element stores, and calls by their last name.
"""

from __future__ import annotations

from typing import NamedTuple

from triton_migrate.index import ir
from triton_migrate.index.flow import children
from triton_migrate.resolve.values import Values, steady

# Methods that put an argument into their receiver, and its position.
FILLING = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "setdefault": 1, "update": 0}
POSITION = ...  # the key of what they put at some position: no text is its key


class Binding(NamedTuple):
    """One way a name gets a value. `unpacked` are the positions when a tuple is unpacked."""

    how: str  # value | element | enter | import | from | function | class | parameter | exception | unknown
    expr: ir.Expr | None
    node: object
    at: ir.At
    unpacked: tuple[int, ...] = ()

    @property
    def imported(self) -> tuple[ir.ImportFrom, str]:
        """Of a `from` binding: the statement and the name as the other module has it."""
        assert isinstance(self.node, tuple)
        stmt, name = self.node
        assert isinstance(stmt, ir.ImportFrom) and isinstance(name, str)
        return stmt, name


class Store(NamedTuple):
    """`target.attr = value`, `target["key"] = value` or `setattr(target, "attr", value)` somewhere in the program."""

    target: ir.Expr
    value: ir.Expr
    scope: Scope
    at: ir.At
    unpacked: tuple[int, ...] = ()
    key: ir.Expr | None = None  # under which it is put, where that is not written there


class CallPlace(NamedTuple):
    call: ir.Call
    scope: Scope
    decorates: ir.Function | ir.Class | None


class Scope:
    """A module, class or function body and the names it binds."""

    __slots__ = ("_hash", "_outwards", "bindings", "children", "file", "globals", "kind", "name", "node", "nonlocals", "parent")

    def __init__(self, kind: str, name: str, file: str, node: ir.Function | ir.Class | ir.ModuleFacts, parent: Scope | None) -> None:
        self.kind, self.name, self.file, self.node, self.parent = kind, name, file, node, parent
        self._hash = hash((steady(file), () if isinstance(node, ir.ModuleFacts) else node.at))  # see `values`
        self.bindings: dict[str, list[Binding]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.children: dict[int, Scope] = {}  # by id of the ir.Function / ir.Class
        self._outwards: dict[str, int] = {}

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"<{self.kind} {self.file}:{self.name}>"

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def outwards(self, name: str) -> int:
        """How many scopes further out the one lies whose name it is; that is the module for what nothing binds."""
        found = self._outwards.get(name)
        if found is None:
            found = self._outwards[name] = self._distance(name)
        return found

    def _distance(self, name: str) -> int:
        distance, scope, outermost = 0, self, False
        while scope.parent is not None:
            hidden = scope.kind == "class" and scope is not self  # class bodies are no enclosing scopes for methods
            outermost = outermost or name in scope.globals
            if not outermost and not hidden and name in scope.bindings:
                return distance
            distance, scope = distance + 1, scope.parent
        return distance

    @property
    def function(self) -> ir.Function:
        assert isinstance(self.node, ir.Function)
        return self.node

    @property
    def definition(self) -> ir.Class:
        assert isinstance(self.node, ir.Class)
        return self.node

    @property
    def body(self) -> ir.Block:
        """The statements of a module or function; a class's belong to its methods."""
        return () if isinstance(self.node, ir.Class) else self.node.body

    @property
    def qualname(self) -> str:
        return "" if isinstance(self.node, ir.ModuleFacts) else self.node.qualname

    @property
    def is_lambda(self) -> bool:
        return self.name.startswith("<lambda")

    @property
    def owner(self) -> Scope | None:
        """The class whose method this is."""
        return self.parent if self.parent is not None and self.parent.kind == "class" else None


class Frame:
    """A scope with the values of its parameters: one context of a function. `arguments` None = any caller."""

    __slots__ = ("_hash", "arguments", "parent", "scope")

    def __init__(self, scope: Scope, parent: Frame | None, arguments: dict[str, Values] | None = None) -> None:
        self.scope, self.parent, self.arguments = scope, parent, arguments
        self._hash = hash((scope, () if parent is None else parent, 0 if arguments is None else tuple(arguments.values())))

    def __hash__(self) -> int:
        return self._hash

    @property
    def module(self) -> Frame:
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    def holder(self, name: str) -> Frame:
        """The frame whose name it is: this one, an enclosing function's, or the module's."""
        frame = self
        for _ in range(self.scope.outwards(name)):
            assert frame.parent is not None
            frame = frame.parent
        return frame


class FileScopes:
    """All scopes of one file and its backward indexes."""

    def __init__(self, facts: ir.ModuleFacts) -> None:
        self.facts = facts
        self.module = Scope("module", facts.path, facts.path, facts, None)
        self.scopes: list[Scope] = [self.module]
        self.attribute_stores: dict[str, list[Store]] = {}
        self.element_stores: dict[object, list[Store]] = {}
        self.named_stores: list[tuple[ir.Expr, Store]] = []  # `setattr(target, name, value)`, where the name is not written there
        self.calls: dict[str, list[CallPlace]] = {}
        self.global_bindings: dict[str, list[tuple[Scope, Binding]]] = {}
        self.stars: list[ir.ImportFrom] = []
        self._block(facts.body, self.module)

    # ------------------------------------------------------------ statements

    def _block(self, body: ir.Block, scope: Scope) -> None:
        for stmt in body:
            self._statement(stmt, scope)

    def _statement(self, stmt: ir.Stmt, scope: Scope) -> None:
        match stmt:
            case ir.Assign(_, targets, value, annotation, _):
                self._expr(value, scope)
                self._expr(annotation, scope)
                for target in targets:
                    self._expr(target, scope)
                    self._bind(target, "unknown" if value is None else "value", value or annotation, stmt, scope)
            case ir.Evaluate(_, value) | ir.Return(_, value):
                self._expr(value, scope)
            case ir.Raise(_, exception, cause):
                self._expr(exception, scope)
                self._expr(cause, scope)
            case ir.If(_, test, body, orelse) | ir.While(_, test, body, orelse):
                self._expr(test, scope)
                self._block(body, scope)
                self._block(orelse, scope)
            case ir.For(_, target, iterable, body, orelse):
                self._expr(iterable, scope)
                self._bind(target, "element", iterable, stmt, scope)
                self._block(body, scope)
                self._block(orelse, scope)
            case ir.Try(_, body, handlers, orelse, final):
                self._block(body, scope)
                for handler in handlers:
                    self._expr(handler.type, scope)
                    if handler.name:
                        self._name(handler.name, Binding("exception", handler.type, handler, handler.at), scope)
                    self._block(handler.body, scope)
                self._block(orelse, scope)
                self._block(final, scope)
            case ir.With(_, items, body):
                for expr, bound in items:
                    self._expr(expr, scope)
                    if bound is not None:
                        self._bind(bound, "enter", expr, stmt, scope)
                self._block(body, scope)
            case ir.Match(_, subject, cases):
                self._expr(subject, scope)
                for case in cases:
                    for name in case.captures:
                        self._name(name, Binding("unknown", None, case, stmt.at), scope)
                    self._expr(case.guard, scope)
                    self._block(case.body, scope)
            case ir.Import(at, names):
                for module, alias in names:
                    self._name(alias or module.split(".")[0], Binding("import", None, module if alias else module.split(".")[0], at), scope)
            case ir.ImportFrom(at, _, _, names):
                for name, alias in names:
                    if name == "*":
                        self.stars.append(stmt)
                    else:
                        self._name(alias or name, Binding("from", None, (stmt, name), at), scope)
            case ir.Define(at, function):
                self._function(function, scope)
                self._name(function.name, Binding("function", None, function, at), scope)
            case ir.DefineClass(at, definition):
                self._class(definition, scope)
                self._name(definition.name, Binding("class", None, definition, at), scope)
            case ir.Declare(_, kind, names):
                if scope.parent is not None:  # `global x` in the module itself says nothing
                    (scope.globals if kind == "global" else scope.nonlocals).update(names)
            case ir.Delete(_, targets):
                for target in targets:
                    self._expr(target, scope)
            case ir.Assert(_, test, message):
                self._expr(test, scope)
                self._expr(message, scope)
            case ir.Jump():
                pass

    def _function(self, function: ir.Function, scope: Scope) -> None:
        for decorator in function.decorators:
            self._expr(decorator, scope, function)
        self._expr(function.returns, scope)
        self._inner(function, scope)

    def _inner(self, function: ir.Function, scope: Scope) -> None:
        inner = self._child("function", function.name, function, scope)
        for parameter in function.parameters:
            self._expr(parameter.annotation, scope)
            self._expr(parameter.default, scope)
            inner.bindings.setdefault(parameter.name, []).append(Binding("parameter", None, parameter, function.at))
        self._block(function.body, inner)

    def _class(self, definition: ir.Class, scope: Scope) -> None:
        for expr in (*definition.bases, *(v for _, v in definition.keywords)):
            self._expr(expr, scope)
        for decorator in definition.decorators:
            self._expr(decorator, scope, definition)
        self._block(definition.body, self._child("class", definition.name, definition, scope))

    def _child(self, kind: str, name: str, node: ir.Function | ir.Class, parent: Scope) -> Scope:
        child = Scope(kind, name, parent.file, node, parent)
        parent.children[id(node)] = child
        self.scopes.append(child)
        return child

    # ------------------------------------------------------------ names and stores

    def _bind(self, target: ir.Expr, how: str, value: ir.Expr | None, stmt: ir.Stmt, scope: Scope, index: tuple[int, ...] = ()) -> None:
        match target:
            case ir.Name(at, name):
                self._name(name, Binding(how, value, stmt, at, index), scope)
            case ir.Sequence(_, _, items):
                for i, item in enumerate(items):
                    self._bind(item, how, value, stmt, scope, (*index, i))
            case ir.Starred(_, inner):
                self._bind(inner, "unknown", value, stmt, scope, index)
            case ir.Attribute(at, base, attr):
                if value is not None and how == "value":
                    self.attribute_stores.setdefault(attr, []).append(Store(base, value, scope, stmt.at, index))
            case ir.Subscript(at, base, ir.Constant(_, key)):
                if value is not None and how == "value":
                    self._element(key, Store(base, value, scope, stmt.at, index))
            case ir.Subscript(_, base, key):
                if value is not None and how == "value":
                    self.element_stores.setdefault(None, []).append(Store(base, value, scope, stmt.at, index, key))

    def _element(self, key: object, store: Store) -> None:
        """`target[key] = value`; of an object's `__dict__` that is an attribute."""
        if isinstance(key, str) and isinstance(store.target, ir.Attribute) and store.target.attr == "__dict__":
            self.attribute_stores.setdefault(key, []).append(store._replace(target=store.target.value))
        else:
            self.element_stores.setdefault(key, []).append(store)

    def _name(self, name: str, binding: Binding, scope: Scope) -> None:
        if name in scope.globals:
            self.global_bindings.setdefault(name, []).append((scope, binding))
        elif name in scope.nonlocals:
            outer = scope.parent
            while outer is not None and name not in outer.bindings:
                outer = outer.parent
            (outer or scope).bindings.setdefault(name, []).append(binding)
        else:
            scope.bindings.setdefault(name, []).append(binding)

    # ------------------------------------------------------------ expressions

    def _expr(self, expr: ir.Expr | None, scope: Scope, decorates: ir.Function | ir.Class | None = None) -> None:
        if expr is None:
            return
        if isinstance(expr, ir.Call):
            self.calls.setdefault(last_name(expr.func), []).append(CallPlace(expr, scope, decorates))
            if last_name(expr.func) == "setattr" and len(expr.args) == 3:
                self._attribute(expr.args[1], Store(expr.args[0], expr.args[2], scope, expr.at))
            self._filling(expr, scope)
        elif decorates is not None:  # a decorator without parentheses
            self.calls.setdefault(last_name(expr), []).append(CallPlace(ir.Call(expr.at, expr, (), ()), scope, decorates))
        if isinstance(expr, ir.Lambda):
            self._inner(expr.function, scope)
        elif isinstance(expr, ir.Comprehension):
            for target, iterable, _ in expr.loops:
                self._bind(target, "element", iterable, ir.Evaluate(expr.at, iterable), scope)
        elif isinstance(expr, ir.Walrus):
            self._bind(expr.target, "value", expr.value, ir.Evaluate(expr.at, expr.value), scope)
        for child in children(expr):
            self._expr(child, scope)

    def _attribute(self, name: ir.Expr | None, store: Store) -> None:
        if isinstance(name, ir.Constant):
            self.attribute_stores.setdefault(str(name.value), []).append(store)
        elif name is not None:
            self.named_stores.append((name, store))

    def _filling(self, call: ir.Call, scope: Scope) -> None:
        """`models.append(x)` and `registry.setdefault("key", x)` put an element, `registry.update(key=x)` several."""
        if not isinstance(call.func, ir.Attribute) or call.func.attr not in FILLING:
            return
        if call.func.attr == "update":
            given: list[tuple[object, ir.Expr]] = [(k, v) for k, v in call.keywords if k is not None]
            for mapping in (a for a in call.args if isinstance(a, ir.Mapping)):
                pairs = zip(mapping.keys, mapping.values, strict=True)
                given += [(k.value if isinstance(k, ir.Constant) else None, v) for k, v in pairs]
        else:
            place = FILLING[call.func.attr]
            key = call.args[0].value if place and call.args and isinstance(call.args[0], ir.Constant) else None
            unnamed = None if call.func.attr == "setdefault" else POSITION
            given = [(key if isinstance(key, str) else unnamed, call.args[place])] if len(call.args) > place else []
        for key, value in given:
            self._element(key, Store(call.func.value, value, scope, call.at))


def last_name(expr: ir.Expr) -> str:
    """`a.b.c` and `c` are called "c"; what a call returns is called like the callee, an element like its container."""
    match expr:
        case ir.Name(_, name) | ir.Attribute(_, _, name):
            return name
        case ir.Call(_, inner) | ir.Subscript(_, inner):
            return last_name(inner)
    return ""
