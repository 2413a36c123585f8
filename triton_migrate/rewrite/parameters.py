"""Takes a function and the name of a parameter, gives the function without it (and without a `*` or `/` that lost its purpose)."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from triton_migrate.rewrite.commas import without

Field = tuple[str, cst.CSTNode]  # name of a field of `cst.Parameters`, and one node in it

_MARKS = {"posonly_ind": "posonly_params", "star_arg": "kwonly_params"}  # the mark, and the parameters that it is for


def parameter(function: cst.FunctionDef, name: str) -> cst.Param | None:
    """The parameter of that name, be it `*name` or `**name`."""
    return next((node for _, node in _fields(function.params) if isinstance(node, cst.Param) and node.name.value == name), None)


def without_parameter(function: cst.FunctionDef, name: str) -> cst.FunctionDef:
    """The function must have it."""
    fields = _fields(function.params)
    number = next(number for number, (_, node) in enumerate(fields) if isinstance(node, cst.Param) and node.name.value == name)
    before, fields = _without(function.whitespace_before_params, fields, number)
    for mark, purpose in _MARKS.items():
        at = next((at for at, (field, node) in enumerate(fields) if field == mark and not isinstance(node, cst.Param)), None)
        if at is not None and not any(field == purpose for field, _ in fields):
            before, fields = _without(before, fields, at)
    return function.with_changes(params=_parameters(fields), whitespace_before_params=before)


def _without(
    before: cst.BaseParenthesizableWhitespace, fields: Sequence[Field], number: int
) -> tuple[cst.BaseParenthesizableWhitespace, list[Field]]:
    names = [name for at, (name, _) in enumerate(fields) if at != number]
    before, nodes = without(before, [node for _, node in fields], number)
    return before, list(zip(names, nodes, strict=True))


def _fields(parameters: cst.Parameters) -> list[Field]:
    """Everything between the brackets, in order."""
    slash, star, rest = parameters.posonly_ind, parameters.star_arg, parameters.star_kwarg
    return [
        *(("posonly_params", node) for node in parameters.posonly_params),
        *([("posonly_ind", slash)] if isinstance(slash, cst.CSTNode) else []),
        *(("params", node) for node in parameters.params),
        *([("star_arg", star)] if isinstance(star, cst.CSTNode) else []),
        *(("kwonly_params", node) for node in parameters.kwonly_params),
        *([("star_kwarg", rest)] if rest else []),
    ]


def _parameters(fields: Sequence[Field]) -> cst.Parameters:
    def those(name: str) -> tuple[cst.CSTNode, ...]:
        return tuple(node for field, node in fields if field == name)

    return cst.Parameters().with_changes(
        posonly_params=those("posonly_params"),
        posonly_ind=next(iter(those("posonly_ind")), cst.MaybeSentinel.DEFAULT),
        params=those("params"),
        star_arg=next(iter(those("star_arg")), cst.MaybeSentinel.DEFAULT),
        kwonly_params=those("kwonly_params"),
        star_kwarg=next(iter(those("star_kwarg")), None),
    )
