"""What the tests share: the fixtures found by listing folders, the interpreter, and `pytest --regen` for the golden ports."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixture_folders import APPS, LIBRARIES, Fixture


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regen", action="store_true", help="rewrite fixtures/apps/*/after/ with what `apply` generates now")


@pytest.fixture(scope="session")
def regen(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--regen"))


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter that has the fixtures' packages: the one that runs the tests."""
    return Path(sys.executable)


@pytest.fixture(params=APPS, ids=lambda fixture: fixture.name)
def app(request: pytest.FixtureRequest) -> Fixture:
    """Each of fixtures/apps/ in turn."""
    fixture: Fixture = request.param
    return fixture


@pytest.fixture(params=[*LIBRARIES, *APPS], ids=lambda fixture: fixture.name)
def case(request: pytest.FixtureRequest) -> Fixture:
    """Each fixture in turn, apps included."""
    fixture: Fixture = request.param
    return fixture


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tests' own folder of caches: what they lower does not stay in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder
