"""Takes the text of a requirements file and what to add and remove, gives the new text: every other line as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

_NAMED = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?=$|[\[<>=!~;@(#]|\s)")
_LINE = re.compile(r".*?(?:\r\n|\r|\n)|.+\Z", re.DOTALL)
_UTF16 = ("\udcff\udcfe", "utf-16-le"), ("\udcfe\udcff", "utf-16-be")  # `pip freeze > requirements.txt` in PowerShell


def edit_requirements(text: str, add: tuple[str, ...], remove: tuple[str, ...]) -> str:
    """Remove the requirements with these names, then add those whose name is not there yet (to replace one, name it in both).

    Names are compared normalised. Additions go to the end, or to their place where the file is sorted. `text` is what
    `changes.read_text` gives.
    """
    for mark, encoding in _UTF16:
        if text.startswith(mark):
            plain = text.encode("utf-8", "surrogateescape").decode("utf-16")
            edited = mark.encode("utf-8", "surrogateescape") + edit_requirements(plain, add, remove).encode(encoding)
            return edited.decode("utf-8", "surrogateescape")
    unwanted = {canonicalize_name(name) for name in remove}
    entries = _without_doubled_blanks([entry if _name(entry) not in unwanted else None for entry in _entries(text)])
    newline = next(iter(re.findall(r"\r\n|\r|\n", text)), "\n")
    for requirement in add:
        if _name(requirement) not in {_name(entry) for entry in entries}:
            entries = _with(entries, requirement, newline)
    joined = "".join(entries)
    ends_bare = bool(text) and not text.endswith(("\n", "\r"))
    return joined.removesuffix(newline) if ends_bare else joined


def _entries(text: str) -> Iterator[str]:
    """Requirements and other lines with their ends; a line that goes on after a backslash is one entry."""
    entry = ""
    for line in _LINE.findall(text):
        entry += line
        if not line.rstrip("\r\n").endswith("\\"):
            yield entry
            entry = ""
    if entry:
        yield entry


def _name(entry: str) -> str | None:
    named = _NAMED.match(entry.removeprefix("\ufeff"))
    return canonicalize_name(named[1]) if named else None


def _without_doubled_blanks(entries: list[str | None]) -> list[str]:
    """Drop what was removed (None), and a blank line that now follows another or opens the file."""
    kept: list[str] = []
    removed = False
    for entry in entries:
        if entry is None:
            removed = True
        elif not (removed and not entry.strip() and (not kept or not kept[-1].strip())):
            kept.append(entry)
            removed = False
    return kept


def _with(entries: list[str], requirement: str, newline: str) -> list[str]:
    whole = [entry if entry.endswith(("\n", "\r")) else entry + newline for entry in entries]
    named = [(name, number) for number, entry in enumerate(whole) if (name := _name(entry))]
    at = len(whole)
    while at and not whole[at - 1].strip():
        at -= 1
    if len(named) > 2 and named == sorted(named):
        smaller = [number for name, number in named if name < (_name(requirement) or "")]
        at = smaller[-1] + 1 if smaller else named[0][1]
    return [*whole[:at], requirement + newline, *whole[at:]]
