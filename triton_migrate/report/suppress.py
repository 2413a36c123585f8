"""Takes source texts, gives their suppression comments: `# triton-migrate: ignore[loose] why`, at the end of a line or alone above it.

The rules in the brackets are those of `findings`: a category, `blocked`, or a flag. Comments are read by the tokenizer, so that a string
that looks like one is none.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MARK = b"triton-migrate:"
COMMENT = re.compile(r"#\s*triton-migrate:\s*ignore\[([^\]]*)\]\s*(.*)")
LAYOUT = (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One rule of one comment. `line` is the one it speaks of."""

    file: str
    line: int
    rule: str
    reason: str


def suppressions(texts: Mapping[str, list[bytes]]) -> tuple[Suppression, ...]:
    """Of all files (lines as bytes, by path), in order. A file that cannot be tokenized has none: it is listed as failed already."""
    return tuple(s for path in sorted(texts) if any(MARK in line for line in texts[path]) for s in _in(path, b"".join(texts[path])))


def _in(path: str, text: bytes) -> Iterator[Suppression]:
    waiting: list[tuple[str, str]] = []
    decorated = False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text.decode(errors="replace")).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    for token in tokens:
        if token.type == tokenize.COMMENT and (found := COMMENT.match(token.string)):
            asked = [(rule.strip(), found[2].strip()) for rule in found[1].split(",") if rule.strip()]
            if token.line[: token.start[1]].strip():
                yield from (Suppression(path, token.start[0], *one) for one in asked)
            else:
                waiting += asked
        elif waiting and token.type not in LAYOUT:
            decorated = decorated or (token.string == "@" and not token.line[: token.start[1]].strip())
            if decorated and token.string not in ("def", "class"):
                continue  # a comment above a decorator speaks of the function
            yield from (Suppression(path, token.start[0], *one) for one in waiting)
            waiting, decorated = [], False
