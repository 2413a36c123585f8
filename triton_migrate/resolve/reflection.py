"""Takes a call of what Python offers to reach things by their names (`getattr`, `import_module`, `type`), gives what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve import names, parameters, wanted
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import NOTHING, Api, Instance, Module, Site, Tuples, UserClass, Values
from triton_migrate.rulebook.vocabulary import ModelPredict

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

IMPORTING = frozenset({"importlib.import_module", "importlib.util.find_spec", "builtins.__import__"})


def called(ev: Evaluator, path: str, call: ir.Call, frame: Frame) -> Values | None:
    """What the call gives; None where it is of something else, or of a name that is not known."""
    if path in IMPORTING:
        modules = wanted.texts(ev, port(call, "name|0"), frame)
        return frozenset().union(*(names.imported(ev, name.lstrip("."), frame) for name in modules)) if modules else None
    if path == "builtins.type().__subclasses__" and isinstance(call.func, ir.Attribute):
        classes = [v for v in ev.values(call.func.value, frame) if isinstance(v, UserClass)]
        return frozenset({Tuples((frozenset(heir for cls in classes for heir in parameters.heirs(ev, cls)),))})
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


def listed_module(ev: Evaluator, index: ir.Expr, frame: Frame) -> Values:
    """The module that `sys.modules[__name__]` is, or one of that name."""
    if isinstance(index, ir.Name) and index.id == "__name__":
        return frozenset({Module(frame.scope.file)})
    name = ev.constant(index, frame)
    return names.imported(ev, name, frame) if isinstance(name, str) else NOTHING


def _attribute(ev: Evaluator, call: ir.Call, frame: Frame) -> Values | None:
    """What `getattr` gives; where the name is not known, one of what the rules call `module.*`, or a model's `predict`."""
    holders = ev.values(call.args[0], frame)
    if named := wanted.texts(ev, call.args[1], frame):
        return frozenset().union(*(ev.attribute(v, name) for v in holders for name in named))
    libraries = (v for v in holders if isinstance(v, Api))
    found = (Api(f"{v.path}.*") if "(" not in v.path else Api(f"{v.path}.predict", v.site) for v in libraries)
    return frozenset(a for a in found if a.path.endswith(".*") or ev.rulebook.find(a.path, ModelPredict)) or None
