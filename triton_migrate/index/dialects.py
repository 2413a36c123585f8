"""Takes source for another Python than the one which reads it, gives it in that one's words with everything where it was; to read only.

Type parameters, `type` statements and f-strings of Python 3.12, `except A, B` of 3.14, the `print` of Python 2: what takes their place
is as long as they are.
"""

from __future__ import annotations

import ast
import re
from itertools import pairwise

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

OTHER = {'"': "'", "'": '"'}


PYTHON_2 = (  # of what the parser complains, what it means, and what is read in its place
    ("'print'", re.compile(r"print\b"), "_ =  "),
    ("'exec'", re.compile(r"exec\b"), "_ = "),
    ("exception types", re.compile(","), "|"),
)
WORK = 5_000_000  # characters that the parser reads again, a statement of Python 2 at a time
LARGEST, LONGEST, DEEPEST, CHAIN = 500_000, 1000, 60, 300  # characters of a file, of a line; brackets, operators in each other
TEXTS = re.compile(r'(?<![fFrRtT])("""|\'\'\')[\s\S]*?\1')
OPERATORS = re.compile(r"[-+*/%|&^~@.]|\b(?:not|and|or|lambda|else|await)\b")
JOINED = re.compile(r"^[ \t]*elif\b|[\"'][ \t\r\n]+\w{0,2}[\"']", re.MULTILINE)


def readable(text: str) -> str | None:
    """None where this Python cannot read it even so."""
    return (_older(text) if _shallow(text) else None) or _of_python_2(text)


def _shallow(text: str) -> bool:
    """Whether LibCST comes back from it: its parser recurses on the machine's stack, and what is too deep ends the process."""
    if len(text) > LARGEST or len(JOINED.findall(text)) > CHAIN:
        return False
    depth = chain = 0
    for line in TEXTS.sub("''", text).splitlines():
        opened = sum(map(line.count, "([{"))
        chain += len(OPERATORS.findall(line))
        if len(line) > LONGEST or depth + opened > DEEPEST or chain > CHAIN:
            return False
        depth = max(depth + opened - sum(map(line.count, ")]}")), 0)
        chain = chain if depth or line.endswith("\\") else 0
    return True


def _of_python_2(text: str) -> str | None:
    """Statement by statement, as the parser finds them."""
    lines = text.splitlines(keepends=True)
    for _ in range(WORK // (len(text) + 1)):
        try:
            ast.parse(text)
        except SyntaxError as wrong:
            at = (wrong.lineno or 1) - 1
            known = next(((said, new) for about, said, new in PYTHON_2 if about in wrong.msg), None)
            old = known[0].search(lines[at], max((wrong.offset or 1) - 1, 0)) if known is not None and at < len(lines) else None
            if known is None or old is None:
                return None
            lines[at] = lines[at][: old.start()] + known[1] + lines[at][old.end() :]
            text = "".join(lines)
        except (ValueError, RecursionError, MemoryError):
            return None
        else:
            return text
    return None


def _older(text: str) -> str | None:
    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        reading = _Reading(text)
        wrapper.visit(reading)
        found = "".join(reading.characters)
        ast.parse(found)
    except (cst.ParserSyntaxError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found


class _Reading(cst.CSTVisitor):
    """Changes characters where they are."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.characters = list(text)
        self.lines = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", text))]
        self.around: list[str] = []  # the delimiters of the f-strings that we are in

    def _stretch(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.get_metadata(PositionProvider, node)
        return self.lines[place.start.line - 1] + place.start.column, self.lines[place.end.line - 1] + place.end.column

    def _blank(self, start: int, end: int) -> None:
        """Spaces; a line that went on inside brackets still goes on."""
        for at in range(start, end):
            if self.characters[at] not in "\r\n":
                self.characters[at] = "\\" if at + 1 < end and self.characters[at + 1] in "\r\n" else " "

    def _replace(self, start: int, end: int, old: str, new: str) -> None:
        self.characters[start:end] = "".join(self.characters[start:end]).replace(old, new)

    # ------------------------------------------------------------ types and errors

    def visit_TypeParameters(self, node: cst.TypeParameters) -> None:  # noqa: N802
        self._blank(*self._stretch(node))

    def visit_TypeAlias(self, node: cst.TypeAlias) -> None:  # noqa: N802
        """`type Name = value` becomes `Name =      value`."""
        start, plain = self._stretch(node)[0], f"{node.name.value} ="
        self._blank(start, self.characters.index("=", self._stretch(node.type_parameters or node.name)[1]) + 1)
        self.characters[start : start + len(plain)] = plain

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:  # noqa: N802
        """`except A, B` becomes `except A| B`."""
        if isinstance(node.type, cst.Tuple) and not node.type.lpar:
            for one, other in pairwise(node.type.elements):
                self._replace(self._stretch(one.value)[1], self._stretch(other.value)[0], ",", "|")

    # ------------------------------------------------------------ f-strings

    def visit_FormattedString(self, node: cst.FormattedString) -> None:  # noqa: N802
        texts = (self._stretch(part) for part in node.parts if isinstance(part, cst.FormattedStringText))
        self.around.append(self._requoted(node, len(node.start), node.end, tuple(texts)))

    def leave_FormattedString(self, original_node: cst.FormattedString) -> None:  # noqa: N802
        self.around.pop()

    def visit_FormattedStringExpression(self, node: cst.FormattedStringExpression) -> None:  # noqa: N802
        self._replace(*self._stretch(node), "\\", "_")

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802
        start, end = self._stretch(node)
        opening = len(node.prefix) + len(node.quote)
        self._requoted(node, opening, node.quote, ((start + opening, end - len(node.quote)),))

    def _requoted(self, node: cst.CSTNode, opening: int, quote: str, texts: tuple[tuple[int, int], ...]) -> str:
        """Other quotes for a string in an f-string whose own it has; gives those it has then."""
        start, end = self._stretch(node)
        if not any(outer in "".join(self.characters[start:end]) for outer in self.around):
            return quote
        mine = OTHER[quote[0]] * len(quote)
        for text in texts:
            for taken in ('"', "'"):
                self._replace(*text, taken, "_")
        self.characters[start + opening - len(quote) : start + opening] = mine
        self.characters[end - len(quote) : end] = mine
        return mine
