# ruff: noqa: N815 (`ast` names its hooks after its nodes)
"""Takes the text of a module and names, gives the edits that remove the imports of those names nothing uses any more.

In doubt an import stays: in `try … except ImportError`, under `TYPE_CHECKING`, in a class, behind `global`, or when it is there for others
(`__all__`, `import x as x`, an `__init__.py` that imports from its own package).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import libcst as cst

from triton_migrate.base import Span
from triton_migrate.rewrite.blocks import StatementEdits
from triton_migrate.rewrite.editor import Edits
from triton_migrate.rewrite.places import Places, Statement

_WORD = re.compile(r"[^\W\d]\w*")
_TYPE_COMMENT = re.compile(r"#\s*type:\s*(.+)")
_TYPING = frozenset({"cast", "TypeVar", "NewType", "ForwardRef"})  # their arguments may be types in quotes


@dataclass(frozen=True, slots=True)
class _Import:
    """One imported name and where: `number` counts the names of its statement, `scope` is the function it is in."""

    statement: ast.Import | ast.ImportFrom
    number: int
    name: str
    scope: ast.AST | None


def unused_imports(text: str, path: str, names: frozenset[str], places: Places) -> Edits:
    tree = ast.parse(text)
    reading = _Reading(names, path)
    reading.visit(tree)
    reading.note_words_of(_TYPE_COMMENT.findall(text))
    imported: dict[cst.Import | cst.ImportFrom, frozenset[int]] = {}
    gone: set[Statement] = set()
    for statement, numbers in reading.unused():
        node = places.statement(_span(statement, path))
        if not isinstance(node, cst.Import | cst.ImportFrom):
            continue
        if len(numbers) == len(statement.names):
            gone.add(node)
        else:
            imported[node] = numbers
    return Edits(StatementEdits(gone=frozenset(gone)), imported=imported)


def _span(node: ast.stmt, path: str) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(path, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


@dataclass
class _Reading(ast.NodeVisitor):
    """One walk: the removable imports of the names, and every use with the functions around it."""

    names: frozenset[str]
    path: str
    imports: list[_Import] = field(default_factory=list)
    uses: list[tuple[str, tuple[ast.AST, ...]]] = field(default_factory=list)
    functions: tuple[ast.AST, ...] = ()
    kept: bool = False  # imports here stay whatever uses them
    global_names: set[str] = field(default_factory=set)

    def unused(self) -> Iterator[tuple[ast.Import | ast.ImportFrom, frozenset[int]]]:
        """A use belongs to the innermost function around it that imports the name itself, else to the module."""
        scopes = {(found.name, found.scope) for found in self.imports}
        used = {(name, next((f for f in reversed(functions) if (name, f) in scopes), None)) for name, functions in self.uses}
        free = [found for found in self.imports if (found.name, found.scope) not in used and found.name not in self.global_names]
        for statement in dict.fromkeys(found.statement for found in free):
            yield statement, frozenset(found.number for found in free if found.statement is statement)

    def note_words_of(self, texts: list[str]) -> None:
        self.uses += [(word, self.functions) for text in texts for word in _WORD.findall(text) if word in self.names]

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for number, alias in enumerate(node.names):
            name = alias.asname or alias.name.partition(".")[0]
            if name in self.names and not self.kept and alias.asname != alias.name and not self._is_for_others(node):
                self.imports.append(_Import(node, number, name, self.functions[-1] if self.functions else None))

    visit_ImportFrom = visit_Import

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.names and not isinstance(node.ctx, ast.Store):
            self.uses.append((node.id, self.functions))

    def visit_Global(self, node: ast.Global) -> None:
        self.global_names.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outside in (*node.decorator_list, node.args, *([node.returns] if node.returns else [])):
            self.visit(outside)
        self._note_types(node.returns)
        around, kept = self.functions, self.kept
        self.functions, self.kept = (*around, node), False
        for statement in node.body:
            self.visit(statement)
        self.functions, self.kept = around, kept

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._keeping(node, True)

    def visit_arg(self, node: ast.arg) -> None:
        self._note_types(node.annotation)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._note_types(node.annotation)
        if isinstance(node.target, ast.Name) and node.target.id == "__all__":
            self._note_types(node.value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self._note_types(node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.note_words_of([node.target.id])
            if node.target.id == "__all__":
                self._note_types(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if called in _TYPING or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "__all__"):
            self._note_types(node)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        caught = {name for handler in node.handlers if handler.type for name in _WORD.findall(ast.unparse(handler.type))}
        self._keeping(node, bool(caught & {"ImportError", "ModuleNotFoundError"}))

    def visit_If(self, node: ast.If) -> None:
        self._keeping(node, "TYPE_CHECKING" in _WORD.findall(ast.unparse(node.test)))

    def _keeping(self, node: ast.AST, keep: bool) -> None:
        kept = self.kept
        self.kept = kept or keep
        self.generic_visit(node)
        self.kept = kept

    def _note_types(self, node: ast.expr | None) -> None:
        """Names in strings: quoted annotations and what `__all__` lists."""
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                self.note_words_of([part.value])

    def _is_for_others(self, node: ast.Import | ast.ImportFrom) -> bool:
        path = PurePosixPath(self.path)
        if path.name != "__init__.py" or self.functions or isinstance(node, ast.Import):
            return False
        return node.level > 0 or (node.module or "").partition(".")[0] in path.parts
