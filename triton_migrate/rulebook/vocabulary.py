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
    concern: str = ""  # what of serving it is about, beside its role: placement (on which device) | optimisation (of the runtime)
    origin: str = ""


# ---------------------------------------------------------------- web


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp(Rule):
    """Class whose instance is a web application (what a WSGI/ASGI server runs)."""

    role: ClassVar[str] = "web.app"
    framework: str
    server: str = ""  # "wsgi" or "asgi": how `verify` starts it
    lifespan: str = ""  # port of a start-up/shut-down generator
    state: tuple[str, ...] = ()  # paths of what has the items of the mapping that this generator yields as its attributes
    routes: str = ""  # port of a list of route objects
    prefix: str = ""  # port of a URL prefix
    response: str = ""  # kind of response a plain returned dict/list/model gives, e.g. "json"
    text: str = ""  # kind of response a plain returned string gives, e.g. "html" for Flask
    slash: bool = True  # a "/" at the end of a path is part of it
    injects: bool = False  # handlers' parameters are inputs (FastAPI), not only those in the path
    parameter: str = "query"  # source of an injected parameter that nothing describes
    embeds: bool = False  # a body model is one field of the body, by the parameter's name
    files: tuple[str, ...] = ()  # classes that an uploaded file arrives as, where a parameter is annotated with one
    named: tuple[str, ...] = ()  # parameters that mean something by their name: "data=json", "state=injected"
    provides: str = (
        ""  # keyword, or attribute of a view class: a dict from names of parameters to what they get (Litestar's `dependencies`)
    )
    lists: str = ""  # module-level name of a list of routes that is served by convention (Django's `urlpatterns`)
    root: str = ""  # module-level constant naming the module of that list; without one, each list that no other takes in is served
    settings: str = ""  # path by which programs reach the module that says `root`: its names are attributes of it
    tuples: str = ""  # path of the call whose arguments a plain tuple in a list of routes stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRouter(Rule):
    """Class whose instance collects routes and is attached to an app or another router."""

    role: ClassVar[str] = "web.router"
    framework: str
    prefix: str = ""
    routes: str = ""
    name: str = ""  # port of a name that, after a "/", is the prefix when none is given (`flask_restx.Namespace`)
    errors: bool = False  # it answers what its routes raise before the application's handlers: 500, but for HTTP's own exceptions
    text: str = ""  # kind of response a plain returned string gives, where it is another than the application's
    version: str = ""  # port of a version of the API: it stands in front of the whole path, unless said nearer to the route
    version_prefix: str = ""  # port of what stands before it instead of "/v"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRoute(Rule):
    """Call that registers a handler on its receiver (app or router), as decorator or plainly.

    A decorator that has no receiver marks a function (or a class's method) that is served once a list of routes holds it (or its class).
    """

    role: ClassVar[str] = "web.route"
    path: str = ""  # port; "*0" = every positional argument from 0 on is a path
    fallback: str = ""  # the path when the port is absent; `{name}` is the handler's name
    below: str = ""  # what the library puts before every such path
    regex: bool = False  # the path is a regular expression: `^x/(?P<id>\d+)/$` is written `x/<id>/`
    handler: str = "decorated"  # "decorated", "self" or a port
    endpoint: str = ""  # port of the handler's name, where it is given elsewhere (`web.endpoint`, or the receiver's dict `endpoints`)
    endpoints: str = ""
    methods: str = ""  # port of a list of HTTP methods, or of one; "*" is every one
    default: tuple[str, ...] = ("GET",)  # methods when the port is absent; none: every one, and those the handler tells apart are reported
    resource: bool = False  # the handler is a class (or an object of one) whose get/post/... methods are the handlers
    verbs: str = "*"  # how these methods are called: `on_*`
    suffix: str = ""  # port of what follows their name after a "_"
    arguments: str = ""  # port of a dict of keyword arguments for the class's constructor or its view's `setup`
    response: str = ""  # port of a response class (`response_class=`)
    request: str = ""  # what a handler without annotations gets first, as paths of the rulebook, comma-separated (`fastapi.Request()`)
    version: str = ""  # ports, as in WebRouter
    version_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebMount(Rule):
    """Call that attaches a router or sub-application to its receiver.

    `Api(app)` and `api.init_app(app)` say it the other way round: their parent is a port, their child the `result` or `self`.
    """

    role: ClassVar[str] = "web.mount"
    child: str  # port ("*0": every positional argument from 0 on), or "result": what the call gives
    parent: str = "self"
    prefix: str = ""
    regex: bool = False  # the prefix is a regular expression
    overrides: bool = False  # the prefix given here replaces the router's own (Flask) instead of preceding it (FastAPI)
    version: str = ""  # ports, as in WebRouter
    version_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebView(Rule):
    """Base class of class-based views; `adapter` is the class method that turns it into a handler (`as_view`)."""

    role: ClassVar[str] = "web.view"
    adapter: str = ""
    mapping: str = ""  # the adapter's port of a dict from HTTP method to the name of the method that answers it
    method: str = ""  # the one method that answers every request (`dispatch_request`); empty: get/post/...
    actions: tuple[str, ...] = ()  # further methods that answer: name, HTTP method, what follows in the path ("retrieve GET /{pk}/")
    item: str = ""  # what stands for one object in the path of a `web.action`
    before: str = ""  # method that gets the request first; what it gives is the first argument of `method`
    after: str = ""  # method that gets what `method` gives
    path: str = ""  # port of the class's constructor: the path of such an object where its registration gives none
    setup: str = "__init__"  # method that gets the arguments given at registration
    allowed: str = "methods"  # class attribute that lists the HTTP methods answered
    prefix: str = ""  # class attribute: the prefix of its methods' routes
    request: str = ""  # what its methods get first, as in WebRoute
    attach: str = ""  # class keyword (`class V(View, attach=app, uri="/x")`) of what the view hangs on; its path is the keyword `uri`
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebClass(Rule):
    """Class method that puts a whole class of views on an application: each public method is a route below the class's path.

    A setting is a port of the call; without one, the class's attribute of the same name says it. A `web.action` decorator on a method says
    the path below the class's itself.
    """

    role: ClassVar[str] = "web.class"
    parent: str  # port of the application or router
    prefix: str = ""  # setting: the prefix of the class's path
    base: str = ""  # setting: the class's path; without one, the class's name in dashes (`QuoteTagsView`: `quote-tags`)
    ending: str = ""  # what the class's name loses there
    verbs: tuple[str, ...] = ()  # "index GET": methods on the class's path itself, with their HTTP method; others have their name behind
    variable: str = ""  # how a parameter without default follows in the path: `<{type}{name}>`
    types: tuple[str, ...] = ()  # what `{type}` is, by the annotation: "builtins.int=int:"
    slash: str = ""  # setting: a flag, without which the path has no "/" at its end; true unless said
    dashes: str = ""  # setting: a flag that makes underscores of methods' names dashes
    hidden: tuple[str, ...] = ()  # how the names begin of methods that are no routes
    excluded: str = ""  # class attribute that lists others


