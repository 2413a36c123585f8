"""Which files test an application: their names alone do not tell."""

from __future__ import annotations

import pytest
from test_entries import routes

APP = "from flask import Flask\napp = Flask(__name__)\n"
ASK = '@app.get("/ask")\ndef ask(): pass\n'
TEST = "def test_ask():\n    assert ask() is None\n"


@pytest.mark.parametrize("name", ["check_test.py", "test_app.py", "tests/app.py", "test/routes/app.py"])
def test_an_application_may_be_called_as_tests_are(name: str) -> None:
    assert routes({name: APP + ASK}) == [("GET", "/ask", "ask")]


@pytest.mark.parametrize(
    "more",
    [
        TEST,
        "import pytest\n",
        "from unittest.mock import patch\n",
        "from flask.testing import FlaskClient\n",
        "client = app.test_client()\n",
        "from tests.data import ROWS\n",
    ],
)
def test_a_file_that_tests_is_none_of_the_application(more: str) -> None:
    assert routes({"app.py": APP, "test_app.py": APP + ASK + more}) == []


def test_a_handler_is_no_test_whatever_its_name_is() -> None:
    registered = "def test_ask():\n    assert app\napp.add_url_rule('/ask', view_func=test_ask)\n"
    assert routes({"ask_test.py": APP + registered}) == [("GET", "/ask", "test_ask")]


def test_a_folder_in_which_something_is_tested_is_for_tests() -> None:
    assert routes({"tests/app.py": APP + ASK, "tests/unit/test_ask.py": "from ..app import ask\n" + TEST}) == []
    assert routes({"tests/app.py": APP + ASK, "unit/test_ask.py": "from app import ask\n" + TEST}) == [("GET", "/ask", "ask")]


def test_what_the_application_imports_is_no_test() -> None:
    table = {"app.py": APP + "from test_paths import PATHS\nfrom made_test import add\nadd(app)\n", "test_paths.py": "PATHS = ['/ask']\n"}
    table["made_test.py"] = "from test_paths import PATHS\ndef ask(): pass\ndef add(app): app.add_url_rule(PATHS[0], view_func=ask)\n"
    assert routes(table) == [("GET", "/ask", "ask")]
