"""Rows about applications and their entries: what registers a handler, what a handler gets and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triton_migrate.rulebook.vocabulary.rule import Rule


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
    included: str = ""  # name of module-level functions that get the application first, by convention
    tuples: str = ""  # path of the call whose arguments a plain tuple in a list of routes stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRouter(Rule):
    """Class whose instance collects routes and is attached to an app or another router."""

    role: ClassVar[str] = "web.router"
    framework: str
    prefix: str = ""
    routes: str = ""
    held: str = ""  # attribute that lists its routes: a function that reads it, and gets an application too, serves them
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
    index: tuple[str, ...] = ()  # the names of handlers for which it is "/"
    below: str = ""  # what the library puts before every such path
    regex: bool = False  # the path is a regular expression: `^x/(?P<id>\d+)/$` is written `x/<id>/`
    handler: str = "decorated"  # "decorated", "self" or a port
    endpoint: str = ""  # port of the handler's name, where it is given elsewhere (`web.endpoint`, or the receiver's dict `endpoints`)
    endpoints: str = ""
    methods: str = ""  # port of a list of HTTP methods, or of one; "*" is every one
    default: tuple[str, ...] = ("GET",)  # methods when the port is absent; none: every one, and those the handler tells apart are reported
    resource: bool = False  # the handler is a class (or an object of one) whose get/post/... methods are the handlers
    verbs: str = "*"  # how these methods are called: `on_*`
    actions: tuple[
        str, ...
    ] = ()  # further methods that answer, as in WebView (`on_websocket WEBSOCKET`); a suffix follows their names, too
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
    below: str = ""  # what the library puts before every such prefix
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
    handler: str = "decorated"  # or a port
    methods: str = ""  # port, as in WebRoute, where it is the handler that is told
    method: str = ""  # port of the name of the method that answers, where the handler is a class: `__call__` where that is absent


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSchema(Rule):
    """Base class whose attributes are fields of a body: annotated ones, or those made by a call under `fields`."""

    role: ClassVar[str] = "web.schema"
    fields: str = ""  # pattern of what makes a field (`marshmallow.fields.*`); empty: annotated attributes
    given: str = ""  # port of the constructor that gets the request's data, or "**": its keywords
    base: str = ""  # a call that makes such a class: port of its base; the other keywords are its fields, each a tuple of type and default
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
