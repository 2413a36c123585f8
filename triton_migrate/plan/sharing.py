"""Takes the legal ways of all pipelines, the best of each first, gives those that go before it because several pipelines share one model.

Three routes that call `encoder.encode(texts)` are cheapest cut in three places, each a little better than inside `encode`, and come to
three copies of the same weights. One cut that all of them run through is what a person would choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from triton_migrate.plan.cutting.cut import Cut, Way

COPY = 40.0  # another model with the same weights: less than leaving the model's libraries in the app, more than a value of unknown type


def identity(cut: Cut) -> object:
    """What a cut takes over from the app: cuts that are alike become one model."""
    if cut.kind == "alone":
        return (cut.kind, cut.sites[0].models)
    if cut.kind != "model":
        return (cut.scope, cut.span)
    ((_, kind),) = [(c.name, c.type) for c in cut.inputs]
    held = cut.registry or tuple(m.id for s in cut.sites for m in s.models)[:1]
    return (held, kind.kind, kind.dtype, kind.rank, kind.one_row)


def shared(ways: Mapping[str, list[Way]], staged: Set[str] = frozenset()) -> dict[str, Way]:
    """By entry, the way to try first, for entries that come to fewer models together than each by itself.

    `staged`: entries whose first way is an ensemble. They keep it, unless their model is served as a whole for another entry anyway.
    """
    chosen = {entry: left[0] for entry, left in ways.items()}
    common: dict[object, dict[str, Way]] = {}
    for entry, left in ways.items():
        for way in left[entry in staged :]:
            if _may_replace(way, left[0]):
                common.setdefault(tuple(map(identity, way)), {}).setdefault(entry, way)
    offers = [offer for offer in common.values() if len(offer) > 1 and offer.keys() - staged]
    while offers:
        best = min(offers, key=lambda offer: _cost({**chosen, **offer}.values()))
        if _cost({**chosen, **best}.values()) >= _cost(chosen.values()):
            break
        chosen |= best
    return {entry: way for entry, way in chosen.items() if way is not ways[entry][0]}


def _may_replace(way: Way, first: Way) -> bool:
    """Whether as much leaves by it: nothing runs the model in the app besides, and what awaited goes on awaiting."""
    stays = any(cut.kind == "alone" or cut.registry is not None or cut.again for cut in way)
    return not stays and (_awaits(way) or not _awaits(first))


def _awaits(way: Way) -> bool:
    return any(cut.scope.kind == "function" and cut.scope.function.is_async for cut in way)


def _cost(ways: Iterable[Way]) -> float:
    each = tuple(ways)
    return sum(cut.cost for way in each for cut in way) + COPY * len({identity(cut) for way in each for cut in way})
