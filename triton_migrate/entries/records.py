"""What can be called from outside: HTTP routes and queue tasks."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.resolve.values import UserFunction
from triton_migrate.rulebook.vocabulary import WebApp


@dataclass(frozen=True, slots=True)
class Input:
    """One value the client sends. `type` is as declared, else ""; `shape` and `dtype` stay empty for scalars and text."""

    name: str
    source: str
    type: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Application:
    """An object that a WSGI or ASGI server runs. `target` is what the server is told, e.g. "pkg.main:app"."""

    framework: str
    span: Span
    target: str
    server: str
    factory: bool
    rule: WebApp


@dataclass(frozen=True, slots=True)
class Entry:
    """One HTTP route: `path` carries all prefixes as written; `line` is the line of the handler's `def`."""

    framework: str
    methods: tuple[str, ...]
    path: str
    handler: UserFunction
    registered: bool
    inputs: tuple[Input, ...]
    app: WebApp | None

    @property
    def id(self) -> str:
        return f"{self.methods[0]} {self.path}"

    @property
    def file(self) -> str:
        return self.handler.scope.file

    @property
    def line(self) -> int:
        return self.handler.scope.function.at[0]


@dataclass(frozen=True, slots=True)
class Task:
    """A function that a queue runs."""

    name: str
    queue: str
    handler: UserFunction

    @property
    def id(self) -> str:
        return f"task {self.name}"

    @property
    def file(self) -> str:
        return self.handler.scope.file

    @property
    def line(self) -> int:
        return self.handler.scope.function.at[0]
