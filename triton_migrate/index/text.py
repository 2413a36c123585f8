"""Takes the text of a file and places in it, gives pieces of the text with small replacements: moved code stays as it was written."""

from __future__ import annotations

import ast
import io
import textwrap

from triton_migrate.index import ir


class Text:
    """One source file by `ast` places (columns in UTF-8 bytes)."""

    def __init__(self, text: str) -> None:
        self.lines = [line.encode() for line in io.StringIO(text, newline=None)]  # a form feed ends no line

    def piece(self, at: ir.At, replace: tuple[tuple[ir.At, str], ...] = ()) -> str:
        """The text at `at` with the places in `replace` that lie in it replaced; of nested ones the outer counts."""
        out: list[bytes] = []
        position = at[:2]
        for place, new in _outermost(replace, at):
            out += [self._between(position, place[:2]), new.encode()]
            position = place[2:]
        out.append(self._between(position, at[2:]))
        return b"".join(out).decode()

    def value(self, at: ir.At, replace: tuple[tuple[ir.At, str], ...] = ()) -> str:
        """An expression as the value of a statement of its own: dedented, in brackets where it needs those around it."""
        text = self.piece(at, replace)
        if "\n" not in text:
            return text
        line = self.lines[at[0] - 1].decode()
        margin = line[: len(line) - len(line.lstrip())]
        if not any(quotes in text for quotes in ('"""', "'''")):  # inside a text of several lines they are what it holds
            text = "\n".join(part.removeprefix(margin) for part in text.split("\n"))
        return text if _is_one(text) else f"({text})"

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> bytes:
        (line, column), (end_line, end_column) = start, end
        if line == end_line:
            return self.lines[line - 1][column:end_column]
        return b"".join([self.lines[line - 1][column:], *self.lines[line : end_line - 1], self.lines[end_line - 1][:end_column]])

    def indent(self, at: ir.At) -> str:
        """How far the statement at a place is indented."""
        before = self.lines[at[0] - 1][: at[1]].decode()
        return before if not before.strip() else " " * at[1]

    def statements(self, first: ir.At, last: ir.At, replace: tuple[tuple[ir.At, str], ...] = ()) -> str:
        """Whole statements from `first` to `last`, comments between them included, dedented, with one newline at the end."""
        text = self.indent(first) + self.piece((*first[:2], *last[2:]), replace)
        trailing = self.lines[last[2] - 1][last[3] :].decode()
        comment = trailing.rstrip() if trailing.lstrip().startswith("#") else ""
        return textwrap.dedent(_with_spaces(text)).rstrip() + comment + "\n"


def _is_one(text: str) -> bool:
    """Whether Python takes it for one statement."""
    try:
        return len(ast.parse(text).body) == 1
    except SyntaxError:
        return False


def _with_spaces(text: str) -> str:
    """Indented by spaces where tabs and spaces are mixed: Python takes a tab to go to the next multiple of eight."""
    heads = [line[: len(line) - len(line.lstrip())] for line in text.splitlines() if line.strip()]
    if not any("\t" in h for h in heads) or all(h.strip("\t") == "" for h in heads) or any(q in text for q in ('"""', "'''")):
        return text  # inside a text of several lines they are what it holds
    lines = text.split("\n")
    return "\n".join(line[: len(line) - len(line.lstrip())].expandtabs(8) + line.lstrip() for line in lines)


def _outermost(replace: tuple[tuple[ir.At, str], ...], at: ir.At) -> list[tuple[ir.At, str]]:
    inside = sorted({r for r in replace if at[:2] <= r[0][:2] and r[0][2:] <= at[2:]}, key=_order)
    found: list[tuple[ir.At, str]] = []
    for place, new in inside:
        if not found or found[-1][0][2:] <= place[:2]:
            found.append((place, new))
    return found


def _order(new: tuple[ir.At, str]) -> tuple[object, ...]:
    """From left to right: what is put in at a place before what is replaced there, the outer before the inner."""
    (line, column, end_line, end_column), _ = new
    return line, column, (line, column) != (end_line, end_column), -end_line, -end_column
