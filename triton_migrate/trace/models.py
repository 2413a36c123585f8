"""Takes the object a predict site runs, gives its `ModelRef`s: where it was loaded, by what, from which file, and when."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, last_name
from triton_migrate.resolve.stores import method_of
from triton_migrate.resolve.values import Api, Instance, Partial, Site, UserClass
from triton_migrate.rulebook.vocabulary import FlowBind, FlowCall, ModelConstruct, ModelLoad, ModelPredict
from triton_migrate.trace import guessed
from triton_migrate.trace.loads import Filling, Loads
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.pickled import Pickled
from triton_migrate.trace.records import ModelRef

MODELS = frozenset({"model", "clf", "classifier", "regressor", "estimator"})
PARTED = 4  # calls between a network's layer and another network that it is a part of


class Models:
    """All models of a program; each load site is one model, numbered in the order it was met."""

    def __init__(self, matcher: Matcher, startup: frozenset[Scope], distributions: frozenset[str]) -> None:
        self.matcher, self.evaluator, self.rulebook = matcher, matcher.evaluator, matcher.rulebook
        self.moments = Moments(matcher, startup)
        self.loads, self.pickled = Loads(matcher), Pickled(matcher, distributions)
        self.found: dict[Span, ModelRef] = {}
        self._asked: set[Site] = set()
        self._networks: dict[Scope, bool] = {}

    def of(self, api: Api, predict: ModelPredict, call: ir.Call, frame: Frame) -> tuple[ModelRef, ...]:
        """The models a call of `api` runs; a call that needs no load is its own model."""
        if predict.model:
            argument = port(call, predict.model)
            if given := self._given((argument,), frame) or self._taken_for(api, argument, frame):
                return given
        if found := self._at(api.made, api):
            return found
        if predict is guessed.RUNS:
            place = guessed.loaded(self.matcher, api)
            return (self._ref(place, guessed.MADE, api),) if place is not None else ()
        if isinstance(instance := api.of, Instance) and (base := self._base_rule(instance.of)):
            return (self._class_ref(instance, base),)
        if not predict.framework:
            return ()
        span = Span(frame.scope.file, *call.at)
        if span not in self.found:
            loader = last_name(call.func)
            self.found[span] = ModelRef(self._next(), span, predict.framework, loader, None, "per-request", "no", "python", predict.fused)
        return (self.found[span],)

    def loaded(self, api: Api) -> ModelRef | None:
        """What a load of anything (pickle) gave, seen as a model."""
        place = self._made(api.made)
        rule = self._load_rule(place) if place is not None else None
        return self._ref(place, rule, api) if place is not None and isinstance(rule, ModelLoad) and rule.opaque else None

    def idle(self, files: frozenset[str], walked: frozenset[Site]) -> tuple[ModelRef, ...]:
        """The models that nothing runs, loaded by these files on import or at start-up, or by `walked` calls of the entries.

        What gives anything (pickle) may be no model.
        """
        found = []
        for match in self.matcher.find(ModelLoad):
            place, rule = match.place, match.rule
            known = self.matcher.program.span(place.scope, place.call.at) in self.found
            named = not rule.opaque or self.named_a_model(place)
            if known or not named or rule.into or rule.within or self.moments.by_hand(place):
                continue
            asked = Site(place.scope.file, place.call.at) in walked and not rule.opaque
            if place.scope.file not in files and not asked:
                continue
            filled = [
                self.matcher.program.span(f.place.scope, f.place.call.at) for f in self.loads.into(Site(place.scope.file, place.call.at))
            ]
            if asked and self.found.keys().isdisjoint(filled):
                found.append(self._ref(place, rule, match.api))
            if place.scope.file not in files:
                continue
            if self.moments.of(place) in ("import", "startup") and (self.loads.named(match) or self.found.keys().isdisjoint(filled)):
                found.append(self._ref(place, rule, match.api))
        return tuple(dict.fromkeys(found))

    def named_a_model(self, place: CallPlace) -> bool:
        """Whether what a load of anything (pickle) gives is assigned to a name that says what it is: `churn_model = joblib.load(path)`."""
        bound = (name for name, bindings in place.scope.bindings.items() for b in bindings if b.expr is place.call)
        return any(name.lower().rstrip("0123456789").rstrip("_").rpartition("_")[2] in MODELS for name in bound)

    def inside(self, scope: Scope) -> bool:
        """Whether the code is a method of a class that is itself a model."""
        method = method_of(scope)
        if method is None or method.owner is None:
            return False
        if method.owner not in self._networks:
            assert method.owner.parent is not None
            cls = UserClass(method.owner, self.matcher.program.generic(method.owner.parent))
            own = method.owner.bindings.keys() & {"forward", "call", "__call__"}
            self._networks[method.owner] = bool(own) and self._base_rule(cls) is not None
        return self._networks[method.owner]

    def _at(self, site: Site | None, api: Api) -> tuple[ModelRef, ...]:
        """The models behind an object: what was loaded into it last, else the call that gave it, and models that call was given."""
        place = self._made(site)
        if place is None or site is None:
            return ()
        rule = self._load_rule(place)
        fillings = self.loads.into(site) + (self.loads.behind(place, rule) if isinstance(rule, ModelConstruct) else ())
        filled = [f for f in self._run(fillings) if not (isinstance(rule, ModelLoad) and self.loads.optional(f, place))]
        own = [r for f in filled if (r := self._filled(f, rule, api, place)) is not None]
        if not own:
            given = self._passed(place, site) or (self._parted(place, site, 0) if isinstance(rule, ModelConstruct) else ())
            own = [] if rule is None or (given and isinstance(rule, ModelConstruct)) else [self._ref(place, rule, api)]
            own += given
        return tuple(dict.fromkeys((*own, *self._parts(place))))

    def _made(self, site: Site | None) -> CallPlace | None:
        """The call that made an object: of `load()` and `partial(load, path)`, and of `to_thread(load, path)`, the call that they make."""
        place = self.matcher.program.call_at(site)
        if place is None:
            return None
        frame = self.matcher.program.generic(place.scope)
        for value in self.evaluator.values(place.call.func, frame):
            if isinstance(value, Partial):
                call, where = self.evaluator.applied(value, place.call, frame)
                return CallPlace(call, where.scope, None)
            bind = self.rulebook.find(value.path, FlowBind) if isinstance(value, Api) else None
            if bind is not None:
                return CallPlace(self.evaluator.handing.bound(bind, place.call, frame), place.scope, None)
            flow = self.rulebook.find(value.path, FlowCall) if isinstance(value, Api) else None
            if flow is not None and isinstance(value, Api):
                passed = (call for inner, call in self.evaluator.passed_calls(flow, value, place.call, frame) if isinstance(inner, Api))
                return next((CallPlace(call, place.scope, None) for call in passed), place)
        return place

    def _run(self, fillings: tuple[Filling, ...]) -> tuple[Filling, ...]:
        """Those of several loads into objects made at one place that the application runs, not a script beside it."""
        return tuple(f for f in fillings if self.evaluator.reach.runs(f.place.scope, f.place.call.at)) or fillings

    def _filled(self, filling: Filling, made: ModelLoad | ModelConstruct | None, api: Api, place: CallPlace) -> ModelRef | None:
        """A load into an object that is made at `place`; weights alone are of what the object was made as."""
        rule = filling.rule or made
        return self._ref(filling.place, rule, api, filling.artifact, _held(place)) if rule is not None else None

    def _passed(self, place: CallPlace, site: Site) -> tuple[ModelRef, ...]:
        """The models that the call which made an object was given."""
        if site in self._asked:
            return ()
        self._asked.add(site)
        given = self._given((*place.call.args, *(v for _, v in place.call.keywords)), self.matcher.program.generic(place.scope))
        self._asked.discard(site)
        return given

    def _parted(self, place: CallPlace, site: Site, depth: int) -> tuple[ModelRef, ...]:
        """The loaded networks that a call was given layers of, or what such layers give (`Model(net.input, net.layers[-2].output)`)."""
        frame = self.matcher.program.generic(place.scope)
        found: list[ModelRef] = []
        exprs = (place.call.func,) if depth else (*place.call.args, *(v for _, v in place.call.keywords))
        for root in (_root(e) for expr in exprs for e in _layers(expr)):
            for value in self.evaluator.values(root, frame) if root is not None else ():
                made = self.matcher.program.call_at(value.site) if isinstance(value, Api) else None
                if made is None or not isinstance(value, Api) or value.site in (None, site) or depth > PARTED:
                    continue
                loaded = isinstance(self._load_rule(made), ModelLoad)
                found += self._at(value.site, value) if loaded else self._parted(made, site, depth + 1)
        return tuple(dict.fromkeys(found))

    def _parts(self, place: CallPlace) -> tuple[ModelRef, ...]:
        """The models that a network of the program loads as parts of itself."""
        values = self.evaluator.values(place.call.func, self.matcher.program.generic(place.scope))
        classes = [v for v in values if isinstance(v, UserClass) and self._base_rule(v)]
        inner = (p for c in classes for k in self.evaluator.mro(c) if isinstance(k, UserClass) for p in self.loads.within(k.scope))
        return tuple(self._ref(p, r, Api(m.api.path)) for p in inner for m in self.matcher.at(p, ModelLoad) for r in (m.rule,))

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

    def _taken_for(self, api: Api, argument: ir.Expr | None, frame: Frame) -> tuple[ModelRef, ...]:
        """What loads of anything (pickle) gave and a library's function takes for its model (`approximate_predict(clusterer, x)`)."""
        values = self.evaluator.values(argument, frame) if argument is not None else ()
        places = (self.matcher.program.call_at(v.site) for v in values if isinstance(v, Api))
        loads = ((p, r) for p in places if p is not None and isinstance(r := self._load_rule(p), ModelLoad) and r.opaque)
        return tuple(self._ref(place, rule, api) for place, rule in loads)

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
        bases = (b.path for b in self.evaluator.mro(cls) if isinstance(b, Api))
        paths = (p for b in bases for p in (b, self.rulebook.canonical(f"{b}()").removesuffix("()")))
        return next((r for p in paths if (r := self.rulebook.find(p, ModelConstruct))), None)

    def _next(self) -> str:
        return f"m{len(self.found) + 1}"

    def _class_ref(self, instance: Instance, rule: ModelConstruct) -> ModelRef:
        span = Span(instance.site.file, *instance.site.at)
        if span not in self.found:
            framework = self._framework(None, rule, instance.of.scope.name, None)
            self.found[span] = ModelRef(
                self._next(), span, framework, instance.of.scope.name, None, "import", rule.exportable, rule.backend, rule.fused
            )
        return self.found[span]

    def _ref(self, place: CallPlace, rule: ModelLoad | ModelConstruct, api: Api, artifact: str | None = None, held: str = "") -> ModelRef:
        span = self.matcher.program.span(place.scope, place.call.at)
        if span not in self.found:
            artifact = artifact or (self.loads.artifact(place, rule) if isinstance(rule, ModelLoad) else None)
            self.found[span] = ModelRef(
                self._next(), span, self._framework(place, rule, api.path, artifact), last_name(place.call.func) or "load", artifact,
                self.moments.of(place), rule.exportable, rule.backend, rule.fused, held or _held(place),
            )  # fmt: skip
        return self.found[span]

    def _framework(self, place: CallPlace | None, rule: ModelLoad | ModelConstruct, path: str, artifact: str | None) -> str:
        if isinstance(rule, ModelLoad) and rule.opaque and not any(path.startswith(self.rulebook.canonical(f"{a}()")) for a in rule.api):
            taken_for = self.rulebook.library_of(path)  # an annotation or the function that takes it says more than the load
            if taken_for is not None and taken_for.framework and rule not in taken_for.rules:
                return taken_for.framework
        if rule.framework or rule is guessed.MADE:
            return rule.framework or guessed.framework(self.matcher, path, place)
        if place is not None and isinstance(rule, ModelLoad) and rule.hub:
            hub = self.matcher.constant(port(place.call, rule.hub), place)
            if isinstance(hub, str) and (told := self.pickled.by_name(hub)):
                return told
        library = next((lib for lib in self.rulebook.libraries if rule in lib.rules), None) or self.rulebook.library_of(path)
        framework = library.framework if library else ""
        if isinstance(rule, ModelLoad) and rule.opaque and (told := self.pickled.framework(artifact)):
            return told
        return framework or (library.name.lower() if library else "unknown")