@dataclass(frozen=True, slots=True, kw_only=True)
class WebMethods(Rule):
    """Decorator that says which HTTP methods a handler answers, wherever it is registered (`require_POST`, `api_view`)."""

    role: ClassVar[str] = "web.methods"
    methods: str = ""  # port
    default: tuple[str, ...] = ("GET",)
    request: str = ""  # what the handler gets first from then on, as in WebRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAction(Rule):
    """Decorator that makes a method of a view class a route of its own below the class's path (`rest_framework.decorators.action`)."""

    role: ClassVar[str] = "web.action"
    methods: str = ""  # port
    path: str = ""  # port; without one, the method's name
    item: str = ""  # port of a flag: the route is about one object, so the view's `item` stands before the path


@dataclass(frozen=True, slots=True, kw_only=True)
class WebEndpoint(Rule):
    """Call or decorator that gives a handler the name by which routes know it (`flask.Flask().endpoint`)."""

    role: ClassVar[str] = "web.endpoint"
    name: str  # port


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSchema(Rule):
    """Base class whose attributes are fields of a body: annotated ones, or those made by a call under `fields`."""

    role: ClassVar[str] = "web.schema"
    fields: str = ""  # pattern of what makes a field (`marshmallow.fields.*`); empty: annotated attributes
    given: str = ""  # port of the constructor that gets the request's data, or "**": its keywords
    listed: str = ""  # attribute, of a class inside it, that names further fields (`Meta.fields`)
    model: str = ""  # attribute, likewise, of the class that these are attributes of (`Meta.model`)
    files: str = ""  # port of the constructor that gets the request's files
    uploads: tuple[str, ...] = ()  # what the calls are called whose fields come from there (`ImageField`)
    reads: tuple[str, ...] = ()  # methods that get it as their first argument (`model_validate`)
    alias: tuple[str, ...] = ()  # keywords of the call that makes or describes a field: what clients call it, the first that is given


