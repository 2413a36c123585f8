"""Takes an entry, walks its code in order through the calls it makes, and gives the steps with the origins of every value.

An abstract interpreter over origins: each name maps to the steps, inputs, cells and predict sites its value depends on. Branches are
merged, loop bodies run twice, calls of the program's own functions are entered with what the arguments may be.
"""

from __future__ import annotations

from collections.abc import Iterable

from triton_migrate.base import Span
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.requests import fields_of
from triton_migrate.index import ir
from triton_migrate.index.flow import children
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.channels import Channel
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Instance, Literal, Module, Partial, Unknown, UserClass, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import (
    ChannelPut,
    ChannelTake,
    DataConvert,
    Effect,
    FlowCall,
    ModelConfigure,
    ModelPredict,
    Rule,
    TaskEnqueue,
    WebRequest,
    WebResponse,
)
from triton_migrate.trace.models import Models
from triton_migrate.trace.records import CLEAN, Break, Call, Cell, InputOrigin, PredictOrigin, PredictSite, Step, Taint
from triton_migrate.trace.responses import answered_kind

DEEPEST = 12
BUDGET = 4000  # statements walked from one entry; after that a function, or a class's method, is walked only if it was not yet
OF_THE_REQUEST = ("threading.local()", "contextvars.ContextVar()")  # globals with a value for each request
ROUNDS = 12  # walks through one function (for a method: on objects of one class) from one entry; after that its results are those it had
READERS = frozenset({"get", "getlist", "pop", "get_all"})  # methods of a mapping that take the field's name first


class Env:
    """Local names and what their values depend on; closures read the enclosing function's."""

    __slots__ = ("names", "outer")

    def __init__(self, names: dict[str, Taint], outer: Env | None = None) -> None:
        self.names, self.outer = names, outer

    def get(self, name: str) -> Taint | None:
        if name in self.names:
            return self.names[name]
        return self.outer.get(name) if self.outer else None

    def add(self, name: str, taint: Taint) -> None:
        self.names[name] = self.names.get(name, CLEAN) | taint


