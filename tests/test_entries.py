"""Each way of registering a route or a task, in the smallest program that shows it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from triton_migrate.base import SourceFile
from triton_migrate.entries.applications import applications
from triton_migrate.entries.consumers import consumers
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.routes import Routes
from triton_migrate.entries.tasks import tasks
from triton_migrate.entries.texts import simplified
from triton_migrate.index import ir
from triton_migrate.index.lower import lower
from triton_migrate.match import Matcher
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.values import Literal
from triton_migrate.rulebook.load import load_rulebook
from triton_migrate.rulebook.vocabulary import ChannelPut, TaskEnqueue

RULEBOOK = load_rulebook()
FLASK = "from flask import Flask, Blueprint\napp = Flask(__name__)\n"
CELERY = "from celery import Celery\nc = Celery('x')\n"
THREAD = "import threading\ndef f(x): ...\n"
FASTAPI = "from fastapi import FastAPI, APIRouter, Depends, Query\napp = FastAPI()\n"


def program(files: dict[str, str] | str) -> Matcher:
    given = {"main.py": files} if isinstance(files, str) else files
    facts = [lower(SourceFile(path, dedent(text), "")) for path, text in given.items()]
    assert all(isinstance(f, ir.ModuleFacts) for f in facts), facts
    read = tuple(f for f in facts if isinstance(f, ir.ModuleFacts))
    return Matcher(Evaluator(Program(read, web=RULEBOOK.web_roots), RULEBOOK))


def routes(files: dict[str, str] | str) -> list[tuple[str, str, str]]:
    """Methods, path and the name of the handler."""
    return sorted((",".join(e.methods), e.path, e.handler.scope.qualname) for e in Routes(program(files)).entries())


def task_names(files: dict[str, str] | str) -> list[tuple[str, str]]:
    matcher = program(files)
    return [(t.name, t.queue) for t in tasks(matcher, Routes(matcher).entries())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@app.route('/a', methods=['POST', 'GET'])\ndef f(): ...", [("GET,POST", "/a", "f")]),
        ("@app.put('/a')\ndef f(): ...", [("PUT", "/a", "f")]),
        ("def f(): ...\napp.add_url_rule('/a', view_func=f, methods=('PATCH',))", [("PATCH", "/a", "f")]),
        ("def f(): ...\napp.route('/a')(f)", [("GET", "/a", "f")]),
        ("route = app.route\n@route('/a')\ndef f(): ...", [("GET", "/a", "f")]),
        ("V = '/v1'\n@app.route(f'{V}/a')\n@app.route(V + '/b')\ndef f(): ...", [("GET", "/v1/a", "f"), ("GET", "/v1/b", "f")]),
        ("import os\nV = os.getenv('V')\n@app.route(f'/{V}/a')\ndef f(): ...", [("GET", "/{V}/a", "f")]),
        ("import os\nP = os.environ.get('P', '/a')\n@app.route(P)\ndef f(): ...", [("GET", "/a", "f")]),
        ("import os\nP = os.environ['P']\nP = f'/v1/{P}'\n@app.route(P + '/a')\ndef f(): ...", [("GET", "/v1/{P}/a", "f")]),
        ("if DEBUG:\n    @app.get('/debug')\n    def f(): ...", [("GET", "/debug", "f")]),
        ("from functools import partial\ndef f(x): ...\napp.add_url_rule('/a', view_func=partial(f, 1))", [("GET", "/a", "f")]),
        ("def add(target):\n    @target.get('/a')\n    def f(): ...\nadd(app)", [("GET", "/a", "add.f")]),
        ("def f(): ...\napp.add_url_rule('/a', endpoint='x', methods=['PUT'])\napp.view_functions['x'] = f", [("PUT", "/a", "f")]),
        ("app.add_url_rule('/a', 'x')\n@app.endpoint('x')\ndef f(): ...\n@app.endpoint('y')\ndef g(): ...", [("GET", "/a", "f")]),
        ("from functools import lru_cache\ndef f(): ...\napp.add_url_rule('/a', view_func=lru_cache(f))", [("GET", "/a", "f")]),
        ("@app.errorhandler(404)\ndef f(e): ...\n@app.before_request\ndef g(): ...\napp.test_client().get('/a')", []),
    ],
)
def test_flask_registration(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert routes(FLASK + source) == expected


def test_flask_views_are_their_methods() -> None:
    source = """
        from flask.views import MethodView as Base, View
        class Both(Base):
            def get(self): ...
            def post(self): ...
        class One(View):
            methods = ['POST']
            def dispatch_request(self): ...
        view = Both.as_view('both')
        app.add_url_rule('/both', view_func=view)
        app.add_url_rule('/read', view_func=Both.as_view('read'), methods=['GET'])
        app.add_url_rule('/one', view_func=One.as_view('one'))
    """
    assert routes(FLASK + dedent(source)) == [
        ("GET", "/both", "Both.get"),
        ("GET", "/read", "Both.get"),
        ("POST", "/both", "Both.post"),
        ("POST", "/one", "One.dispatch_request"),
    ]


def test_the_default_of_a_setting_in_another_module_is_the_path() -> None:
    files = {
        "settings.py": """
            import os
            PLACE = os.getenv("PLACE", "/place")
            class Config:
                BASE = os.environ.get("BASE", "/v1")
                def __init__(self):
                    self.own = os.getenv("OWN", "/own")
            config = Config()
        """,
        "main.py": """
            import settings
            from flask import Flask
            from flask_restful import Api, Resource
            from settings import PLACE, Config, config
            app = Flask(__name__)
            api = Api(app)
            @app.route(PLACE)
            def one(): ...
            @app.route(Config.BASE + "/two")
            def two(): ...
            @app.route(f"{config.own}/three")
            def three(): ...
            class Four(Resource):
                def get(self): ...
            api.add_resource(Four, settings.PLACE + "/four", PLACE)
        """,
    }
    assert routes(files) == [
        ("GET", "/own/three", "three"),
        ("GET", "/place", "Four.get"),
        ("GET", "/place", "one"),
        ("GET", "/place/four", "Four.get"),
        ("GET", "/v1/two", "two"),
    ]


def test_a_router_of_view_sets_may_have_an_empty_prefix() -> None:
    files = {
        "views.py": """
            from rest_framework import viewsets
            from rest_framework.decorators import action
            class Words(viewsets.ViewSet):
                @action(detail=False, methods=["post"])
                def tone(self, request): ...
        """,
        "urls.py": """
            import views
            from django.urls import include, path
            from rest_framework.routers import SimpleRouter
            router = SimpleRouter()
            router.register(r"", views.Words, basename="words")
            urlpatterns = [path("api/", include(router.urls))]
        """,
    }
    assert routes(files) == [("POST", "/api/tone/", "Words.tone")]


def test_blueprints_nest_and_prefixes_given_at_registration_count() -> None:
    files = {
        "pkg/__init__.py": "from .inner import bp",
        "pkg/inner.py": "from flask import Blueprint\nbp = Blueprint('b', __name__, url_prefix='/own')\n@bp.get('/x')\ndef f(): ...\n",
        "main.py": """
            from flask import Flask, Blueprint
            from pkg import bp
            outer = Blueprint('o', __name__)
            lost = Blueprint('l', __name__)
            @lost.get('/lost')
            def g(): ...
            def create_app():
                app = Flask(__name__)
                outer.register_blueprint(bp)
                app.register_blueprint(outer, url_prefix='/api/')
                return app
        """,
    }
    assert routes(files) == [("GET", "/api/own/x", "f")]


def test_user_subclasses_of_an_application_are_applications() -> None:
    source = """
        from flask import Flask
        class Site(Flask):
            def make_response(self, rv): ...
        site = Site(__name__)
        @site.post('/a')
        def f(): ...
    """
    assert routes(source) == [("POST", "/a", "f")]


def test_restful_resources_hang_on_an_api_that_hangs_on_a_blueprint() -> None:
    source = """
        from flask_restful import Api, Resource
        bp = Blueprint('b', __name__)
        api = Api(bp, prefix='/v1')
        class Thing(Resource):
            def delete(self, id): ...
        api.add_resource(Thing, '/thing/<int:id>', '/t/<int:id>')
        app.register_blueprint(bp, url_prefix='/api')
    """
    assert routes(FLASK + dedent(source)) == [
        ("DELETE", "/api/v1/t/<int:id>", "Thing.delete"),
        ("DELETE", "/api/v1/thing/<int:id>", "Thing.delete"),
    ]


def test_restx_namespaces_take_their_name_their_path_or_what_add_namespace_says() -> None:
    source = """
        from flask_restplus import Api, Namespace, Resource
        api = Api()
        named, pathed, told = Namespace('named'), Namespace('x', path='/pathed'), Namespace('y')
        class R(Resource):
            def get(self): ...
        for ns in (named, pathed, told):
            ns.add_resource(R, '/r')
        api.add_namespace(named)
        api.add_namespace(pathed)
        api.add_namespace(told, '/told')
        api.init_app(app)
    """
    assert {path for _, path, _ in routes(FLASK + dedent(source))} == {"/named/r", "/pathed/r", "/told/r"}


def test_smorest_quart_and_apiflask_are_flask_by_rules_alone() -> None:
    smorest = """
        from flask_smorest import Api, Blueprint
        from flask.views import MethodView
        blp = Blueprint('b', __name__, url_prefix='/b')
        @blp.route('/x')
        class X(MethodView):
            def get(self): ...
        Api(app).register_blueprint(blp)
    """
    assert routes(FLASK + dedent(smorest)) == [("GET", "/b/x", "X.get")]
    assert routes("from quart import Quart\napp = Quart(__name__)\n@app.post('/x')\nasync def f(): ...") == [("POST", "/x", "f")]
    assert routes("from apiflask import APIFlask\napp = APIFlask(__name__)\n@app.post('/x')\ndef f(): ...") == [("POST", "/x", "f")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@app.api_route('/a', methods=['GET', 'PUT'])\ndef f(): ...", [("GET,PUT", "/a", "f")]),
        ("def f(): ...\napp.add_api_route('/a', f, methods=['DELETE'])", [("DELETE", "/a", "f")]),
        ("@app.get('/a')\n@app.get('/b')\n@app.post('/b')\ndef f(): ...", [("GET", "/a", "f"), ("GET,POST", "/b", "f")]),
        ("@app.websocket('/ws')\nasync def f(ws): ...", [("WEBSOCKET", "/ws", "f")]),
        ("sub = FastAPI()\n@sub.get('/a')\ndef f(): ...\napp.mount('/sub', sub)", [("GET", "/sub/a", "f")]),
        ("@app.webhooks.post('new')\ndef f(): ...", []),
        ("r = APIRouter()\n@r.post('{$callback}')\ndef f(): ...\n@app.get('/a', callbacks=r.routes)\ndef g(): ...", [("GET", "/a", "g")]),
        ("@app.exception_handler(ValueError)\ndef f(r, e): ...\n@app.middleware('http')\nasync def g(r, n): ...", []),
    ],
)
def test_fastapi_registration(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert routes(FASTAPI + source) == expected


def test_routers_are_included_through_several_levels() -> None:
    files = {
        "api/__init__.py": "from fastapi import APIRouter\nfrom . import items\nrouter = APIRouter(prefix='/v1')\n"
        "router.include_router(items.router, prefix='/items')\n",
        "api/items.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/{id}')\ndef f(id: int): ...\n",
        "settings.py": "class Settings:\n    PREFIX = '/api'\nsettings = Settings()\n",
        "main.py": "from fastapi import FastAPI\nfrom api import router\nfrom settings import settings\n"
        "app = FastAPI()\napp.include_router(router, prefix=settings.PREFIX)\n",
    }
    assert routes(files) == [("GET", "/api/v1/items/{id}", "f")]


def test_what_is_registered_on_an_unknown_application_is_served() -> None:
    files = {
        "main.py": "from fastapi import FastAPI, APIRouter\nr = APIRouter(prefix='/r')\n@r.get('/a')\ndef f(): ...\n"
        "def plug(app):\n    app.include_router(r)\n    @app.get('/b')\n    def g(): ...\n    app.do('/c')\nmade = FastAPI()\n"
    }
    assert routes(files) == [("GET", "/b", "plug.g"), ("GET", "/r/a", "f")]


def test_tests_are_not_the_application() -> None:
    test = "from main import app\n@app.get('/fake')\ndef fake(): ..."
    assert routes({"main.py": FASTAPI, "tests/test_app.py": test}) == []


def test_starlette_lists_of_routes() -> None:
    source = """
        from starlette.applications import Starlette
        from starlette.endpoints import HTTPEndpoint
        from starlette.routing import Host, Mount, Route as R, Router, WebSocketRoute
        async def f(request): ...
        class E(HTTPEndpoint):
            async def get(self, request): ...
        inner = [R('/e', E)]
        routes = [R('/f', f, methods=['POST']), *inner, Mount('/m', routes=inner), Host('a.org', Router([R('/h', f)]))]
        routes.append(WebSocketRoute('/ws', f))
        unused = [R('/unused', f)]
        app = Starlette(routes=routes + [Mount('/n', app=Router(routes=[R('/r', f)]))])
    """
    assert routes(source) == [
        ("GET", "/e", "E.get"),
        ("GET", "/h", "f"),
        ("GET", "/m/e", "E.get"),
        ("GET", "/n/r", "f"),
        ("POST", "/f", "f"),
        ("WEBSOCKET", "/ws", "f"),
    ]


def test_inputs_of_dependencies_and_models() -> None:
    source = """
        from pydantic import BaseModel
        class Params(BaseModel):
            top: int
        class Body(BaseModel):
            text: str
        @app.post('/a/{id}')
        def f(id: int, body: Body, params: Params = Depends(), flag: bool = False): ...
    """
    (entry,) = Routes(program(FASTAPI + dedent(source))).entries()
    assert {(i.name, i.source) for i in entry.inputs} == {("id", "path"), ("text", "json"), ("top", "query"), ("flag", "query")}


def test_annotated_attributes_of_a_plain_dependency_are_no_inputs() -> None:
    source = """
        from dataclasses import dataclass
        class Settings:
            device: str
            def __new__(cls):
                return super().__new__(cls)
        @dataclass
        class Page:
            size: int = 10
            _kept: str = ""
        @app.get('/a')
        def f(settings: Settings = Depends(), page: Page = Depends()): ...
    """
    (entry,) = Routes(program(FASTAPI + dedent(source))).entries()
    assert {(i.name, i.source) for i in entry.inputs} == {("size", "query")}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from celery import Celery\nc = Celery('x')\n@c.task\ndef f(): ...", [("main.f", "celery")]),
        ("from celery import shared_task\n@shared_task(name='n', bind=True)\ndef f(self): ...", [("n", "celery")]),
        ("from celery import Celery\ndef make():\n    return Celery('x')\nc = make()\n@c.task()\ndef f(): ...", [("main.f", "celery")]),
        (CELERY + "from celery import Task\nclass T(Task):\n    def run(self): ...\nc.register_task(T())", [("main.T.run", "celery")]),
        ("import dramatiq\n@dramatiq.actor\ndef f(): ...", [("main.f", "dramatiq")]),
        ("from huey import RedisHuey\nh = RedisHuey()\n@h.task()\ndef f(): ...", [("main.f", "huey")]),
        ("from rq import Queue\ndef f(x): ...\nQueue().enqueue(f, 1)", [("main.f", "rq")]),
        ("from rq import Queue\ndef f(x): ...\nQueue().enqueue('main.f', 1)", [("main.f", "rq")]),
        (FASTAPI + THREAD + "@app.get('/')\ndef g():\n    threading.Thread(target=f, args=(1,)).start()", [("main.f", "thread")]),
        ("import threading\ndef f(): ...\nthreading.Thread(target=f).start()", []),
        ("class WorkerSettings:\n    functions = [f]\nasync def f(ctx): ...", [("f", "arq")]),
        ("from taskiq import InMemoryBroker\nb = InMemoryBroker()\n@b.task('n')\ndef f(): ...", [("n", "taskiq")]),
        (FASTAPI + "from fastapi import BackgroundTasks\ndef f(x): ...\n@app.get('/')\ndef g(b: BackgroundTasks):\n    b.add_task(f, 1)",
         [("main.f", "background-task")]),
    ],
)  # fmt: skip
def test_tasks(source: str, expected: list[tuple[str, str]]) -> None:
    assert task_names(source) == expected


def test_a_module_named_like_a_library_does_not_hide_it() -> None:
    files = {
        "proj/__init__.py": "",
        "proj/celery.py": "from celery import Celery\napp = Celery('proj')\n",
        "proj/tasks.py": "from .celery import app\n@app.task\ndef f(): ...\n",
        "demo/tasks.py": "from celery import shared_task\n@shared_task\ndef g(): ...\n",
    }
    assert task_names(files) == [("demo.tasks.g", "celery"), ("proj.tasks.f", "celery")]


@pytest.mark.parametrize(
    "enqueue",
    [
        "f.delay(1)",
        "f.apply_async(args=[1])",
        "f.apply_async((1,))",
        "c.send_task('main.f', kwargs={'x': 1})",
        "chain = f.s(1)",
        "c.tasks['main.f'].delay(1)",
        "c.signature('f', args=(1,))",
        "c.send_task('app.main.f', [1])",
    ],
)
def test_the_enqueued_task_gets_its_arguments(enqueue: str) -> None:
    matcher = program(f"from celery import Celery\nc = Celery('x')\n@c.task(bind=True)\ndef f(self, x): ...\n{enqueue}\n")
    queues = Queues(matcher, tasks(matcher))
    (match,) = matcher.find(TaskEnqueue)
    frame = matcher.program.generic(match.place.scope)
    ((function, call),) = queues.enqueued(match.rule, match.api, match.place.call, frame)
    assert function.scope.name == "f"
    assert matcher.evaluator.bind(function, call, frame)["x"] == frozenset({Literal(1)})


def test_a_task_object_is_of_its_base_class_and_has_the_decorators_options() -> None:
    source = """
        from celery import Celery, Task
        c = Celery('x')
        class Base(Task):
            kind = 'base'
        @c.task(bind=True, base=Base, path='m.pkl')
        def f(self):
            return self.path, f.kind
    """
    matcher = program(source)
    (task,) = tasks(matcher)
    (pair,) = matcher.evaluator.returned(task.handler, {})
    assert [matcher.evaluator.element(pair, i) for i in (0, 1)] == [frozenset({Literal("m.pkl")}), frozenset({Literal("base")})]


@pytest.mark.parametrize(
    ("put", "take", "workers"),
    [
        ("q.put(1)", "while True:\n        q.get()", ["work"]),
        ("q.put(1)", "for x in iter(q.get, None):\n        print(x)", ["work"]),
        ("q.put(1)", "q.get()", []),
        ("q.put(1)", "while True:\n        other.get()", []),
        ("db.rpush('jobs', 1)", "while True:\n        db.blpop(['jobs', 'rest'])", ["work"]),
        ("db.rpush('jobs', 1)", "while True:\n        db.blpop('rest')", []),
    ],
)
def test_what_is_put_onto_a_channel_goes_to_the_loop_that_takes_it(put: str, take: str, workers: list[str]) -> None:
    matcher = program(f"import queue, redis\nq, other, db = queue.Queue(), queue.Queue(), redis.Redis()\ndef work():\n    {take}\n{put}\n")
    (match,) = matcher.find(ChannelPut)
    frame = matcher.program.generic(match.place.scope)
    (channel,) = matcher.evaluator.channels.of(match.rule, match.api, match.place.call, frame)
    assert [w.scope.name for w in Queues(matcher, ()).workers(channel)] == workers


@pytest.mark.parametrize(
    ("imported", "made"),
    [
        ("from kafka import KafkaConsumer", "KafkaConsumer"),
        ("from kafka import KafkaConsumer as Reader", "Reader"),
        ("from aiokafka import AIOKafkaConsumer", "AIOKafkaConsumer"),
    ],
)
def test_a_loop_over_messages_is_a_consumer_whatever_the_library_calls_it(imported: str, made: str) -> None:
    source = f"{imported}\nasync def work():\n    async for message in {made}('orders'):\n        print(message)"
    assert [(c.kind, c.scope.name) for c in consumers(program(source), frozenset())] == [("messages", "work")]


def test_inputs_of_a_request_parser() -> None:
    source = """
        from flask_restful import Api, Resource, reqparse
        api = Api(app)
        parser, other = reqparse.RequestParser(), reqparse.RequestParser()
        parser.add_argument('size', type=float)
        parser.add_argument('image', location='files')
        other.add_argument('never')
        class Thing(Resource):
            def post(self):
                args = parser.parse_args()
        api.add_resource(Thing, '/thing')
    """
    (entry,) = Routes(program(FLASK + dedent(source))).entries()
    assert {(i.name, i.source, i.type) for i in entry.inputs} == {("size", "json", "float"), ("image", "file", "")}


def test_lifespan_gets_the_application_and_handlers_the_request() -> None:
    source = """
        from starlette.applications import Starlette
        from starlette.routing import Route
        async def lifespan(app):
            app.state.ready = 'yes'
            yield
        async def f(request):
            return request.app.state.ready
        app = Starlette(lifespan=lifespan, routes=[Route('/', f)])
    """
    matcher = program(source)
    (entry,) = Routes(matcher).entries()
    assert matcher.evaluator.returned(entry.handler, {}) == frozenset({Literal("yes")})


def test_applications_are_named_as_a_server_wants_them() -> None:
    assert [a.target for a in applications(program({"pkg/web.py": FLASK}))] == ["pkg.web:app"]
    starlette = "from starlette.applications import Starlette\napp = Starlette()\n"
    assert [(a.target, a.framework) for a in applications(program(starlette))] == [("main:app", "starlette")]
    subclass = "from flask import Flask\nclass Site(Flask): ...\nsite = Site(__name__)\n"
    assert [a.target for a in applications(program(subclass))] == ["main:site"]
    factory = "from fastapi import FastAPI\ndef create():\n    return FastAPI()\n"
    assert [(a.target, a.factory) for a in applications(program(factory))] == [("main:create", True)]


def inputs(source: str) -> set[tuple[str, str]]:
    """Name and source of what the only route declares."""
    (entry,) = Routes(program(source)).entries()
    return {(i.name, i.source) for i in entry.inputs}


def unregistered(source: str) -> list[tuple[str, str, str]]:
    found = Routes(program(source))
    found.entries()
    return sorted((",".join(e.methods), e.path, e.handler.scope.qualname) for e in found.unregistered)


def test_what_nothing_serves_is_told() -> None:
    source = """
        from flask.views import MethodView
        lost, used = Blueprint('lost', __name__, url_prefix='/lost'), Blueprint('used', __name__)
        @lost.post('/a')
        def f(): ...
        @used.get('/b')
        @lost.get('/b')
        def g(): ...
        class Forgotten(MethodView):
            def put(self): ...
        app.register_blueprint(used)
    """
    assert routes(FLASK + dedent(source)) == [("GET", "/b", "g")]
    assert unregistered(FLASK + dedent(source)) == [("POST", "/lost/a", "f"), ("PUT", "", "Forgotten.put")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    return M(**request.get_json())", {("a", "json"), ("b", "json")}),
        ("def f():\n    return M.model_validate(request.form)", {("a", "form"), ("b", "form")}),
        ("def f():\n    return M.parse_raw(request.data)", {("a", "json"), ("b", "json")}),
        ("def f():\n    return M(**json.loads(request.data))", {("a", "json"), ("b", "json")}),
        ("def f():\n    return S().load(request.json)", {("c", "json")}),
        ("def f():\n    return M(a=1, b=2)", set()),
        ("@use_args({'d': fields.Int()}, location='query')\ndef f(args): ...", {("d", "query")}),
        ("@use_kwargs(S)\ndef f(**given): ...", {("c", "json")}),
    ],
)
def test_schemas_that_read_the_request_are_inputs(source: str, expected: set[tuple[str, str]]) -> None:
    head = """
        import json
        from flask import request
        from marshmallow import Schema, fields
        from pydantic import BaseModel
        from webargs.flaskparser import use_args, use_kwargs
        class M(BaseModel):
            a: int
            b: str
        class S(Schema):
            c = fields.Int()
            other = 1
    """
    assert inputs(FLASK + dedent(head) + "@app.post('/x')\n" + source) == expected


def test_arguments_given_at_registration_reach_the_view() -> None:
    source = """
        from flask_restful import Api, Resource
        class Thing(Resource):
            def __init__(self, model):
                self.model = model
            def get(self):
                return self.model
        Api(app).add_resource(Thing, '/x', resource_class_kwargs={'model': 'known'})
    """
    matcher = program(FLASK + dedent(source))
    (entry,) = Routes(matcher).entries()
    assert Literal("known") in matcher.evaluator.returned(entry.handler, {})


REBOUND = """
    from flask import Blueprint, Flask
    bp = Blueprint('a', __name__, url_prefix='/a')
    @bp.get('/x')
    def f(): ...
    {between}
    bp = Blueprint('b', __name__, url_prefix='/b')
    @bp.get('/y')
    def g(): ...
