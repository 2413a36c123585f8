"""Takes the lines of one block and the edits of its statements, gives the new lines: what happens to comments and blank lines.

- What replaces a run of statements inherits the comments and blank lines above the run's first statement.
- A deleted run takes along the comment attached above it and all comments between its statements; a comment that a blank line sets
  apart stays, as does the first paragraph of comments of a file, and the heading of a group of imports that goes on.
- Of the blank lines before and after a deleted run the larger number stays.
- Around added functions and classes there are as many blank lines as PEP 8 wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import libcst as cst

from triton_migrate.rewrite.fragments import Fragment, Line
from triton_migrate.rewrite.places import Statement

Lines = tuple[cst.EmptyLine, ...]

_BLANK = cst.EmptyLine(indent=False)


@dataclass(frozen=True, slots=True)
class StatementEdits:
    """What happens to statements of the file. A replaced run is `gone`, and what comes instead is under its first statement."""

    gone: frozenset[Statement] = frozenset()
    drops_block: frozenset[Statement] = frozenset()  # of those: a `with`, `if` or `try` that becomes empty goes too
    instead: Mapping[Statement, Fragment] = field(default_factory=dict)
    before: Mapping[Statement, tuple[Fragment, ...]] = field(default_factory=dict)
    after: Mapping[Statement, tuple[Fragment, ...]] = field(default_factory=dict)

    def concern(self, statement: Statement) -> bool:
        return statement in self.gone or statement in self.before or statement in self.after


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of a block as it stands after the edits inside it, and the statements of the original text that it is."""

    statements: tuple[Statement, ...]
    line: Line


def pieces_of(originals: Iterable[cst.CSTNode], updated: Iterable[cst.CSTNode], edits: StatementEdits) -> Iterator[Piece]:
    """Pair the lines of a block with what they were; `a; b` is cut where an edit concerns one of the two only."""
    for old, new in zip(originals, updated, strict=True):
        if isinstance(old, cst.SimpleStatementLine) and isinstance(new, cst.SimpleStatementLine):
            if len(old.body) > 1 and any(map(edits.concern, old.body)):
                yield from _cut(old, new, edits)
            else:
                yield Piece(tuple(old.body), new)
        elif isinstance(old, cst.BaseCompoundStatement) and isinstance(new, cst.BaseCompoundStatement):
            yield Piece((old,), new)


def rebuilt(pieces: Iterable[Piece], edits: StatementEdits, *, top: bool) -> tuple[tuple[Line, ...], Lines]:
    """Give the block's new lines, and the comments that outlived the last of them. `top`: the block is the module."""
    body = _Body(top)
    for piece in pieces:
        first, last, line = piece.statements[0], piece.statements[-1], piece.line
        for fragment in edits.before.get(first, ()):
            apart, attached = _parted(line.leading_lines, top and not body.lines)
            body.add(fragment, apart)
            line = line.with_changes(leading_lines=attached)
        if first in edits.instead:
            body.add(edits.instead[first], tuple(line.leading_lines))
        elif first in edits.gone:
            body.skip(line)
        else:
            body.keep(line)
        for fragment in edits.after.get(last, ()):
            body.add(fragment, ())
    return tuple(body.lines), body.left_over()


