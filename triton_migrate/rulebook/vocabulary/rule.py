"""What every row of the vocabulary has, and the head of a rule file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every row has: the paths it is about and where it was written (`file:line` of the rule)."""

    role: ClassVar[str]
    api: tuple[str, ...]
    docs: str = ""
    concern: str = ""  # what of serving it is about, beside its role: placement (on which device) | optimisation (of the runtime)
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The head of a rule file (`[library]`, `[alias]`): what the library is called and which paths mean the same.

    `alias` maps a path (or path prefix, at a name border) to its canonical path, e.g. `torch.load()` to `torch.nn.Module()`; an alias
    whose target is the receiver's own path (`torch.nn.Module().eval()` to `torch.nn.Module()`) gives the receiver itself.
    """

    name: str  # as people write it, e.g. "scikit-learn"
    imports: tuple[str, ...]  # import roots, e.g. ("sklearn",)
    packages: tuple[str, ...] = ()  # distribution names, e.g. ("scikit-learn",)
    framework: str = ""  # id in reports for models of this library, e.g. "sklearn"
    named: tuple[str, ...] = ()  # words in a file's name that tell its pickled models ("xgb_model.pkl", "clf.lgbm")
    served: tuple[str, ...] = ()  # addresses at which its models answer, in small letters; `{name}` is a part that only its name tells
    exporter: str = ""  # what turns its models into a Triton backend's own format, e.g. "torch.onnx.export"
    export: str = ""  # the script that does so in a port: the template `export_<export>.py`
    export_needs: tuple[str, ...] = ()  # distributions that script needs beside the library
    export_calls: tuple[str, ...] = ()  # methods whose results the exported file gives; "()": the call of the object itself
    export_asked: bool = False  # only when asked for: what a call saves is less than the way to another model costs
    heavy: bool = False  # worth moving out of the app (model runtimes, image decoding)
    alias: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    origin: str = ""
