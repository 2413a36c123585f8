"""What runs by itself or is called from outside: HTTP routes, queue tasks, loops over a stream, scripts."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import NOTHING, UserFunction, Values
from triton_migrate.rulebook.vocabulary import WebApp


@dataclass(frozen=True, slots=True)
class Input:
    """One value the client sends. `type` is as declared, else "".

    `parameter` is what the handler calls it, where clients call it otherwise (`Query(alias="q")`).
    """

    name: str
    source: str
    type: str
    provenance: str
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """An object that a WSGI or ASGI server runs. `target` is what the server is told, e.g. "pkg.main:app".

    `script` is the file to run where its main part prepares what the handlers use: a server that imports the application runs none of it.
    """

    framework: str
    span: Span
    target: str
    server: str
    factory: bool
    rule: WebApp
    script: str = ""


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
    before: tuple[UserFunction, ...] = ()  # what the framework runs around the handler, passing each one's result on
    after: tuple[UserFunction, ...] = ()
    answers: Values = NOTHING  # the response classes that the framework puts a plain result into (`response_class=`)

    @property
    def id(self) -> str:
        return f"{self.methods[0]} {self.path}"

    @property
    def scope(self) -> Scope:
        return self.handler.scope

    @property
    def file(self) -> str:
        return self.handler.scope.file

    @property
    def line(self) -> int:
        return self.handler.scope.function.at[0]


@dataclass(frozen=True, slots=True)
class Task:
    """A function that a queue runs.

    `called`: a plain call of it already puts it on the queue; `training`: it is a task of its own only if it trains.
    """

    name: str
    queue: str
    handler: UserFunction
    called: bool = False
    training: bool = False

    @property
    def id(self) -> str:
        return f"task {self.name}"

    @property
    def scope(self) -> Scope:
        return self.handler.scope

    @property
    def file(self) -> str:
        return self.handler.scope.file

    @property
    def line(self) -> int:
        return self.handler.scope.function.at[0]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Code that works on incoming data without HTTP or a task queue: the function, or the module, that reads a stream or scores a batch."""

    kind: str  # messages | video | audio | socket | script
    scope: Scope
    at: ir.At  # the function's definition, or the loop in the module

    @property
    def id(self) -> str:
        return f"consumer {self.file}:{self.line}"

    @property
    def file(self) -> str:
        return self.scope.file

    @property
    def line(self) -> int:
        return self.at[0]

    @property
    def function(self) -> str:
        return self.scope.qualname or "<module>"
