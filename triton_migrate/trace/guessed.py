"""Takes a call on an object of a library without rules, gives what its name says that it does with a model, and where that is loaded.

A guess, and said so wherever it shows. Of a library with rules, what those do not name is no model.
"""

from __future__ import annotations

import sys

from triton_migrate.match import Matcher
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import ModelConstruct, ModelPredict, ModelTrain, Rule

METHODS = frozenset({"predict", "predict_proba", "predict_one", "inference", "infer", "transcribe"})
LOADS = ("load", "load_model", "load_weights", "load_checkpoint", "restore")  # methods that fill an object that was made empty
CLASSES = ("Model", "Net", "Network", "CNN", "Classifier", "Regressor", "Detector", "Recognizer", "Segmenter", "Embedder", "OCR")
FITS = frozenset({"fit", "partial_fit"})
RUNS = ModelPredict(api=("*.predict",), rows="0", fused=True, docs="a guess by the method's name")
TRAINS = ModelTrain(api=("*.fit",), docs="a guess by the method's name")
MADE = ModelConstruct(api=("*",), fused=True, exportable="no", docs="what such a method is called on")


def rules(matcher: Matcher, api: Api) -> tuple[Rule, ...]:
    """What a call of `api` looks like: running or training a model. Its object must come from a call of the library's own."""
    owner, _, name = api.path.rpartition(".")
    root = api.path.partition(".")[0].partition("(")[0]
    known = root in matcher.rulebook.import_roots or root in sys.stdlib_module_names or root == "builtins"
    if known or api.path.count("()") != 1 or api.of is not None or api.site is None:
        return ()
    if not owner.endswith("()"):  # the object itself is called
        return (RUNS,) if name.removesuffix("()").endswith(CLASSES) else ()
    return (RUNS,) if name in METHODS else (TRAINS,) if name in FITS else ()


def loaded(matcher: Matcher, api: Api) -> CallPlace | None:
    """The call that fills the object, else the one that makes it."""
    for name in LOADS:
        for place in matcher.program.calls(name):
            found = matcher.evaluator.apis(place.call.func, matcher.program.generic(place.scope))
            if any(a.site == api.site and a.path.rpartition(".")[0].endswith("()") for a in found):
                return place
    return matcher.program.call_at(api.site)


def framework(api: Api) -> str:
    """The library's import root, as other libraries' frameworks are called."""
    return f"other:{api.path.partition('.')[0].partition('(')[0]}"
