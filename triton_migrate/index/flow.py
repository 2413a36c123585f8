"""Takes statements, gives the names they read and bind: what live-ins and live-outs are made of. No evaluation, only scoping.

The same statements are asked about over and over, so the answers about one are remembered (`remembered`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from triton_migrate.index import ir

Node = TypeVar("Node")
Answer = TypeVar("Answer")

MOST = 1 << 16  # nodes that one question is remembered about


def remembered(ask: Callable[[Node], Answer]) -> Callable[[Node], Answer]:
    """Each answer once, by which node it is about: comparing what two nodes hold takes longer than most answers."""
    known: dict[int, tuple[Node, Answer]] = {}  # with the node, so that no other one gets its id meanwhile

    @wraps(ask)
    def asked(node: Node) -> Answer:
        if (found := known.get(id(node))) is None:
            if len(known) >= MOST:
                known.clear()
            found = known[id(node)] = node, ask(node)
        return found[1]

    return asked


def expressions(stmt: ir.Stmt) -> Iterator[ir.Expr]:
    """The statement's own expressions; not those of statements inside it."""
    match stmt:
        case ir.Assign(_, targets, value, _, _):
            if value is not None:
                yield value
            yield from targets
        case ir.Evaluate(_, value):
            yield value
        case ir.Return(_, value):
            if value is not None:
                yield value
        case ir.Raise(_, exception, cause):
            yield from (e for e in (exception, cause) if e is not None)
        case ir.If(_, test, _, _) | ir.While(_, test, _, _):
            yield test
        case ir.For(_, target, iterable, _, _):
            yield iterable
            yield target
        case ir.Try(_, _, handlers, _, _):
            yield from (h.type for h in handlers if h.type is not None)
        case ir.With(_, items, _):
            for expr, bound in items:
                yield expr
                if bound is not None:
                    yield bound
        case ir.Match(_, subject, cases):
            yield subject
            yield from (c.guard for c in cases if c.guard is not None)
        case ir.Delete(_, targets):
            yield from targets
        case ir.Assert(_, test, message):
            yield test
            if message is not None:
                yield message


@remembered
def own(stmt: ir.Stmt) -> tuple[ir.Expr, ...]:
    """The statement's own expressions with all in them, each before its parts; not those of statements inside it."""
    return tuple(part for expr in expressions(stmt) for part in walk(expr))


def blocks(stmt: ir.Stmt) -> tuple[ir.Block, ...]:
    """The blocks directly inside a compound statement, in order."""
    match stmt:
        case ir.If(_, _, one, two) | ir.For(_, _, _, one, two) | ir.While(_, _, one, two):
            return (one, two)
        case ir.With(_, _, one):
            return (one,)
        case ir.Try(_, one, handlers, two, final):
            return (one, *(h.body for h in handlers), two, final)
        case ir.Match(_, _, cases):
            return tuple(c.body for c in cases)
    return ()


def loops_around(body: ir.Block, at: ir.At) -> Iterator[ir.For | ir.While]:
    """The loops of a block that a place stands in, the outermost first."""
    yield from (s for s in flatten(body) if isinstance(s, (ir.For, ir.While)) and ir.holds(s.at, at))


def is_main(stmt: ir.Stmt) -> bool:
    """`if __name__ == "__main__"`."""
    return isinstance(stmt, ir.If) and any(n.id == "__name__" for n in names(stmt.test))


def module_body(body: ir.Block) -> Iterator[ir.Stmt]:
    """The statements of a module, those it runs when it is started by hand among them."""
    for stmt in body:
        if is_main(stmt) and isinstance(stmt, ir.If):
            yield from stmt.body
        else:
            yield stmt


def flatten(body: ir.Block) -> Iterator[ir.Stmt]:
    """All statements of a block and of the blocks inside it; not of functions and classes defined there."""
    for stmt in body:
        yield stmt
        if isinstance(stmt, _COMPOUND):
            yield from _inside(stmt)


@remembered
def _inside(stmt: ir.Stmt) -> tuple[ir.Stmt, ...]:
    """The statements of a compound one's blocks, and of the blocks inside these."""
    return tuple(inner for block in blocks(stmt) for inner in flatten(block))


