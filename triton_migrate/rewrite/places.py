"""Takes a parsed module, gives the LibCST node at an `ast` span: the join between finding (`ast`) and editing (LibCST).

`ast` counts columns in UTF-8 bytes, LibCST in characters. Where the two disagree about what a node covers (tuples and generators in
parentheses, decorators), this file goes by `ast`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from triton_migrate.base import Span

Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement
Block = cst.Module | cst.IndentedBlock | cst.SimpleStatementSuite
Area = tuple[tuple[int, int], tuple[int, int]]  # start and end, (line from 1, column in characters)

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is. `blocks` gives for a statement the block that holds it and its number there, `;` or not."""

    lines: tuple[str, ...]
    statements: Mapping[Area, Statement]
    expressions: Mapping[Area, cst.BaseExpression]
    areas: Mapping[cst.CSTNode, Area]
    blocks: Mapping[Statement, tuple[Block, int]]
    found: Mapping[Area, tuple[ast.expr, ...]]  # what `ast` says, lines and columns as it counts them

    def statement(self, span: Span) -> Statement | None:
        area = self._area(span)
        return self.statements.get(area) if area else None

    def expression(self, span: Span) -> cst.BaseExpression | None:
        """Before Python 3.12 `ast` misplaces what is inside f-strings, so the node must also read as `ast` says."""
        area = self._area(span)
        node = self.expressions.get(area) if area else None
        found = self.found.get(((span.line, span.column), (span.end_line, span.end_column)), ())
        return node if node and _meaning(_read(node)) in map(_meaning, found) else None

    def _area(self, span: Span) -> Area | None:
        if not 0 < span.line <= span.end_line <= len(self.lines):
            return None
        return (
            (span.line, self._characters(span.line, span.column)),
            (span.end_line, self._characters(span.end_line, span.end_column)),
        )

    def _characters(self, line: int, column: int) -> int:
        return len(self.lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))


def places_in(source: str, module: cst.Module) -> Places:
    """Index a module that was just parsed from `source`."""
    ranges: Mapping[cst.CSTNode, CodeRange] = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    areas = {node: ((at.start.line, at.start.column), (at.end.line, at.end.column)) for node, at in ranges.items()}
    for node in tuple(areas):
        areas[node] = _as_ast_says(node, areas)
    blocks = (node for node in areas if isinstance(node, Block))
    return Places(
        lines=tuple(_LINE_END.split(source)),
        statements={area: node for node, area in areas.items() if isinstance(node, Statement)}
        | {_from_decorator(node, areas): node for node in areas if isinstance(node, cst.FunctionDef | cst.ClassDef)},
        expressions={area: node for node, area in areas.items() if isinstance(node, cst.BaseExpression)},
        areas={node: _from_decorator(node, areas) for node in areas},
        found=_expressions_in(source),
        blocks={node: (block, number) for block in blocks for number, node in enumerate(statements_of(block))},
    )


def statements_of(block: Block) -> Iterator[Statement]:
    """The statements of a block in order, those on one line apart."""
    for child in block.body:
        if isinstance(child, cst.SimpleStatementLine):
            yield from child.body
        elif isinstance(child, Statement):
            yield child


def _as_ast_says(node: cst.CSTNode, areas: Mapping[cst.CSTNode, Area]) -> Area:
    if isinstance(node, cst.Tuple | cst.GeneratorExp) and node.lpar:
        return areas[node.lpar[-1]][0], areas[node.rpar[0]][1]
    return areas[node]


def _from_decorator(node: cst.CSTNode, areas: Mapping[cst.CSTNode, Area]) -> Area:
    start, end = areas[node]
    if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.decorators:
        start = areas[node.decorators[0]][0]
    return start, end


def _expressions_in(source: str) -> Mapping[Area, tuple[ast.expr, ...]]:
    found: defaultdict[Area, tuple[ast.expr, ...]] = defaultdict(tuple)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr) and node.end_lineno is not None and node.end_col_offset is not None:
            found[(node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)] += (node,)
    return found


def _read(node: cst.BaseExpression) -> ast.expr | None:
    try:
        return ast.parse(f"({cst.Module(()).code_for_node(node)}\n)", mode="eval").body
    except SyntaxError:  # a `*name`, or one piece of a larger construct
        return None


def _meaning(node: ast.expr | None) -> str:
    return re.sub(r"ctx=(Store|Del)\(\)", "ctx=Load()", ast.dump(node)) if node else ""
