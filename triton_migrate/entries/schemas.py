"""Takes a handler, gives the inputs that schemas name: those its decorators parse by, and those its code fills from the request."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.entries.records import Input
from triton_migrate.entries.requests import LOCATIONS, source_of
from triton_migrate.index import flow, ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope, last_name
from triton_migrate.resolve.values import Api, Container, Instance, Literal, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import WebArguments, WebParameter, WebSchema


class Schemas:
    """Finds what schemas say of a handler's inputs."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        rules = list(evaluator.rulebook.of_role(WebSchema))
        readers = {name for rule in rules for name in rule.reads}
        self._calls: dict[Scope, list[ir.Call]] = {}
        for file in evaluator.program.files.values() if rules else ():
            for name, places in file.calls.items():
                for place in places if name in readers or name[:1].isupper() else ():
                    self._calls.setdefault(place.scope, []).append(place.call)

    def inputs(self, handler: UserFunction) -> tuple[Input, ...]:
        """Inputs by decorators (`@use_args(Schema)`), then by schemas that the handler reads the request with (`Model(**request.json)`)."""
        frame = self.evaluator.program.generic(handler.scope)
        read = (i for call in self._calls.get(handler.scope, ()) for i in _read_by(self.evaluator, call, frame))
        return tuple(dict.fromkeys((*_by_decorators(self.evaluator, handler), *read)))


def schema_of(evaluator: Evaluator, cls: UserClass) -> WebSchema | None:
    """The rule of a class whose attributes are fields of a body."""
    bases = (b for b in evaluator.mro(cls) if isinstance(b, Api))
    return next((r for b in bases if (r := evaluator.rulebook.find(b.path, WebSchema))), None)


def schema_fields(evaluator: Evaluator, cls: UserClass, source: str) -> Iterator[Input]:
    """The fields of a schema class, inherited ones first."""
    rule = schema_of(evaluator, cls)
    for base in reversed(evaluator.mro(cls)):
        if rule is None or not isinstance(base, UserClass):
            continue
        frame = evaluator.class_frame(base)
        for stmt in base.scope.definition.body:
            if not isinstance(stmt, ir.Assign) or not isinstance(stmt.targets[0], ir.Name):
                continue
            annotated = not rule.fields and stmt.annotation is not None
            if annotated or (rule.fields and isinstance(stmt.value, ir.Call) and _makes_field(evaluator, stmt.value, rule, frame)):
                name, sent = stmt.targets[0].id, _sent_as(evaluator, stmt, rule, frame)
                kind = type_text(stmt.annotation) if annotated else ""
                place = "file" if annotated and source == "form" and _is_file(evaluator, stmt, frame) else source
                yield Input(sent or name, place, kind, "declared", name if sent else "")
        if rule.listed:
            yield from (Input(name, source, "", "declared") for name in _listed(evaluator, base, rule.listed))


def made_fields(evaluator: Evaluator, value: Value, source: str) -> Iterator[Input]:
    """The fields of a schema class that a call makes: `create_model("Row", petal=(float, ...), **COLUMNS)`."""
    rule = evaluator.rulebook.find(value.path.removesuffix("()"), WebSchema) if isinstance(value, Api) else None
    place = evaluator.program.call_at(value.site) if isinstance(value, Api) else None
    if rule is None or not rule.base or place is None:
        return
    frame = evaluator.program.generic(place.scope)
    for base in evaluator.values(port(place.call, rule.base), frame):
        yield from schema_fields(evaluator, base, source) if isinstance(base, UserClass) else ()
    for name, given in place.call.keywords:
        if name is not None and not name.startswith("__"):
            yield Input(name, source, _type_of_pair(given), "declared")
        for spread in evaluator.values(given, frame) if name is None else ():
            if isinstance(spread, Container) and isinstance(spread.expr, ir.Mapping):
                pairs = zip(spread.expr.keys, spread.expr.values, strict=True)
                named = ((evaluator.constant(key, spread.frame), pair) for key, pair in pairs)
                yield from (Input(key, source, _type_of_pair(pair), "declared") for key, pair in named if isinstance(key, str))


def _type_of_pair(given: ir.Expr) -> str:
    return type_text(given.items[0] if isinstance(given, ir.Sequence) and given.items else given)


def _is_file(evaluator: Evaluator, field: ir.Assign, frame: Frame) -> bool:
    """Whether the annotated field of a form is an uploaded file (`sheet: UploadFile`), or a list of them."""
    parts = flow.walk(field.annotation) if field.annotation is not None else ()
    held = (value for part in parts if isinstance(part, ir.Name | ir.Attribute) for value in evaluator.values(part, frame))
    rules = (evaluator.rulebook.find(value.path, WebParameter) for value in held if isinstance(value, Api))
    return any(rule is not None and rule.source == "file" for rule in rules)


def _sent_as(evaluator: Evaluator, field: ir.Assign, rule: WebSchema, frame: Frame) -> str:
    """What clients call a field, where the call that makes or describes it says so (`Field(alias="ph-value")`)."""
    described = (expr for expr in (field.value, field.annotation) if expr is not None)
    calls = (part for expr in described for part in flow.walk(expr) if isinstance(part, ir.Call))
    given = {key: value for call in calls for key, value in call.keywords if key in rule.alias}
    names = (evaluator.constant(given[key], frame) for key in rule.alias if key in given)
    return next((name for name in names if isinstance(name, str)), "")