def around(body: ir.Block, at: ir.At) -> Iterator[ir.Stmt]:
    """The statements of a block that a place stands in, the outermost first."""
    for stmt in body:
        if ir.holds(stmt.at, at):
            yield stmt
            for block in blocks(stmt):
                yield from around(block, at)


def opened(body: ir.Block, expr: ir.Expr) -> tuple[ir.With, ...]:
    """The `with` statements of a function around an expression that open what it reads."""
    reads = {n.id for n in names(expr)}
    found = (s for s in around(body, expr.at) if isinstance(s, ir.With) and not s.is_async)
    return tuple(s for s in found if binds((s._replace(body=()),)) & reads)


def names(expr: ir.Expr) -> Iterator[ir.Name]:
    """The names an expression reads from around it (targets count: whether they are reads is the statement's business)."""
    if isinstance(expr, ir.Name):
        yield expr
    elif isinstance(expr, ir.Lambda):
        own = {p.name for p in expr.function.parameters}
        defaults = [p.default for p in expr.function.parameters if p.default is not None]
        inner = [e for s in flatten(expr.function.body) for e in expressions(s)]
        yield from (n for d in defaults for n in names(d))
        yield from (n for e in inner for n in names(e) if n.id not in own)
    elif isinstance(expr, ir.Comprehension):
        own = {n.id for target, _, _ in expr.loops for n in names(target)}
        yield from (n for c in children(expr) for n in names(c) if n.id not in own)
    else:
        for child in children(expr):
            yield from names(child)


def reads(body: ir.Block) -> set[str]:
    """Names read anywhere in these statements, nested functions included."""
    return set().union(*map(_read_by, flatten(body)))


@remembered
def _read_by(stmt: ir.Stmt) -> frozenset[str]:
    """Names that a statement reads itself, whatever its blocks read."""
    match stmt:
        case ir.Define(_, function):
            return frozenset(free_names(function))
        case ir.DefineClass(_, definition):
            return frozenset(class_names(definition))
        case ir.Assign(_, targets, value, _, augmented):
            found = {n.id for n in names(value)} if value is not None else set()
            return frozenset(found.union(*({n.id for n in names(t)} - (set() if augmented else _bound_in(t)) for t in targets)))
        case ir.For(_, target, iterable, _, _):
            return frozenset({n.id for n in names(iterable)} | ({n.id for n in names(target)} - _bound_in(target)))
        case ir.With(_, items, _):
            return frozenset(n.id for e, _ in items for n in names(e))
    return frozenset(n.id for e in expressions(stmt) for n in names(e))


def exposed(body: ir.Block) -> set[str]:
    """Names these statements may read before they bind them: what one round of a loop takes over from the round before."""
    found: set[str] = set()
    bound: set[str] = set()
    for stmt in body:
        found |= _exposed_by(stmt) - bound
        bound |= _certain(stmt)
    return found


@remembered
def _exposed_by(stmt: ir.Stmt) -> frozenset[str]:
    match stmt:
        case ir.If() | ir.While() | ir.Match():
            return _read_by(stmt).union(*(exposed(block) for block in blocks(stmt)))
        case ir.Try(_, one, handlers, two, final):
            return frozenset().union(*map(exposed, (one, two, final)), *(exposed(h.body) - {h.name} for h in handlers), _read_by(stmt))
        case ir.For(_, target, _, one, two):
            return _read_by(stmt) | (exposed(one) - _bound_in(target)) | exposed(two)
        case ir.With(_, items, one):
            return _read_by(stmt) | (exposed(one) - {n for _, t in items if t is not None for n in _bound_in(t)})
    return _read_by(stmt)


@remembered
def _certain(stmt: ir.Stmt) -> frozenset[str]:
    """Names that are bound once the statement has come to its end."""
    match stmt:
        case ir.Assign(_, targets, value, _, augmented) if not augmented and value is not None:
            return frozenset(n for target in targets for n in _bound_in(target))
        case ir.Import() | ir.ImportFrom():
            return _bound_anywhere(stmt)
        case ir.With(_, items, one):
            return _end(one) | {n for _, t in items if t is not None for n in _bound_in(t)}
        case ir.If(_, _, one, two) if two:
            ends = [_end(b) for b in (one, two) if not _leaves(b[-1])]
            return frozenset.intersection(*ends) if ends else frozenset()
        case ir.Try(_, one, handlers, two, _) if all(_leaves(h.body[-1]) for h in handlers):
            return _end(one) | _end(two)
    return frozenset()


