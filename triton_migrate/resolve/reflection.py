"""Takes a call of what Python offers to reach things by their names (`getattr`, `import_module`, `type`), gives what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve import names
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import NOTHING, Api, Instance, Module, Site, UserClass, Values

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

IMPORTING = frozenset({"importlib.import_module", "importlib.util.find_spec", "builtins.__import__"})


def called(ev: Evaluator, path: str, call: ir.Call, frame: Frame) -> Values | None:
    """What the call gives; None where it is of something else, or of a name that is not known."""
    if path in IMPORTING:
        name = ev.constant(port(call, "name|0"), frame)
        return names.imported(ev, name.lstrip("."), frame) if isinstance(name, str) else None
    if not call.args:
        return None
    match path:
        case "builtins.getattr" if len(call.args) > 1:
            return _attribute(ev, call, frame)
        case "importlib.util.module_from_spec":  # a specification stands for the module it is of
            return frozenset(v for v in ev.values(call.args[0], frame) if isinstance(v, Module))
        case "builtins.eval" if isinstance(name := ev.constant(call.args[0], frame), str):
            return ev.name(name, frame) if name.isidentifier() else NOTHING
        case "builtins.object.__new__":
            site = Site(frame.scope.file, call.at)
            return frozenset(Instance(v, site) for v in ev.values(call.args[0], frame) if isinstance(v, UserClass))
        case "builtins.type" if len(call.args) == 1:
            return frozenset(v.of for v in ev.values(call.args[0], frame) if isinstance(v, Instance))
    return None


def _attribute(ev: Evaluator, call: ir.Call, frame: Frame) -> Values | None:
    """What `getattr` gives; of a library's module also where the name is not known: one of what the rules call `module.*`."""
    holders = ev.values(call.args[0], frame)
    if isinstance(name := ev.constant(call.args[1], frame), str):
        return frozenset().union(*(ev.attribute(v, name) for v in holders))
    return frozenset(Api(f"{v.path}.*") for v in holders if isinstance(v, Api) and "(" not in v.path) or None
