"""Takes the text of a `config.pbtxt`, gives the line of every field: protobuf's parser reads the values and forgets where they stood.

Only for text that protobuf has parsed already, so that this reader needs no errors of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"#[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[\w.+-]+|[{}<>\[\]:;,/]|\n")
_CLOSING = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as written: its name, its line, its text where it is a scalar, its fields where it is a message."""

    name: str
    line: int
    text: str = ""
    fields: tuple[Field, ...] = ()

    def all(self, name: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.name == name)

    def at(self, name: str, index: int = 0) -> Field:
        """The field of that name under this one; this one where it is not written, so that there is always a line."""
        found = self.all(name)
        return found[index] if index < len(found) else self

    def entry(self, name: str, key: str) -> Field:
        """The entry of the map `name` whose key is `key`."""
        return next((e for e in self.all(name) if any(k.text == key for k in e.all("key"))), self)


def read_fields(text: str) -> Field:
    """The whole configuration as one field without a name."""
    return Field("", 1, fields=tuple(_fields(_Tokens(text), "")))


class _Tokens:
    """The tokens of the text with their lines, comments left out."""

    def __init__(self, text: str) -> None:
        self._all = tuple(_lined(text))
        self._next = 0

    @property
    def line(self) -> int:
        return self._all[min(self._next, len(self._all) - 1)][1] if self._all else 1

    def peek(self) -> str:
        return self._all[self._next][0] if self._next < len(self._all) else ""

    def take(self) -> str:
        token = self.peek()
        self._next += 1
        return token

    def skip(self, *tokens: str) -> None:
        while self.peek() in tokens:
            self.take()


def _lined(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for token in _TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token[0] != "#":
            yield token, line


def _fields(tokens: _Tokens, closing: str) -> Iterator[Field]:
    while tokens.peek() not in (closing, ""):
        line, name = tokens.line, tokens.take()
        tokens.skip(":")
        if tokens.peek() == "[":
            tokens.take()
            while tokens.peek() not in ("]", ""):
                yield _value(name, tokens, tokens.line)
                tokens.skip(",")
            tokens.take()
        else:
            yield _value(name, tokens, line)
        tokens.skip(",", ";")
    tokens.take()


def _value(name: str, tokens: _Tokens, line: int) -> Field:
    if closing := _CLOSING.get(tokens.peek()):
        tokens.take()
        return Field(name, line, fields=tuple(_fields(tokens, closing)))
    text = tokens.take()
    if text[:1] in ("'", '"'):
        text = text[1:-1]
        while tokens.peek()[:1] in ("'", '"'):  # neighbouring strings are one
            text += tokens.take()[1:-1]
    return Field(name, line, text)
