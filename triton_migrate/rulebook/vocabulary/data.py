"""Rows about what happens to data, and what calls do beside giving a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triton_migrate.rulebook.vocabulary.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConvert(Rule):
    """Call that gives data from data.

    `container`: conversion only, in the sense of CATEGORIES.md I1. `result` is the value type: `array:<dtype>`, `tensor:<dtype>`,
    `number:<dtype>`, `frame`, `image`, `str`, `bytes`, `int`, `float`, `bool`, `list`, `dict`, `list:<type>`, `tuple:<type>,<type>`,
    `data` (anything that JSON carries), `object` (of the library: it cannot be sent), `stream:<type>` (an iterator that another thread
    fills), `generator:<type>` (what is drawn from once), `element` (Python's scalar for the subject's dtype), `same` (as the subject: the
    receiver, or else the first argument). <dtype>
    is a NumPy name, `arg:<port>` (a dtype argument; with `|<default>` behind it when it may be absent), `same`, `floating` (a float of the
    subject's width; NumPy makes float64 of integers), `mean` (likewise, of small integers, too), `wide` (what a sum is of) or `?`.

    `shape` says the axes of an array: their sizes (`1,?,?,?`), or `same` as the subject's (those of nested lists, too), `axes` (as many),
    `flat`, `new:<port>` (one more, there), `drop:<port>` (one fewer; all of them without the argument), `dims:<port>` (given there),
    `joined` (of the list's arrays), `stacked` (one more than theirs).
    """

    role: ClassVar[str] = "data.convert"
    fitted: bool = False  # its receiver was fitted in training (scaler, vectoriser): loaded from a file, it is served like a model
    splits: bool = False  # it parts what a model is trained on from what it is tested on
    parses: str = ""  # what raw data it reads: the result's elements are fields of that source ("json" for `json.loads`)
    container: bool = False
    settings: bool = False  # it fills the fields of its objects with settings from outside: a default is only one of the things they may be
    decodes: bool = False  # it gives the picture that bytes or a file hold: a function that only decodes gets hold of its input
    result: str = ""
    shape: str = ""
    case: str = ""  # port of an argument that decides dtype and shape, as `cases` say
    cases: tuple[str, ...] = ()  # "RGB=uint8:?,?,?": for that value (a pattern; "" = not given) <dtype>:<shape>
    positions: str = ""  # port of an axis: with it there come two, the second being positions (`torch.max(x, 1)`); "*" = always
    beside: bool = False  # what it is given goes on beside its caller (`asyncio.create_task`), as in FlowCall


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLive(Rule):
    """Class or call that gives an object of the running process (socket, lock, connection): no value that can be sent elsewhere."""

    role: ClassVar[str] = "data.live"
    input: bool = False  # a device or connection that the application takes its input from (`cv2.VideoCapture(0)`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Rule):
    """Call with an effect outside its result."""

    role: ClassVar[str] = "effect"
    # log | metric | time | random | file-read | file-write | db-read | db-write | network | process | arguments (of the command line)
    # | disconnect (asks whether the client has left) | mutate (changes its receiver) | environment (fills the process' own from a file)
    kind: str
    path: str = ""  # port of the file it is about, its path or what is open ("self": the receiver)
    folder: str = ""  # port of the folder, or of a pattern of files in it, that it reads as a whole ("self": the receiver)
    scratch: str = ""  # made (a file or folder that nothing else names) | removed (its file)
    empty: bool = False  # what it makes holds nothing yet (`os.makedirs`): nobody reads this write
    remote: str = ""  # a model that is served elsewhere answers: "always", or the port of the address that says so (a library's `served`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Rule):
    """Result cache."""

    role: ClassVar[str] = "cache"
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Rule):
    """Metric of the application's own."""

    role: ClassVar[str] = "metric"
    kind: str
