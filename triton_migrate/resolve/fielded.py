"""Takes an object whose fields its construction gives (dataclass, named tuple, `SimpleNamespace(net=net)`), gives what a field may be."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.values import NOTHING, Api, Instance, UserClass, Values

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

FACTORY = "default_factory|factory"  # what a field's declaration makes its default with
INDEXED = frozenset({"typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict"})  # their objects' elements are their fields
NAMESPACES = frozenset({"types.SimpleNamespace()", "argparse.Namespace()"})
TUPLE = "collections.namedtuple()()"


def field(ev: Evaluator, instance: Instance, wanted: object) -> Values:
    """What the generated `__init__` of a class of annotated fields was given (dataclass, `NamedTuple`, pydantic, attrs), else the default.

    `wanted` is a field's name or, of a `NamedTuple`, its position.
    """
    classes = [c for c in reversed(ev.mro(instance.of)) if isinstance(c, UserClass)]
    body = [(c, s) for c in classes for s in c.scope.definition.body if isinstance(s, ir.Assign) and s.annotation is not None]
    fields = {t.id: (c, s) for c, s in body for t in s.targets if isinstance(t, ir.Name)}
    attr = next(islice(fields, wanted, None), None) if isinstance(wanted, int) and wanted >= 0 else wanted
    if not isinstance(attr, str) or attr not in fields or any("__init__" in c.scope.bindings for c in classes):
        return NOTHING
    if (made := ev.allocation(instance.site)) is not None:
        call, frame = made
        if given := ev.values(port(call, f"{attr}|{list(fields).index(attr)}"), frame):
            return given
    cls, declared = fields[attr]
    factory = port(declared.value, FACTORY) if isinstance(declared.value, ir.Call) else None
    return ev.values(ev.handing.plain(factory), ev.class_frame(cls)) if factory is not None else NOTHING


def element(ev: Evaluator, instance: Instance, key: object) -> Values:
    """`row[0]` and `row["net"]` of a class whose objects' elements are their fields; nothing of other classes."""
    bases = {base.path for base in ev.mro(instance.of) if isinstance(base, Api)}
    return field(ev, instance, key) if bases & INDEXED else NOTHING


def given(ev: Evaluator, made: Api, wanted: object) -> Values:
    """A field of what a library's class makes of its arguments, by name or position."""
    if made.path not in NAMESPACES and made.path != TUPLE:
        return NOTHING
    place = ev.program.call_at(made.site)
    if place is None:
        return NOTHING
    frame = ev.program.generic(place.scope)
    if made.path in NAMESPACES:
        spread = [e for key, e in place.call.keywords if key is None and isinstance(wanted, str)]
        named = ev.values(port(place.call, wanted), frame) if isinstance(wanted, str) else NOTHING
        return named or frozenset().union(*(ev.element(v, wanted) for e in spread for v in ev.values(e, frame)))
    names = next((_names(ev, api) for api in ev.apis(place.call.func, frame)), ())
    name = names[wanted] if isinstance(wanted, int) and 0 <= wanted < len(names) else wanted
    return ev.values(port(place.call, f"{name}|{names.index(name)}"), frame) if name in names else NOTHING


def _names(ev: Evaluator, cls: Api) -> tuple[object, ...]:
    """The fields of a `namedtuple("Row", ["net", "labels"])`."""
    place = ev.program.call_at(cls.site)
    listed = port(place.call, "field_names|1") if place is not None else None
    match listed:
        case ir.Constant(_, str() as text):
            return tuple(text.replace(",", " ").split())
        case ir.Sequence(_, _, items):
            return tuple(i.value for i in items if isinstance(i, ir.Constant))
    return ()
