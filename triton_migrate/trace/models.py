"""Takes the object a predict site runs, gives its `ModelRef`s: where it was loaded, by what, from which file, and when."""

from __future__ import annotations

import posixpath

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, last_name, walk
from triton_migrate.resolve.values import Api, Instance, Site, UserClass
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelConstruct, ModelLoad, ModelPredict, Rule
from triton_migrate.trace.records import ModelRef

CACHES = ("functools.lru_cache", "functools.cache", "functools.cached_property")


class Models:
    """All models of a program; each load site is one model, numbered in the order it was met."""

    def __init__(self, matcher: Matcher, startup: frozenset[Scope], distributions: frozenset[str]) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.startup, self.distributions = startup, distributions
        self.found: dict[Span, ModelRef] = {}

    def of(self, api: Api, predict: ModelPredict, call: ir.Call, frame: Frame) -> tuple[ModelRef, ...]:
        """The models a call of `api` runs; a call that needs no load is its own model."""
        site = api.made
        place = self.matcher.made_by(site)
        rule = self._load_rule(place) if place is not None else None
        if place is not None and rule is not None and site is not None:
            return (self._ref(place, rule, api),)
        if predict.framework:
            framework = predict.framework
        elif isinstance(instance := api.of, Instance) and (rule := self._base_rule(instance.of)):
            return (self._class_ref(instance, rule),)
        else:
            return ()
        span = Span(frame.scope.file, *call.at)
        if span not in self.found:
            loader = last_name(call.func)
            self.found[span] = ModelRef(self._next(), span, framework, loader, None, "per-request", "no", "python", predict.fused)
        return (self.found[span],)

    def _load_rule(self, place: CallPlace) -> Rule | None:
        frame = self.matcher.program.generic(place.scope)
        for value in self.evaluator.values(place.call.func, frame):
            if isinstance(value, Api):
                for role in (ModelLoad, ModelConstruct):
                    if rule := self.rulebook.find(value.path, role):
                        return rule
            elif isinstance(value, UserClass) and (rule := self._base_rule(value)):
                return rule
        return None

    def _base_rule(self, cls: UserClass) -> ModelConstruct | None:
        bases = (b for b in self.evaluator.mro(cls) if isinstance(b, Api))
        return next((r for b in bases if (r := self.rulebook.find(b.path, ModelConstruct))), None)

    def _next(self) -> str:
        return f"m{len(self.found) + 1}"

    def _class_ref(self, instance: Instance, rule: ModelConstruct) -> ModelRef:
        span = Span(instance.site.file, *instance.site.at)
        if span not in self.found:
            framework = self._framework(rule, instance.of.scope.name)
            self.found[span] = ModelRef(
                self._next(), span, framework, instance.of.scope.name, None, "import", rule.exportable, rule.backend, rule.fused
            )
        return self.found[span]

    def _ref(self, place: CallPlace, rule: Rule, api: Api) -> ModelRef:
        span = self.matcher.program.span(place.scope, place.call.at)
        if span in self.found:
            return self.found[span]
        assert isinstance(rule, (ModelLoad, ModelConstruct))
        artifact = self._artifact(place, rule)
        made = ModelRef(
            self._next(), span, self._framework(rule, api.path), last_name(place.call.func) or "load", artifact, self._when(place),
            rule.exportable, rule.backend, rule.fused,
        )  # fmt: skip
        self.found[span] = made
        return made

    def _framework(self, rule: ModelLoad | ModelConstruct, path: str) -> str:
        if rule.framework:
            return rule.framework
        library = next((lib for lib in self.rulebook.libraries if rule in lib.rules), None) or self.rulebook.library_of(path)
        framework = library.framework if library else ""
        if isinstance(rule, ModelLoad) and rule.opaque and framework == "pickle-unknown":
            named = {lib.framework for d in self.distributions if (lib := self.rulebook.by_package(d)) and lib.framework}
            if len(named) == 1:  # the only model library the manifests mention
                return named.pop()
        return framework or (library.name.lower() if library else "unknown")

    # ------------------------------------------------------------ artifact

    def _artifact(self, place: CallPlace, rule: Rule) -> str | None:
        frame = self.matcher.program.generic(place.scope)
        if isinstance(rule, ModelLoad) and rule.artifact:
            expr = port(place.call, rule.artifact)
            if expr is not None and (found := file_of(self.evaluator, expr, frame)):
                return found
        for weights in self._configured(place):
            for inner in walk(weights):
                if isinstance(inner, ir.Call):
                    for api in self.evaluator.apis(inner.func, frame):
                        load = self.rulebook.find(api.path, ModelLoad)
                        expr = port(inner, load.artifact) if load and load.artifact else None
                        if expr is not None and (found := file_of(self.evaluator, expr, frame)):
                            return found
        return None

    def _configured(self, place: CallPlace) -> list[ir.Call]:
        """Calls that prepare the object (`net.load_state_dict(...)`), in the scope that made it."""
        site = Site(place.scope.file, place.call.at)
        frame = self.matcher.program.generic(place.scope)
        found = []
        for calls in self.matcher.program.files[place.scope.file].calls.values():
            for other in calls:
                if other.scope is place.scope and isinstance(other.call.func, ir.Attribute):
                    for api in self.evaluator.apis(other.call.func, frame):
                        made = api.made
                        if made == site and self.rulebook.find(api.path, ModelConfigure):
                            found.append(other.call)
        return found

    # ------------------------------------------------------------ when

    def _when(self, place: CallPlace) -> str:
        scope = place.scope
        if scope.kind != "function":
            return "import"
        return self._when_called(scope, 0)

    def _when_called(self, scope: Scope, depth: int) -> str:
        """When the function that loads runs: at start-up, on import, on first use (cached or guarded), or every time."""
        if scope in self.startup:
            return "startup"
        if self._remembers(scope):
            return "first-use"
        if depth > 6:
            return "per-request"
        found: set[str] = set()
        for caller in self._callers(scope):
            found.add("import" if caller.kind != "function" else self._when_called(caller, depth + 1))
        for when in ("import", "startup", "first-use"):
            if when in found:
                return when
        return "per-request"

    def _callers(self, scope: Scope) -> list[Scope]:
        name = scope.owner.name if scope.name == "__init__" and scope.owner else scope.name
        program = self.matcher.program
        found = []
        for place in program.calls(name):
            for value in self.evaluator.values(place.call.func, program.generic(place.scope)):
                if any(f.scope is scope for f in self.evaluator.callables(value)):
                    found.append(place.scope)
        return found

    def _remembers(self, scope: Scope) -> bool:
        """`lru_cache`, `global model` or `self._model = ...` behind a check that it is not there yet."""
        frame = self.matcher.program.generic(scope)
        if self.evaluator.decorated(scope.function, frame, *CACHES):
            return True
        return any(_checks_absence(s) for s in _flat(scope.function.body)) and (
            bool(scope.globals) or any(_stores_attribute(s) for s in _flat(scope.function.body))
        )


