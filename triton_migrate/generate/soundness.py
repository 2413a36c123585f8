"""Takes the text of a generated or edited module, gives what it reads and does not define: such a port fails at its first request."""

from __future__ import annotations

import ast
import builtins
import symtable

from triton_migrate.base import Span

KNOWN = frozenset({*dir(builtins), "__file__", "__name__", "__doc__", "__path__", "__spec__", "__annotations__"})


def undefined(text: str) -> tuple[str, ...]:
    """Names that no scope of the module binds; none where a star import may bring them. Annotations are never evaluated."""
    tree = _parsed(text)
    if any(alias.name == "*" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names):
        return ()
    plain = ast.unparse(_Bare().visit(tree))
    top = symtable.symtable(plain, "<pipeline>", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()} | _declared(top)
    return tuple(sorted(_read(top, top=True) - bound - KNOWN))


def unbound(text: str) -> tuple[str, ...]:
    """Locals that a function reads in a plain statement above the one that binds them, as `model = model` does to a global."""
    functions = (node for node in ast.walk(_parsed(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return tuple(sorted({name for function in functions for name in _too_early(function)}))


def _parsed(text: str) -> ast.Module:
    """`ast.parse` wants no byte order mark in text."""
    return ast.parse(text.removeprefix("\ufeff"))


def _too_early(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    local = {name for stmt in function.body for name in _names(stmt, ast.Store)} - arguments - declared
    found: set[str] = set()
    bound: set[str] = set()
    for stmt in function.body:
        if isinstance(stmt, ast.Assign | ast.Expr | ast.Return):
            found |= local & _names(stmt, ast.Load) - bound
        bound |= _names(stmt, ast.Store)
    return found


def _names(stmt: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    """Names of the statement itself; those of comprehensions and functions inside it are their own."""
    if isinstance(stmt, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {stmt.name} if context is ast.Store else set()
    inner = {id(n) for node in ast.walk(stmt) if isinstance(node, _SCOPES) for n in ast.walk(node)}
    return {node.id for node in ast.walk(stmt) if isinstance(node, ast.Name) and isinstance(node.ctx, context) and id(node) not in inner}


_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)


def first_read(text: str, name: str, file: str) -> Span:
    """Where a name is first read in the text; its start where it is not read at all."""
    reads = (n for n in ast.walk(_parsed(text)) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    first = min(reads, key=lambda node: (node.lineno, node.col_offset), default=None)
    if first is None:
        return Span(file, 1, 0, 1, 0)
    return Span(file, first.lineno, first.col_offset, first.end_lineno or first.lineno, first.end_col_offset or first.col_offset)


def _declared(table: symtable.SymbolTable) -> set[str]:
    """Globals that functions assign."""
    own = {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return own.union(*(_declared(child) for child in table.get_children()))


def _read(table: symtable.SymbolTable, top: bool = False) -> set[str]:
    own = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return own.union(*(_read(child) for child in table.get_children()))


class _Bare(ast.NodeTransformer):
    """Leaves annotations out."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = node.value if node.value is not None else ast.Constant(None)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], value), node))