def _listed(evaluator: Evaluator, cls: UserClass, path: str) -> Iterator[str]:
    """The fields that an inner class lists by name; those it also declares are said twice, which counts once."""
    inner, _, attr = path.rpartition(".")
    for held in evaluator.class_attribute(cls, inner, None):
        lists = evaluator.class_attribute(held, attr, None) if isinstance(held, UserClass) else frozenset()
        names = (
            v.value for listed in lists if isinstance(listed, Container) for v in evaluator.element(listed, None) if isinstance(v, Literal)
        )
        yield from sorted({name for name in names if isinstance(name, str)} - {"id", "pk"})


def _makes_field(evaluator: Evaluator, call: ir.Call, rule: WebSchema, frame: Frame) -> bool:
    return any(a.path.startswith(rule.fields) for a in evaluator.apis(call.func, frame))


def _by_decorators(evaluator: Evaluator, handler: UserFunction) -> Iterator[Input]:
    outer = evaluator.program.generic(handler.scope).parent
    for decorator in handler.scope.function.decorators if outer is not None else ():
        if not isinstance(decorator, ir.Call) or outer is None:
            continue
        for api in evaluator.apis(decorator.func, outer):
            if (rule := evaluator.rulebook.find(api.path, WebArguments)) is not None:
                told = evaluator.constant(port(decorator, rule.location), outer) if rule.location else None
                source = LOCATIONS.get(str(told), rule.source)
                for value in evaluator.values(port(decorator, rule.schema), outer):
                    yield from _fields(evaluator, value, source)


def _fields(evaluator: Evaluator, value: Value, source: str) -> Iterator[Input]:
    match value:
        case UserClass():
            yield from schema_fields(evaluator, value, source)
        case Instance(cls):
            yield from schema_fields(evaluator, cls, source)
        case Container(_, ir.Mapping(_, keys), frame):
            names = [evaluator.constant(key, frame) for key in keys if key is not None]
            yield from (Input(name, source, "", "declared") for name in names if isinstance(name, str))


def _read_by(evaluator: Evaluator, call: ir.Call, frame: Frame) -> Iterator[Input]:
    """`Model(**request.json)`, `Schema().load(request.json)`, `Form(request.POST)`: what this call takes out of the request."""
    if isinstance(call.func, ir.Attribute):
        for value in evaluator.values(call.func.value, frame):
            cls = value.of if isinstance(value, Instance) else value
            if isinstance(cls, UserClass) and (rule := schema_of(evaluator, cls)) and call.func.attr in rule.reads and call.args:
                for source in source_of(evaluator, call.args[0], frame, raw="json"):
                    yield from schema_fields(evaluator, cls, source)
    for value in evaluator.values(call.func, frame):
        if isinstance(value, UserClass) and (rule := schema_of(evaluator, value)) and rule.given:
            uploads = _uploads(evaluator, value, rule)
            for given in _given(call, rule.given):
                for source in source_of(evaluator, given, frame):
                    yield from (f for f in schema_fields(evaluator, value, source) if f.name not in uploads)
            for source in source_of(evaluator, files, frame) if rule.files and (files := port(call, rule.files)) is not None else ():
                yield from (f for f in schema_fields(evaluator, value, source) if f.name in uploads)


def _uploads(evaluator: Evaluator, cls: UserClass, rule: WebSchema) -> frozenset[str]:
    """The fields of a form that are files: said where the form declares them, or where its model does."""
    held: Values = frozenset({cls})
    for name in rule.model.split(".") if rule.model else ():
        held = frozenset().union(*(evaluator.class_attribute(c, name, None) for c in held if isinstance(c, UserClass)))
    classes = (b for c in (cls, *held) if isinstance(c, UserClass) for b in evaluator.mro(c) if isinstance(b, UserClass))
    fields = (s for b in classes for s in b.scope.definition.body if isinstance(s, ir.Assign))
    made = (s for s in fields if isinstance(s.value, ir.Call) and last_name(s.value) in rule.uploads)
    return frozenset(n.id for s in made for t in s.targets for n in flow.names(t))


def _given(call: ir.Call, wanted: str) -> Iterator[ir.Expr]:
    if wanted == "**":
        yield from (value for key, value in call.keywords if key is None)
    elif (expr := port(call, wanted)) is not None:
        yield expr


def type_text(annotation: ir.Expr | None) -> str:
    """An annotation as a person writes it: `list[float]`, `str | None`."""
    match annotation:
        case ir.Name(_, name):
            return name
        case ir.Attribute(_, value, attr):
            return f"{type_text(value)}.{attr}"
        case ir.Subscript(_, value, index):
            items = index.items if isinstance(index, ir.Sequence) else (index,)
            return f"{type_text(value)}[{', '.join(type_text(i) for i in items)}]"
        case ir.Operation(_, "BitOr", operands):
            return " | ".join(type_text(o) for o in operands)
        case ir.Constant(_, value):
            return value if isinstance(value, str) else str(value)
    return ""
