"""Takes the predict sites of a model that is served alone, gives what else the application reads of it: `session.get_inputs()[0].name`.

Such an expression is a constant of the loaded model. Where it is only an argument of calls, it travels by its text and the model's side
puts its value in, so that the application need not load the model for it. Read otherwise, its value might be anything: it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelPredict
from triton_migrate.trace.records import PredictSite


@dataclass(frozen=True, slots=True)
class Constant:
    """`expr` in `file`, which begins with `root`, the name that holds the model."""

    file: str
    expr: ir.Expr
    root: ir.Name

    def text(self, piece: str) -> str:
        """Its name, from the expression's text: what follows the model."""
        return piece[len(self.root.id) :].removeprefix(".")


def constants(evaluator: Evaluator, sites: tuple[PredictSite, ...], holders: frozenset[tuple[str, str]]) -> tuple[Constant, ...]:
    """In the files of the sites. `holders`: (file, global) that are the model."""
    arguments = frozenset(id(p) for s in sites for a in (*s.call.args, *(v for _, v in s.call.keywords)) for p in walk(a))
    found = []
    for file in sorted({file for file, _ in holders}):
        names = {name for f, name in holders if f == file}
        for scope in evaluator.program.files[file].scopes:
            known = names - set(scope.bindings) if scope.kind == "function" else names
            found += [Constant(file, *read) for read in _of_scope(evaluator, scope, known, arguments)]
    return tuple(found)


def _of_scope(evaluator: Evaluator, scope: Scope, names: set[str], arguments: frozenset[int]) -> Iterator[tuple[ir.Expr, ir.Name]]:
    frame = evaluator.program.generic(scope)
    for stmt in flow.flatten(scope.body):
        held = scope.kind == "module" and _only_given(evaluator, scope, stmt, arguments)
        for expr, root in chains(tuple(flow.expressions(stmt)), names):
            apis = evaluator.apis(expr.func if isinstance(expr, ir.Call) else expr, frame)
            roles = (ModelPredict, ModelConfigure)
            runs = any(evaluator.rulebook.find(p, r) for a in apis for r in roles for p in (a.called, a.path))
            if not runs and (held or id(expr) in arguments):
                yield expr, root


def _only_given(evaluator: Evaluator, module: Scope, stmt: ir.Stmt, arguments: frozenset[int]) -> bool:
    """`input_name = session.get_inputs()[0].name` where nothing but the calls' arguments reads the name."""
    if not isinstance(stmt, ir.Assign) or stmt.augmented or len(stmt.targets) != 1 or not isinstance(stmt.targets[0], ir.Name):
        return False
    name = stmt.targets[0]
    scopes = evaluator.program.files[module.file].scopes
    read = [n for s in scopes for b in flow.flatten(s.body) for e in flow.expressions(b) for n in flow.names(e) if n.id == name.id]
    imported = any(name.id in f.module.bindings for path, f in evaluator.program.files.items() if path != module.file)
    return not imported and all(n is name or id(n) in arguments for n in read)


def chains(exprs: tuple[ir.Expr, ...], names: set[str]) -> Iterator[tuple[ir.Expr, ir.Name]]:
    """The longest `name.a().b[0]` in expressions; what is called with arguments is none."""
    inside: set[int] = set()
    for top in exprs:
        for expr in walk(top):
            if isinstance(expr, ir.Call) and not chained(expr, names):
                inside.add(id(expr.func))
            root = chained(expr, names)
            if id(expr) in inside or root is None or root is expr:
                continue
            inside |= {id(p) for p in walk(expr)}
            yield expr, root


def chained(expr: ir.Expr, names: set[str]) -> ir.Name | None:
    """The name at the root, where nothing but attributes, constant keys and calls without arguments follows it."""
    while True:
        match expr:
            case ir.Name():
                return expr if expr.id in names else None
            case ir.Attribute():
                expr = expr.value
            case ir.Subscript() if isinstance(expr.key, ir.Constant):
                expr = expr.value
            case ir.Call() if not expr.args and not expr.keywords:
                expr = expr.func
            case _:
                return None