class Walk:
    """The walk from one entry. Read `steps`, `sites`, `breaks`, `whole`, `queue` afterwards."""

    def __init__(self, evaluator: Evaluator, models: Models, queues: Queues) -> None:
        self.queues = queues
        self.evaluator, self.rulebook, self.program, self.models = evaluator, evaluator.rulebook, evaluator.program, models
        self.steps: list[Step] = []
        self.sites: list[PredictSite] = []
        self.breaks: dict[tuple[str, ir.At], Break] = {}
        self.whole: dict[str, InputOrigin] = {}  # request containers read as a whole, by source
        self.queue: str | None = None
        self._chained = CLEAN  # the result of the part of a workflow that was walked last
        self.heap: dict[Cell, Taint] = {}
        self.responses: list[str] = []
        self._numbers: dict[tuple[Scope, ir.At], int] = {}
        self._sites: dict[tuple[str, ir.At], int] = {}
        self._active: list[Scope] = []
        self._chain: list[tuple[ir.Call, Frame]] = []
        self._step: Step | None = None
        self._closures: dict[int, Env] = {}
        self._walked: dict[tuple[Scope, int, tuple[tuple[str, Taint], ...]], tuple[int, Taint]] = {}
        self._changed = 0  # grows with the heap
        self._visits = 0
        self._rounds: dict[tuple[Scope, Scope | None], int] = {}
        self._returned: dict[tuple[Scope, Scope | None], Taint] = {}

    def run(self, function: UserFunction, given: dict[str, Values], taints: dict[str, Taint]) -> Taint:
        """Walk one call of a function; what it returns depends on."""
        scope = function.scope
        if scope in self._active or len(self._active) >= DEEPEST:
            return frozenset().union(*taints.values()) if taints else CLEAN
        frame = self.evaluator.enter(function, given)
        key = (scope, id(frame), tuple(sorted(taints.items(), key=lambda pair: pair[0])))
        if (known := self._walked.get(key)) is not None and known[0] == self._changed:
            return known[1]
        method = (scope, function.receiver.of.scope if isinstance(function.receiver, Instance) else None)
        self._rounds[method] = self._rounds.get(method, 0) + 1
        if self._rounds[method] > (ROUNDS if self._visits < BUDGET else 1):
            return self._returned.get(method, CLEAN).union(*taints.values())
        env = Env(dict(taints), self._closures.get(id(function.frame.scope)))
        for parameter in scope.function.parameters:
            env.names.setdefault(parameter.name, CLEAN)
        outer_env = self._closures.get(id(scope))
        self._closures[id(scope)] = env
        self._active.append(scope)
        step, self._step = self._step, None
        returned: list[Taint] = []
        self._block(scope.function.body, frame, env, returned)
        self._step = step
        self._active.pop()
        if outer_env is not None:
            self._closures[id(scope)] = outer_env
        found = frozenset().union(*returned)
        if scope.parent is not None and scope.parent.kind != "function":  # what a closure sees is not in the key
            self._walked[key] = self._changed, found
        self._returned[method] = self._returned.get(method, CLEAN) | found
        return found

    def run_module(self, frame: Frame) -> None:
        """Walk what a file does when it is started."""
        assert isinstance(frame.scope.node, ir.ModuleFacts)
        self._active.append(frame.scope)
        self._block(frame.scope.node.body, frame, Env({}), [])
        self._active.pop()

    # ------------------------------------------------------------ statements

    def _block(self, body: ir.Block, frame: Frame, env: Env, returned: list[Taint]) -> None:
        for stmt in body:
            self._statement(stmt, frame, env, returned)

    def _begin(self, stmt: ir.Stmt, scope: Scope) -> Step:
        key = (scope, stmt.at)
        if key not in self._numbers:
            self._numbers[key] = len(self.steps)
            self.steps.append(Step(len(self.steps), scope, stmt, len(self._active)))
        self._step = self.steps[self._numbers[key]]
        return self._step

    def _end(self, step: Step, taint: Taint) -> Taint:
        step.taint |= taint
        return taint | {step.number}

    def _statement(self, stmt: ir.Stmt, frame: Frame, env: Env, returned: list[Taint]) -> None:
        if isinstance(stmt, (ir.Define, ir.DefineClass, ir.Import, ir.ImportFrom, ir.Declare, ir.Jump)):
            return
        step = self._begin(stmt, frame.scope)
        self._visits += 1
        match stmt:
            case ir.Assign(_, targets, value, _, augmented):
                taint = self._end(step, self.expr(value, frame, env))
                for target in targets:
                    self._assign(target, taint, frame, env, step, augmented)
            case ir.Evaluate(_, value):
                taint = self._end(step, self.expr(value, frame, env))
                if isinstance(value, ir.Yield):
                    returned.append(taint)
            case ir.Return(_, value):
                taint = self._end(step, self.expr(value, frame, env))
                returned.append(taint)
            case ir.Raise(_, exception, cause):
                self._end(step, self.expr(exception, frame, env) | self.expr(cause, frame, env))
            case ir.Assert(_, test, message):
                self._end(step, self.expr(test, frame, env) | self.expr(message, frame, env))
            case ir.Delete():
                pass
            case ir.If(_, test, body, orelse):
                self._end(step, self.expr(test, frame, env))
                self._branches((body, orelse), frame, env, returned)
            case ir.For(_, target, iterable, body, orelse):
                taint = self._end(step, self.expr(iterable, frame, env))
                for _ in range(2):
                    self._assign(target, taint, frame, env, step, False)
                    self._block(body, frame, env, returned)
                self._block(orelse, frame, env, returned)
            case ir.While(_, test, body, orelse):
                for _ in range(2):
                    self._step = step
                    self._end(step, self.expr(test, frame, env))
                    self._block(body, frame, env, returned)
                self._block(orelse, frame, env, returned)
            case ir.With(_, items, body):
                for expr, bound in items:
                    taint = self._end(step, self.expr(expr, frame, env))
                    if bound is not None:
                        self._assign(bound, taint, frame, env, step, False)
                self._block(body, frame, env, returned)
            case ir.Try(_, body, handlers, orelse, final):
                self._block(body, frame, env, returned)
                for handler in handlers:
                    if handler.name:
                        env.add(handler.name, CLEAN)
                    self._block(handler.body, frame, env, returned)
                self._block(orelse, frame, env, returned)
                self._block(final, frame, env, returned)
            case ir.Match(_, subject, cases):
                taint = self._end(step, self.expr(subject, frame, env))
                for case in cases:
                    for name in case.captures:
                        env.add(name, taint)
                self._branches(tuple(c.body for c in cases), frame, env, returned)

    def _branches(self, blocks: Iterable[ir.Block], frame: Frame, env: Env, returned: list[Taint]) -> None:
        before, after = dict(env.names), dict(env.names)
        for block in blocks:
            env.names = dict(before)
            self._block(block, frame, env, returned)
            for name, taint in env.names.items():
                after[name] = after.get(name, CLEAN) | taint
        env.names = after

    def _assign(self, target: ir.Expr, taint: Taint, frame: Frame, env: Env, step: Step, augmented: bool) -> None:
        match target:
            case ir.Name(_, name):
                if name in frame.scope.globals:
                    self._put(Cell("global", frame.scope.file, name), taint, step)
                elif augmented:
                    env.add(name, taint)
                else:
                    env.names[name] = taint
            case ir.Sequence(_, _, items):
                for item in items:
                    self._assign(item, taint, frame, env, step, augmented)
            case ir.Starred(_, inner):
                self._assign(inner, taint, frame, env, step, augmented)
            case ir.Attribute(_, base, attr):
                for value in self.evaluator.values(base, frame):
                    if cell := self._attribute_cell(value, attr):
                        self._put(cell, taint, step)
                self._mutate(base, taint, frame, env, step)
            case ir.Subscript(_, base, index):
                self._mutate(base, taint | self.expr(index, frame, env), frame, env, step)

    def _put(self, cell: Cell, taint: Taint, step: Step, certain: bool = True) -> None:
        held = self.heap.get(cell, CLEAN)
        if not taint <= held or cell not in self.heap:
            self.heap[cell] = held | taint
            self._changed += 1
        if cell.lasting and certain:
            step.writes.add(cell)

    def _mutate(self, expr: ir.Expr, taint: Taint, frame: Frame, env: Env, step: Step, certain: bool = True) -> None:
        """Something inside `expr`'s object changed: the name at its root now depends on `taint` too."""
        while isinstance(expr, (ir.Subscript, ir.Call)):
            expr = expr.value if isinstance(expr, ir.Subscript) else expr.func
        if isinstance(expr, ir.Attribute):
            for value in self.evaluator.values(expr.value, frame):
                if cell := self._attribute_cell(value, expr.attr):
                    self._put(cell, taint, step, certain)
            self._mutate(expr.value, taint, frame, env, step, certain)
        elif isinstance(expr, ir.Name):
            if env.get(expr.id) is not None:
                env.add(expr.id, taint | (env.get(expr.id) or CLEAN))
            elif cell := self._global_cell(expr.id, frame):
                own = any(isinstance(v, Api) and v.path in OF_THE_REQUEST for v in self.evaluator.values(expr, frame))
                self._put(cell, taint, step, certain and not own)

    # ------------------------------------------------------------ expressions

    def expr(self, expr: ir.Expr | None, frame: Frame, env: Env) -> Taint:
        """What the value of `expr` depends on."""
        match expr:
            case None | ir.Constant():
                return CLEAN
            case ir.Name(_, name):
                return self._name(name, expr, frame, env)
            case ir.Attribute(_, base, attr):
                return self.expr(base, frame, env) | self._attribute(base, attr, frame) | self._request(expr, frame)
            case ir.Subscript(_, base, index):
                taint = self.expr(base, frame, env) | self.expr(index, frame, env)
                return taint | self._fields(base, index, frame)
            case ir.Call():
                return self._call(expr, frame, env)
            case ir.Await(_, value) if not isinstance(value, ir.Call):
                return self.expr(value, frame, env) | self._awaited(value, frame)
            case ir.Walrus(_, target, value):
                taint = self.expr(value, frame, env) | ({self._step.number} if self._step else CLEAN)
                env.names[target.id] = taint
                return taint
            case ir.Lambda():
                return CLEAN
            case ir.Comprehension(_, _, element, value, loops):
                found = CLEAN
                inner = Env({}, env)
                for bound, iterable, conditions in loops:
                    taint = self.expr(iterable, frame, inner)
                    self._bind_names(bound, taint, inner)
                    found |= taint | self._all(conditions, frame, inner)
                return found | self.expr(element, frame, inner) | self.expr(value, frame, inner)
        return self._all(_parts(expr), frame, env)

    def _all(self, exprs: Iterable[ir.Expr], frame: Frame, env: Env) -> Taint:
        return frozenset().union(*(self.expr(e, frame, env) for e in exprs))

    def _bind_names(self, target: ir.Expr, taint: Taint, env: Env) -> None:
        if isinstance(target, ir.Name):
            env.names[target.id] = taint
        for part in _parts(target):
            self._bind_names(part, taint, env)

    def _name(self, name: str, expr: ir.Expr, frame: Frame, env: Env) -> Taint:
        found = env.get(name)
        if found is not None and name not in frame.scope.globals:
            return found
        taint = self._request(expr, frame)
        if cell := self._global_cell(name, frame):
            taint |= {cell} | self.heap.get(cell, CLEAN)
        return taint

    def _global_cell(self, name: str, frame: Frame) -> Cell | None:
        """The module global that `name` means here, through imports from other modules of the program."""
        module, seen = frame.module, 0
        while seen < 8:
            seen += 1
            bindings = module.scope.bindings.get(name, [])
            imported = next((b for b in bindings if b.how == "from"), None)
            if imported is None:
                held = any(b.how in ("value", "enter", "element", "unknown") for b in bindings)
                known = held or self.program.global_bindings(module.scope.file, name)
                return Cell("global", module.scope.file, name) if known else None
            stmt, name = imported.imported
            path = self.program.module_path(module.scope.file, stmt.module, stmt.level)
            if path is None:
                return None
            module = self.program.frames[path]
        return None

    def _attribute(self, base: ir.Expr, attr: str, frame: Frame) -> Taint:
        taint = CLEAN
        for value in self.evaluator.values(base, frame):
            if cell := self._attribute_cell(value, attr):
                taint |= self.heap.get(cell, CLEAN) | ({cell} if cell.lasting else CLEAN)
            if isinstance(value, Instance):
                for function in self._property(value, attr):
                    taint |= self.run(function, {function.scope.function.parameters[0].name: frozenset({value})}, {})
        return taint

    def _attribute_cell(self, value: Value, attr: str) -> Cell | None:
        if isinstance(value, Instance):
            return Cell("attribute", f"{value.of.scope.file}:{value.of.scope.qualname}", attr, self._lasts(value))
        if isinstance(value, Module):
            return Cell("global", value.path, attr)
        if isinstance(value, UserClass):
            return Cell("attribute", f"{value.scope.file}:{value.scope.qualname}", attr)
        if isinstance(value, Api) and value.path.endswith("().state"):
            return Cell("attribute", value.path, attr)
        return None

    def _lasts(self, instance: Instance) -> bool:
        """Whether the object outlives the request: it is not made by it, nor a row or record of a library's class."""
        place = self.models.matcher.program.call_at(instance.site)
        if place is None or place.decorates is not None:
            return not any(isinstance(base, Api) for base in self.evaluator.mro(instance.of))
        return self.models.moments.of(place) != "per-request"

    def _property(self, instance: Instance, attr: str) -> tuple[UserFunction, ...]:
        for cls in self.evaluator.mro(instance.of):
            if isinstance(cls, UserClass) and (found := cls.scope.bindings.get(attr)):
                functions = [v for b in found if b.how == "function" for v in self.evaluator.binding(b, self.program.generic(cls.scope))]
                return tuple(
                    f
                    for f in functions
                    if isinstance(f, UserFunction)
                    and f.scope.function.parameters
                    and self.evaluator.decorated(
                        f.scope.function, self.program.generic(f.scope), "builtins.property", "functools.cached_property"
                    )
                )
        return ()

    # ------------------------------------------------------------ request data

    def _request(self, expr: ir.Expr, frame: Frame) -> Taint:
        """Request data read as a whole (`request.get_json()`, `request.data`), or by a call for one field (`self.get_argument("x")`)."""
        taint = CLEAN
        for api in self.evaluator.apis(expr, frame):
            rule = self.rulebook.find(api.path, WebRequest)
            if rule and rule.name and isinstance(expr, ir.Call):
                taint |= self._named_field(rule.source, port(expr, rule.name), frame)
            elif rule and rule.source not in ("any", "method"):
                origin = InputOrigin(rule.source, "")
                self.whole.setdefault(rule.source, origin)
                taint |= self._input(origin)
        return taint

    def _fields(self, base: ir.Expr, index: ir.Expr | None, frame: Frame) -> Taint:
        """One field of request data (`request.form["x"]`, `data.get("x")`)."""
        sources = (fields_of(self.evaluator, api) for api in self.evaluator.apis(base, frame))
        return frozenset().union(*(self._named_field(source, index, frame) for source in sources if source))

    def _named_field(self, source: str, name: ir.Expr | None, frame: Frame) -> Taint:
        names = (v.value for v in self.evaluator.values(name, frame) if isinstance(v, Literal) and isinstance(v.value, str))
        return frozenset().union(*(self._input(InputOrigin(source, n)) for n in names))

    def _input(self, origin: InputOrigin) -> Taint:
        if self._step is not None:
            self._step.inputs.add(origin)
        return frozenset({origin})

    # ------------------------------------------------------------ calls

    def _call(self, call: ir.Call, frame: Frame, env: Env) -> Taint:
        step, known = self._step, len(self.sites)
        receiver = self.expr(call.func.value if isinstance(call.func, ir.Attribute) else call.func, frame, env)
        if isinstance(call.func, ir.Attribute):
            receiver |= self._attribute(call.func.value, call.func.attr, frame)
        arguments = self._all((*call.args, *(v for _, v in call.keywords)), frame, env)
        taint = receiver | arguments | self._request(call, frame)
        if isinstance(call.func, ir.Attribute) and call.func.attr in READERS and call.args:
            taint |= self._fields(call.func.value, call.args[0], frame)
        values = self.evaluator.values(call.func, frame)
        for value in values:
            taint |= self._called(value, call, frame, env, receiver, arguments)
            self._step = step
        if values and all(isinstance(v, Unknown) for v in values):
            self._lost(call, frame, next(v.reason for v in values if isinstance(v, Unknown)))
        if len(self.sites) > known and step is not None and _dropped(call, step) and any(self._goes_beside(v) for v in values):
            self.queue = self.queue or "thread"
        self._changes(call, arguments, values, frame, env)
        return taint

    def _goes_beside(self, value: Value) -> bool:
        rules = self.rulebook.rules_for(value.called) if isinstance(value, Api) else ()
        return any(isinstance(r, (FlowCall, DataConvert)) and r.beside for r in rules)

    def _called(self, value: Value, call: ir.Call, frame: Frame, env: Env, receiver: Taint, arguments: Taint) -> Taint:
        if isinstance(value, Partial):
            direct, origin = self.evaluator.applied(value, call, frame)
            return self._called(value.function, direct, origin, env, receiver, arguments | self._all(value.call.args, value.frame, env))
        functions = self.evaluator.callables(value)
        if functions:
            known = len(self.sites)
            taint = frozenset().union(*(self._enter(f, call, frame, env) for f in functions)) | (receiver if len(functions) > 1 else CLEAN)
            if len(self.sites) > known and (queue := self.queues.called(functions[0])):
                self.queue = self.queue or queue
            run = (self._network(f, call, frame, env, receiver | arguments) for f in functions)
            return taint.union(*run)
        if isinstance(value, Instance):
            api = next((b for b in self.evaluator.mro(value.of) if isinstance(b, Api)), None)
            value = Api(self.rulebook.canonical(f"{api.path}()"), value.site, value) if api else value
        if not isinstance(value, Api):
            return CLEAN
        rules = (*self.rulebook.rules_for(value.called), *self._request_rules(value.path))
        if transported := self._transport(rules, value, call, frame, arguments):
            rules = tuple(r for r in rules if not isinstance(r, Effect))  # a queue is no state, wherever it is kept
        if self._step is not None:
            self._step.called(Call(value, rules, call.at, receiver | arguments))
        taint = transported
        for rule in rules:
            if isinstance(rule, ModelPredict):
                taint |= self._predict(rule, value, call, frame, env, receiver | arguments)
            elif isinstance(rule, WebResponse) and rule.kind != "same" and self._step is not None:
                self._step.responds = answered_kind(self.evaluator, rule, call, frame)
            elif isinstance(rule, FlowCall) and (passed := self.evaluator.passed_calls(rule, value, call, frame)):
                for target, direct in passed:
                    if rule.function == "self" and isinstance(target, UserFunction):  # here and now, though a plain call may enqueue
                        taint |= self._enter(target, direct, frame, env)
                    else:
                        taint |= self._called(target, direct, frame, env, CLEAN, arguments)
                return taint
            elif isinstance(rule, TaskEnqueue):
                taint |= self._enqueue(rule, value, call, frame, env)
        return taint | self._callbacks(call, frame, env, receiver | arguments)

    def _network(self, function: UserFunction, call: ir.Call, frame: Frame, env: Env, taint: Taint) -> Taint:
        """`net.forward(x)` on a network of the program's own: its code is the model's inside."""
        if not isinstance(function.receiver, Instance) or not self.models.inside(function.scope):
            return CLEAN
        for base in self.evaluator.mro(function.receiver.of):
            if isinstance(base, Api):
                path = self.rulebook.canonical(f"{base.path}()")
                path += "()" if function.scope.name == "__call__" else f".{function.scope.name}"
                if rule := self.rulebook.find(path, ModelPredict):
                    api = Api(path.removesuffix("()"), function.receiver.site, function.receiver)
                    return self._predict(rule, api, call, frame, env, taint)
        return CLEAN

    def _awaited(self, future: ir.Expr, frame: Frame) -> Taint:
        """`await future`: what a worker put into it."""
        apis = self.evaluator.apis(future, frame)
        return frozenset().union(*(self.heap.get(Cell("channel", a.path, str(a.made), lasting=False), CLEAN) for a in apis))

    def _request_rules(self, path: str) -> tuple[Rule, ...]:
        """A call that reads the request (`request.get_json()`) is known by what it gives."""
        return tuple(r for r in self.rulebook.rules_for(self.rulebook.canonical(path + "()")) if isinstance(r, WebRequest))

    def _enter(self, function: UserFunction, call: ir.Call, frame: Frame, env: Env, before: Taint = CLEAN) -> Taint:
        """Walk into a function of the program with what this call gives it; `before` goes to the first parameter that it gives nothing."""
        parameters = list(function.scope.function.parameters)
        taints: dict[str, Taint] = {}
        if function.receiver is not None and parameters:
            own = parameters.pop(0)
            taints[own.name] = self.expr(call.func.value, frame, env) if isinstance(call.func, ir.Attribute) else CLEAN
        mapped = argument_map(tuple(parameters), call)
        for name, expr in mapped.items():
            taints[name] = self.expr(expr, frame, env)
        rest = [e for e in (*call.args, *(v for _, v in call.keywords)) if not any(e is m for m in mapped.values())]
        for parameter in parameters:
            if parameter.kind.startswith("*") and rest:
                taints[parameter.name] = self._all(rest, frame, env)
        if before and (missing := next((p for p in parameters if p.name not in taints and p.default is None), None)):
            taints[missing.name] = before
        if self._step is not None:
            self._step.enters.add(function.scope)
        self._chain.append((call, frame))
        found = self.run(function, self.evaluator.bind(function, call, frame), taints)
        self._chain.pop()
        return found

    def _callbacks(self, call: ir.Call, frame: Frame, env: Env, taint: Taint) -> Taint:
        """Functions of the program handed to a library: taken to be called, with anything the call was given."""
        found = CLEAN
        for expr in (*call.args, *(v for _, v in call.keywords)):
            if not isinstance(expr, (ir.Name, ir.Attribute, ir.Lambda)):
                continue
            for value in self.evaluator.values(expr, frame):
                if isinstance(value, UserFunction):
                    names = [p.name for p in value.scope.function.parameters[1 if value.receiver is not None else 0 :]]
                    given = {value.scope.function.parameters[0].name: frozenset({value.receiver})} if value.receiver is not None else {}
                    found |= self.run(value, given, dict.fromkeys(names, taint))
        return found

    def _enqueue(self, rule: TaskEnqueue, api: Api, call: ir.Call, frame: Frame, env: Env) -> Taint:
        """Work put on a queue is walked as if called here: its result comes back to whoever waits for it."""
        found, known = CLEAN, len(self.sites)
        for function, passed in self.queues.enqueued(rule, api, call, frame):
            found |= self._enter(function, passed, frame, env, self._chained if rule.partial else CLEAN)
            if len(self.sites) > known:
                self.queue = self.queue or rule.queue
        if rule.partial:
            self._chained = found
        return found

    def _transport(self, rules: tuple[Rule, ...], api: Api, call: ir.Call, frame: Frame, taint: Taint) -> Taint:
        """What is put onto a channel is walked on in the loop that takes it; what is taken is what was put."""
        found = CLEAN
        for rule in rules:
            for channel in self.evaluator.channels.of(rule, api, call, frame) if isinstance(rule, (ChannelPut, ChannelTake)) else ():
                cell = Cell("channel", channel.carrier, str(channel.name), lasting=False)
                if isinstance(rule, ChannelPut) and self._step is not None:
                    self._put(cell, taint | {self._step.number}, self._step)
                    self._worked(channel, call, frame)
                found |= self.heap.get(cell, CLEAN)
        return found

    def _worked(self, channel: Channel, call: ir.Call, frame: Frame) -> None:
        """Enter the workers of a channel, once something was put there."""
        known, step = len(self.sites), self._step
        for worker in self.queues.workers(channel):
            if step is not None:
                step.enters.add(worker.scope)
            self._chain.append((call, frame))
            self.run(worker, {}, {})
            self._chain.pop()
        if len(self.sites) > known:
            self.queue = self.queue or "thread"

    def _predict(self, rule: ModelPredict, api: Api, call: ir.Call, frame: Frame, env: Env, taint: Taint) -> Taint:
        if self.models.inside(frame.scope):
            return taint  # the layers of the program's own network: the network is what is run
        key = (frame.scope.file, call.at)
        number = self._sites.setdefault(key, len(self._sites))
        models = self.models.of(api, rule, call, frame)
        if rule.given and not models:
            return taint
        site = PredictSite(
            number, Span(frame.scope.file, *call.at), callee_text(call.func), call, frame, rule, api, models,
            taint, self._step.number if self._step else 0, tuple(self._chain),
        )  # fmt: skip
        if number == len(self.sites):
            self.sites.append(site)
        else:
            old = self.sites[number]
            models = tuple(dict.fromkeys((*old.models, *site.models)))
            self.sites[number] = PredictSite(
                number, old.span, old.text, old.call, old.frame, old.rule, old.api, models, old.taint | taint, old.step, old.chain
            )
        result: Taint = frozenset({PredictOrigin(number)})
        if self._step is not None:
            self._step.predicts.add(number)
            if isinstance(self._step.stmt, ir.Evaluate) and self._step.stmt.value is call and isinstance(call.func, ir.Attribute):
                self._mutate(call.func.value, result, frame, env, self._step)  # the result stays in the model (`interpreter.invoke()`)
        return result

    def _changes(self, call: ir.Call, arguments: Taint, values: Values, frame: Frame, env: Env) -> None:
        """A method that changes its receiver (`rows.append(x)`), by rule or because nothing is known and its result is dropped."""
        if not isinstance(call.func, ir.Attribute) or self._step is None:
            return
        known = [r for v in values if isinstance(v, Api) for r in self.rulebook.rules_for(v.called)]
        dropped = isinstance(self._step.stmt, ir.Evaluate) and self._step.stmt.value is call
        changes = any((isinstance(r, Effect) and r.kind == "mutate") or (isinstance(r, ModelConfigure) and r.input) for r in known)
        if changes or (dropped and not known):
            if not any(isinstance(v, (Module, UserFunction, UserClass)) for v in values):
                self._mutate(call.func.value, arguments | {self._step.number}, frame, env, self._step, certain=changes)

    def _lost(self, call: ir.Call, frame: Frame, reason: str) -> None:
        at = (frame.scope.file, call.at)
        self.breaks.setdefault(at, Break(Span(frame.scope.file, *call.at), f"{callee_text(call.func)}: {reason}"))


def _dropped(call: ir.Call, step: Step) -> bool:
    """Whether nobody uses what the call gives."""
    return isinstance(step.stmt, ir.Evaluate) and step.stmt.value is call


def _parts(expr: ir.Expr | None) -> tuple[ir.Expr, ...]:
    return tuple(children(expr)) if expr is not None else ()


def callee_text(expr: ir.Expr) -> str:
    """A callee as the source writes it: `self.net`, `model.predict`, `get_model().predict`."""
    match expr:
        case ir.Name(_, name):
            return name
        case ir.Attribute(_, value, attr):
            return f"{callee_text(value)}.{attr}"
        case ir.Call(_, func):
            return f"{callee_text(func)}()"
        case ir.Subscript(_, value, ir.Constant(_, key)):
            return f"{callee_text(value)}[{key!r}]"
        case ir.Subscript(_, value):
            return f"{callee_text(value)}[...]"
    return "(...)"
