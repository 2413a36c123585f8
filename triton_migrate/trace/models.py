"""Takes the object a predict site runs, gives its `ModelRef`s: where it was loaded, by what, from which file, and when."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, last_name, walk
from triton_migrate.resolve.stores import method_of
from triton_migrate.resolve.values import Api, Instance, Site, UserClass
from triton_migrate.rulebook.vocabulary import ModelConstruct, ModelLoad, ModelPredict, Rule
from triton_migrate.trace.loads import Loads
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.records import ModelRef


class Models:
    """All models of a program; each load site is one model, numbered in the order it was met."""

    def __init__(self, matcher: Matcher, startup: frozenset[Scope], distributions: frozenset[str]) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.distributions, self.moments = distributions, Moments(matcher, startup)
        self.loads = Loads(matcher)
        self.found: dict[Span, ModelRef] = {}
        self._asked: set[Site] = set()
        self._networks: dict[Scope, bool] = {}

    def of(self, api: Api, predict: ModelPredict, call: ir.Call, frame: Frame) -> tuple[ModelRef, ...]:
        """The models a call of `api` runs; a call that needs no load is its own model."""
        if predict.model and (given := self._given((port(call, predict.model),), frame)):
            return given
        if found := self._at(api.made, api):
            return found
        if isinstance(instance := api.of, Instance) and (base := self._base_rule(instance.of)):
            return (self._class_ref(instance, base),)
        if not predict.framework:
            return ()
        span = Span(frame.scope.file, *call.at)
        if span not in self.found:
            loader = last_name(call.func)
            self.found[span] = ModelRef(self._next(), span, predict.framework, loader, None, "per-request", "no", "python", predict.fused)
        return (self.found[span],)

    def inside(self, scope: Scope) -> bool:
        """Whether the code is a method of a class that is itself a model."""
        method = method_of(scope)
        if method is None or method.owner is None:
            return False
        if method.owner not in self._networks:
            assert method.owner.parent is not None
            cls = UserClass(method.owner, self.matcher.program.generic(method.owner.parent))
            self._networks[method.owner] = self._base_rule(cls) is not None and method.owner.bindings.keys() >= {"forward"}
        return self._networks[method.owner]

    def _at(self, site: Site | None, api: Api) -> tuple[ModelRef, ...]:
        """The models behind an object: what was loaded into it, the call that gave it, and models that call was given."""
        place = self.matcher.program.call_at(site)
        if place is None or site is None:
            return ()
        rule = self._load_rule(place)
        loads = () if isinstance(rule, ModelLoad) else self.loads.into(site)
        own = tuple(self._ref(p, r, api) for p, r in loads) or ((self._ref(place, rule, api),) if rule is not None else ())
        if site in self._asked:
            return own
        self._asked.add(site)
        arguments = (*place.call.args, *(v for _, v in place.call.keywords))
        given = self._given(arguments, self.matcher.program.generic(place.scope))
        self._asked.discard(site)
        return tuple(dict.fromkeys((*own, *given)))

    def _given(self, exprs: Iterable[ir.Expr | None], frame: Frame) -> tuple[ModelRef, ...]:
        """The models that are passed as arguments."""
        found: list[ModelRef] = []
        for value in (v for e in exprs if isinstance(e, (ir.Name, ir.Attribute)) for v in self.evaluator.values(e, frame)):
            if isinstance(value, Api) and value.site is not None and not value.path.startswith("builtins."):
                place = self.matcher.program.call_at(value.site)
                rule = self._load_rule(place) if place is not None else None
                if rule is not None and not (isinstance(rule, ModelLoad) and rule.opaque):
                    found += self._at(value.site, value)
            elif isinstance(value, Instance) and (base := self._base_rule(value.of)):
                found += self._at(value.site, Api(base.api[0])) or (self._class_ref(value, base),)
        return tuple(dict.fromkeys(found))

    def _load_rule(self, place: CallPlace) -> ModelLoad | ModelConstruct | None:
        frame = self.matcher.program.generic(place.scope)
        for value in self.evaluator.values(place.call.func, frame):
            if isinstance(value, Api):
                if rule := self.rulebook.find(value.path, ModelLoad) or self.rulebook.find(value.path, ModelConstruct):
                    return rule
            elif isinstance(value, UserClass) and (base := self._base_rule(value)):
                return base
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
            self._next(), span, self._framework(rule, api.path), last_name(place.call.func) or "load", artifact, self.moments.of(place),
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
        for weights in self.loads.configured(Site(place.scope.file, place.call.at)):
            for inner in walk(weights):
                if isinstance(inner, ir.Call):
                    for api in self.evaluator.apis(inner.func, frame):
                        load = self.rulebook.find(api.path, ModelLoad)
                        expr = port(inner, load.artifact) if load and load.artifact else None
                        if expr is not None and (found := file_of(self.evaluator, expr, frame)):
                            return found
        return None


def model_name(ref: ModelRef) -> str:
    """A Triton name for a model: its artifact's or its loader's."""
    stem = posixpath.splitext(posixpath.basename(ref.artifact))[0] if ref.artifact else ref.loader.lower()
    name = "".join(c if c.isalnum() else "_" for c in stem).strip("_") or "model"
    return name