def _end(body: ir.Block) -> frozenset[str]:
    """Names that are bound at the end of a block."""
    return frozenset().union(*map(_certain, body))


def _leaves(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, (ir.Return, ir.Raise)) or (isinstance(stmt, ir.Jump) and stmt.kind != "pass")


def binds(body: ir.Block) -> set[str]:
    """Names bound anywhere in these statements."""
    return set().union(*map(_bound_anywhere, body))


@remembered
def _bound_anywhere(stmt: ir.Stmt) -> frozenset[str]:
    found = {w.target.id for w in own(stmt) if isinstance(w, ir.Walrus)}
    match stmt:
        case ir.Assign(_, targets, _, _, _):
            found |= {n for t in targets for n in _bound_in(t)}
        case ir.For(_, target, _, _, _):
            found |= _bound_in(target)
        case ir.With(_, items, _):
            found |= {n for _, t in items if t is not None for n in _bound_in(t)}
        case ir.Try(_, _, handlers, _, _):
            found |= {h.name for h in handlers if h.name}
        case ir.Define(_, function):
            found.add(function.name)
        case ir.DefineClass(_, definition):
            found.add(definition.name)
        case ir.Import(_, imported):
            found |= {alias or name.split(".")[0] for name, alias in imported}
        case ir.ImportFrom(_, _, _, imported):
            found |= {alias or name for name, alias in imported}
    return frozenset(found.union(*(binds(block) for block in blocks(stmt))))


def _bound_in(target: ir.Expr) -> set[str]:
    match target:
        case ir.Name(_, name):
            return {name}
        case ir.Sequence(_, _, items):
            return {n for i in items for n in _bound_in(i)}
        case ir.Starred(_, value):
            return _bound_in(value)
    return set()


def free_names(function: ir.Function, annotations: bool = False) -> set[str]:
    """Names a function reads from around it: body, defaults and decorators; annotations only when asked for."""
    own = {p.name for p in function.parameters} | binds(function.body)
    own -= {n for s in flatten(function.body) if isinstance(s, ir.Declare) for n in s.names}
    around = [p.default for p in function.parameters if p.default is not None] + list(function.decorators)
    if annotations:
        around += [a for a in (*(p.annotation for p in function.parameters), function.returns) if a is not None]
    return (reads(function.body) - own) | {n.id for e in around for n in names(e)}


def class_names(definition: ir.Class) -> set[str]:
    """Names a class reads from around it: bases, decorators, body with its annotations, methods."""
    around = [*definition.bases, *definition.decorators, *(v for _, v in definition.keywords)]
    annotations = [s.annotation for s in definition.body if isinstance(s, ir.Assign) and s.annotation is not None]
    inside = reads(definition.body) - binds(definition.body)
    return inside | {n.id for e in (*around, *annotations) for n in names(e)}


@remembered
def every(stmt: ir.Stmt) -> tuple[ir.Expr, ...]:
    """All expressions of a statement and of everything inside it: blocks, nested functions and classes, annotations, decorators."""
    found: list[ir.Expr] = []
    _add_every(stmt, found)
    return tuple(found)


@remembered
def held(stmt: ir.Stmt) -> frozenset[int]:
    """All that `every` gives, by id."""
    return frozenset(map(id, every(stmt)))


@remembered
def parts(stmt: ir.Stmt) -> frozenset[int]:
    """The expressions (by id) of a statement and of the statements inside it, with all in them; not of functions defined there."""
    return frozenset(id(part) for inner in flatten((stmt,)) for part in own(inner))


def every_of_function(function: ir.Function) -> tuple[ir.Expr, ...]:
    """All expressions of a function, decorators and annotations included."""
    found: list[ir.Expr] = []
    _add_function(function, found)
    return tuple(found)


