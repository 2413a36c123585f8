"""Takes the text of a generated or edited module, gives what it reads and does not define: such a port fails at its first request."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from functools import lru_cache

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.index.text import Text

KNOWN = frozenset({*dir(builtins), "__file__", "__name__", "__doc__", "__path__", "__spec__", "__annotations__"})


def undefined(text: str) -> tuple[str, ...]:
    """Names that no scope of the module binds; none where a star import may bring them. Annotations are never evaluated."""
    nodes = _nodes(text)
    if any(alias.name == "*" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names):
        return ()
    lines = Text(text.removeprefix("\ufeff") or "\n")
    plain = lines.piece((1, 0, len(lines.lines), len(lines.lines[-1])), tuple((_place(a), "None") for a in _annotations(nodes)))
    top = symtable.symtable(plain, "<pipeline>", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()} | _declared(top)
    return tuple(sorted(_read(top, top=True) - bound - KNOWN))


def unbound(text: str) -> tuple[str, ...]:
    """Locals that a function reads in a plain statement above the one that binds them, as `model = model` does to a global."""
    functions = (node for node in _nodes(text) if isinstance(node, _FUNCTIONS))
    return tuple(sorted({name for function in functions for name in _too_early(function)}))


def first_read(text: str, name: str, file: str) -> Span:
    """Where a name is first read in the text; its start where it is not read at all."""
    reads = (n for n in _nodes(text) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    first = min(map(_place, reads), default=None)
    return Span(file, *(first or (1, 0, 1, 0)))


@lru_cache(maxsize=1)  # all of this is asked about one text before the next
def _nodes(text: str) -> tuple[ast.AST, ...]:
    """`ast.parse` wants no byte order mark in text."""
    return tuple(ast.walk(ast.parse(text.removeprefix("\ufeff"))))


def _place(node: ast.expr) -> ir.At:
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _annotations(nodes: tuple[ast.AST, ...]) -> Iterator[ast.expr]:
    for node in nodes:
        told = node.annotation if isinstance(node, ast.arg | ast.AnnAssign) else node.returns if isinstance(node, _FUNCTIONS) else None
        if told is not None:
            yield told


def _too_early(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    found: set[str] = set()
    bound: set[str] = set()
    for stmt in function.body:
        stored, read = _names(stmt)
        if isinstance(stmt, ast.Assign | ast.Expr | ast.Return):
            found |= read - bound
        bound |= stored
    if not found & bound:
        return set()
    arguments = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    return (found & bound) - arguments - declared


def _names(stmt: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that the statement itself stores and reads; those of comprehensions and functions inside it are their own."""
    stored: set[str] = set()
    read: set[str] = set()
    if isinstance(stmt, (*_FUNCTIONS, ast.ClassDef)):
        return {stmt.name}, read
    left: list[ast.AST] = [stmt]
    while left:
        node = left.pop()
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else stored).add(node.id)
        elif not isinstance(node, _SCOPES):
            left.extend(ast.iter_child_nodes(node))
    return stored, read


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, *_FUNCTIONS)


def _declared(table: symtable.SymbolTable) -> set[str]:
    """Globals that functions assign."""
    own = {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return own.union(*(_declared(child) for child in table.get_children()))


def _read(table: symtable.SymbolTable, top: bool = False) -> set[str]:
    own = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return own.union(*(_read(child) for child in table.get_children()))
