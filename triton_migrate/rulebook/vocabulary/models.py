"""Rows about models: what loads, makes, runs, trains, saves, prepares and places one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triton_migrate.rulebook.vocabulary.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoad(Rule):
    """Call that gives a model."""

    role: ClassVar[str] = "model.load"
    framework: str = ""  # default: the library's
    artifact: str = ""  # port of the file, folder or hub name
    hub: str = ""  # port of a repository whose name may tell the library (its `named`), where the call serves many
    into: str = ""  # port of the object that is the model afterwards (`booster.load_model(path)`: "self"), where the call gives none
    within: str = ""  # method of a context whose object is the model afterwards (`with graph.as_default():`); in none, of the default one
    opaque: bool = False  # may give anything (pickle): a model only once something predicts with it
    fused: bool = False  # pre- and post-processing are inside (HF pipeline, whisper, YOLO)
    exportable: str = "unknown"  # yes | no | unknown
    backend: str = "python"  # Triton backend after export


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConstruct(Rule):
    """Class that is a model when constructed, or base class of the user's own model classes (`torch.nn.Module`).

    A construction counts as a load site when it is not inside another such class and something predicts with it.
    """

    role: ClassVar[str] = "model.construct"
    runs: str = ""  # port of what it runs, where a model is loaded into that (`Session(graph=g)`)
    within: str = ""  # without one: the method of the context, as in ModelLoad
    framework: str = ""
    fused: bool = False
    exportable: str = "unknown"
    backend: str = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPredict(Rule):
    """Call that runs a model, on the object a load gave."""

    role: ClassVar[str] = "model.predict"
    rows: str = "*"  # port(s) that carry the rows, comma-separated
    model: str = ""  # port of the model, where it is an argument (`whisper.decode(model, mel)`)
    given: bool = False  # it runs a model that its object was given, and none when that is served elsewhere (a vector store)
    takes: int = 0  # axes that an array of rows must have, or the call refuses it; 0 = depends
    row_independent: bool = False  # row i of the result depends on row i of the input only
    alone: str = (
        ""  # what the call gives for a row that is given alone: the "item" of a list of one, that "list" itself; "": rows never are
    )
    alone_by: str = ""  # port of the call that made the model whose constant decides it, as `alone_cases` say ("summarization=list")
    alone_cases: tuple[str, ...] = ()
    alone_unless: tuple[str, ...] = ()  # keywords with which that is not so
    pipes: str = ""  # method of the model that takes a list instead, where the call itself does not (`nlp.pipe`)
    sized: str = ""  # keyword for how many rows of a list run at once, where that is not all
    stack: str = ""  # how to join batches whose type is unknown: "numpy.concatenate" | "torch.cat" | "pandas.concat" | "list"
    result: str = ""  # value type of the result, as DataConvert.result; "" = unknown
    rank: int = 0  # axes of the result, the row axis among them; 0 = depends
    row_axes: int = -1  # axes of the result for one row, where a row may also be given alone (`encode("text")`); -1 = depends
    fused: bool = False
    framework: str = ""  # only for calls that need no load (pytesseract.image_to_string)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrain(Rule):
    """Call that changes a model by training it."""

    role: ClassVar[str] = "model.train"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSave(Rule):
    """Call that writes a model to where a load finds it again: a file, a folder, a registry."""

    role: ClassVar[str] = "model.save"
    artifact: str = ""  # port of the file, folder or registered name
    model: str = ""  # port of what is written; none: the receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfigure(Rule):
    """Call that only prepares a model or its runtime (weights, device, eval mode, threads); it may leave with the model."""

    role: ClassVar[str] = "model.configure"
    artifact: str = ""  # port of the file or the loaded weights that a method reads into its receiver: then it is where the model is loaded
    input: bool = False  # it takes a request's data for the next run (`net.setInput(blob)`), instead of leaving with the model


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlace(Rule):
    """Call that says on which device a model, or what it is given, lies or runs. Beside the call's other roles."""

    role: ClassVar[str] = "model.place"
    device: str  # port of the device: its name, or the number of a GPU
    written: str = "cuda:{}"  # how it names the nth GPU; without a number in it, the first
    number: str = ""  # port of the GPU's number, where the device has none (`torch.device("cuda", 1)`)
    instead: str = ""  # method with a device as its argument, where the call's own name says it (`.cuda()`: "to")
    listed: str = ""  # the device is a list of runtimes, of which `written` is one; this is the key of its options that numbers the GPU
    spread: tuple[str, ...] = ()  # devices by which the library chooses itself, several at once if need be (`device_map="auto"`)
