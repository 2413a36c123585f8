"""Paths as they are written: texts put together in Python's ways, and lists of routes that an application is only given when it runs."""

from __future__ import annotations

import pytest
from test_entries import routes

APP = "from flask import Flask\nVERSION = 'v1'\nBASE = '/%s/'.rstrip('/') % VERSION\napp = Flask(__name__)\n"


@pytest.mark.parametrize(
    "path",
    [
        "'/%s/ask' % VERSION",
        "'/%s/%s' % (VERSION, 'ask')",
        "'/{}/ask'.format(VERSION)",
        "'/{0}/{name}'.format(VERSION, name='ask')",
        "'/'.join(['', VERSION, 'ask'])",
        "f'{BASE}/ask'",
        "'/' + VERSION.lower().strip() + '/ask'",
        "'/%s/ask' % VERSION.replace('V', 'v')",
    ],
)
def test_paths_are_put_together_as_python_puts_texts_together(path: str) -> None:
    assert [p for _, p, _ in routes(f"{APP}@app.get({path})\ndef ask(): pass\n")] == ["/v1/ask"]


@pytest.mark.parametrize(
    "path", ["'/%s/%s' % VERSION", "'/{}/{}'.format(VERSION)", "'/{'.format(1)", "'/x'.strip(1, 2)", "'/%(x)s' % {'x': 1}"]
)
def test_a_path_that_python_would_refuse_stops_nothing(path: str) -> None:
    source = f"{APP}@app.get({path})\ndef ask(): pass\n@app.get('/b')\ndef b(): pass\n"
    assert ("GET", "/b", "b") in routes(source)


GATHERED = {
    "app.py": "import sys\nfrom tornado import web\nfrom importlib import import_module\n"
    "def made(names): return web.Application([h for n in names for h in import_module(n).handlers])\napp = made(sys.argv[1:])\n",
    "birds.py": "from tornado import web\nclass Birds(web.RequestHandler):\n    def get(self): self.write('x')\n"
    "class Egg(web.RequestHandler):\n    def get(self): self.write('x')\nhandlers = [(r'/birds', Birds)]\nNAMES = [('a', 1), ('b', 'c')]\n",
}


def test_lists_of_modules_are_served_where_the_application_cannot_be_followed() -> None:
    assert routes(GATHERED) == [("GET", "/birds", "Birds.get")]


def test_lists_of_modules_are_not_served_beside_an_application_that_says_its_routes() -> None:
    told = GATHERED["birds.py"] + "app = web.Application([(r'/egg', Egg)])\n"
    assert routes({"app.py": told}) == [("GET", "/egg", "Egg.get")]


EXTENDED = """
from flask import Flask
from flask_restful import Api, Resource
class Ask(Resource):
    def get(self): ...
class Open(Api):
    def add_open(self, resource, *urls, **more):
        return self.add_resource(resource, *urls, **more)
api = Open(Flask(__name__))
api.add_open(Ask, "/ask/<x>", "/asked", endpoint="ask")
"""


def test_a_method_that_hands_all_its_paths_on_registers_what_its_callers_say() -> None:
    assert routes(EXTENDED) == [("GET", "/ask/<x>", "Ask.get"), ("GET", "/asked", "Ask.get")]


def test_a_route_whose_path_only_the_run_knows_is_one() -> None:
    source = f"{APP}import sys\nPATH = sys.argv[1]\n@app.get(PATH)\ndef ask(): pass\n@app.get(made())\ndef b(): pass\n"
    assert [(p, h) for _, p, h in routes(source)] == [("{?}", "b"), ("{PATH}", "ask")]


def test_a_handler_may_be_set_under_its_name_later() -> None:
    source = f"{APP}def ask(): pass\napp.add_url_rule('/ask', 'ask', view_func=None)\napp.view_functions['ask'] = ask\n"
    assert routes(source) == [("GET", "/ask", "ask")]


DJANGO = {
    "site_/settings.py": "ROOT_URLCONF = 'site_.urls'\n",
    "site_/urls.py": "from django.urls import path\nfrom .views import ask\nurlpatterns = [path('ask', ask)]\n",
    "site_/views.py": "def ask(request): pass\ndef old(request): pass\n",
    "site_/urls_old.py": "from django.urls import path\nfrom .views import old\nurlpatterns = [path('old', old)]\n",
    "alone.py": "from django.urls import path\ndef one(request): pass\nurlpatterns = [path('one', one)]\n",
}


def test_a_list_of_routes_beside_the_one_that_is_served_counts_where_it_is_a_program_of_its_own() -> None:
    assert [(p, h) for _, p, h in routes(DJANGO)] == [("/ask", "ask"), ("/one", "one")]


TURNED = {
    "main.py": """
from importlib import import_module
from fastapi import FastAPI
app = FastAPI()
TABLE = [("/a", "GET"), ("/b", "POST"), ("/c", "PUT")]
AREAS = {"cats": "/c", "dogs": "/d"}
def ask(): ...
for path, method in TABLE:
    app.add_api_route(path, ask, methods=[method])
for name in ("birds", "fish"):
    app.include_router(import_module(f"api.{name}").router, prefix=f"/{name}")
for module, prefix in AREAS.items():
    app.include_router(import_module("api." + module).router, prefix=prefix)
""",
    **{
        f"api/{name}.py": f"from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/{name}')\ndef {name}(): ...\n"
        for name in ("birds", "fish", "cats", "dogs")
    },
}


