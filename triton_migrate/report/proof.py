"""What a verification proves, in words that page and terminal share: takes parts of the document, gives sentences."""

from __future__ import annotations

from triton_migrate.report.document import Together


def together_in_words(crowd: Together) -> str:
    """Whether rows that share a batch are known to leave each other alone."""
    if crowd["mixed_up"]:
        return "an answer depends on what else is under way"
    batch = crowd["rows_per_call"]
    if crowd["distinct"] < 2:
        return "only one request could be asked, so rows that share a batch were all the same"
    if batch is None or batch <= 1:
        return "no two of them met in one call of a model, so nothing is known about rows that share a batch"
    return f"{batch:.1f} rows per call, and no answer depends on its neighbours"
