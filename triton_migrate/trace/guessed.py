"""Takes a call on an object of a library without rules, gives what its name says that it does with a model, and where that is loaded.

A guess, and said so wherever it shows. Of a library with rules, what those do not name is no model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from triton_migrate.index.flow import walk
from triton_migrate.match import Matcher, last_of
from triton_migrate.resolve.scopes import CallPlace
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelConstruct, ModelLoad, ModelPredict, ModelTrain, Rule

METHODS = frozenset({"predict", "predict_proba", "predict_one", "inference", "infer", "transcribe"})
RUNNING = METHODS | {
    "generate",
    "synthesize",
    "tts",
    "encode",
    "embed",
    "detect",
    "forward",
}
PRETRAINED = ".from_pretrained()"  # a name that means one thing, whatever the library
PREPARES = ("Tokenizer", "TokenizerFast", "Processor", "Extractor", "Config", "Scheduler")  # have it too, and are no models
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
    if PRETRAINED in api.path and not owner.removesuffix("()").removesuffix(".from_pretrained").endswith(PREPARES):
        called = api.path.endswith(f"{PRETRAINED}()") or (owner.endswith(PRETRAINED) and name in RUNNING)
        return (RUNS,) if called else ()
    if not owner.endswith("()"):  # the object itself is called
        weighted = api.path.endswith("()") and _weighted(matcher, api) is not None
        return (RUNS,) if weighted or name.removesuffix("()").endswith(CLASSES) else ()
    return (RUNS,) if name in METHODS else (TRAINS,) if name in FITS else ()


def loaded(matcher: Matcher, api: Api) -> CallPlace | None:
    """The call that fills the object, else the one that makes it."""
    filled = (place for name in LOADS for place in _calls_on(matcher, name, api))
    return _weighted(matcher, api) or next(filled, None) or matcher.program.call_at(api.site)


def framework(matcher: Matcher, path: str, place: CallPlace | None) -> str:
    """Of the library that reads the weights the object is given, else the own library's root, as other libraries' frameworks are called."""
    read = next(_reads(matcher, place), "") if place is not None else ""
    return read or f"other:{path.partition('.')[0].partition('(')[0]}"


def _weighted(matcher: Matcher, api: Api) -> CallPlace | None:
    """The call that gives the object weights that a library with rules reads (`net.load_state_dict(torch.load(p))`): its network."""
    rules = (r for lib in matcher.rulebook.libraries for r in lib.rules if isinstance(r, ModelConfigure) and r.artifact)
    names = sorted({last_of(path) for rule in rules for path in rule.api})
    return next((place for name in names for place in _calls_on(matcher, name, api) if any(_reads(matcher, place))), None)


def _reads(matcher: Matcher, place: CallPlace) -> Iterator[str]:
    """The frameworks whose loads the arguments of a call hold."""
    frame = matcher.program.generic(place.scope)
    for value in (v for argument in place.call.args for part in walk(argument) for v in matcher.evaluator.apis(part, frame)):
        made = matcher.program.call_at(value.site)
        for api in matcher.evaluator.apis(made.call.func, matcher.program.generic(made.scope)) if made is not None else ():
            library = matcher.rulebook.library_of(api.path) if matcher.rulebook.find(api.path, ModelLoad) else None
            if library is not None and library.framework:
                yield library.framework


def _calls_on(matcher: Matcher, name: str, api: Api) -> Iterator[CallPlace]:
    """The calls of a method of this name on the object."""
    for place in matcher.program.calls(name):
        found = matcher.evaluator.apis(place.call.func, matcher.program.generic(place.scope))
        if any(a.site == api.site and a.path.rpartition(".")[0].endswith("()") for a in found):
            yield place
