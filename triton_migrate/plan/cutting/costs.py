"""Takes what would cross a cut, gives its price: fewer, typed and smaller tensors are cheaper.

The weights order the choices; only their proportions count. What keeps a model's library in the app outweighs everything else.
"""

from __future__ import annotations

from triton_migrate.plan.cutting.cut import NUMPY_TO_TRITON, Crossing, typed
from triton_migrate.plan.values.vtype import VType

HEAVY = 100.0  # a statement that stays and needs the model or its libraries
ONE_BY_ONE = 25.0  # requests that cannot be stacked
WAITS = 20.0  # a stream that keeps the event loop waiting for each of its results
ROUND = 12.0  # a call of the model's side in each round of a loop that streams
CARRIED = 30.0  # the same, where each round needs the one before: the calls cannot even be made side by side
MOVED = 0.6  # a statement moved: the smaller the patch the better
LIFTED = 0.5  # an expression out of a statement that stays
UNSURE = 30.0  # a value of which nothing is known
EARLY = 6.0  # a place where the model's side ends, and the app answers
FRAME = 14.0  # a table, and pandas on both sides
IMAGE = 8.0
UNSHAPED = 1.0  # an array of a known dtype whose axes are not known
UNTYPED = 4.0  # a value that travels as JSON
TENSOR = 1.0


def crossing_cost(crossings: tuple[Crossing, ...]) -> float:
    return sum(value_cost(c.type) for c in crossings)


def value_cost(kind: VType) -> float:
    """The price of one value."""
    if kind.kind in ("image", "frame"):
        return TENSOR + (IMAGE if kind.kind == "image" else FRAME)
    if kind.travels is None and kind.kind == "unknown":
        return TENSOR + UNSURE
    if kind.axed and kind.dtype in NUMPY_TO_TRITON and not kind.rank:
        return TENSOR + UNSHAPED
    return TENSOR + (0 if typed(kind) else UNTYPED)
