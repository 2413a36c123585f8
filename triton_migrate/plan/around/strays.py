"""Takes what Triton does in the application's place, gives whether nothing in the application needs the models themselves any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.registries import Mark, Registry, marks
from triton_migrate.plan.around.reloads import Reload
from triton_migrate.plan.around.versions import Registries
from triton_migrate.plan.cutting.alone import read, receiver
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace.records import Pipeline, PredictSite

KEYS_ONLY = frozenset({"sorted", "list", "tuple", "set", "len", "iter", "enumerate", "join", "choice", "sample"})
KEYED = frozenset({"keys", "get", "clear"})
ASKING = frozenset({"Is", "IsNot", "Not", "And", "Or", "In", "NotIn"})


@dataclass(frozen=True, slots=True)
class Handled:
    """What Triton does in the application's place: versions between which it chooses, and, by pipeline, loads of a file anew."""

    registries: Registries | None
    anew: dict[str, tuple[Reload, ...]]

    def soundly(self, evaluator: Evaluator, plans: tuple[PlannedModel, ...], every: tuple[Pipeline, ...], refused: frozenset[str]) -> bool:
        """Whether nothing in the application needs the models themselves that it asks Triton for by number, or to load anew, and no
        pipeline was lost (`refused`) by it."""
        chosen = {p.entry.id for p in every if self.registries is not None and self.registries.of(p) is not None}
        if refused & (chosen | self.anew.keys()):
            return False
        if self.registries is not None and not numbered(evaluator, self.registries, plans, every):
            return False
        return all(left(evaluator, each, plans, every) for all_of in self.anew.values() for each in all_of)


def numbered(evaluator: Evaluator, registries: Registries, plans: tuple[PlannedModel, ...], every: Iterable[Pipeline]) -> bool:
    """Whether each registry that a plan has versions of can be a dict of their numbers."""
    known = dict.fromkeys(p.cut.registry for p in plans if p.cut.registry is not None)
    asking = {(p.cut.registry, e) for p in plans for e in p.endpoints}
    if any((r := registries.of(p)) in known and (r, p.entry.id) not in asking for p in every):
        return False
    return all(next(strays(evaluator, r, tuple(_moved(r, plans))), None) is None for r in known)


def left(evaluator: Evaluator, reload: Reload, plans: tuple[PlannedModel, ...], every: Iterable[Pipeline]) -> bool:
    """Whether all that runs the model that is loaded anew asks Triton now, so that nothing would go on with the old one."""
    cuts = [c for p in plans for c in p.cuts if _marks(evaluator, c.sites) & reload.models]
    asking = {e for p in plans for e in p.endpoints if any(c in cuts for c in p.cuts)}
    if any(_marks(evaluator, p.sites) & reload.models and p.entry.id not in asking for p in every):
        return False
    if any(c.kind == "alone" and read(evaluator, c.sites) for c in cuts):  # the stand-in remembers what it was told of the old one
        return False
    held = Registry(reload.places[0], (), reload.models, frozenset(), frozenset(), frozenset(), ())
    return next(strays(evaluator, held, (*reload.places, *_leaving(cuts))), None) is None


def _marks(evaluator: Evaluator, sites: tuple[PredictSite, ...]) -> frozenset[Mark]:
    return frozenset(m for s in sites for m in marks(evaluator.values(receiver(s), s.frame)))


def _moved(registry: Registry, plans: tuple[PlannedModel, ...]) -> Iterator[Span]:
    yield from _leaving([c for p in plans for c in p.cuts if c.registry == registry])


def _leaving(cuts: list[Cut]) -> Iterator[Span]:
    """What leaves the application, with the functions that only it calls."""
    for cut in cuts:
        if cut.kind in ("model", "alone"):
            yield from (s.span for s in cut.sites)
        else:
            yield from (Span(cut.scope.file, *s.at) for s in (*cut.run, *(e.value for e in cut.lifts if e.value)))
        yield from (Span(s.file, *s.function.at) for s in _below(cut))


def _below(cut: Cut) -> Iterator[Scope]:
    for site in cut.sites:
        scopes = [f.scope for _, f in site.chain] + [site.scope]
        yield from (s for s in scopes[scopes.index(cut.scope) + 1 :] if s.kind == "function") if cut.scope in scopes else ()


def strays(evaluator: Evaluator, registry: Registry, moved: tuple[Span, ...]) -> Iterator[Span]:
    """Where the application needs one of the models itself, or all of them, outside the places that leave."""
    places = (*moved, *(span for span, _ in registry.edits), *registry.makers)
    for path, file in evaluator.program.files.items():
        for scope in () if evaluator.program.is_test(path) else file.scopes:
            frame = evaluator.program.generic(scope)
            for stmt in flow.flatten(scope.node.body):
                for part in flow.own(stmt):
                    where = Span(path, *part.at)
                    if _needs(evaluator, registry, part, frame) and not any(place.holds(where) for place in places):
                        yield where


def _needs(evaluator: Evaluator, registry: Registry, part: ir.Expr, frame: Frame) -> bool:
    """Whether a part of an expression does more with a model than hand it on or ask whether it is there."""

    def holds(expr: ir.Expr) -> bool:
        return bool(marks(evaluator.values(expr, frame)) & registry.marks)

    def whole(expr: ir.Expr) -> bool:
        return isinstance(expr, (ir.Name, ir.Attribute)) and registry.of(evaluator.values(expr, frame))

    match part:
        case ir.Attribute(_, base, name):
            return holds(base) or (whole(base) and name not in KEYED)
        case ir.Subscript(_, base, _):
            return holds(base)
        case ir.Call(_, func, args, keywords):
            if holds(func):
                return True
            if any(evaluator.callables(v) for v in evaluator.values(func, frame)):
                return False  # the function's own statements are looked at, too
            called = func.id if isinstance(func, ir.Name) else func.attr if isinstance(func, ir.Attribute) else ""
            given = (*args, *(v for _, v in keywords))
            return any(holds(a) for a in given if called not in KEYED) or any(whole(a) for a in given if called not in KEYS_ONLY)
        case ir.Operation(_, operator, operands):
            return operator not in ASKING and any(map(holds, operands))
    return False
