"""Takes what feeds a model, a global or an attribute, gives where code beside the request puts what a device or a connection gives."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.classify.state import State
from triton_migrate.trace.records import Cell


def streamed(state: State, cell: Cell) -> Iterator[Span]:
    """The statements of functions that read a stream themselves and put something into the cell (`self.frame = frame`)."""
    program = state.matcher.program
    if cell.kind == "global":
        stores = [(scope, bound.at) for scope, bound in program.global_bindings(cell.owner, cell.name)]
    else:
        file, _, owner = cell.owner.partition(":")
        kept = program.files[file].attribute_stores.get(cell.name, ()) if file in program.files else ()
        stores = [(s.scope, s.at) for s in kept if s.scope.owner is not None and s.scope.owner.qualname == owner]
    yield from (program.span(scope, at) for scope, at in stores if scope in state.reading)
