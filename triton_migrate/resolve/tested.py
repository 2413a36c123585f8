"""Takes the files of a program, gives those that test it: what they make, store, pass and register is there for tests only.

A name alone (`check_test.py`, a folder `tests`) does not tell: an application may be called so. A file of such a name is none where it
uses a web framework, or the application imports it, and neither it nor its folder shows that anything is tested there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import FileScopes

FOLDER = re.compile(r"(.*?(?:^|/)tests?)/")
TESTING = re.compile(
    r"(?:\A|\.)(?:pytest\w*|unittest|nose2?|hypothesis|tests?|\w*testing|testclient|test_utils|TestClient|TestCase|\w*mock)(?:\Z|\.)"
)
CLIENTS = ("test_client", "test_request_context", "TestClient")


def tests(files: dict[str, FileScopes], web: frozenset[str], imports: Callable[[str], frozenset[str]]) -> frozenset[str]:
    """`web`: import roots of web frameworks; `imports`: the files that one imports."""
    named = frozenset(path for path in files if _named_so(path))
    sure = {path for path in named if path.rpartition("/")[2] == "conftest.py" or _shows(files[path])}
    grounds = {_ground(path) for path in sure} - {None}
    doubtful = {path for path in named - sure if _ground(path) not in grounds}
    if not doubtful:
        return named
    used = frozenset().union(*(imports(path) for path in files if path not in named))
    return named - {path for path in doubtful if path in used or _uses(files[path], web)}


def _named_so(path: str) -> bool:
    *folders, name = path.split("/")
    return bool({"test", "tests"} & set(folders)) or name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def _ground(path: str) -> str | None:
    """The outermost folder for tests that the file is in."""
    found = FOLDER.match(path)
    return found[1] if found else None


def _shows(file: FileScopes) -> bool:
    """Whether the file says that it tests: by what it imports or asks for, or by a function that only a test runner can find."""
    if any(TESTING.search(name) for name in _imported(file)) or any(name in file.calls for name in CLIENTS):
        return True
    functions = [s.function for s in flow.flatten(file.facts.body) if isinstance(s, ir.Define)]
    found = {f.name for f in functions if f.name.startswith("test") and not f.decorators and _asserts(f.body)}
    return bool(found - set(_mentioned(file.facts.body))) if found else False


def _asserts(body: ir.Block) -> bool:
    return any(isinstance(stmt, ir.Assert) for stmt in flow.flatten(body))


def _mentioned(body: ir.Block) -> Iterator[str]:
    for part in (part for stmt in flow.flatten(body) for expr in flow.expressions(stmt) for part in flow.walk(expr)):
        if isinstance(part, ir.Name):
            yield part.id


def _imported(file: FileScopes) -> Iterable[str]:
    """Every dotted name that the file imports, without the dots of relative ones."""
    for scope in file.scopes:
        for bindings in scope.bindings.values():
            for bound in bindings:
                if bound.how == "import":
                    yield str(bound.node)
                elif bound.how == "from":
                    stmt, name = bound.imported
                    yield f"{stmt.module}.{name}" if stmt.level == 0 else name
    yield from (star.module for star in file.stars)


def _uses(file: FileScopes, roots: frozenset[str]) -> bool:
    return any(head in roots for name in _imported(file) for head in (name.partition(".")[0], name.rpartition(".")[0]))
