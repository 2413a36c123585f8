"""Takes the items of a comma-separated list and the number of one, gives the list without it, laid out as if it had never been there.

A comment on an item's own line and the comment lines above it go with it; whatever belongs to its neighbours stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import libcst as cst

Space = cst.BaseParenthesizableWhitespace
Item = TypeVar("Item", bound=cst.CSTNode)

_NOTHING = cst.SimpleWhitespace("")


def without(before: Space, items: Sequence[Item], number: int) -> tuple[Space, list[Item]]:
    """Remove `items[number]`; `before` is the white space between the opening bracket and the first item.

    Items are LibCST nodes with a `comma`: arguments, parameters, `*`, `/`, imported names.
    """
    kept = [*items[:number], *items[number + 1 :]]
    if not kept:
        return _NOTHING, kept
    gone = items[number]
    if number == 0:
        return _opening(before, _space(gone)), kept
    previous = kept[number - 1]
    if number < len(kept):
        kept[number - 1] = _with_comma(previous, _middle(_space(previous), _space(gone)))
    elif isinstance(getattr(gone, "comma", None), cst.Comma):
        kept[number - 1] = _with_comma(previous, _closing(_space(previous), _space(gone)))
    else:
        kept[number - 1] = _without_comma(previous, _closing(_space(previous), _space(gone)))
    return before, kept


def _opening(before: Space, after: Space) -> Space:
    if isinstance(before, cst.ParenthesizedWhitespace) and isinstance(after, cst.ParenthesizedWhitespace):
        return after.with_changes(first_line=before.first_line)
    return before


def _middle(before: Space, after: Space) -> Space:
    if isinstance(after, cst.ParenthesizedWhitespace):
        return after.with_changes(first_line=_first_line(before))
    return _without_comment_lines(before)


def _closing(before: Space, after: Space) -> Space:
    if isinstance(after, cst.ParenthesizedWhitespace):
        return after.with_changes(first_line=_first_line(before))
    has_comment = isinstance(before, cst.ParenthesizedWhitespace) and before.first_line.comment
    return _without_comment_lines(before) if has_comment else after


def _first_line(space: Space) -> cst.TrailingWhitespace:
    return space.first_line if isinstance(space, cst.ParenthesizedWhitespace) else cst.TrailingWhitespace()


def _without_comment_lines(space: Space) -> Space:
    return space.with_changes(empty_lines=()) if isinstance(space, cst.ParenthesizedWhitespace) else space


def _space(item: cst.CSTNode) -> Space:
    """White space after an item: behind its comma, or up to the closing bracket."""
    comma = getattr(item, "comma", None)
    if isinstance(comma, cst.Comma):
        return comma.whitespace_after
    field = _field_after(item)
    space = getattr(item, field) if field else _NOTHING
    return space if isinstance(space, Space) else _NOTHING


def _with_comma(item: Item, space: Space) -> Item:
    comma = getattr(item, "comma", None)
    return item.with_changes(comma=(comma if isinstance(comma, cst.Comma) else cst.Comma()).with_changes(whitespace_after=space))


def _without_comma(item: Item, space: Space) -> Item:
    field = _field_after(item)
    changed = item.with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return changed.with_changes(**{field: space}) if field else changed


def _field_after(item: cst.CSTNode) -> str | None:
    match item:
        case cst.Arg():
            return "whitespace_after_arg"
        case cst.Param():
            return "whitespace_after_param"
        case cst.ParamSlash():
            return "whitespace_after"
        case _:
            return None
