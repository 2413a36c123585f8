"""Takes a pipeline, gives the statements by which a thread of the application loads its model's file anew.

No request leads there, so nothing of it is in a pipeline; `self.model = load(PATH)` in such a loop becomes a word to Triton, as in a route.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from triton_migrate.base import Span
from triton_migrate.classify.state import asks_for_absence
from triton_migrate.index import flow, ir
from triton_migrate.plan.around.registries import marks
from triton_migrate.plan.cutting.alone import receiver
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Site
from triton_migrate.trace.records import Cell, Pipeline


class Watching(NamedTuple):
    """`stmt` of the function at `scope` puts the file's model into `cell`."""

    scope: Scope
    stmt: ir.Assign
    cell: Cell

    @property
    def place(self) -> Span:
        return Span(self.scope.file, *self.stmt.at)


def watching(evaluator: Evaluator, pipeline: Pipeline, every: tuple[Pipeline, ...]) -> Iterator[Watching]:
    """`every`: all pipelines; what one of them runs is no thread's alone."""
    cells = {o.name: o for site in pipeline.sites for o in site.taint if isinstance(o, Cell) and o.lasting}
    sites = {site for s in pipeline.sites for _, site in marks(evaluator.values(receiver(s), s.frame)) if site is not None}
    busy = {step.scope for p in every for step in p.steps}
    for scope in (s for s in _functions(evaluator, sites) if s not in busy):
        for stmt in flow.flatten(scope.function.body):
            name = _target(stmt)
            held = isinstance(stmt, ir.Assign) and any(s.file == scope.file and ir.holds(stmt.at, s.at) for s in sites)
            if held and isinstance(stmt, ir.Assign) and name in cells and _again(scope, stmt, cells[name]):
                yield Watching(scope, stmt, cells[name])


def _functions(evaluator: Evaluator, sites: set[Site]) -> Iterator[Scope]:
    for path in sorted({s.file for s in sites} & evaluator.program.files.keys()):
        scopes = () if evaluator.program.is_test(path) else evaluator.program.files[path].scopes
        yield from (s for s in scopes if s.kind == "function" and s.name != "__init__")


def _target(stmt: ir.Stmt) -> str:
    match stmt:
        case ir.Assign(_, (ir.Name(_, name) | ir.Attribute(_, _, name),)):
            return name
    return ""


def _again(scope: Scope, stmt: ir.Assign, cell: Cell) -> bool:
    """Whether it comes to this more than once: in a loop that looks after the file."""
    around = [s for s in flow.around(scope.function.body, stmt.at) if s is not stmt]
    if any(isinstance(s, ir.If) and asks_for_absence(s.test, cell) for s in around):
        return False
    return any(isinstance(s, ir.While) for s in around)
