"""The edits `rewrite` can do on one file: takes nothing, gives frozen records keyed by `Span`, so that planning needs no syntax tree.

Every span is the `ast` span of a whole expression or statement of the file as it is now (all operations speak of the same text).
Added code is dedented Python with `\\n` line ends and four spaces; `rewrite` fits it to the file (indentation, line ends, quotes).
"""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span


@dataclass(frozen=True, slots=True)
class ReplaceExpression:
    """Put `code`, one expression, in the place of the expression at `span`; it gets parentheses where it needs them."""

    span: Span
    code: str


@dataclass(frozen=True, slots=True)
class ReplaceStatements:
    """Put `code` in the place of the statements `first` to `last` of one block; comments and blank lines above `first` stay.

    Empty code deletes them, as `DeleteStatements` does.
    """

    first: Span
    last: Span
    code: str
    drop_empty: bool = False


@dataclass(frozen=True, slots=True)
class DeleteStatements:
    """Delete statements anywhere, each with the comment that is attached above it.

    A block left empty gets `pass`; with `drop_empty` a `with`, an `if` or a `try` of which nothing else is left goes too.
    """

    spans: tuple[Span, ...]
    drop_empty: bool = False


@dataclass(frozen=True, slots=True)
class InsertBefore:
    """Add statements before the statement at `span` (above the comment attached to it)."""

    span: Span
    code: str


@dataclass(frozen=True, slots=True)
class InsertAfter:
    """Add statements after the statement at `span`, in its block."""

    span: Span
    code: str


@dataclass(frozen=True, slots=True)
class AddImport:
    """Add one import statement to the imports at the top of the file; nothing happens if the file has it there already.

    `own` names the app's own top-level modules: an import group made only of those is where the new one belongs. `up`: of a script that
    is run by its path, how many folders above it the imported module is.
    """

    code: str
    own: tuple[str, ...] = ()
    up: int = 0


@dataclass(frozen=True, slots=True)
class RemoveUnusedImports:
    """Remove the imports that bind these names, where nothing in the edited text uses the name any more."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveParameter:
    """Remove one parameter of the function at `function`."""

    function: Span
    name: str


@dataclass(frozen=True, slots=True)
class DropAsync:
    """Make a plain function of the coroutine (or asynchronous generator) at `function`."""

    function: Span


@dataclass(frozen=True, slots=True)
class AddDecorator:
    """Put `code`, one expression, above the other decorators of the function at `function`; `inner`: below them."""

    function: Span
    code: str
    inner: bool = False


@dataclass(frozen=True, slots=True)
class RemoveDecorator:
    """Remove the decorator whose expression is at `span`."""

    span: Span


@dataclass(frozen=True, slots=True)
class InsertHandler:
    """Put `except ERROR: raise` before the handlers of the `try` at `span`."""

    span: Span
    error: str


@dataclass(frozen=True, slots=True)
class RemoveArgument:
    """Remove one argument of the call at `call`: a position from 0, or a keyword."""

    call: Span
    argument: int | str


Operation = (
    ReplaceExpression
    | ReplaceStatements
    | DeleteStatements
    | InsertBefore
    | InsertAfter
    | AddImport
    | RemoveUnusedImports
    | RemoveParameter
    | RemoveArgument
    | AddDecorator
    | RemoveDecorator
    | DropAsync
    | InsertHandler
)
