"""The closed vocabulary of rules: what a library's API *is*. One frozen row type per role.

A row describes *access paths*, the way a program reaches an API:

    sklearn.svm.SVC             an importable name
    flask.Flask()               an instance of that class (constructed, annotated, or of a user subclass), or a call's result
    flask.Flask().route         an attribute or method of it
    flask.request.form[]        an element: subscript, iteration, unpacking
    torch.nn.Module()()         calling an instance
    sklearn.*.*Classifier()     `*` stands for one name or a part of one; `{get,post}` for alternatives

*Ports* say where a call's value comes from or goes to: `"rule|0"` (keyword `rule`, else positional 0), `"methods"` (keyword
only), `"0"` (positional only), `"*"` (all arguments), `"self"` (the receiver). Positions do not count the receiver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every row has: the paths it is about and where it was written (`file:line` of the rule)."""

    role: ClassVar[str]
    api: tuple[str, ...]
    docs: str = ""
    origin: str = ""


# ---------------------------------------------------------------- web


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp(Rule):
    """Class whose instance is a web application (what a WSGI/ASGI server runs)."""

    role: ClassVar[str] = "web.app"
    framework: str
    server: str = ""  # "wsgi" or "asgi": how `verify` starts it
    lifespan: str = ""  # port of a start-up/shut-down generator
    routes: str = ""  # port of a list of route objects
    prefix: str = ""  # port of a URL prefix
    response: str = ""  # kind of response a plain returned dict/list/model gives, e.g. "json"
    text: str = ""  # kind of response a plain returned string gives, e.g. "html" for Flask
    injects: bool = False  # handlers' parameters are inputs (FastAPI), not only those in the path


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRouter(Rule):
    """Class whose instance collects routes and is attached to an app or another router."""

    role: ClassVar[str] = "web.router"
    framework: str
    prefix: str = ""
    routes: str = ""
    name: str = ""  # port of a name that, after a "/", is the prefix when none is given (`flask_restx.Namespace`)
    text: str = ""  # kind of response a plain returned string gives, where it is another than the application's


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRoute(Rule):
    """Call that registers a handler on its receiver (app or router), as decorator or plainly."""

    role: ClassVar[str] = "web.route"
    path: str  # port; "*0" = every positional argument from 0 on is a path
    handler: str = "decorated"  # "decorated" or a port
    methods: str = ""  # port of a list of HTTP methods
    default: tuple[str, ...] = ("GET",)  # methods when the port is absent
    resource: bool = False  # the handler is a class whose get/post/... methods are the handlers
    response: str = ""  # port of a response class (`response_class=`)
    request: str = ""  # what a handler without annotations gets first, as a path of the rulebook (`fastapi.Request()`)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebMount(Rule):
    """Call that attaches a router or sub-application to its receiver.

    `Api(app)` and `api.init_app(app)` say it the other way round: their parent is a port, their child the `result` or `self`.
    """

    role: ClassVar[str] = "web.mount"
    child: str  # port, or "result": what the call gives
    parent: str = "self"
    prefix: str = ""
    overrides: bool = False  # the prefix given here replaces the router's own (Flask) instead of preceding it (FastAPI)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebView(Rule):
    """Base class of class-based views; `adapter` is the class method that turns it into a handler (`as_view`)."""

    role: ClassVar[str] = "web.view"
    adapter: str = ""
    method: str = ""  # the one method that answers every request (`dispatch_request`); empty: get/post/...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest(Rule):
    """Path of request data. `fields`: its elements/`.get(name)` are named inputs. A path ending in `()` is a call's result."""

    role: ClassVar[str] = "web.request"
    source: str  # json | form | file | query | path | raw-body | header | cookie | any (the request object itself)
    fields: bool = False
    declares: str = ""  # method of the same object that declares a field: name first, `location` says where it comes from (reqparse)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParameter(Rule):
    """What a handler's parameter gets: a marker in its default/Annotated (`fastapi.Query`) or its annotation (`fastapi.UploadFile`)."""

    role: ClassVar[str] = "web.parameter"
    source: str  # as WebRequest, or "dependency" (port `dependency` names the callable), or "injected" (not an input)
    dependency: str = ""
    default: str = ""  # port of the default value


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResponse(Rule):
    """Call that builds a response."""

    role: ClassVar[str] = "web.response"
    kind: str  # json | html | text | file | stream | redirect | same (that of the body: `flask.make_response`)
    body: str = "0"
    status: str = ""
    media: str = ""  # port(s) of the media type, comma-separated; its constant overrules the kind


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAbort(Rule):
    """Call or exception class that ends the request with an error status."""

    role: ClassVar[str] = "web.abort"
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebHook(Rule):
    """Call/decorator that registers a function which is not an endpoint."""

    role: ClassVar[str] = "web.hook"
    when: str  # startup | shutdown | request | response | error, or `arg:<port>`: said by a constant argument (`on_event("startup")`)
    handler: str = "decorated"


