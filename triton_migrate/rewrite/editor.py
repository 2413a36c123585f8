# ruff: noqa: N802 (LibCST names its hooks after its nodes)
"""Takes a parsed module and what to change, node by node, gives the changed module: one pass over the tree.

Nodes that no edit concerns are emitted as they were read, so everything else stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import libcst as cst

from triton_migrate.rewrite.blocks import StatementEdits, pieces_of, rebuilt
from triton_migrate.rewrite.commas import without
from triton_migrate.rewrite.parameters import without_parameter
from triton_migrate.rewrite.places import Block, Statement, statements_of


@dataclass(frozen=True, slots=True)
class Edits:
    """Everything that changes in one module, keyed by the nodes of the module as parsed.

    `parameters`: names to remove; `arguments`: numbers of arguments to remove; `imported`: numbers of imported names to remove;
    `decorators`: expressions of decorators to remove; `decorated`, `decorated_below`: those to add; `handlers`: errors that a `try`
    raises again before its own handlers see them; `plain`: coroutines that become functions.
    """

    statements: StatementEdits = field(default_factory=StatementEdits)
    expressions: Mapping[cst.BaseExpression, cst.BaseExpression] = field(default_factory=dict)
    parameters: Mapping[cst.FunctionDef, frozenset[str]] = field(default_factory=dict)
    arguments: Mapping[cst.Call, frozenset[int]] = field(default_factory=dict)
    imported: Mapping[cst.Import | cst.ImportFrom, frozenset[int]] = field(default_factory=dict)
    decorators: frozenset[cst.BaseExpression] = frozenset()
    decorated_below: Mapping[cst.FunctionDef, tuple[cst.BaseExpression, ...]] = field(default_factory=dict)
    decorated: Mapping[cst.FunctionDef, tuple[cst.BaseExpression, ...]] = field(default_factory=dict)
    handlers: Mapping[cst.Try, tuple[cst.BaseExpression, ...]] = field(default_factory=dict)
    plain: frozenset[cst.FunctionDef] = frozenset()


def edited(module: cst.Module, edits: Edits) -> cst.Module:
    """Raises `libcst.CSTValidationError` when a replacement does not fit where it is put (`return(a)` to `returnb`)."""
    return module.visit(_Editor(edits))


class _Editor(cst.CSTTransformer):
    def __init__(self, edits: Edits) -> None:
        super().__init__()
        self.edits = edits
        self.emptied: dict[cst.CSTNode, bool] = {}  # block -> whether what it belongs to goes with it

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        if isinstance(original_node, cst.BaseExpression) and original_node in self.edits.expressions:
            return self.edits.expressions[original_node]  # type: ignore[return-value]
        if isinstance(original_node, cst.Else) and original_node.body in self.emptied:
            return cst.RemoveFromParent()
        return super().on_leave(original_node, updated_node)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        edits = self._edits_in(original_node, updated_node)
        if edits is None:
            return updated_node
        # LibCST gives the comments above the first statement to the module; here they are that statement's, as everywhere else.
        first, *others = updated_node.body
        body = [first.with_changes(leading_lines=(*updated_node.header, *first.leading_lines)), *others]
        lines, left_over = rebuilt(pieces_of(original_node.body, body, edits), edits, top=True)
        if not lines:
            return updated_node.with_changes(body=(), header=left_over, has_trailing_newline=bool(left_over or updated_node.footer))
        return updated_node.with_changes(header=(), body=lines, footer=(*left_over, *updated_node.footer))

    def leave_IndentedBlock(self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock) -> cst.IndentedBlock:
        edits = self._edits_in(original_node, updated_node)
        if edits is None:
            return updated_node
        lines, left_over = rebuilt(pieces_of(original_node.body, updated_node.body, edits), edits, top=False)
        footer = (*left_over, *updated_node.footer)
        if not lines:
            self._note_emptied(original_node, edits, keep=any(line.comment for line in footer))
            lines = (cst.SimpleStatementLine([cst.Pass()]),)
        return updated_node.with_changes(body=lines, footer=footer)

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite | cst.IndentedBlock:
        edits = self._edits_in(original_node, updated_node)
        if edits is None:
            return updated_node
        old = cst.SimpleStatementLine(original_node.body)
        new = cst.SimpleStatementLine(updated_node.body, trailing_whitespace=updated_node.trailing_whitespace)
        lines, _ = rebuilt(pieces_of([old], [new], edits), edits, top=False)
        if not lines:
            self._note_emptied(original_node, edits, keep=False)
            return updated_node.with_changes(body=(cst.Pass(),))
        only = lines[0]
        if len(lines) == 1 and isinstance(only, cst.SimpleStatementLine) and not any(line.comment for line in only.leading_lines):
            return updated_node.with_changes(body=only.body, trailing_whitespace=only.trailing_whitespace)
        return cst.IndentedBlock(lines)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        for name in sorted(self.edits.parameters.get(original_node, ())):
            updated_node = without_parameter(updated_node, name)
        pairs = zip(original_node.decorators, updated_node.decorators, strict=True)
        kept = [new for old, new in pairs if old.decorator not in self.edits.decorators]
        if len(kept) < len(updated_node.decorators):
            comments = () if kept else updated_node.decorators[0].leading_lines
            updated_node = updated_node.with_changes(decorators=kept, leading_lines=(*updated_node.leading_lines, *comments))
        added = [cst.Decorator(expression) for expression in self.edits.decorated.get(original_node, ())]
        below = [cst.Decorator(expression) for expression in self.edits.decorated_below.get(original_node, ())]
        if added or below:
            updated_node = updated_node.with_changes(decorators=[*added, *updated_node.decorators, *below])
        return updated_node.with_changes(asynchronous=None) if original_node in self.edits.plain else updated_node

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.Try:
        errors = self.edits.handlers.get(original_node, ())
        body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Raise()])])
        added = [cst.ExceptHandler(body, type=error) for error in errors]
        return updated_node.with_changes(handlers=[*added, *updated_node.handlers]) if added else updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        before, args = updated_node.whitespace_before_args, list(updated_node.args)
        for number in sorted(self.edits.arguments.get(original_node, ()), reverse=True):
            before, args = without(before, args, number)
        return updated_node.with_changes(whitespace_before_args=before, args=args)

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        names = list(updated_node.names)
        for number in sorted(self.edits.imported.get(original_node, ()), reverse=True):
            _, names = without(updated_node.whitespace_after_import, names, number)
        return updated_node.with_changes(names=names)

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        numbers = sorted(self.edits.imported.get(original_node, ()), reverse=True)
        if not numbers or isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        names, opening = list(updated_node.names), updated_node.lpar
        for number in numbers:
            before, names = without(opening.whitespace_after if opening else cst.SimpleWhitespace(""), names, number)
            opening = opening.with_changes(whitespace_after=before) if opening else None
        return updated_node.with_changes(names=names, lpar=opening)

    def _edits_in(self, original: Block, updated: Block) -> StatementEdits | None:
        """The edits, with statements that go because they became empty; None when they leave this block's lines alone."""
        edits = self.edits.statements
        dropped: set[Statement] = {
            old for old, new in zip(original.body, updated.body, strict=True) if isinstance(old, Statement) and self._is_hollow(old, new)
        }
        if dropped:
            edits = replace(edits, gone=edits.gone | dropped, drops_block=edits.drops_block | dropped)
        return edits if any(map(edits.concern, statements_of(original))) else None

    def _is_hollow(self, original: cst.CSTNode, updated: cst.CSTNode) -> bool:
        match updated:
            case cst.With() | cst.If(orelse=None) | cst.Try(orelse=None, finalbody=None) | cst.TryStar(orelse=None, finalbody=None):
                return self.emptied.get(original.body, False)  # type: ignore[attr-defined]
            case _:
                return False

    def _note_emptied(self, block: cst.IndentedBlock | cst.SimpleStatementSuite, edits: StatementEdits, *, keep: bool) -> None:
        if not keep:
            self.emptied[block] = any(statement in edits.drops_block for statement in statements_of(block))
