"""Takes a call of a fused object (a transformers pipeline, an encoder) and its rows, gives how rows of many requests go through it at once.

People hand over one row alone, `classify(text)`; the object itself takes a list of rows. What it gives for a row alone is either the
item of a list of one, or that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.values import Api
from triton_migrate.trace.records import PredictSite

ROWS = frozenset({"str", "bytes", "image"})  # certainly one row
UNSURE = frozenset({"unknown", "data", "plain"})  # a row or a list of rows


@dataclass(frozen=True, slots=True)
class Fused:
    """`given`: "row" | "rows" | "either", seen at run time. `alone` as in the rule."""

    given: str
    alone: str

    @property
    def item(self) -> bool:
        """Whether what is given back for a row alone is the list's item."""
        return self.alone == "item" and self.given != "rows"


def fused(site: PredictSite, rows: VType, evaluator: Evaluator) -> Fused | None:
    """None when rows cannot go through together."""
    alone = _alone(site, evaluator)
    if not site.rule.fused or not alone or not site.rule.row_independent:
        return None
    if {k for k, _ in site.call.keywords} & set(site.rule.alone_unless):
        return None
    if rows.kind == "list":
        return None if site.rule.pipes else Fused("rows", alone)
    if rows.kind == "array":
        return Fused("row", alone) if rows.rank in (2, 3) and alone == "list" else None  # a picture
    return Fused("row", alone) if rows.kind in ROWS else Fused("either", alone) if rows.kind in UNSURE and not site.rule.pipes else None


def _alone(site: PredictSite, evaluator: Evaluator) -> str:
    """What the rule says; where the object's own making decides, what that says."""
    rule = site.rule
    if not rule.alone_by:
        return rule.alone
    answers = set()
    for value in evaluator.values(site.call.func, site.frame):
        place = evaluator.program.call_at(value.site) if isinstance(value, Api) and value.site is not None else None
        given = port(place.call, rule.alone_by) if place is not None else None
        word = evaluator.constant(given, evaluator.program.generic(place.scope)) if place is not None and given is not None else None
        cases = (case.split("=", 1) for case in rule.alone_cases)
        answers.add(next((says for pattern, says in cases if isinstance(word, str) and fnmatchcase(word, pattern)), ""))
    return answers.pop() if len(answers) == 1 else ""
