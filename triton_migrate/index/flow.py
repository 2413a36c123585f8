"""Takes statements, gives the names they read and bind: what live-ins and live-outs are made of. No evaluation, only scoping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from triton_migrate.index import ir


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
        for block in blocks(stmt):
            yield from flatten(block)


def around(body: ir.Block, at: ir.At) -> Iterator[ir.Stmt]:
    """The statements of a block that a place stands in, the outermost first."""
    for stmt in body:
        if ir.holds(stmt.at, at):
            yield stmt
            for block in blocks(stmt):
                yield from around(block, at)


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
    found: set[str] = set()
    for stmt in flatten(body):
        if isinstance(stmt, ir.Define):
            found |= free_names(stmt.function)
        elif isinstance(stmt, ir.DefineClass):
            found |= class_names(stmt.definition)
        elif isinstance(stmt, ir.Assign):
            found |= {n.id for n in names(stmt.value)} if stmt.value is not None else set()
            for target in stmt.targets:
                found |= {n.id for n in names(target)} - (set() if stmt.augmented else _bound_in(target))
        elif isinstance(stmt, ir.For):
            found |= {n.id for n in names(stmt.iterable)} | ({n.id for n in names(stmt.target)} - _bound_in(stmt.target))
        elif isinstance(stmt, ir.With):
            found |= {n.id for e, _ in stmt.items for n in names(e)}
        else:
            found |= {n.id for e in expressions(stmt) for n in names(e)}
    return found


def exposed(body: ir.Block) -> set[str]:
    """Names these statements may read before they bind them: what one round of a loop takes over from the round before."""
    found: set[str] = set()
    bound: set[str] = set()
    for stmt in body:
        match stmt:
            case ir.If() | ir.While() | ir.Match() | ir.Try():
                inner = {n.id for e in expressions(stmt) for n in names(e)}.union(*(exposed(block) for block in blocks(stmt)))
            case ir.For(_, target, iterable, one, two):
                own = _bound_in(target)
                inner = {n.id for n in names(iterable)} | ({n.id for n in names(target)} - own) | (exposed(one) - own) | exposed(two)
            case ir.With(_, items, one):
                own = {n for _, t in items if t is not None for n in _bound_in(t)}
                inner = {n.id for e, _ in items for n in names(e)} | (exposed(one) - own)
            case _:
                inner = reads((stmt,))
        found |= inner - bound
        bound |= _certain((stmt,))
    return found


def _certain(body: ir.Block) -> set[str]:
    """Names that are bound once these statements have come to their end."""
    found: set[str] = set()
    for stmt in body:
        match stmt:
            case ir.Assign(_, targets, value, _, augmented) if not augmented and value is not None:
                found |= {n for target in targets for n in _bound_in(target)}
            case ir.With(_, items, one):
                found |= {n for _, t in items if t is not None for n in _bound_in(t)} | _certain(one)
            case ir.If(_, _, one, two) if two:
                ends = [_certain(b) for b in (one, two) if not _leaves(b[-1])]
                found |= set.intersection(*ends) if ends else set()
    return found


def _leaves(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, (ir.Return, ir.Raise)) or (isinstance(stmt, ir.Jump) and stmt.kind != "pass")


def binds(body: ir.Block) -> set[str]:
    """Names bound anywhere in these statements."""
    found: set[str] = set()
    for stmt in flatten(body):
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
        found |= {w.target.id for e in expressions(stmt) for w in walk(e) if isinstance(w, ir.Walrus)}
    return found


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


def every(stmt: ir.Stmt) -> Iterator[ir.Expr]:
    """All expressions of a statement and of everything inside it: blocks, nested functions and classes, annotations, decorators."""
    for inner in flatten((stmt,)):
        if isinstance(inner, ir.Define):
            yield from every_of_function(inner.function)
        elif isinstance(inner, ir.DefineClass):
            definition = inner.definition
            for expr in (*definition.decorators, *definition.bases, *(v for _, v in definition.keywords)):
                yield from _deep(expr)
            for member in definition.body:
                yield from every(member)
        else:
            for expr in expressions(inner):
                yield from _deep(expr)
            if isinstance(inner, ir.Assign) and inner.annotation is not None:
                yield from _deep(inner.annotation)


def every_of_function(function: ir.Function) -> Iterator[ir.Expr]:
    """All expressions of a function, decorators and annotations included."""
    around = [
        *function.decorators,
        *(p.default for p in function.parameters),
        *(p.annotation for p in function.parameters),
        function.returns,
    ]
    for expr in around:
        if expr is not None:
            yield from _deep(expr)
    for stmt in function.body:
        yield from every(stmt)


def _deep(expr: ir.Expr) -> Iterator[ir.Expr]:
    yield expr
    if isinstance(expr, ir.Lambda):
        yield from every_of_function(expr.function)
    if isinstance(expr, ir.Comprehension):
        yield from (part for target, _, _ in expr.loops for part in _deep(target))
    for child in children(expr):
        yield from _deep(child)


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


def _of_mapping(expr: ir.Mapping) -> tuple[ir.Expr, ...]:
    return tuple(e for pair in zip(expr.keys, expr.values, strict=True) for e in pair if e is not None)


def _of_comprehension(expr: ir.Comprehension) -> tuple[ir.Expr, ...]:
    loops = (e for _, iterable, conditions in expr.loops for e in (iterable, *conditions))
    return (*loops, expr.element, *((expr.value,) if expr.value is not None else ()))


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