def _layers(expr: ir.Expr) -> tuple[ir.Expr, ...]:
    """An argument, or the layers in a list of them."""
    return tuple(i for i in expr.items if isinstance(i, ir.Attribute)) if isinstance(expr, ir.Sequence) else (expr,)


def _root(expr: ir.Expr) -> ir.Name | None:
    while isinstance(expr, (ir.Attribute, ir.Subscript, ir.Call)):
        expr = expr.func if isinstance(expr, ir.Call) else expr.value
    return expr if isinstance(expr, ir.Name) else None


def model_name(ref: ModelRef) -> str:
    """A Triton name for a model: its artifact's, its class's, or what the program calls it."""
    told = ref.loader.lower() if ref.loader[:1].isupper() else ref.held or ref.loader
    stem = posixpath.splitext(posixpath.basename(ref.artifact))[0] if ref.artifact else told
    name = "".join(c if c.isalnum() else "_" for c in stem).strip("_") or "model"
    return name


def _held(place: CallPlace) -> str:
    """`clf` of `clf = joblib.load(path)`, `model` of `self._model = ...`."""
    for stmt in flow.flatten(place.scope.body):
        if isinstance(stmt, ir.Assign) and id(place.call) in flow.parts(stmt):
            target = stmt.targets[0]
            name = target.attr if isinstance(target, ir.Attribute) else target.id if isinstance(target, ir.Name) else ""
            return name.strip("_").lower()
    return ""
