"""Takes a planned model, refuses it where one pipeline comes to its code with another object than the next.

`app.state.left.score(x)` and `app.state.right.score(x)` run the same lines; load() makes one object.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow
from triton_migrate.plan.copied.closure import Closure
from triton_migrate.plan.copied.objects import CHOOSE
from triton_migrate.plan.cutting.alone import receiver
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.values import Instance, Site, UserClass, Value, Values
from triton_migrate.trace.records import PredictSite


def refuse_several(closure: Closure, planned: PlannedModel) -> None:
    """Raise what tells where it is."""
    found: dict[str, set[frozenset[object]]] = {}
    for cut in planned.reached if planned.cut.registry is None else ():
        for name, values in _receivers(closure.evaluator, cut):
            found.setdefault(name, set()).add(frozenset(_made_as(closure, v) for v in values))
    for name, objects in found.items():
        if len(objects) > 1:
            where = planned.cut.span
            raise closure.stuck(f"{name} is one of several objects, chosen while a request is answered", where, CHOOSE)


def _receivers(evaluator: Evaluator, cut: Cut) -> Iterator[tuple[str, Values]]:
    """What the moved code calls the objects that it has from outside, and which those are."""
    for name in cut.receivers:
        yield name, evaluator.name(name, cut.frame)
    for site in cut.sites if cut.kind in ("model", "alone") else ():
        root = next(flow.names(receiver(site)), None)
        held = evaluator.name(root.id, site.frame) if root is not None else frozenset()
        if root is not None and (own := frozenset(v for v in held if _loads(evaluator, v, site))):
            yield root.id, own


def _loads(evaluator: Evaluator, value: Value, site: PredictSite) -> bool:
    """Whether an object loads the model of this call itself, so that each of its kind has its own."""
    if not isinstance(value, Instance):
        return False
    own = {base.scope for base in evaluator.mro(value.of) if isinstance(base, UserClass)}
    spans = (m.span for m in site.models)
    places = (evaluator.program.call_at(Site(s.file, s.at)) for s in spans)
    return any(place is not None and place.scope.owner in own for place in places)


def _made_as(closure: Closure, value: Value) -> object:
    """An object, or how a function makes it: the objects that several functions make alike are as good as one."""
    place = closure.evaluator.program.call_at(value.site) if isinstance(value, Instance) else None
    if place is None or place.scope.kind != "function" or not isinstance(value, Instance):
        return value
    return value.of, closure.texts[place.scope.file].piece(place.call.at), closure.begun.done(value)