def model_name(ref: ModelRef) -> str:
    """A Triton name for a model: its artifact's or its loader's."""
    stem = posixpath.splitext(posixpath.basename(ref.artifact))[0] if ref.artifact else ref.loader.lower()
    name = "".join(c if c.isalnum() else "_" for c in stem).strip("_") or "model"
    return name


def _flat(body: ir.Block) -> list[ir.Stmt]:
    found: list[ir.Stmt] = []
    for stmt in body:
        found.append(stmt)
        match stmt:
            case ir.If(_, _, one, two) | ir.For(_, _, _, one, two) | ir.While(_, _, one, two):
                found += _flat(one) + _flat(two)
            case ir.With(_, _, one):
                found += _flat(one)
            case ir.Try(_, one, handlers, two, final):
                found += _flat(one) + _flat(two) + _flat(final)
                for handler in handlers:
                    found += _flat(handler.body)
    return found


def _checks_absence(stmt: ir.Stmt) -> bool:
    if not isinstance(stmt, ir.If):
        return False
    return any(
        (isinstance(e, ir.Operation) and e.operator in ("Is", "IsNot", "Not", "NotIn", "Eq")) or isinstance(e, (ir.Name, ir.Attribute))
        for e in walk(stmt.test)
    )


def _stores_attribute(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Assign) and any(isinstance(t, (ir.Attribute, ir.Subscript)) for t in stmt.targets)
