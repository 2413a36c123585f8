"""Takes a model, gives whether and how it leaves its framework: what turns it into a file that a Triton backend runs, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.vocabulary import Library
from triton_migrate.trace.records import ModelRef

SPLIT, CUSTOM = "needs a split", "custom code"


@dataclass(frozen=True, slots=True)
class Export:
    """`answer` is yes | no | unknown; `route` the call that exports, "needs a split", "custom code" or "".

    `by` is the library whose rules say how the export is written (`Library.export`), where the answer is yes and one says it.
    """

    answer: str
    route: str
    reason: str
    by: Library | None = None


def export(model: ModelRef, book: Rulebook) -> Export:
    """How the model gets to a framework backend of Triton."""
    own = [lib for lib in book.libraries if lib.framework == model.framework and lib.exporter]
    exporter = own[0].exporter if own else ""
    by = next((lib for lib in own if lib.export), None)
    if model.fused:
        inner = f"; the network inside goes by {exporter}" if exporter else ""
        return Export("no", SPLIT, f"{model.loader} has pre- and post-processing inside, so it runs whole in the Python backend{inner}")
    if model.exportable == "yes" and exporter:
        return Export("yes", exporter, f"{model.framework} models leave by {exporter} and run on the {model.backend} backend", by)
    if model.exportable == "yes" and model.backend != "python":
        return Export("yes", "", f"the file runs on the {model.backend} backend as it is")
    if model.exportable == "no":
        return Export("no", CUSTOM, f"there is no exporter for what {model.loader} gives; it runs in the Python backend")
    what = model.artifact or f"the file that {model.loader} reads"
    return Export("unknown", exporter, f"what {what} holds shows only when it is loaded; an estimator or a network can be exported")
