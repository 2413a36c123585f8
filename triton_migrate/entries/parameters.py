"""Takes a handler's signature, gives the inputs it declares: path, query, body fields, files, and what dependencies ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from triton_migrate.entries.records import Input
from triton_migrate.entries.requests import LOCATIONS
from triton_migrate.entries.schemas import made_fields, schema_fields, schema_of, type_text
from triton_migrate.entries.texts import UNNAMED
from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Instance, Site, UserClass, UserFunction, Value
from triton_migrate.rulebook.vocabulary import WebApp, WebParameter, WebRequest

# `<int:id>`, `<id:int>`, `{id:path}`: whichever side a parameter is called like; `/:id`
PATH_PART = re.compile(r"[<{]([^<>{}]*)[>}]|/:(\w+)")


CONVERTED = re.compile(r"[<{](?:(\w+):)?(\w+)[>}]|[<{](\w+):path[>}]")
CONVERTERS = {"": "str", "string": "str", "path": "str", "int": "int", "float": "float"}

Provided: TypeAlias = dict[str, tuple[UserFunction, ...]]


def in_path(path: str) -> dict[str, str]:
    """The parameters in a path whose type it says, as Flask and Starlette convert them: `/<int:id>/<name>`."""
    found = {name or rest: "path" if rest else converter for converter, name, rest in CONVERTED.findall(path)}
    return {name: CONVERTERS[converter] for name, converter in found.items() if converter in CONVERTERS}


def is_file(evaluator: Evaluator, annotation: ir.Expr | None, frame: Frame, app: WebApp | None) -> bool:
    """Whether the framework sends values of this type as files (BentoML's `Path`)."""
    values = evaluator.annotated(annotation, frame) if app is not None and app.files and annotation is not None else ()
    return app is not None and any(isinstance(v, Api) and v.path.removesuffix("()") in app.files for v in values)


def declared_inputs(evaluator: Evaluator, handler: UserFunction, path: str, app: WebApp | None, provided: Provided) -> tuple[Input, ...]:
    """The inputs in a handler's signature. Frameworks that do not inject (Flask) declare only path parameters."""
    in_path = {name.strip() for found in PATH_PART.findall(path) for part in found for name in part.split(":")} - {""}
    in_path |= _unnamed(evaluator, handler, path) if in_path == {UNNAMED} else set()
    found = list(_of(evaluator, handler, in_path, app if app is not None and app.injects else None, provided, ()))
    return tuple({(i.name, i.source): i for i in found}.values())


def _unnamed(evaluator: Evaluator, handler: UserFunction, path: str) -> set[str]:
    """The parameters that get what the groups without a name match, in their order; a request that stands before them is none."""
    frame = evaluator.program.generic(handler.scope)
    parameters = handler.scope.function.parameters[1 if handler.receiver is not None else 0 :]
    free = [p.name for p in parameters if p.kind == "positional" and not _is_request(evaluator, p.name, frame)]
    return set(free[: path.count(f"<{UNNAMED}>")])


def _is_request(evaluator: Evaluator, name: str, frame: Frame) -> bool:
    return any(isinstance(v, Api) and evaluator.rulebook.find(v.path, WebRequest) for v in evaluator.name(name, frame))


def _of(
    evaluator: Evaluator, handler: UserFunction, in_path: set[str], app: WebApp | None, provided: Provided, seen: tuple[object, ...]
) -> Iterator[Input]:
    if handler.scope in seen:
        return
    parameters = handler.scope.function.parameters[1 if handler.receiver is not None else 0 :]
    for parameter in parameters:
        if parameter.name in in_path:
            yield Input(parameter.name, "path", type_text(parameter.annotation), "declared")
        elif app is not None and parameter.name in provided:
            for function in provided[parameter.name]:
                yield from _of(evaluator, function, in_path, app, provided, (*seen, handler.scope))
        elif app is not None and parameter.kind in ("positional", "keyword"):
            yield from _injected(evaluator, handler, parameter, in_path, app, provided, (*seen, handler.scope))


def _injected(
    evaluator: Evaluator,
    handler: UserFunction,
    parameter: ir.Parameter,
    in_path: set[str],
    app: WebApp,
    provided: Provided,
    seen: tuple[object, ...],
) -> Iterator[Input]:
    for marker, place, frame in sorted(_markers(evaluator, parameter, handler.frame), key=lambda m: m[0].source != "file"):
        if marker.source == "dependency":
            given = port(place, marker.dependency) if isinstance(place, ir.Call) else None
            wanted = (given, frame) if given is not None else (_plain(parameter.annotation), handler.frame)
            for value in evaluator.values(*wanted):
                if isinstance(value, UserClass) and not evaluator.callables(value):
                    yield from _annotated(evaluator, value)
                for function in _constructor_or_function(evaluator, value):
                    yield from _of(evaluator, function, in_path, app, provided, seen)
            return
        if marker.source in ("injected", "any"):
            return
        models = _models(evaluator, parameter, handler.frame) or _wrapped(evaluator, place, handler.frame)
        if models and marker.source in ("json", "form", "query"):
            for cls in models:
                yield from schema_fields(evaluator, cls, marker.source)
        else:
            given = port(place, marker.alias) if isinstance(place, ir.Call) and marker.alias else None
            alias = evaluator.constant(given, frame) if given is not None else None
            own = parameter.name if isinstance(alias, str) else ""
            yield Input(
                alias if isinstance(alias, str) else parameter.name, marker.source, type_text(_plain(parameter.annotation)), "declared", own
            )
        return
    named = dict(told.split("=") for told in app.named).get(parameter.name, "")
    if named == "injected":
        return
    if is_file(evaluator, parameter.annotation, handler.frame, app):
        named = "file"
    models = () if app.embeds else _models(evaluator, parameter, handler.frame)
    for cls in models:
        yield from schema_fields(evaluator, cls, named or "json")
    made = [i for v in evaluator.values(_plain(parameter.annotation), handler.frame) for i in made_fields(evaluator, v, named or "json")]
    yield from made
    if not models and not made:
        structured = re.match(r"(dict|list|Dict|List|set)\b", text := type_text(_plain(parameter.annotation)))
        yield Input(parameter.name, named or ("json" if structured else app.parameter), text, "declared")


def parsed_inputs(evaluator: Evaluator, handler: UserFunction) -> tuple[Input, ...]:
    """The fields of a parser that the handler lets read the request: those that `add_argument` declares on the same object."""
    found: list[Input] = []
    frame = evaluator.program.generic(handler.scope)
    readers = [r for r in evaluator.rulebook.of_role(WebRequest) if r.declares]
    for name in sorted({path.removesuffix("()").rpartition(".")[2] for r in readers for path in r.api}):
        for place in evaluator.program.calls(name):
            if place.scope is not handler.scope or not isinstance(place.call.func, ir.Attribute):
                continue
            rule = next((r for a in evaluator.apis(place.call, frame) if (r := evaluator.rulebook.find(a.path, WebRequest))), None)
            sites = {a.site for a in evaluator.apis(place.call.func.value, frame)}
            found += _declarations(evaluator, rule, sites) if rule is not None and rule.declares else []
    return tuple(dict.fromkeys(found))


def _declarations(evaluator: Evaluator, rule: WebRequest, sites: set[Site | None]) -> Iterator[Input]:
    for place in evaluator.program.calls(rule.declares):
        frame = evaluator.program.generic(place.scope)
        if not isinstance(place.call.func, ir.Attribute) or not sites & {a.site for a in evaluator.apis(place.call.func.value, frame)}:
            continue
        name = evaluator.constant(place.call.args[0] if place.call.args else None, frame)
        location = evaluator.constant(port(place.call, "location"), frame)
        if isinstance(name, str):
            yield Input(name, LOCATIONS.get(str(location), rule.source), type_text(port(place.call, "type")), "declared")


def _constructor_or_function(evaluator: Evaluator, value: Value) -> tuple[UserFunction, ...]:
    return tuple(evaluator.callables(value)) if isinstance(value, (UserFunction, UserClass, Instance)) else ()


def _markers(evaluator: Evaluator, parameter: ir.Parameter, frame: Frame) -> Iterator[tuple[WebParameter, ir.Expr, Frame]]:
    """Rules about the default, about what is inside `Annotated[...]`, then about the annotated class itself; each with where it stands."""
    for expr, at in ((parameter.default, frame), *_annotated_extras(evaluator, parameter.annotation, frame)):
        if isinstance(expr, ir.Call):
            for api in evaluator.apis(expr.func, at):
                if rule := evaluator.rulebook.find(api.path, WebParameter):
                    yield rule, expr, at
    if parameter.annotation is not None:
        for value in evaluator.annotated(parameter.annotation, frame):
            if isinstance(value, Api) and (rule := evaluator.rulebook.find(value.path.removesuffix("()"), WebParameter)):
                yield rule, parameter.annotation, frame


def _annotated_extras(evaluator: Evaluator, annotation: ir.Expr | None, frame: Frame) -> tuple[tuple[ir.Expr, Frame], ...]:
    if annotation is not None and (named := evaluator.type_alias(annotation, frame)):
        return _annotated_extras(evaluator, *named)
    if isinstance(annotation, ir.Subscript) and isinstance(annotation.key, ir.Sequence):
        if any(a.path.endswith(".Annotated") for a in evaluator.apis(annotation.value, frame)):
            return tuple((extra, frame) for extra in annotation.key.items[1:])
    return ()


def _plain(annotation: ir.Expr | None) -> ir.Expr | None:
    """`Annotated[T, ...]` is T."""
    if (
        isinstance(annotation, ir.Subscript)
        and isinstance(annotation.key, ir.Sequence)
        and type_text(annotation.value).endswith("Annotated")
    ):
        return annotation.key.items[0]
    return annotation


def _models(evaluator: Evaluator, parameter: ir.Parameter, frame: Frame) -> tuple[UserClass, ...]:
    if parameter.annotation is None:
        return ()
    found = evaluator.annotated(parameter.annotation, frame)
    return tuple(dict.fromkeys(v.of for v in found if isinstance(v, Instance) and schema_of(evaluator, v.of) is not None))


def _wrapped(evaluator: Evaluator, marker: ir.Expr, frame: Frame) -> tuple[UserClass, ...]:
    """The model in a marker that is a generic class (`FromJSON[Wind]`)."""
    found = evaluator.annotated(marker.key, frame) if isinstance(marker, ir.Subscript) else frozenset()
    return tuple(dict.fromkeys(v.of for v in found if isinstance(v, Instance) and schema_of(evaluator, v.of) is not None))


def _annotated(evaluator: Evaluator, cls: UserClass) -> Iterator[Input]:
    """The fields of a class that a dependency is made of (a dataclass, a schema); of a plain one they are no parameters."""
    for stmt in cls.scope.definition.body if cls.scope.definition.decorators or cls.scope.definition.bases else ():
        if isinstance(stmt, ir.Assign) and stmt.annotation is not None and isinstance(name := stmt.targets[0], ir.Name):
            if not name.id.startswith("_"):
                field = ir.Parameter(name.id, "positional", stmt.annotation, stmt.value)
                sources = [m.source for m, _, _ in _markers(evaluator, field, cls.frame)]
                yield Input(name.id, sources[0] if sources else "query", type_text(_plain(stmt.annotation)), "declared")