@dataclass(frozen=True, slots=True, kw_only=True)
class WebArguments(Rule):
    """Decorator that parses the request by a schema and hands the result to the handler (`webargs.flaskparser.use_args`)."""

    role: ClassVar[str] = "web.arguments"
    schema: str  # port of a schema class, an object of one, or a dict of fields
    location: str = ""  # port of where to look
    source: str = "json"  # without a location


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest(Rule):
    """Path of request data. `fields`: its elements/`.get(name)` are named inputs. A path ending in `()` is a call's result."""

    role: ClassVar[str] = "web.request"
    source: str  # json | form | file | query | path | raw-body | header | cookie | method | any (the request object itself)
    fields: bool = False
    name: str = ""  # port of the field's name, where a call gives one field (`self.get_argument("x")`)
    converts: str = ""  # port of what `.get(name)` calls on the text (werkzeug's `type`)
    declares: str = ""  # method of the same object that declares a field: name first, `location` says where it comes from (reqparse)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParameter(Rule):
    """What a handler's parameter gets: a marker in its default/Annotated (`fastapi.Query`) or its annotation (`fastapi.UploadFile`)."""

    role: ClassVar[str] = "web.parameter"
    source: str  # as WebRequest, or "dependency" (port `dependency` names the callable), or "injected" (not an input)
    dependency: str = ""
    default: str = ""  # port of the default value
    alias: str = ""  # port of the name that clients use, where that is not the parameter's


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResponse(Rule):
    """Call that builds a response."""

    role: ClassVar[str] = "web.response"
    kind: str  # json | html | text | file | stream | redirect | same (that of the body: `flask.make_response`) | plain (as if returned)
    body: str = "0"
    status: str = ""
    media: str = ""  # port(s) of the media type, comma-separated; its constant overrules the kind


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAbort(Rule):
    """Call or exception class that ends the request with an error status."""

    role: ClassVar[str] = "web.abort"
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAuth(Rule):
    """What lets only some through: a decorator, a dependency, a permission class, or a call that ends the request of others."""

    role: ClassVar[str] = "web.auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLimit(Rule):
    """Decorator that turns away who asks too often; it stays on the route, for a model server knows no callers."""

    role: ClassVar[str] = "web.limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebHook(Rule):
    """Call/decorator that registers a function which is not an endpoint."""

    role: ClassVar[str] = "web.hook"
    when: str  # startup | shutdown | request | response | error, or `arg:<port>`: said by a constant argument (`on_event("startup")`)
    handler: str = "decorated"
    request: str = ""  # what the function gets, as in WebRoute


# ---------------------------------------------------------------- models


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


