"""Scanned text for people: takes any text, gives text that shows what it holds.

File names, routes and code come from strangers. Bidirectional controls reorder what a reviewer sees, zero-width characters hide,
escape codes drive a terminal, lone surrogates cannot be written as UTF-8. All of them are shown by their code point instead.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

# Cc controls, Cf formats (bidi, zero width, tags), Cs surrogates, Co private use, Cn unassigned, Zl/Zp separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")
# Filler letters: invisible although Unicode counts them as letters or marks.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u2800")


def hidden(character: str) -> bool:
    """Whether a reader would not see this character as itself. Tab and newline are layout, not hidden."""
    return character not in "\t\n" and (unicodedata.category(character) in _HIDDEN or character in _BLANK)


def visible(text: str) -> str:
    """`text` with every hidden character as `[U+202E]`."""
    if _PLAIN.fullmatch(text) or (text.isprintable() and _BLANK.isdisjoint(text)):
        return text
    text = text.replace("\r\n", "\n")
    return text.translate({ord(character): f"[U+{ord(character):04X}]" for character in set(text) if hidden(character)})


def shell_word(text: str) -> str:
    """`text` as one word for a POSIX shell; with hidden characters in bash's `$'...'` form, so that what is read is what is run."""
    if not any(hidden(character) or character in "\t\n" for character in text):
        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    if hidden(character) or character in "\t\n":
        return f"\\U{ord(character):08x}"
    return character
