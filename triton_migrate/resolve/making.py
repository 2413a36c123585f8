"""Takes a library's call that makes an object of the program's own class and calls a method of it, gives both.

`Picture.objects.create(file=upload)` and `form.save()` run the `save` that the program wrote for its `Picture`: models hide there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import NOTHING, Instance, Site, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import FlowCall

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator


def objects(ev: Evaluator, flow: FlowCall, call: ir.Call, frame: Frame) -> tuple[Instance, ...]:
    """What the call makes: one object for each class that it may be of."""
    if not flow.method or not isinstance(call.func, ir.Attribute):
        return ()
    site = Site(frame.scope.file, call.at)
    classes = [v for v in _classes(ev, flow, call.func.value, frame) if isinstance(v, UserClass)]
    if classes:
        ev.allocated(site, call, frame)
    return tuple(Instance(cls, site) for cls in classes)


def calls(ev: Evaluator, flow: FlowCall, call: ir.Call, frame: Frame) -> tuple[tuple[Value, ir.Call], ...]:
    """The calls of the method; what it works on depends on all that the object was made from."""
    made = objects(ev, flow, call, frame)
    methods = [m for instance in made for m in ev.attribute(instance, flow.method) if isinstance(m, UserFunction)]
    return tuple((method, ev.handing.of_object(call, flow.method)) for method in methods)


def _classes(ev: Evaluator, flow: FlowCall, receiver: ir.Expr, frame: Frame) -> Values:
    if not flow.made:
        return ev.values(receiver.value, frame) if isinstance(receiver, ir.Attribute) else NOTHING
    found: Values = frozenset(v.of for v in ev.values(receiver, frame) if isinstance(v, Instance))
    for name in flow.made.split("."):
        found = frozenset(v for owner in found for v in ev.attribute(owner, name))
    return found
