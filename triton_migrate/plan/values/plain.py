"""Takes operations, calls and methods of Python's own values, and parts of a request, gives the type of the result."""

from __future__ import annotations

from triton_migrate.index import ir
from triton_migrate.plan.values import arrays
from triton_migrate.plan.values.vtype import DATA, PLAIN, PLAIN_KINDS, UNKNOWN, VType, numeric, python_kind, union
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.paths import prefixes
from triton_migrate.rulebook.vocabulary import WebRequest

RESULTS = {
    "float": "float", "int": "int", "str": "str", "len": "int", "bool": "bool", "bytes": "bytes", "repr": "str", "isinstance": "bool",
    "ord": "int", "chr": "str", "any": "bool", "all": "bool", "hash": "int", "format": "str", "input": "str",
    "memoryview": "object",
}  # fmt: skip
STR_METHODS = {"encode": "bytes", "startswith": "bool", "endswith": "bool", "find": "int", "index": "int", "count": "int"}
TEXT = frozenset({"form", "query", "path", "header", "cookie"})


def operated(operator: str, types: tuple[VType, ...]) -> VType:
    """What an operation gives of operands of these types."""
    kinds = {t.kind for t in types}
    if operator in ("And", "Or"):
        return union(types)
    if operator in ("Not", "Is", "IsNot", "In", "NotIn"):
        return VType("bool")
    if kinds & {"array", "tensor", "number"}:
        return arrays.operated(operator, types)
    if set(operator.split("+")) <= arrays.COMPARISONS:
        return VType("bool")
    if kinds <= {"int", "float", "bool"}:
        return VType("float" if operator == "Div" or "float" in kinds else "int") if operator != "Pow" else PLAIN
    if operator in ("Add", "Mod") and "str" in kinds:
        return VType("str")
    if kinds <= PLAIN_KINDS:
        return PLAIN
    return union(types) if len(kinds) == 1 else UNKNOWN


def builtin(name: str, given: tuple[VType, ...], call: ir.Call) -> VType:
    """What a builtin gives of arguments of these types."""
    first = given[0] if given else UNKNOWN
    inner = union(first.items) if first.kind in ("list", "tuple", "generator") and first.items else UNKNOWN
    match name:
        case "round" if len(given) > 1:
            return first if first.kind in ("float", "int", "number") else UNKNOWN if first.kind == "unknown" else PLAIN
        case "round":
            return VType("int") if first.kind in ("float", "int", "bool") else PLAIN
        case "abs" | "min" | "max" if first.kind in ("int", "float", "number") and {g.kind for g in given} == {first.kind}:
            return union(given)
        case "min" | "max" if len(given) == 1:
            return inner if inner.kind in ("int", "float", "str", "number") else UNKNOWN
        case "next":
            return union((inner, *given[1:]))
        case "sum":
            return numeric((inner, VType("int"))) if inner.kind == "int" else PLAIN if inner.kind == "float" else UNKNOWN
        case "list" | "sorted":
            return VType("list", items=first.items if first.kind in ("list", "tuple", "generator") else (UNKNOWN,))
        case "dict":
            return first if first.kind == "dict" else VType("dict", items=(UNKNOWN,))
        case "range":
            return VType("list", items=(VType("int"),))
        case "enumerate":
            return VType("generator", items=(VType("tuple", items=(VType("int"), inner)),))
        case "zip":
            return VType("generator", items=(VType("tuple", items=tuple(union(g.items) if g.items else UNKNOWN for g in given)),))
        case "map":
            made = next((RESULTS[a.id] for a in call.args[:1] if isinstance(a, ir.Name) and a.id in RESULTS), "unknown")
            return VType("generator", items=(VType(made),))
        case "iter" | "reversed" | "filter":
            return VType("generator", items=(inner if name != "filter" else UNKNOWN,))
    return VType(RESULTS[name]) if name in RESULTS else UNKNOWN


def method(base: VType, call: ir.Call) -> VType:
    """What a method of a Python value, an array or a table gives."""
    assert isinstance(call.func, ir.Attribute)
    name = call.func.attr
    match base.kind:
        case "str":
            return (
                VType("list", items=(VType("str"),)) if name in ("split", "rsplit", "splitlines") else VType(STR_METHODS.get(name, "str"))
            )
        case "bytes" if name in ("decode", "hex"):
            return VType("str")
        case "dict":
            inner = union(base.items) if base.items else UNKNOWN
            pairs = {"values": inner, "keys": DATA, "items": VType("tuple", items=(DATA, inner))}
            return VType("list", items=(pairs[name],)) if name in pairs else inner if name == "pop" and len(call.args) == 1 else UNKNOWN
        case "array" | "number" if name == "tolist":
            return tolist(base)
        case "array" | "number" if name == "item":
            return VType(python_kind(base.dtype))
        case "tensor":  # what leaves the device is said by rules
            return base if name in ("to", "cpu", "detach") else VType("tensor")
        case "data":
            return DATA
    return UNKNOWN


def tolist(array: VType) -> VType:
    """The nested lists of Python scalars that `.tolist()` gives."""
    found = VType(python_kind(array.dtype))
    for _ in range(array.rank):
        found = VType("list", items=(found,))
    return found if array.rank or array.kind == "number" else VType("list", items=(DATA,))


def asked(value: Api, rulebook: Rulebook) -> VType:
    """A part of the request: the body's JSON is plain data, a field of a form or a query is text."""
    rule = rulebook.find(value.path, WebRequest)
    if rule is not None:
        return DATA if rule.source == "json" else UNKNOWN
    for head, rest in prefixes(value.path):
        rule = rulebook.find(head, WebRequest)
        if rule is not None and rule.fields:
            if rule.source == "json":
                return DATA
            return VType("str") if rule.source in TEXT and rest == "[]" else UNKNOWN
    return UNKNOWN
