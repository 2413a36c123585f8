"""The intermediate representation of one Python file: expressions, statements, functions and classes, with exact places.

Nodes are named tuples: quick to make, to compare by identity and to pickle. `at` is (line, column, end line, end column) as `ast`
counts: columns in UTF-8 bytes.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

At: TypeAlias = tuple[int, int, int, int]


def holds(outer: At, inner: At) -> bool:
    """Whether one place lies in another, or is it."""
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


class Name(NamedTuple):
    at: At
    id: str


class Attribute(NamedTuple):
    at: At
    value: Expr
    attr: str


class Subscript(NamedTuple):
    at: At
    value: Expr
    key: Expr


class Call(NamedTuple):
    at: At
    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]  # None: **mapping


class Constant(NamedTuple):
    at: At
    value: object


class Joined(NamedTuple):
    """An f-string: constants and the expressions between them."""

    at: At
    parts: tuple[Expr, ...]


class Sequence(NamedTuple):
    at: At
    kind: str  # list | tuple | set
    items: tuple[Expr, ...]


class Mapping(NamedTuple):
    at: At
    keys: tuple[Expr | None, ...]  # None: **mapping
    values: tuple[Expr, ...]


class Comprehension(NamedTuple):
    at: At
    kind: str  # list | set | dict | generator
    element: Expr
    value: Expr | None  # of a dict
    loops: tuple[tuple[Expr, Expr, tuple[Expr, ...]], ...]  # target, iterable, conditions


class Lambda(NamedTuple):
    at: At
    function: Function


class Starred(NamedTuple):
    at: At
    value: Expr


class Await(NamedTuple):
    at: At
    value: Expr


class Yield(NamedTuple):
    at: At
    value: Expr | None
    delegates: bool


class Operation(NamedTuple):
    """Unary, binary, boolean and comparison operators."""

    at: At
    operator: str
    operands: tuple[Expr, ...]


class Conditional(NamedTuple):
    at: At
    test: Expr
    then: Expr
    orelse: Expr


class Walrus(NamedTuple):
    at: At
    target: Name
    value: Expr


class Slice(NamedTuple):
    at: At
    parts: tuple[Expr, ...]


Expr: TypeAlias = (
    Name | Attribute | Subscript | Call | Constant | Joined | Sequence | Mapping | Comprehension | Lambda | Starred | Await | Yield
    | Operation | Conditional | Walrus | Slice
)  # fmt: skip


class Assign(NamedTuple):
    at: At
    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None
    augmented: bool


class Evaluate(NamedTuple):
    at: At
    value: Expr


class Return(NamedTuple):
    at: At
    value: Expr | None


class Raise(NamedTuple):
    at: At
    exception: Expr | None
    cause: Expr | None


class If(NamedTuple):
    at: At
    test: Expr
    body: Block
    orelse: Block


class For(NamedTuple):
    at: At
    target: Expr
    iterable: Expr
    body: Block
    orelse: Block
    is_async: bool = False


class While(NamedTuple):
    at: At
    test: Expr
    body: Block
    orelse: Block


class Handler(NamedTuple):
    at: At
    type: Expr | None
    name: str | None
    body: Block


class Try(NamedTuple):
    at: At
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block


class With(NamedTuple):
    at: At
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block
    is_async: bool = False


class Case(NamedTuple):
    captures: tuple[str, ...]
    guard: Expr | None
    body: Block


class Match(NamedTuple):
    at: At
    subject: Expr
    cases: tuple[Case, ...]


class Import(NamedTuple):
    """`import a.b as c` is (("a.b", "c"),); without `as` the bound name is the first part."""

    at: At
    names: tuple[tuple[str, str | None], ...]


class ImportFrom(NamedTuple):
    at: At
    module: str
    level: int
    names: tuple[tuple[str, str | None], ...]


class Define(NamedTuple):
    at: At
    function: Function


class DefineClass(NamedTuple):
    at: At
    definition: Class


class Declare(NamedTuple):
    at: At
    kind: str  # global | nonlocal
    names: tuple[str, ...]


class Delete(NamedTuple):
    at: At
    targets: tuple[Expr, ...]


class Assert(NamedTuple):
    at: At
    test: Expr
    message: Expr | None


class Jump(NamedTuple):
    at: At
    kind: str  # break | continue | pass


Stmt: TypeAlias = (
    Assign | Evaluate | Return | Raise | If | For | While | Try | With | Match | Import | ImportFrom | Define | DefineClass | Declare
    | Delete | Assert | Jump
)  # fmt: skip
Block: TypeAlias = tuple[Stmt, ...]


class Parameter(NamedTuple):
    name: str
    kind: str  # positional | keyword | *args | **kwargs
    annotation: Expr | None
    default: Expr | None


class Function(NamedTuple):
    at: At  # of the whole statement, decorators left out
    name: str
    qualname: str
    parameters: tuple[Parameter, ...]
    decorators: tuple[Expr, ...]
    returns: Expr | None
    body: Block
    is_async: bool
    is_generator: bool
    docstring: bool


class Class(NamedTuple):
    at: At
    name: str
    qualname: str
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    decorators: tuple[Expr, ...]
    body: Block


class ModuleFacts(NamedTuple):
    """One file. `source` is kept by the project, not here."""

    path: str
    body: Block
    exports: tuple[str, ...] | None  # __all__, when literal
    foreign: int = 0  # the first line that only another Python reads than this one
