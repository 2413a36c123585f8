# ruff: noqa: N802 (LibCST names its hooks after its nodes)
"""Takes source text that is to be added, gives LibCST nodes in the file's own style: line ends, indentation unit, quotes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import libcst as cst

Line = cst.SimpleStatementLine | cst.BaseCompoundStatement

_OTHER = {"'": '"', '"': "'"}
_UNIT = "    "


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written. `quote` is None where the file has no clear habit."""

    newline: str
    indent: str
    quote: str | None


@dataclass(frozen=True, slots=True)
class Fragment:
    """Statements to add, with the comment lines above the first and below the last of them."""

    lines: tuple[Line, ...]
    above: tuple[cst.EmptyLine, ...] = ()
    below: tuple[cst.EmptyLine, ...] = ()


def style_of(module: cst.Module) -> Style:
    """A quote is the file's habit when at least nine of ten strings have it."""
    quotes = _Quotes()
    module.visit(quotes)
    common = quotes.seen.most_common(1)
    clear = bool(common) and common[0][1] * 10 >= quotes.seen.total() * 9
    return Style(module.default_newline, module.default_indent, common[0][0] if clear else None)


def statements(code: str, style: Style) -> Fragment:
    """Parse statements. Raises `libcst.ParserSyntaxError`."""
    module = cst.parse_module(code.strip("\n").replace("\r\n", "\n").replace("\n", style.newline) + style.newline)
    fitted = module.visit(_Fit(style))
    lines = tuple(line for line in fitted.body if isinstance(line, Line))
    return Fragment(lines, tuple(fitted.header), tuple(fitted.footer))


def expression(code: str, style: Style) -> cst.BaseExpression:
    """Parse one expression. Raises `libcst.ParserSyntaxError`."""
    text = code.strip().replace("\r\n", "\n").replace("\n", style.newline)
    config = cst.PartialParserConfig(default_newline=style.newline)
    try:
        parsed = cst.parse_expression(text, config)
    except cst.ParserSyntaxError:  # `a := b`, `x for x in y`: expressions in brackets only
        parsed = cst.parse_expression(f"({text})", config)
    fitted = parsed.visit(_Fit(style))
    assert isinstance(fitted, cst.BaseExpression)
    return fitted


class _Quotes(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        if len(node.quote) == 1 and _OTHER[node.quote] not in node.value:
            self.seen[node.quote] += 1


class _Fit(cst.CSTTransformer):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        quote = updated_node.quote
        if not self._wants_other(quote) or not _plain(updated_node.raw_value):
            return updated_node
        wanted = _OTHER[quote]
        return updated_node.with_changes(value=f"{updated_node.value[: len(updated_node.prefix)]}{wanted}{updated_node.raw_value}{wanted}")

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        return False  # a string inside an f-string must not have the f-string's quotes before Python 3.12

    def leave_FormattedString(self, original_node: cst.FormattedString, updated_node: cst.FormattedString) -> cst.FormattedString:
        quote = updated_node.end
        inside = cst.Module(()).code_for_node(updated_node)[len(updated_node.start) : -len(quote)]
        if not self._wants_other(quote) or not _plain(inside):
            return updated_node
        return updated_node.with_changes(start=updated_node.start.replace(quote, _OTHER[quote]), end=_OTHER[quote])

    def leave_ParenthesizedWhitespace(
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        value = updated_node.last_line.value
        depth, rest = divmod(len(value), len(_UNIT))
        if rest or value.strip(" ") or self.style.indent == _UNIT:
            return updated_node
        return updated_node.with_changes(last_line=cst.SimpleWhitespace(self.style.indent * depth))

    def _wants_other(self, quote: str) -> bool:
        return self.style.quote is not None and self.style.quote == _OTHER.get(quote)


def _plain(text: str) -> bool:
    return not set(text) & {"'", '"'}