def deep(expr: ir.Expr) -> tuple[ir.Expr, ...]:
    """As `walk`, with what is in lambdas and the targets of comprehensions."""
    found: list[ir.Expr] = []
    _add_deep(expr, found)
    return tuple(found)


def _add_every(stmt: ir.Stmt, found: list[ir.Expr]) -> None:
    for inner in flatten((stmt,)):
        if isinstance(inner, ir.Define):
            _add_function(inner.function, found)
        elif isinstance(inner, ir.DefineClass):
            definition = inner.definition
            for expr in (*definition.decorators, *definition.bases, *(v for _, v in definition.keywords)):
                _add_deep(expr, found)
            for member in definition.body:
                _add_every(member, found)
        else:
            for expr in expressions(inner):
                _add_deep(expr, found)
            if isinstance(inner, ir.Assign) and inner.annotation is not None:
                _add_deep(inner.annotation, found)


def _add_function(function: ir.Function, found: list[ir.Expr]) -> None:
    around = [
        *function.decorators,
        *(p.default for p in function.parameters),
        *(p.annotation for p in function.parameters),
        function.returns,
    ]
    for expr in around:
        if expr is not None:
            _add_deep(expr, found)
    for stmt in function.body:
        _add_every(stmt, found)


def _add_deep(expr: ir.Expr, found: list[ir.Expr]) -> None:
    """The expression and all in it, the bodies of lambdas and the targets of comprehensions too, each before its parts."""
    found.append(expr)
    if isinstance(expr, ir.Lambda):
        _add_function(expr.function, found)
    elif isinstance(expr, ir.Comprehension):
        for target, _, _ in expr.loops:
            _add_deep(target, found)
    parts = _PARTS.get(type(expr))
    if parts is not None:
        for part in parts(expr):
            _add_deep(part, found)


def children(expr: ir.Expr) -> tuple[ir.Expr, ...]:
    """The direct sub-expressions, in evaluation order; not the body of a lambda."""
    parts = _PARTS.get(type(expr))
    return parts(expr) if parts is not None else ()


def walk(expr: ir.Expr) -> Iterator[ir.Expr]:
    """The expression and everything in it, each before its parts."""
    left = [expr]
    while left:
        found = left.pop()
        yield found
        parts = _PARTS.get(type(found))
        if parts is not None:
            left.extend(reversed(parts(found)))


def unawaited(expr: ir.Expr) -> ir.Expr:
    """What is waited for, where it is."""
    return expr.value if isinstance(expr, ir.Await) else expr


def yields(expr: ir.Expr) -> bool:
    """Whether a function that evaluates it stops there and is taken up again."""
    return any(isinstance(part, ir.Yield) for part in walk(expr))


def _of_mapping(expr: ir.Mapping) -> tuple[ir.Expr, ...]:
    return tuple(e for pair in zip(expr.keys, expr.values, strict=True) for e in pair if e is not None)


def _of_comprehension(expr: ir.Comprehension) -> tuple[ir.Expr, ...]:
    loops = (e for _, iterable, conditions in expr.loops for e in (iterable, *conditions))
    return (*loops, expr.element, *((expr.value,) if expr.value is not None else ()))


_COMPOUND = (ir.If, ir.For, ir.While, ir.Try, ir.With, ir.Match)

# By type and not by `match`: nothing is asked more often.
_PARTS: dict[type, Callable[[Any], tuple[ir.Expr, ...]]] = {
    ir.Attribute: lambda e: (e.value,),
    ir.Subscript: lambda e: (e.value, e.key),
    ir.Call: lambda e: (e.func, *e.args, *(value for _, value in e.keywords)),
    ir.Joined: lambda e: e.parts,
    ir.Sequence: lambda e: e.items,
    ir.Mapping: _of_mapping,
    ir.Comprehension: _of_comprehension,
    ir.Starred: lambda e: (e.value,),
    ir.Await: lambda e: (e.value,),
    ir.Yield: lambda e: (e.value,) if e.value is not None else (),
    ir.Operation: lambda e: e.operands,
    ir.Conditional: lambda e: (e.test, e.then, e.orelse),
    ir.Walrus: lambda e: (e.value,),
    ir.Slice: lambda e: e.parts,
}