# ---------------------------------------------------------------- models


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoad(Rule):
    """Call that gives a model."""

    role: ClassVar[str] = "model.load"
    framework: str = ""  # default: the library's
    artifact: str = ""  # port of the file, folder or hub name
    into: str = ""  # port of the object that is the model afterwards (`booster.load_model(path)`: "self"), where the call gives none
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
    row_independent: bool = False  # row i of the result depends on row i of the input only
    stack: str = ""  # how to join batches whose type is unknown: "numpy.concatenate" | "torch.cat" | "pandas.concat" | "list"
    result: str = ""  # value type of the result, as DataConvert.result; "" = unknown
    rank: int = 0  # axes of the result, the row axis among them; 0 = depends
    fused: bool = False
    framework: str = ""  # only for calls that need no load (pytesseract.image_to_string)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrain(Rule):
    """Call that changes a model by training it."""

    role: ClassVar[str] = "model.train"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfigure(Rule):
    """Call that only prepares a model or its runtime (weights, device, eval mode, threads); it may leave with the model."""

    role: ClassVar[str] = "model.configure"
    artifact: str = ""
    input: bool = False  # it takes a request's data for the next run (`net.setInput(blob)`), instead of leaving with the model


# ---------------------------------------------------------------- data and effects


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConvert(Rule):
    """Call that gives data from data.

    `container`: conversion only, in the sense of CATEGORIES.md I1. `result` is the value type: `array:<dtype>`, `tensor:<dtype>`,
    `frame`, `image`, `str`, `bytes`, `int`, `float`, `bool`, `list`, `dict`, `same` (as the first argument or receiver); <dtype> is a
    NumPy name, `arg:<port>` (a dtype argument; with `|<default>` behind it when it may be absent), `same` or `?`.
    """

    role: ClassVar[str] = "data.convert"
    container: bool = False
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Rule):
    """Call with an effect outside its result."""

    role: ClassVar[str] = "effect"
    kind: str  # log | time | random | file-read | file-write | db-read | db-write | network | mutate (changes its receiver)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefine(Rule):
    """Decorator or call that makes a function a queue task."""

    role: ClassVar[str] = "task.define"
    queue: str  # celery | rq | huey | dramatiq | background-task | thread
    name: str = ""  # port of the task's name
    handler: str = "decorated"
    bound: str = ""  # port of a flag: the function's first parameter is the task itself (`bind=True`)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnqueue(Rule):
    """Call that puts work on a queue. `callee`: port of the function or of its name, or "self" for methods of the task object."""

    role: ClassVar[str] = "task.enqueue"
    queue: str
    callee: str = "self"
    first: int = -1  # position of the first argument passed on; -1: none are
    args: str = ""  # port of a list of positional arguments
    kwargs: str = ""  # port of a dict of keyword arguments
    defines: str = ""  # whether what is put there is a task by that: "always" (RQ), "in-route" (a thread), or not


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCall(Rule):
    """Call that calls one of its arguments and gives (or later gives) its result: `asyncio.to_thread(f, x)`, `Depends(f)`."""

    role: ClassVar[str] = "flow.call"
    function: str  # port of the callable
    first: int = -1  # position of the first argument passed on; -1: none are


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


ROLES: dict[str, type[Rule]] = {
    row.role: row
    for row in (
        WebApp, WebRouter, WebRoute, WebMount, WebView, WebRequest, WebParameter, WebResponse, WebAbort, WebHook,
        ModelLoad, ModelConstruct, ModelPredict, ModelTrain, ModelConfigure, DataConvert, Effect, FlowCall, TaskDefine, TaskEnqueue,
        Cache, Metric,
    )
}  # fmt: skip


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
    heavy: bool = False  # worth moving out of the app (model runtimes, image decoding)
    alias: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    origin: str = ""