"""
SERVE = "from flask import Flask\nfrom views import bp as b\nimport views\napp = Flask(__name__)\n"


@pytest.mark.parametrize(
    ("between", "serve", "expected"),
    [
        ("", "app.register_blueprint(b)", [("GET", "/b/y", "g")]),
        ("", "app.register_blueprint(views.bp)", [("GET", "/b/y", "g")]),
        ("", "def create():\n    app.register_blueprint(b)", [("GET", "/b/y", "g")]),
        ("app = Flask('x'); app.register_blueprint(bp)", "", [("GET", "/a/x", "f")]),
        ("held = [bp]", "for each in views.held:\n    app.register_blueprint(each)", [("GET", "/a/x", "f"), ("GET", "/b/y", "g")]),
    ],
)
def test_a_name_means_its_last_assignment_before(between: str, serve: str, expected: list[tuple[str, str, str]]) -> None:
    assert routes({"views.py": REBOUND.format(between=between), "main.py": SERVE + serve}) == expected


@pytest.mark.parametrize(
    ("body", "methods"),
    [
        ("return 1", "GET"),
        ("return request.POST['x']", "POST"),
        ("if request.method == 'POST':\n        return 1\n    return 2", "GET,POST"),
        ("if request.method != 'PUT':\n        raise ValueError", "PUT"),
        ("if request.method in ('PUT', 'PATCH'):\n        return 1", "GET,PATCH,PUT"),
    ],
)
def test_methods_that_a_handler_tells_apart(body: str, methods: str) -> None:
    source = f"from django.urls import path\ndef f(request):\n    {body}\nurlpatterns = [path('x/', f)]\n"
    assert routes(source) == [(methods, "/x/", "f")]


@pytest.mark.parametrize(
    ("regex", "shown"),
    [
        (r"^a/b/$", "a/b/"),
        (r"^a/(?P<id>\d+)/$", "a/<id>/"),
        (r"a/(\d{4})-(x(y|z))/?$", "a/<var>-<var>/"),
        (r"^file\.txt\Z", "file.txt"),
    ],
)
def test_regular_expressions_are_shown_as_paths(regex: str, shown: str) -> None:
    assert simplified(regex) == shown
