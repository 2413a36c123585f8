"""Takes a pipeline, gives NVIDIA's four ways to move it side by side: what each would cost here, what is gained and what is lost."""

from __future__ import annotations

from typing import Final, NamedTuple

from triton_migrate.report.document import Category, Points, Target
from triton_migrate.report.pipelines import Pipeline


class Way(NamedTuple):
    """One of the four. `points` on the scale of the report, `chosen` by the verdict."""

    target: Target
    name: str
    points: Points
    gained: str
    lost: str
    chosen: bool


class _Said(NamedTuple):
    target: Target
    name: str
    gained: str
    lost: str


_WAYS: Final = (
    _Said(
        "pytriton", "PyTriton, in the application", "dynamic batching and metrics without moving a line; the model keeps its live state",
        "the application still carries the model's libraries, memory and GPU, and scales with it",
    ),
    _Said(
        "python-backend", "Python backend",
        "the pipeline leaves as it is written: its libraries, memory and GPU are Triton's, and it scales alone",
        "its pre- and post-processing run in Python, one instance at a time",
    ),
    _Said(
        "ensemble", "Ensemble of stages", "each stage batches and scales by itself, on its own device, and others can use it",
        "stages have to be cut apart, and what they share has to be sent",
    ),
    _Said(
        "model", "The model alone", "the framework's own backend runs it, without Python: the least per request",
        "what prepares the input and reads the result stays with every client",
    ),
)  # fmt: skip
# What a way costs by what the pipeline is: moving it against its grain means taking it apart first.
_COST: Final[dict[Category, dict[Target, Points]]] = {
    "tight": {"pytriton": 1, "python-backend": 7, "ensemble": 13, "model": 13},
    "loose": {"pytriton": 1, "python-backend": 3, "ensemble": 5, "model": 5},
    "modular": {"pytriton": 1, "python-backend": 3, "ensemble": 3, "model": 5},
    "individual": {"pytriton": 1, "python-backend": 1, "ensemble": 1, "model": 1},
    "none": {},
}


def ways(row: Pipeline) -> tuple[Way, ...]:
    """All four, in NVIDIA's order; none where no category was found. The chosen one costs what the verdict says."""
    found = row.found
    costs = _COST[found["category"] or "none"]
    effort = found["effort"]
    return tuple(
        Way(w.target, w.name, effort["points"] if effort and w.target == found["target"] else costs[w.target], w.gained, w.lost,
            w.target == found["target"])
        for w in _WAYS
        if w.target in costs
    )  # fmt: skip
