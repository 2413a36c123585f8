"""Takes statements and values of one pipeline, gives what the cut weighs: what may move, what must stay, what is a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.around.registries import Registry
from triton_migrate.plan.copied.settings import Settings
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.leaving.answers import Answers
from triton_migrate.plan.leaving.filled import Filled
from triton_migrate.plan.leaving.getters import Getters
from triton_migrate.plan.leaving.scratch import Scratch
from triton_migrate.plan.leaving.weight import Weight
from triton_migrate.plan.values.types import Types
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, UserClass, Value
from triton_migrate.rulebook.vocabulary import (
    Effect,
    ModelConfigure,
    ModelConstruct,
    ModelLoad,
    Rule,
    StreamSource,
    TaskRunning,
    WebAbort,
    WebApp,
    WebParameter,
    WebRequest,
    WebResponse,
    WebRouter,
)
from triton_migrate.trace.records import Call, Cell, Pipeline, Step

LASTING = {
    "db-read": "reads a database", "db-write": "writes to a database", "network": "uses the network", "process": "starts a process",
    "file-write": "writes a file",
}  # fmt: skip
FETCHED = frozenset({"db-read", "network"})  # unless nothing is done with what it gives


class Judge:
    """Answers for one pipeline."""

    def __init__(
        self, evaluator: Evaluator, pipeline: Pipeline, types: Types, live: frozenset[Cell] = frozenset(), registry: Registry | None = None
    ) -> None:
        """`live`: state that changes at run time, so what reads it stays in the app; so does what chooses from the `registry`."""
        self.live, self.registry = live, registry
        self.evaluator, self.rulebook, self.pipeline, self.types = evaluator, evaluator.rulebook, pipeline, types
        self.settings = Settings(evaluator)
        self.scratch = Scratch(evaluator, pipeline)
        self.filled = Filled(evaluator, pipeline, self.is_object, self.of_the_web, self._come_to)
        self.steps: dict[tuple[Scope, ir.At], Step] = {(s.scope, s.stmt.at): s for s in pipeline.steps}
        self.by_scope: dict[Scope, list[Step]] = {}
        for step in pipeline.steps:
            self.by_scope.setdefault(step.scope, []).append(step)
        self._holders: frozenset[Value] | None = None
        self._web: dict[Value, bool] = {}
        self._loaded: dict[Value, bool] = {}
        running = (api for r in self.rulebook.of_role(TaskRunning) for api in r.api)
        self._tasks = frozenset(api.rpartition(".")[0] for api in running if "()." in api)  # `self` of a task, whose `request` it is
        self._own_leaves: dict[int, bool] = {}  # by the number of a step: what it does itself, whatever it calls
        self._leaving: dict[Scope, bool] = {}  # with all that the function comes to
        self._told: dict[int, NoCut | None] = {}  # what else looks at what each fills
        self._entered: dict[Scope, frozenset[Scope]] = {}  # a function and all that it comes to
        self.weight = Weight(self)
        self.answers = Answers(evaluator, pipeline, self.steps_of)
        self.getters = Getters(evaluator, self.steps_of, self.lasting, self._is_held)
        self._passing = frozenset(f"{cls.file}:{cls.qualname}" for s in pipeline.steps if not s.writes for cls in self._made(s))

    def _made(self, step: Step) -> Iterator[Scope]:
        """The classes of which a step makes objects, and those that have their `__init__`."""
        inherited = [e.owner for e in step.enters if e.owner is not None and e.name == "__init__"]
        yield from inherited
        frame = self.evaluator.program.generic(step.scope)
        for call in (p for p in flow.own(step.stmt) if isinstance(p, ir.Call) and inherited):
            yield from (v.scope for v in self.evaluator.values(call.func, frame) if isinstance(v, UserClass))

    # ------------------------------------------------------------ what may move

    def movable(
        self, stmt: ir.Stmt, frame: Frame, final: bool = False, hoists: tuple[ir.Assign, ...] = (), *, streams: bool = False
    ) -> bool:
        """Whether a statement may leave the function: nothing of request or response, no jump out, no lasting effect.

        What is hoisted out of it does not count. With `streams` what leaves is a generator: it may yield, and wait.
        """
        for inner in flow.flatten((stmt,)):
            if isinstance(inner, (ir.Declare, ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom)):
                return False
            if isinstance(inner, (ir.For, ir.With)) and inner.is_async:
                return False
            if isinstance(inner, ir.Jump) and inner.kind != "pass" and not any(flow.loops_around((stmt,), inner.at)):
                return False
            if isinstance(inner, ir.Return) and not final:
                return False
            if self.registry is not None:
                read = flow.own(inner)
                if self.registry.read_by(self.evaluator, inner, read, frame):
                    return False
            step = self.steps.get((frame.scope, inner.at))
            if hoists and any(h.value is p for h in hoists for p in flow.own(inner)):
                fixed = step is not None and (bool(step.responds) or bool(self.lasting(step)))
                if fixed or not all(self.part_leaves(e, inner, frame, hoists) for e in flow.expressions(inner)):
                    return False
                continue
            if not streams and any(self._waits(p, frame) for p in flow.own(inner)):
                return False
            if step is not None and not self.leaves(step):
                return False
            parts = flow.own(inner) if step is None else []
            held = self._held(parts, frame)
            if any(self.of_the_web(v) for p in parts if id(p) not in held for v in self.evaluator.values(p, frame)):
                return False
        return True

    def _waits(self, part: ir.Expr, frame: Frame) -> bool:
        return isinstance(part, (ir.Yield, ir.Await)) or self.types.threads.starts(part, frame)

    def ends(self, stmt: ir.Stmt, frame: Frame) -> bool:
        """Whether a statement ends the function: `return`, `raise`, `abort(404)`."""
        if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call):
            return any(self.rulebook.find(a.called, WebAbort) for a in self.evaluator.apis(stmt.value.func, frame))
        return isinstance(stmt, (ir.Return, ir.Raise))

    def asks_whether_left(self, stmt: ir.Stmt, frame: Frame) -> bool:
        """`if await request.is_disconnected(): break`: what a server does for a stream of its own accord."""
        if not isinstance(stmt, ir.If) or stmt.orelse:
            return False
        asked = flow.unawaited(stmt.test)
        apis = self.evaluator.apis(asked.func, frame) if isinstance(asked, ir.Call) else ()
        asks = any(isinstance(r, Effect) and r.kind == "disconnect" for a in apis for r in self.rulebook.rules_for(a.called))
        *told, last = stmt.body
        return asks and isinstance(last, (ir.Jump, ir.Return)) and all(isinstance(s, ir.Evaluate) for s in told)

    def obstacle(self, stmt: ir.Stmt, frame: Frame, *, streams: bool = False) -> NoCut | None:
        """Which part of a statement keeps it in the app, in words; `streams` as for `movable`."""
        for inner in flow.flatten((stmt,)):
            where = Span(frame.scope.file, *inner.at)
            step = self.steps.get((frame.scope, inner.at))
            if step is not None and (told := self._looked_at(step)) is not None:
                return told
            if step is not None and (lasting := self.lasting(step)):
                names = ", ".join(sorted({c.name for c in lasting}))
                return NoCut(f"the statement that runs the model also changes {names}, which outlives the request", where,
                             f"run the model in a statement of its own, and change {names} after it")  # fmt: skip
            if step is not None and (effect := self._lasting_effect(step, frozenset())) is not None:
                place, does = effect
                return NoCut(f"the code that runs the model also {does}", place, "do it before or after the model runs")
            if step is not None and (deeper := self._lasting_below(step)) is not None:
                names = ", ".join(sorted({c.name for c in self.lasting(deeper)}))
                return NoCut(f"the code that runs the model also changes {names}, which outlives the request", deeper.span,
                             f"change {names} before or after the model runs")  # fmt: skip
            for part in flow.own(inner):
                if isinstance(part, (ir.Yield, ir.Await)) and not streams and isinstance(stmt, (ir.For, ir.While)):
                    return NoCut("the loop that runs the model also waits for something, such as its reader", where,
                                 "yield the results in a generator of their own, and send them in a loop over it")  # fmt: skip
                if isinstance(part, (ir.Yield, ir.Await)) and not streams:
                    return NoCut("the statement that runs the model also waits for something", where,
                                 "await into a variable first, then run the model")  # fmt: skip
                if isinstance(part, ir.Name) and any(self.of_the_web(v) for v in self.evaluator.name(part.id, frame)):
                    return NoCut(f"the statement that runs the model also reads {part.id}, {self.what_stays(part.id, frame)}", where,
                                 f"read what is needed of {part.id} into plain variables first")  # fmt: skip
            if isinstance(inner, ir.Return) and inner is not stmt:
                return NoCut("the block that runs the model may leave the function", where,
                             "move the model call out of the block that returns")  # fmt: skip
        return None

    def _looked_at(self, step: Step) -> NoCut | None:
        """What else looks at a cache of what is loaded that a step, or what it calls, fills."""
        if step.number not in self._told:
            steps = (step, *self.steps_of(step.enters))
            self._told[step.number] = next((told for s in steps if s.writes and (told := self.filled.told(s)) is not None), None)
        return self._told[step.number]

    def _lasting_effect(self, step: Step, seen: frozenset[Scope]) -> tuple[Span, str] | None:
        """Where a step, or what it calls, does something that has to stay in the app, and what."""
        for call in step.calls:
            for rule in call.rules:
                if self.outlives(step, call, rule):
                    does = LASTING[rule.kind] if isinstance(rule, Effect) else "reads a device or a queue"
                    return Span(step.scope.file, *call.at), does
        inner = (s for e in step.enters - seen for s in self.by_scope.get(e, ()))
        return next((found for s in inner if (found := self._lasting_effect(s, seen | step.enters)) is not None), None)

    def _lasting_below(self, step: Step) -> Step | None:
        """A step of what this one calls that changes what outlives the request."""
        below = self.steps_of(step.enters - self._handing_out(step))
        brings = (ModelLoad, ModelConstruct)  # a model that is loaded when it is first needed
        return next((s for s in below if self.lasting(s) and not any(isinstance(r, brings) for c in s.calls for r in c.rules)), None)

    def part_leaves(self, expr: ir.Expr, stmt: ir.Stmt, frame: Frame, hoists: tuple[ir.Assign, ...] = ()) -> bool:
        """Whether nothing in one expression of a statement that stays has to stay itself, but for what is hoisted out of it."""
        hoisted = {id(p) for h in hoists if h.value is not None for p in walk(h.value)}
        return all(id(p) in hoisted for p in self.stuck_parts(expr, stmt, frame))

    def stuck_parts(self, expr: ir.Expr, stmt: ir.Stmt, frame: Frame) -> Iterator[ir.Expr]:
        """The parts of one expression of a statement that have to stay in the app."""
        parts = list(walk(expr))
        held: set[int] | None = None  # found out where it matters
        step = self.steps.get((frame.scope, stmt.at))
        staying = {c.at for c in step.calls if self._call_stays(step, c)} if step is not None else set()
        for part in parts:
            live = isinstance(part, (ir.Name, ir.Attribute)) and step is not None and self._is_live(part, step)
            if live or self._waits(part, frame):
                yield part
            elif any(self.of_the_web(v) for v in self.evaluator.values(part, frame)) or self._does_stay(part, frame, staying):
                held = self._held(parts, frame) if held is None else held
                if id(part) not in held:
                    yield part

    def _does_stay(self, part: ir.Expr, frame: Frame, staying: set[ir.At]) -> bool:
        """Whether it is a call that does something that has to stay; `staying`: those that do so themselves."""
        if not isinstance(part, ir.Call) or part.at in staying:
            return isinstance(part, ir.Call)
        entered = {f.scope for v in self.evaluator.values(part.func, frame) for f in self.evaluator.callables(v)}
        return not self._all_leave(entered)

    def leaves(self, step: Step) -> bool:
        """Whether nothing in a step, or in what it calls, has to stay in the app."""
        return self._leaves_itself(step) and self._all_leave(step.enters - self._handing_out(step))

    def _handing_out(self, step: Step) -> frozenset[Scope]:
        """The functions that a step enters only to get a model."""
        frame = self.evaluator.program.generic(step.scope)
        calls = [p for p in flow.own(step.stmt) if isinstance(p, ir.Call)]
        found = {id(c): self.getters.entered(c, frame) for c in calls}
        others = (v for c in calls if not found[id(c)] for v in self.evaluator.values(c.func, frame))
        return frozenset(e for entered in found.values() for e in entered) - {f.scope for v in others for f in self.evaluator.callables(v)}

    def _all_leave(self, functions: Iterable[Scope]) -> bool:
        return all(map(self._function_leaves, functions))

    def _function_leaves(self, function: Scope) -> bool:
        if (known := self._leaving.get(function)) is None:
            known = self._leaving[function] = all(map(self._leaves_itself, self.steps_of((function,))))
        return known

    def steps_of(self, functions: Iterable[Scope]) -> Iterator[Step]:
        """The steps of functions and of all that calls of them enter."""
        return (s for f in functions for e in self._come_to(f) for s in self.by_scope.get(e, ()))

    def _come_to(self, function: Scope) -> frozenset[Scope]:
        """The function, and those that a call of it enters."""
        if (known := self._entered.get(function)) is None:
            found, new = {function}, {function}
            while new:
                new = {e for f in new for s in self.by_scope.get(f, ()) for e in s.enters} - found
                found |= new
            known = self._entered[function] = frozenset(found)
        return known

    def _leaves_itself(self, step: Step) -> bool:
        if (known := self._own_leaves.get(step.number)) is None:
            known = self._own_leaves[step.number] = self._nothing_stays(step)
        return known

    def _nothing_stays(self, step: Step) -> bool:
        if step.responds or self.lasting(step) or self._reads_live(step):
            return False
        calls = [call for call in step.calls if not self.answers.allows(step, call.at)]
        if any(self._call_stays(step, call) or self.of_the_web(call.api) for call in calls):
            return False
        frame = self.evaluator.program.generic(step.scope)
        parts = flow.own(step.stmt)
        read = (p for p in parts if isinstance(p, (ir.Name, ir.Attribute)))
        web = [p for p in read if any(self.of_the_web(v) and not self.is_loaded(v) for v in self.evaluator.values(p, frame))]
        return not web or {id(p) for p in web} <= self._held(parts, frame) | self.answers.parts(step.stmt, step.scope)

    def _call_stays(self, step: Step, call: Call) -> bool:
        return any(isinstance(r, (WebAbort, WebResponse, WebRequest)) or self.outlives(step, call, r) for r in call.rules)

    def outlives(self, step: Step, call: Call, rule: Rule) -> bool:
        """Whether a call reads a camera or a queue, or changes what outlives the request."""
        if isinstance(rule, Effect) and rule.kind == "file-write":
            return not self.scratch.only(step, call)
        return isinstance(rule, StreamSource) or (isinstance(rule, Effect) and rule.kind in LASTING)

    def changes(self, expr: ir.Expr, stmt: ir.Stmt, frame: Frame) -> bool:
        """Whether a part of a statement changes what outlives the request, so that nothing that may fail can be done after it instead.

        A value that is fetched is none; what is sent for its own sake is.
        """
        step = self.steps.get((frame.scope, stmt.at))
        calls = [p for p in walk(expr) if isinstance(p, ir.Call)]
        entered = {f.scope for c in calls for v in self.evaluator.values(c.func, frame) for f in self.evaluator.callables(v)}
        own = ((step, c) for c in step.calls if ir.holds(expr.at, c.at)) if step is not None else ()
        below = [s for s in self.steps_of(entered) if s is not step]
        made = (*own, *((s, c) for s in below for c in s.calls))
        return any(self._for_its_own_sake(s, c) for s, c in made) or any(map(self.lasting, below))

    def _for_its_own_sake(self, step: Step, call: Call) -> bool:
        kinds = LASTING.keys() - (frozenset() if isinstance(step.stmt, ir.Evaluate) else FETCHED)
        return any(isinstance(r, Effect) and r.kind in kinds and self.outlives(step, call, r) for r in call.rules)

    def _is_live(self, part: ir.Name | ir.Attribute, step: Step) -> bool:
        name = part.attr if isinstance(part, ir.Attribute) else part.id
        return any(cell.name == name and cell in step.taint for cell in self.live)

    def _reads_live(self, step: Step) -> bool:
        parts = flow.own(step.stmt) if self.live else ()
        return any(isinstance(p, (ir.Name, ir.Attribute)) and self._is_live(p, step) for p in parts)

    def lasting(self, step: Step) -> set[Cell]:
        """What a step changes that outlives the request: not the attributes of an object that is made for this request.

        Nor a cache of what is loaded, which the model's side fills for itself.
        """
        return {c for c in step.writes if (c.kind != "attribute" or c.owner not in self._passing) and not self.filled.fills(step, c)}

    def of_the_web(self, value: Value) -> bool:
        """Requests, responses, applications, routers and what they make, and the job that a worker runs: they stay in the app.

        A body of JSON is plain data.
        """
        if not isinstance(value, Api):
            return False
        if (known := self._web.get(value)) is None:
            known = self._web[value] = self._is_web(value)
        return known

    def is_task(self, value: Value) -> bool:
        """A task of a queue, as it knows itself: nothing to send."""
        return isinstance(value, Api) and value.path in self._tasks

    def what_stays(self, name: str, frame: Frame) -> str:
        """In words, what a name is that cannot leave."""
        values = [v for v in self.evaluator.name(name, frame) if isinstance(v, Api)]
        queue = any(self.is_task(v) or self.rulebook.find(v.path.removesuffix("()"), TaskRunning) for v in values)
        return "an object of the queue" if queue else "an object of the web framework"

    def _is_web(self, value: Api) -> bool:
        path, made_by = value.path, value.path.removesuffix("()")
        if self.rulebook.find(path, TaskRunning) or self.rulebook.find(made_by, TaskRunning):
            return True
        asked = self.rulebook.find(path, WebRequest)
        if (asked is not None and asked.source != "json") or self.rulebook.find(path, WebAbort) or self.rulebook.find(made_by, WebResponse):
            return True
        parameter = self.rulebook.find(made_by, WebParameter) if path.endswith("()") else None
        if parameter is not None and not parameter.default and parameter.source != "dependency":  # an object, not a marker like Query()
            return True
        root = path.split("()")[0]
        data = path.startswith(f"{root}().state.") or path == f"{root}().config[]"  # what the program has put there
        return bool(self.rulebook.find(root, WebApp) or self.rulebook.find(root, WebRouter)) and not data

    def writes_files(self, scope: Scope, first: ir.Stmt) -> bool:
        """Whether the entry stores something in a file before that statement: what reads it must stay on this machine."""
        start = self.steps.get((scope, first.at))
        return start is not None and self._first_write is not None and self._first_write < start.number

    @cached_property
    def _first_write(self) -> int | None:
        """The number of the first step that stores something in a file."""
        writing = (s for s in self.pipeline.steps for c in s.calls for r in c.rules if isinstance(r, Effect) and r.kind == "file-write")
        return min((s.number for s in writing), default=None)

    # ------------------------------------------------------------ models and other objects

    def is_receiver(self, name: str, frame: Frame) -> bool:
        """A live-in that holds a model, or an object of the program that does: made anew on the model's side."""
        values = {
            v for v in self.evaluator.name(name, frame) if not (isinstance(v, Literal) and v.value is None)
        }  # `model = None` until loaded
        return bool(values) and all(map(self.is_object, values))

    def is_object(self, value: Value) -> bool:
        """A model, or an object of the program that is more than data: it is not sent."""
        if self.registry is not None and self.registry.holds(frozenset({value})):
            return True
        return self.is_loaded(value) or (isinstance(value, Instance) and not self._is_data(value))

    def _holding(self) -> frozenset[Value]:
        """Objects that the predict calls reach their models through (`artifacts.model.predict(x)`)."""
        if self._holders is None:
            roots = ((root, s.frame) for s in self.pipeline.sites if (root := _chain_root(s.call.func)) is not None)
            self._holders = frozenset(v for root, frame in roots for v in self.evaluator.name(root.id, frame) if isinstance(v, Instance))
        return self._holders

    def _is_data(self, instance: Instance) -> bool:
        return self.types.declared.record(instance.of).kind in ("record", "enum") and instance not in self._holding()

    def is_loaded(self, value: Value) -> bool:
        """A model or preprocessor that some call loaded, or an instance of a model class."""
        if isinstance(value, Instance):
            return any(isinstance(b, Api) and self.rulebook.find(b.path, ModelConstruct) for b in self.evaluator.mro(value.of))
        if not isinstance(value, Api):
            return False
        if (known := self._loaded.get(value)) is None:
            known = self._loaded[value] = self._is_load(value)
        return known

    def _is_load(self, value: Api) -> bool:
        if not value.path.endswith(("()", "]")):
            return False
        if any(value.site == s.api.made for s in self.pipeline.sites if value.site is not None):
            return True
        place = self.evaluator.program.call_at(value.site) if value.site is not None else None
        if place is None:
            return bool(self.rulebook.find(value.path.removesuffix("()"), ModelLoad))
        apis = self.evaluator.apis(place.call.func, self.evaluator.program.generic(place.scope))
        loads = [a for a in apis if self.rulebook.find(a.called, ModelLoad) or self.rulebook.find(a.called, ModelConstruct)]
        return bool(loads) and value.path == self.rulebook.canonical(loads[0].path + "()")

    def loaded_chains(self, exprs: Iterable[ir.Expr], frame: Frame) -> tuple[ir.Expr, ...]:
        """`request.app.state.model`, `current_app.config["MODEL"]`: what holds a loaded object and starts at an object of the web."""
        found: list[ir.Expr] = []
        for part in exprs:
            root = next(flow.names(part), None) if isinstance(part, (ir.Attribute, ir.Subscript)) else None
            if root is None or not _is_chain(part) or not self._is_held(part, frame):
                continue
            if any(self.of_the_web(v) for v in self.evaluator.name(root.id, frame)):
                found.append(part)
        return tuple(found)

    def stand_ins(self, exprs: Iterable[ir.Expr], frame: Frame) -> tuple[ir.Expr, ...]:
        """What stands for a loaded object that the model's side has under a name of its own: these chains, and calls that hand it out."""
        parts = tuple(exprs)
        return (*self.loaded_chains(parts, frame), *self.getters.of(parts, frame))

    def _held(self, parts: Sequence[ir.Expr], frame: Frame) -> set[int]:
        """The parts of expressions that only lead to a loaded object (`request.app.state` of `request.app.state.model`)."""
        chains = [p for p in parts if isinstance(p, (ir.Attribute, ir.Subscript)) and _is_chain(p) and self._is_held(p, frame)]
        return {id(p) for c in (*chains, *self.getters.of(parts, frame)) for p in walk(c)} | self.settings.inside(parts, frame)

    def _is_held(self, expr: ir.Expr, frame: Frame) -> bool:
        values = {v for v in self.evaluator.values(expr, frame) if not (isinstance(v, Literal) and v.value is None)}
        return bool(values) and all(self.is_loaded(v) for v in values)

    def uses_loaded(self, expr: ir.Expr, frame: Frame) -> bool:
        """`x.attribute` or `x[key]` of something loaded."""
        base = expr.value if isinstance(expr, (ir.Attribute, ir.Subscript)) else None
        return base is not None and any(self.is_loaded(v) for v in self.evaluator.values(base, frame))

    def configuring(self, scope: Scope) -> tuple[ir.Expr, ...]:
        """Decorators of the function that configure the model's run (`@torch.no_grad()`)."""
        frame = self.evaluator.program.generic(scope).parent or self.evaluator.program.frames[scope.file]
        return tuple(
            d
            for d in scope.function.decorators
            for a in self.evaluator.apis(d.func if isinstance(d, ir.Call) else d, frame)
            if self.rulebook.find(a.path.removesuffix("()"), ModelConfigure)
        )


def _chain_root(func: ir.Expr) -> ir.Name | None:
    """The `a` of `a.b.predict`, not of `model.predict`, which is the model itself."""
    names = list(flow.names(func))
    deep = isinstance(func, ir.Attribute) and isinstance(func.value, (ir.Attribute, ir.Subscript))
    return names[0] if deep and names else None


def _is_chain(expr: ir.Expr) -> bool:
    """`a.b["c"].d`: names, attributes and constant keys."""
    while isinstance(expr, (ir.Attribute, ir.Subscript)):
        if isinstance(expr, ir.Subscript) and not isinstance(expr.key, ir.Constant):
            return False
        expr = expr.value
    return isinstance(expr, ir.Name)
