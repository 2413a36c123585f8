"""Takes a class, gives what Python's `enum` makes of it: `Kind[name]`, `Kind(value)` and `for kind in Kind` are its members.

A member by its own name, `Kind.TREE`, stands for its value: that is what it is compared with and looked up by. What is asked of it then
is asked of the member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import NOTHING, Api, Instance, Site, UserClass, Values

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

BASES = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum"})
CONTENTS = frozenset({"value", "_value_"})


def is_enum(ev: Evaluator, cls: UserClass) -> bool:
    return any(isinstance(base, Api) and base.path in BASES for base in ev.mro(cls))


def members(ev: Evaluator, cls: UserClass) -> Values:
    """One object for all members: which of them the program asks for is mostly the client's to say."""
    return frozenset({Instance(cls, Site(cls.scope.file, cls.scope.definition.at))}) if is_enum(ev, cls) else NOTHING


def contents(ev: Evaluator, cls: UserClass) -> Values:
    """What the members hold: texts, or classes and functions to choose from."""
    frame = ev.class_frame(cls)
    assigned = [s for s in cls.scope.definition.body if isinstance(s, ir.Assign) and s.annotation is None and s.value is not None]
    return frozenset().union(*(ev.values(s.value, frame) for s in assigned))


def asked(ev: Evaluator, kind: ir.Expr, frame: Frame) -> Values:
    """The members of what `kind` names, as in `Kind.TREE.label()`; nothing where it is no Enum."""
    return frozenset().union(*(members(ev, v) for v in ev.values(kind, frame) if isinstance(v, UserClass)))