def test_what_is_registered_in_a_loop_goes_together_turn_by_turn() -> None:
    assert routes(TURNED) == [
        ("GET", "/a", "ask"),
        ("GET", "/birds/birds", "birds"),
        ("GET", "/c/cats", "cats"),
        ("GET", "/d/dogs", "dogs"),
        ("GET", "/fish/fish", "fish"),
        ("POST", "/b", "ask"),
        ("PUT", "/c", "ask"),
    ]


def test_many_paths_of_one_handler_are_all_there() -> None:
    made = ", ".join(f"('/p{n}', ask)" for n in range(40))
    source = f"{APP}def ask(): ...\nfor path, view in [{made}]:\n    app.add_url_rule(path, view_func=view)\n"
    assert len(routes(source)) == 40
    counted = f"{APP}def ask(): ...\nfor n in range(0, 3):\n    app.add_url_rule(f'/p{{n}}', view_func=ask)\n"
    assert sorted(path for _, path, _ in routes(counted)) == ["/p0", "/p1", "/p2"]
    table = "".join(f"@app.get('/p{n}')\n" for n in range(40))
    assert len(routes(f"{APP}{table}def ask(): ...\n")) == 40


def test_routes_of_a_comprehension_go_together_turn_by_turn() -> None:
    source = """
    from starlette.applications import Starlette
    from starlette.routing import Route
    async def a(request): ...
    async def b(request): ...
    app = Starlette(routes=[Route(path, view, methods=[method]) for path, view, method in (("/a", a, "GET"), ("/b", b, "POST"))])
    """
    assert routes(source) == [("GET", "/a", "a"), ("POST", "/b", "b")]


REMADE = """
from flask import Flask
from flask_restful import Api, Resource
class Ask(Resource):
    def get(self): ...
class Open(Api):
    def add_open(self, resource, *urls, **more):
        urls = [scoped(url) for url in urls]
        return self.add_resource(resource, *urls, **more)
def scoped(url):
    return "/org" + url
app = Flask(__name__)
api = Open(app)
api.add_open(Ask, "/ask", "/asked", endpoint="ask")
"""


def test_paths_may_be_remade_before_they_are_registered() -> None:
    assert [p for _, p, _ in routes(REMADE)] == ["/org/ask", "/org/asked"]
    assert [p for _, p, _ in routes(REMADE.replace('"/org" + url', "url if ALONE else '/{}'.format(ORG) + url"))] == ["/ask", "/asked"]
    assert [p for _, p, _ in routes(REMADE.replace("scoped(url) for", "url + '/' for"))] == ["/ask/", "/asked/"]


CLONED = {
    "api.py": "from fastapi import APIRouter\nrouter = APIRouter(prefix='/v1')\nlost = APIRouter()\n"
    "@router.get('/ask')\ndef ask(): ...\n@lost.get('/lost')\ndef gone(): ...\n",
    "main.py": """
from copy import copy
from fastapi import FastAPI
from api import lost, router as api_router
def add_versions(app, router, versions):
    for version in versions:
        app.router.routes.extend(copy(route) for route in router.routes)
def count(app, router):
    return len(app.routes), router
def make():
    app = FastAPI()
    add_versions(app, api_router, versions=["1", "2"])
    count(app, lost)
    return app
app = make()
""",
}


def test_a_router_whose_routes_a_function_copies_to_an_application_is_served() -> None:
    assert routes(CLONED) == [("GET", "/v1/ask", "ask")]


def test_handlers_that_decorators_get_by_hand_go_with_their_turn() -> None:
    source = f"{APP}def a(): ...\ndef b(): ...\nfor path, view in (('/a', a), ('/b', b)):\n    app.get(path)(view)\n"
    assert routes(source) == [("GET", "/a", "a"), ("GET", "/b", "b")]


def test_a_path_that_a_function_makes_is_that_of_its_own_call() -> None:
    asked = "".join(f"@app.get(scoped('/p{n}'))\ndef ask{n}(): ...\n" for n in range(30))
    source = f"{APP}def scoped(path):\n    if app.debug:\n        return '/debug{{}}'.format(path)\n    return path\n{asked}"
    assert sorted(routes(source)) == sorted(("GET", f"{front}/p{n}", f"ask{n}") for front in ("", "/debug") for n in range(30))


ANNOTATED = {
    "parts.py": """
from fastapi import APIRouter, FastAPI
def add(app: FastAPI, part: APIRouter, prefix: str):
    app.include_router(part, prefix=prefix)
def further(part: APIRouter):
    fill(part)
def fill(part: APIRouter):
    @part.get("/filled")
    def filled(): ...
""",
    "main.py": """
from fastapi import APIRouter, FastAPI
from parts import add, further
router, lost = APIRouter(prefix="/v1"), APIRouter()
@router.get("/ask")
def ask(): ...
@lost.get("/lost")
def gone(): ...
further(router)
app, inner = FastAPI(), FastAPI()
add(app, part=router, prefix="/api")
@inner.get("/in")
def inside(): ...
app.mount("/inner", inner)
""",
}


def test_annotated_parameters_are_what_callers_pass() -> None:
    assert [(p, h) for _, p, h in routes(ANNOTATED)] == [
        ("/api/v1/ask", "ask"),
        ("/api/v1/filled", "fill.filled"),
        ("/inner/in", "inside"),
    ]
