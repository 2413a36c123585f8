"""Takes a model that is served alone and its closure, gives the text of its `pipeline.py`: `load()`, `original()`, and its calls."""

from __future__ import annotations

import json

from triton_migrate.generate.moduletext import HEAD, ROOT, load_function, ordered, spaced
from triton_migrate.index import flow, ir
from triton_migrate.plan.copied.closure import Closure, UncopyableError
from triton_migrate.plan.copied.placement import DEFINED, DEVICE
from triton_migrate.plan.cutting.alone import method, read, receiver
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.resolve.attributes import is_property
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Instance, Values
from triton_migrate.rulebook.vocabulary import StreamSource
from triton_migrate.trace.records import PredictSite


def alone_pipeline(
    name: str, sites: tuple[PredictSite, ...], stacked: bool, evaluator: Evaluator, judge: Judge, closure: Closure
) -> tuple[str, str]:
    """-> the text, and the expression in it that is the model."""
    held = list(dict.fromkeys(_held(site, evaluator, judge, closure) for site in sites))
    if len(held) > 1:
        problem = NoCut(f"the model is reached by several names ({', '.join(held)})", sites[0].span, "hold the model in one variable")
        raise UncopyableError(problem)
    own = ["import os", "import sys", "from pathlib import Path"]
    head = HEAD.format(name=name, place=f"{sites[0].scope.file} ({sites[0].scope.qualname or 'module'})")
    calls = tuple(dict.fromkeys(method(site) for site in sites))
    facts = (
        f"CALLS = {_listed(calls)}\nSTACKED = {stacked}  # calls that wait together are made as one\n"
        "INVALID = (Exception,)  # what the model raises is raised in the application\n"
    )
    read_of = dict.fromkeys(c.text(closure.texts[c.file].piece(c.expr.at)) for c in read(evaluator, sites))
    if read_of:
        lines = "".join(f"    {json.dumps(text)}: lambda model: model{'' if text.startswith('[') else '.'}{text},\n" for text in read_of)
        facts += f"CONSTANTS = {{  # what else the application reads of the model\n{lines}}}\n"
    else:
        facts += "CONSTANTS = {}\n"
    parts = [head + "\nfrom __future__ import annotations\n\n" + ordered([*own, *closure.imports.values()]) + "\n" + ROOT]
    parts += [DEFINED] if DEVICE in "".join((*closure.definitions, *closure.load)) else []
    parts += [*closure.definitions, facts + "".join(f"{g} = None\n" for g in closure.globals), load_function(closure)]
    parts.append(f'def original():\n    """What the application called."""\n    return {held[0]}\n')
    return spaced(parts), held[0]


def _listed(calls: tuple[str, ...]) -> str:
    return "(" + ", ".join(f'"{call}"' for call in calls) + ("," if len(calls) == 1 else "") + ")"


def _held(site: PredictSite, evaluator: Evaluator, judge: Judge, closure: Closure) -> str:
    """The model as pipeline.py holds it."""
    expr, scope, file = receiver(site), site.scope, site.scope.file
    root = next(flow.names(expr), None)
    local = _local(scope)
    if root is not None and root.id not in local and not any(judge.of_the_web(v) for v in evaluator.name(root.id, site.frame)):
        made = closure.require(file, root.id, site.span)
        if root is not expr:
            _start(site, made, evaluator, closure)
        exprs = list(flow.walk(expr))
        return closure.texts[file].piece(expr.at, closure.replacements(file, exprs, local))
    values = evaluator.name(root.id, site.frame) if root is not None else frozenset()
    objects = values and all(isinstance(v, Instance) for v in values)
    if root is not None and root is not expr and objects and not _apart(values, site, evaluator):
        made = closure.provide(values, "model", site.span)
        return closure.texts[file].piece(expr.at, ((root.at, made),))
    within = (expr.id, scope) if isinstance(expr, ir.Name) and scope.kind == "function" else None
    return closure.provide(evaluator.values(expr, site.frame), _wanted(expr), site.span, within)


def _apart(objects: Values, site: PredictSite, evaluator: Evaluator) -> bool:
    """Whether load() must not make what holds the model: it is given the model, or listens to a queue as soon as it is made."""
    held, program = evaluator.values(receiver(site), site.frame), evaluator.program
    makers = [s for v in objects if isinstance(v, Instance) for s in v.of.scope.children.values() if s.name == "__init__"]
    if any(evaluator.name(p.name, program.generic(init)) & held for init in makers for p in init.function.parameters[1:]):
        return True
    calls = ((e, program.generic(s)) for s in makers for stmt in flow.flatten(s.function.body) for e in flow.every(stmt))
    made = {f"{v.path}[]" for e, frame in calls if isinstance(e, ir.Call) for v in evaluator.values(e, frame) if isinstance(v, Api)}
    return any(evaluator.rulebook.find(evaluator.rulebook.canonical(path), StreamSource) for path in made)


def _start(site: PredictSite, made: str, evaluator: Evaluator, closure: Closure) -> None:
    """The application calls `service.start()` somewhere, which loads `service.model`: load() does so, too."""
    span = site.models[0].span
    inside = [s for s in evaluator.program.files[span.file].scopes if s.kind == "function" and ir.holds(s.function.at, span.at)]
    loader = max(inside, key=lambda s: s.function.at[:2], default=None)
    if loader is None or loader.owner is None or loader.name.startswith("__"):
        return
    first = next((s.function for s in loader.owner.children.values() if s.name == "__init__"), None)
    begun = [c for s in (first.body if first is not None else ()) for c in flow.every(s) if isinstance(c, ir.Attribute)]
    if any(c.attr == loader.name for c in begun) or any(f".{loader.name}(" in text for text in closure.load):
        return
    function = loader.function
    if is_property(evaluator, function, evaluator.program.generic(loader)):
        return  # it loads when it is read
    if function.is_async or any(p.default is None and not p.kind.startswith("*") for p in function.parameters[1:]):
        raise UncopyableError(NoCut(f"the model is loaded by {loader.qualname}, which needs arguments", span, "load it without arguments"))
    closure.load.append(f"{made}.{loader.name}()\n")


def _wanted(expr: ir.Expr) -> str:
    return expr.id if isinstance(expr, ir.Name) else expr.attr if isinstance(expr, ir.Attribute) else "model"


def _local(scope: Scope) -> set[str]:
    if scope.kind == "module":
        return set()
    function = scope.function
    declared = {n for s in flow.flatten(function.body) if isinstance(s, ir.Declare) for n in s.names}
    return ({p.name for p in function.parameters} | flow.binds(function.body)) - declared
