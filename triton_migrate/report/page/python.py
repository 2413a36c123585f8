"""Python for the page: Pygments' lexer without what takes it longest to get ready and what the page does not colour.

Pygments compiles the expressions of a lexer anew in each process, which takes longer than all else about the page of a small application.
Most of that is for names, whose letters it lists one by one where Python's expressions know them as a class, and for lists of builtins.
"""

from __future__ import annotations

from collections.abc import Iterator

from pygments.lexers.python import PythonLexer

_NAME = r"[^\W\d]\w*"


def _named(state: str) -> Iterator[object]:
    """The rules of one state, with names as `_NAME` has them."""
    for rule in PythonLexer.tokens[state]:
        told = isinstance(rule, tuple) and isinstance(rule[0], str)
        yield (rule[0].replace(PythonLexer.uni_name, _NAME), *rule[1:]) if told else rule


class Python(PythonLexer):
    """Colours as `PythonLexer` does, but for builtins, which are names like others here."""

    tokens = {state: list(_named(state)) for state in ("name", "funcname", "classname", "import", "fromimport")} | {
        "builtins": [],
        "magicvars": [],
    }
