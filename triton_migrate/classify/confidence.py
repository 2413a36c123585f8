"""Takes the rule that decided and the doubts, gives the confidence: the share of such verdicts that were right on labelled applications.

Measured on 196 inference entries of 94 public repositories whose category was labelled by reading, before any scan: 59 of them in the
first scan of code that nobody had looked at (one of two such sets before the patterns of the other were mended), 137 after mending.
`BASE` is each rule's share of right verdicts, drawn towards that of all (0.94) as if ten more had been seen.

    confidence      rules               held out: verdicts, right    later: verdicts, right    said before
    0.95 to 0.96    I1 M1b M1c T1       3     1.00                   15    1.00                0.97
    0.95            loose               46    0.91                   92    0.97                0.97
    0.90 to 0.92    M1a T2 (and T3)     10    0.70                   30    0.97                0.97

So 0.9 does mean about nine in ten, a little less on code like none seen before. Doubts told little: none of the 67 verdicts that
had one (a call that could not be followed, a model known by its use only) was wrong, so those weigh little. A guess by a name or an
artifact's name that is made at run time was too rare to be measured: these weights are set by hand.
"""

from __future__ import annotations

from collections.abc import Iterable

from triton_migrate.classify.records import Doubt

BASE = {"T1": 0.95, "T2": 0.9, "T3": 0.9, "I1": 0.96, "I2": 0.96, "M1a": 0.92, "M1b": 0.96, "M1c": 0.96, "loose": 0.95}
LEAST = 0.3
MEASURED, RARE, GUESS = 0.01, 0.05, 0.2  # what a doubt takes off


def confidence(rule: str, doubts: Iterable[Doubt]) -> float:
    """How sure a verdict by this rule is."""
    return max(LEAST, BASE[rule] - sum(doubt.weight for doubt in doubts))
