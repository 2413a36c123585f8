"""Takes a study whose values a recording saw, and its port, gives what the report says: by tensor, and where the code says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.bind.records import Bound
from triton_migrate.generate.models import Written
from triton_migrate.index import ir
from triton_migrate.index.observed import Observed, Seen
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.cutting.liveness import lifted_name
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.port import Port
from triton_migrate.report import document as doc
from triton_migrate.resolve.scopes import last_name
from triton_migrate.study import Study


def observed(study: Study, port: Port) -> doc.Observed | None:
    """What the report says of a recording; None where there is none."""
    seen = study.evaluator.program.observed
    if not (seen.places or seen.stale):
        return None
    planned = {id(w.planned.cutter.types): w.planned.cutter.types for w in port.models if isinstance(w, Written)}
    against = {span: why for types in planned.values() for span, why in types.contradicted.items()}
    return {
        "places": len(seen.places),
        "stale": list(seen.stale),
        "contradicted": [{"file": span.file, "line": span.line, "message": why} for span, why in sorted(against.items())],
    }


def said_of(study: Study, port: Port) -> dict[tuple[str, str], str]:
    """By model and tensor: what the values were."""
    seen = study.evaluator.program.observed
    if not seen.places:
        return {}
    models = [m for w in port.models if isinstance(w, Written) for m in _every(w.planned)]
    tensors = [(m.name, t.name, m.cuts, c.name) for m in models for t, c in (*m.inputs, *m.outputs)]
    bound = [(w, t, c) for w in port.models if isinstance(w, Bound) for t, c in (*w.inputs, *w.outputs)]
    tensors += [(w.served.name, t.name, (w.cut,), c.name) for w, t, c in bound if w.cut is not None]
    found = {(model, tensor): _merged(seen, cuts, name) for model, tensor, cuts, name in tensors}
    return {key: value.said for key, value in found.items() if value.trees}


def _every(planned: PlannedModel) -> Iterator[PlannedModel]:
    yield planned
    yield from (part for part, _ in planned.parts)


def _merged(seen: Observed, cuts: tuple[Cut, ...], name: str) -> Seen:
    places = (place for cut in cuts for place in _places(cut, name))
    return Seen(tuple(tree for at, file, parameter in places for tree in (seen.at(file, at, parameter) or Seen(())).trees))


def _places(cut: Cut, name: str) -> Iterator[tuple[ir.At, str, str]]:
    """Where a value that crosses a cut is made: what is bound to its name, what was lifted under it, the predict call itself."""
    file = cut.scope.file
    yield from ((lift.value.at, file, "") for lift in (*cut.lifts, *cut.hoists) if lift.value is not None and lifted_name(lift) == name)
    if cut.kind == "model":
        yield from ((site.call.at, file, "") for site in cut.sites if last_name(site.call.func) == name)
    for binding in cut.scope.bindings.get(name, ()):
        if binding.how == "value" and binding.expr is not None and not binding.unpacked:
            yield binding.expr.at, file, ""
        elif binding.how == "parameter":
            yield cut.scope.function.at, file, name
