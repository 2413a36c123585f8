"""Source code for the page: takes text and its file name, gives lines of safe HTML with the classes of `report.css`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from markupsafe import Markup, escape
from pygments import lexers
from pygments.lexer import Lexer
from pygments.token import Comment, Keyword, Literal, Name, Operator, _TokenType

from triton_migrate.report.visible import visible

_CLASSES: Final[tuple[tuple[_TokenType, str], ...]] = (
    (Comment, "tc"),
    (Literal.String.Doc, "tc"),
    (Literal.String, "ts"),
    (Literal.Number, "tn"),
    (Keyword, "tk"),
    (Operator.Word, "tk"),
    (Name.Decorator, "td"),
    (Name.Function, "tf"),
    (Name.Class, "tf"),
    (Name.Tag, "tf"),
)
# What a port touches; a lexer for every name under the sun would let a file's name choose how slow the page is. By name, because
# Pygments loads each where it is asked for: most pages only show Python.
_LEXERS: Final[dict[str, str]] = {
    ".html": "HtmlLexer",
    ".json": "JsonLexer",
    ".md": "MarkdownLexer",
    ".toml": "TOMLLexer",
    ".yaml": "YamlLexer",
    ".yml": "YamlLexer",
    "Dockerfile": "DockerLexer",
}
# Generated or minified text: lexers are slow on it and nobody reads its colours.
_LONGEST_LINE = 1_000
_LONGEST_TEXT = 200_000
_LATEST = 256  # texts whose lines are remembered: pipelines that go through the same code have the same evidence


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of one line that share a class (empty: none)."""

    css: str
    text: str


Line = tuple[Piece, ...]


@lru_cache(maxsize=_LATEST)
def lines(text: str, filename: str) -> tuple[Line, ...]:
    """`text` made visible, cut at newlines, coloured by the language that `filename` names; as many lines as `text` has."""
    plain = visible(text)
    rows = _rows(_tokens(plain, filename))
    return rows if len(rows) == plain.count("\n") + 1 else _rows([("", plain)])  # a lexer that drops or adds lines is not used


def _rows(tokens: Iterable[tuple[str, str]]) -> tuple[Line, ...]:
    rows: list[list[Piece]] = [[]]
    for css, value in tokens:
        for position, part in enumerate(value.split("\n")):
            if position:
                rows.append([])
            if part:
                rows[-1].append(Piece(css, part))
    return tuple(map(tuple, rows))


def markup(line: Line, changed: range = range(0)) -> Markup:
    """One line as HTML; the characters at the positions `changed` are marked."""
    pieces = _pieces(line, changed) if changed else ((piece.css, piece.text) for piece in line)
    return Markup("".join(f'<span class="{css}">{escape(text)}</span>' if css else escape(text) for css, text in pieces if text))


def _pieces(line: Line, changed: range) -> Iterator[tuple[str, str]]:
    start = 0
    for piece in line:
        end = start + len(piece.text)
        left, right = (min(max(edge, start), end) - start for edge in (changed.start, changed.stop))
        yield piece.css, piece.text[:left]
        yield f"{piece.css} w".lstrip(), piece.text[left:right]
        yield piece.css, piece.text[right:]
        start = end


def _tokens(text: str, filename: str) -> Iterator[tuple[str, str]]:
    if len(text) > _LONGEST_TEXT or any(len(line) > _LONGEST_LINE for line in text.split("\n")):
        return iter([("", text)])
    return ((_css(kind), value) for kind, value in _lexer(filename).get_tokens(text))


def _lexer(filename: str) -> Lexer:
    name = filename.rpartition("/")[2]
    if name.endswith(".py"):
        from triton_migrate.report.page.python import Python

        return Python(stripnl=False, ensurenl=False)
    kind: type[Lexer] = getattr(lexers, _LEXERS.get(name) or _LEXERS.get(name[name.rfind(".") :]) or "TextLexer")
    return kind(stripnl=False, ensurenl=False)


@cache  # the kinds are a few of Pygments' own
def _css(kind: _TokenType) -> str:
    return next((css for parent, css in _CLASSES if kind[: len(parent)] == parent), "")