# ---------------------------------------------------------------- data and effects


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConvert(Rule):
    """Call that gives data from data.

    `container`: conversion only, in the sense of CATEGORIES.md I1. `result` is the value type: `array:<dtype>`, `tensor:<dtype>`,
    `number:<dtype>`, `frame`, `image`, `str`, `bytes`, `int`, `float`, `bool`, `list`, `dict`, `list:<type>`, `tuple:<type>,<type>`,
    `data` (anything that JSON carries), `object` (of the library: it cannot be sent), `stream:<type>` (an iterator that another thread
    fills), `element` (Python's scalar for the subject's dtype), `same` (as the subject: the receiver, or else the first argument). <dtype>
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
class Effect(Rule):
    """Call with an effect outside its result."""

    role: ClassVar[str] = "effect"
    # log | metric | time | random | file-read | file-write | db-read | db-write | network | process | arguments (of the command line)
    # | disconnect (asks whether the client has left) | mutate (changes its receiver) | environment (fills the process' own from a file)
    kind: str
    path: str = ""  # port of the file it is about, its path or what is open ("self": the receiver)
    scratch: str = ""  # made (a file or folder that nothing else names) | removed (its file)
    empty: bool = False  # what it makes holds nothing yet (`os.makedirs`): nobody reads this write
    remote: str = ""  # a model that is served elsewhere answers: "always", or the port of the address that says so (a library's `served`)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLive(Rule):
    """Class or call that gives an object of the running process (socket, lock, connection): no value that can be sent elsewhere."""

    role: ClassVar[str] = "data.live"
    input: bool = False  # a device or connection that the application takes its input from (`cv2.VideoCapture(0)`)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefine(Rule):
    """Decorator or call that makes a function a queue task."""

    role: ClassVar[str] = "task.define"
    queue: str  # celery | rq | huey | dramatiq | arq | taskiq | django-q | background-task | thread
    name: str = ""  # port of the task's name
    handler: str = "decorated"
    bound: str = ""  # port of a flag: the function's first parameter is the task itself (`bind=True`)
    base: str = ""  # port of the class that the task object is an instance of, its other options being attributes of it
    default: str = ""  # attribute of the receiver that holds this class when the port is absent (`app.Task = ModelTask`)
    called: bool = False  # calling the function puts it on the queue (Huey)
    gives: str = ""  # what such a call gives, as a path of the rulebook
    plain: str = ""  # method of such a task, as in TaskEnqueue
    listed: str = ""  # class attribute that lists tasks by convention (arq's `WorkerSettings.functions`)
    startup: str = ""  # attribute of the same class: what a worker runs first
    passes: str = ""  # what these functions get as their first parameter, as a path of the rulebook
    itself: str = ""  # with `bound`: they get that as this parameter, and not as the first (`context=True` of Huey)
    json: bool = False  # what its tasks are given, and give, crosses as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnqueue(Rule):
    """Call that puts work on a queue.

    `callee`: port of the function or of its name; "self" for methods of the task object; "self[]" for those of a task that is looked up by
    its name (`app.tasks["score"].delay(x)`).
    """

    role: ClassVar[str] = "task.enqueue"
    queue: str
    callee: str = "self"
    first: int = -1  # position of the first argument passed on; -1: none are
    args: str = ""  # port of a list of positional arguments
    kwargs: str = ""  # port of a dict of keyword arguments
    partial: bool = False  # it is a part of a workflow: what it is not given comes from the part before (`chain(f.s(x), g.s())`)
    closed: bool = False  # such a part is given nothing by the part before
    direct: str = ""  # method of the task that runs it here: it takes the same arguments, or those passed on as a tuple and a dict
    plain: str = ""  # the same, but it gives what the task returns, and not what `task.wait` is called on; "()": calling the function
    own: tuple[str, ...] = ()  # keywords that the queue keeps for itself
    defines: str = ""  # when what is put there is a task by that: "always" (RQ), "in-route" (a thread), "training" (if it trains), or not


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWait(Rule):
    """Call on what a `task.enqueue` gave that waits for the task's result, and raises what the task raised."""

    role: ClassVar[str] = "task.wait"
    before: tuple[str, ...] = ()  # attributes of it that lead to the results of the tasks before it in a workflow
    late: tuple[str, ...] = ()  # what it raises where the result does not come in time
    blocks: str = ""  # port of a flag without which it does not wait
    polls: tuple[str, ...] = ()  # it never waits itself: a loop before it does, that asks only these of what was put there


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOption(Rule):
    """What a queue is told about its tasks: a decorator's or a call's keywords, attributes of its settings, or a call that says it itself.

    Options may also be attributes of a class by convention (`task.define`'s `listed`). A kind is one of retries, late-ack, delay, expiry,
    priority, rate-limit, time-limit, workflow, result, routing, concurrency, in-process (it runs beside the request, in the same process).
    """

    role: ClassVar[str] = "task.option"
    queue: str
    kind: str = ""  # of the call itself (`self.retry(...)`, `chain(...)`)
    sequence: str = (
        ""  # it makes a workflow of parts of which each is given the result of the one before; a task is put there by that method
    )
    options: tuple[str, ...] = ()  # "acks_late=late-ack": keyword, or attribute that the program sets, and its kind
    # how its worker starts; {object}: where what the call makes is held (`pkg.tasks:app`), {dotted}: the same with a dot, {module}: the
    # call's module, {name}: see `named`
    worker: str = ""
    named: str = ""  # port of a name for `worker`; "default" without one
    milliseconds: bool = False  # its times are, not seconds
    urgent: tuple[str, ...] = ()  # which numbers of a priority come first: "greatest" or "least"; "redis=least": with that broker


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRunning(Rule):
    """What tells of the job that runs, or changes it (`self.request` of a task, `get_current_job()`): it is known in its worker only."""

    role: ClassVar[str] = "task.running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPut(Rule):
    """Call that puts something where a loop elsewhere takes it from: a `queue.Queue`, a Redis list, a future."""

    role: ClassVar[str] = "channel.put"
    channel: str  # port of the channel's name, or "self": the receiver is the channel
    item: str = "0"  # port of what is put there
    plain: bool = False  # the receiver is a container for anything: a channel where a worker's loop, that goes on for ever, takes from it


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTake(Rule):
    """Call that takes from such a channel; the function that does so in a loop is its worker."""

    role: ClassVar[str] = "channel.take"
    channel: str
    plain: bool = False  # as in ChannelPut


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource(Rule):
    """What gives incoming items outside HTTP.

    Read in a loop (`cv2.VideoCapture().read`), iterated (`kafka.KafkaConsumer()[]`), or handed to a callback.
    """

    role: ClassVar[str] = "stream.source"
    kind: str  # messages | video | audio | socket | schedule | rpc | command (what a person starts by hand)
    handler: str = ""  # port of the callback, or "decorated"; none: the code that reads


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCall(Rule):
    """Call that calls one of its arguments and gives (or later gives) its result: `asyncio.to_thread(f, x)`, `Depends(f)`."""

    role: ClassVar[str] = "flow.call"
    function: str  # port of the callable; "self": the function that a library's decorator made the receiver of (`task.call_local(x)`)
    given: str = ""  # port of the callable in the call that made the receiver, where that got it (`Streamer(predict).submit(x)`): "self"
    first: int = -1  # position of the first argument passed on; -1: none are
    named: bool = False  # named arguments are passed on, too
    each: bool = False  # it calls it for each element of the arguments passed on, and gives all results (`map(f, xs)`)
    beside: bool = False  # it goes on beside its caller, so that nobody waits for it where the call's result is dropped
    method: str = ""  # it makes an object and calls this method of it: `function` is "self", and the class is what the receiver hangs on
    made: str = ""  # attributes of the receiver's class that lead to that class instead (`Meta.model`)
    steps: tuple[str, ...] = ()  # it calls these methods of its receiver, each with what the one before gave; the second gets all arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBind(Rule):
    """Call that makes a callable of an argument, others being given already: `functools.partial(f, x)`, `providers.Singleton(C)`."""

    role: ClassVar[str] = "flow.bind"
    function: str  # port
    first: int = 1  # position of the first argument given already
    injects: bool = False  # arguments that are such callables are called, too, and what they give is passed


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
        WebApp, WebRouter, WebRoute, WebMount, WebView, WebClass, WebMethods, WebAction, WebEndpoint, WebSchema, WebArguments, WebRequest,
        WebParameter, WebResponse, WebAbort, WebAuth, WebLimit, WebHook,
        ModelLoad, ModelConstruct, ModelPredict, ModelTrain, ModelSave, ModelConfigure, ModelPlace, DataConvert, DataLive, Effect, FlowCall,
        TaskDefine, TaskEnqueue, TaskWait, TaskOption, TaskRunning, StreamSource,
        ChannelPut, ChannelTake, FlowBind,
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