@dataclass(slots=True)
class _Body:
    """The block while it is written. `owed` are the lines above a deleted run, for whatever comes next."""

    top: bool
    lines: list[Line] = field(default_factory=list)
    ends_fresh: bool = False
    owed: Lines | None = None
    heading: Lines = ()
    imports_only: bool = True

    def keep(self, line: Line) -> None:
        self._put(line, fresh=False)

    def add(self, fragment: Fragment, above: Lines) -> None:
        for number, line in enumerate(fragment.lines):
            lead = (*above, *fragment.above, *line.leading_lines) if number == 0 else line.leading_lines
            self._put(line.with_changes(leading_lines=lead), fresh=True)
        if fragment.below:
            self.owed, self.heading = fragment.below, ()

    def skip(self, line: Line) -> None:
        self.imports_only = _is_import(line) and (self.owed is None or self.imports_only)
        if self.owed is None:
            self.owed, self.heading = _parted(line.leading_lines, self.top and not self.lines)

    def left_over(self) -> Lines:
        return _without_blanks_below(self.owed) if self.owed else ()

    def _put(self, line: Line, *, fresh: bool) -> None:
        if self.owed is not None:
            line = line.with_changes(leading_lines=self._settled(line))
        if self.lines and (fresh or self.ends_fresh):
            line = spaced(line, _blanks_between(self.lines[-1], line, self.top))
        self.owed, self.heading, self.ends_fresh = None, (), fresh
        self.lines.append(line)

    def _settled(self, line: Line) -> Lines:
        owed, lead = self.owed or (), tuple(line.leading_lines)
        if self.imports_only and _is_import(line) and not lead:
            return (*owed, *self.heading)
        comments = _without_blanks_below(owed)
        if not comments and not self.lines:
            return _without_blanks_above(lead)
        blanks = max(len(owed) - len(comments), _blanks_above(lead))
        return (*comments, *(_BLANK,) * blanks, *_without_blanks_above(lead))


def _cut(old: cst.SimpleStatementLine, new: cst.SimpleStatementLine, edits: StatementEdits) -> Iterator[Piece]:
    numbered = enumerate(zip(old.body, new.body, strict=True))
    groups = [tuple(pair for _, pair in group) for _, group in groupby(numbered, lambda n: n[0] if edits.concern(n[1][0]) else -1)]
    for number, group in enumerate(groups):
        small = [*(now for _, now in group[:-1]), group[-1][1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]
        is_first, is_last = number == 0, number == len(groups) - 1
        yield Piece(
            tuple(was for was, _ in group),
            cst.SimpleStatementLine(
                body=small,
                leading_lines=new.leading_lines if is_first else (),
                trailing_whitespace=new.trailing_whitespace if is_last else cst.TrailingWhitespace(),
            ),
        )


def attached_cut(lines: Sequence[cst.EmptyLine]) -> int:
    """How many of the lines above a statement come before the comment that is attached to it."""
    return next((number for number in range(len(lines), 0, -1) if lines[number - 1].comment is None), 0)


def _parted(lines: Sequence[cst.EmptyLine], opens_file: bool) -> tuple[Lines, Lines]:
    """Cut the lines above a statement into what stands apart and the comment attached to the statement."""
    cut = attached_cut(lines)
    if opens_file and not any(line.comment for line in lines[:cut]):
        cut = len(lines)  # the licence, the encoding, the interpreter
    return tuple(lines[:cut]), tuple(lines[cut:])


def _blanks_above(lines: Sequence[cst.EmptyLine]) -> int:
    return next((number for number, line in enumerate(lines) if line.comment), len(lines))


def _without_blanks_above(lines: Sequence[cst.EmptyLine]) -> Lines:
    return tuple(lines[_blanks_above(lines) :])


def _without_blanks_below(lines: Sequence[cst.EmptyLine]) -> Lines:
    return tuple(lines[: len(lines) - _blanks_above(lines[::-1])])


def spaced(line: Line, blanks: int) -> Line:
    """The line with at least so many blank lines above it."""
    missing = blanks - _blanks_above(line.leading_lines)
    return line.with_changes(leading_lines=((_BLANK,) * missing + tuple(line.leading_lines))) if missing > 0 else line


def _blanks_between(above: Line, below: Line, top: bool) -> int:
    if isinstance(above, cst.FunctionDef | cst.ClassDef) or isinstance(below, cst.FunctionDef | cst.ClassDef):
        return 2 if top else 1
    return int(top and _is_import(above) != _is_import(below))


def _is_import(line: Line) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(isinstance(small, cst.Import | cst.ImportFrom) for small in line.body)
