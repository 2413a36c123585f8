"""Takes a call of a function of the program, gives the parameters that are constants in it, and the arm of a branch that these decide.

Only what is written as a constant counts, at the call or as the default: what may come from elsewhere decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Scope

Fixed: TypeAlias = Mapping[str, object]
COMPARED = {"Eq": True, "Is": True, "NotEq": False, "IsNot": False}
NOTHING: Fixed = {}


def fixed(function: Scope, mapped: Mapping[str, ir.Expr], call: ir.Call, known: Fixed) -> Fixed:
    """`_generate("img2img")` -> `task`; `known` are those of the function that calls."""
    spread = any(isinstance(a, ir.Starred) for a in call.args) or any(key is None for key, _ in call.keywords)
    found: dict[str, object] = {}
    for parameter in function.function.parameters:
        given = mapped.get(parameter.name, None if spread else parameter.default)
        bindings = function.bindings.get(parameter.name, [])
        if given is None or len(bindings) != 1 or bindings[0].how != "parameter":
            continue
        if isinstance(given, ir.Constant):
            found[parameter.name] = given.value
        elif isinstance(given, ir.Name) and given is not parameter.default and given.id in known:
            found[parameter.name] = known[given.id]
    return found


def decided(test: ir.Expr, known: Fixed) -> bool | None:
    """What a condition is where constants decide it."""
    match test:
        case ir.Name(_, name) if name in known:
            return bool(known[name])
        case ir.Operation(_, "Not", (operand,)):
            told = decided(operand, known)
            return None if told is None else not told
        case ir.Operation(_, "And" | "Or" as operator, operands):
            each = [decided(operand, known) for operand in operands]
            settles = operator == "Or"
            return settles if settles in each else None if None in each else not settles
        case ir.Operation(_, operator, (ir.Name(_, name), ir.Constant(_, value))) if name in known and operator in COMPARED:
            return (known[name] == value) is COMPARED[operator]
    return None
