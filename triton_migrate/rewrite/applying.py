"""Takes the text of one file and operations, gives the new text or `NotDone`: parse, edit, imports, and a last look by the compiler."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import libcst as cst

from triton_migrate.base import Span
from triton_migrate.changes import NotDone
from triton_migrate.rewrite.editor import Edits, edited
from triton_migrate.rewrite.fragments import style_of
from triton_migrate.rewrite.imports import with_import, with_import_from_above
from triton_migrate.rewrite.operations import AddImport, Operation, RemoveUnusedImports
from triton_migrate.rewrite.places import places_in
from triton_migrate.rewrite.planning import Placed, planned, spans_of
from triton_migrate.rewrite.unused import unused_imports

_BOM = "\ufeff"
_TROUBLE = (
    cst.ParserSyntaxError,
    SyntaxError,
    ValueError,
    RecursionError,
    MemoryError,
)  # of parsers and compiler
_SAFE = (
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.SimpleString, cst.FormattedString, cst.List, cst.Dict, cst.Set,
    cst.ListComp, cst.DictComp, cst.SetComp,
)  # fmt: skip


def apply_operations(source: str, path: str, operations: tuple[Operation, ...]) -> str | NotDone:
    """Do all operations or none. The result compiles; what no operation touches stays byte for byte.

    All spans speak of `source`. First statements and expressions change, then imports are added, then unused ones are removed.
    """
    placed = tuple(operation for operation in operations if isinstance(operation, Placed))
    spans = tuple(span for operation in placed for span in spans_of(operation))
    if stray := next((span for span in spans if span.file != path), None):
        return NotDone(stray, f"not a place in {path}")
    mark = _BOM if source.startswith(_BOM) else ""
    text: str | NotDone = source.removeprefix(_BOM)
    try:
        for step in _steps(operations, placed, path):
            if isinstance(text, str):
                text = step(text)
        if isinstance(text, str) and operations:
            _compile(text, path)
    except _TROUBLE as error:
        first = spans[0] if spans else Span(path, 1, 0, 1, 0)
        return NotDone(first, f"the file cannot be edited so that it compiles: {error}")
    return mark + text if isinstance(text, str) else text


def _steps(operations: tuple[Operation, ...], placed: tuple[Placed, ...], path: str) -> Iterable[Callable[[str], str | NotDone]]:
    if placed:
        yield partial(_with_edits, operations=placed)
    for operation in operations:
        if isinstance(operation, AddImport):
            yield partial(_with_import, path=path, operation=operation)
    names = frozenset(name for operation in operations if isinstance(operation, RemoveUnusedImports) for name in operation.names)
    if names:
        yield partial(_without_unused, path=path, names=names)


def _with_edits(text: str, operations: tuple[Placed, ...]) -> str | NotDone:
    module = _parsed(text)
    edits = planned(operations, places_in(text, module), style_of(module))
    return edits if isinstance(edits, NotDone) else _bracketed(module, edits)


def _with_import(text: str, path: str, operation: AddImport) -> str | NotDone:
    code, own, up = operation.code, operation.own, operation.up
    module = with_import_from_above(_parsed(text), code, own, up) if up else with_import(_parsed(text), code, own)
    return module.code if module else NotDone(Span(path, 1, 0, 1, 0), f"not one import statement: {operation.code}")


def _without_unused(text: str, path: str, names: frozenset[str]) -> str:
    module = _parsed(text)
    edits = unused_imports(text, path, names, places_in(text, module))
    return edited(module, edits).code


def _bracketed(module: cst.Module, edits: Edits) -> str:
    """Put brackets around those new expressions that would mean something else, or nothing, without them."""
    bare = edits.expressions

    def text_with(bracketed: Iterable[cst.BaseExpression]) -> str:
        return edited(module, replace(edits, expressions={**bare, **{old: _in_brackets(bare[old]) for old in bracketed}})).code

    loose = [old for old, new in bare.items() if not new.lpar and not isinstance(new, _SAFE)]
    try:
        text = text_with(loose)
    except cst.CSTValidationError:  # `return(a, b)`: there even a name needs them
        loose = [old for old, new in bare.items() if not new.lpar]
        text = text_with(loose)
    meaning = ast.dump(ast.parse(text)) if loose else ""
    for old in tuple(loose):
        others = [other for other in loose if other is not old]
        try:
            lighter = text_with(others)
            same = ast.dump(ast.parse(lighter)) == meaning
        except SyntaxError:
            continue
        if same:
            loose, text = others, lighter
    return text


def _in_brackets(expression: cst.BaseExpression) -> cst.BaseExpression:
    return expression.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _parsed(text: str) -> cst.Module:
    module = cst.parse_module(text)
    if module.code != text:
        raise ValueError("its text is not kept by the parser")
    return module


def _compile(text: str, path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(text, path, "exec", dont_inherit=True)
