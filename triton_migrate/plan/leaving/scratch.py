"""Takes a pipeline, gives which of its writes concern only scratch: a buffer, or a file that nothing else needs afterwards.

Scratch is what comes from `tempfile`, what the function that wrote it removes, and a file of constant name that one function writes, reads
back, and that nothing else names. It may leave the application with the code that uses it, if all of that code leaves together.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.classify.steps import call_expression
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.cutting import liveness
from triton_migrate.resolve.calls import argument_map, port, results
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import DataConvert, Effect
from triton_migrate.trace.records import Call, Pipeline, Step

DEPTH = 6
CARRIES = (ir.Sequence, ir.Mapping, ir.Joined, ir.Conditional, ir.Starred, ir.Await)  # what holds one of these hands it on
PATHS = ("str", "path")


class Scratch:
    """Answers for one pipeline."""

    def __init__(self, evaluator: Evaluator, pipeline: Pipeline) -> None:
        self.evaluator, self.rulebook = evaluator, evaluator.rulebook
        self.scopes = tuple(dict.fromkeys(s.scope for s in pipeline.steps if s.scope.kind == "function"))
        self.callers: dict[Scope, list[Step]] = {}
        for step in pipeline.steps:
            for entered in step.enters:
                self.callers.setdefault(entered, []).append(step)
        self._names: dict[Scope, dict[str, frozenset[str]]] = {}
        self._bindings: dict[Scope, dict[str, list[ir.Expr | None]]] = {}

    def only(self, step: Step, call: Call) -> bool:
        """Whether a call that writes a file writes scratch."""
        rule = next((r for r in call.rules if isinstance(r, Effect) and r.kind == "file-write"), None)
        if rule is None or step.scope.kind != "function" or self._escapes(step.scope):
            return False
        spelled = call_expression(step, call)
        if spelled is None:
            return False
        return rule.scratch == "made" or self._written_to(spelled, rule, step)

    def parted(self, scope: Scope, moved: ir.Block) -> bool:
        """Whether a file that moved statements write is named by a statement that stays."""
        inside = {id(s) for s in flow.flatten(moved) if not liveness.lifted_name(s)}
        lifted = [s.value for s in moved if liveness.lifted_name(s) and isinstance(s, ir.Assign) and s.value is not None]
        gone = {id(p) for e in lifted for p in walk(e)}
        for group in self._groups(scope):
            mentions = [(s, e) for s in flow.flatten(scope.function.body) for e in flow.own(s) if _is_of(e, group)]
            leaving = [(s, e) for s, e in mentions if id(s) in inside or id(e) in gone]
            if len(leaving) < len(mentions) and any(self._writes(s, group, scope, 0) for s, _ in leaving):
                return True
        return False

    def roots(self) -> frozenset[tuple[str, ir.At]]:
        """The expressions of paths that do not come from `tempfile`, by file and place: the model's side has a folder for them."""
        found = set()
        for scope in self.scopes:
            for name, bound in self._bound(scope).items():
                made = self._removed(name, scope)
                found |= {(scope.file, e.at) for e in bound if e is not None and made and not self._is(e, scope, frozenset())}
            found |= {
                (scope.file, e.at)
                for s in flow.flatten(scope.function.body)
                for x in flow.expressions(s)
                for e in _outside_text(x)
                if isinstance(e, ir.Constant) and self._confined(e, scope)
            }
        return frozenset(found)

    # ------------------------------------------------------------ what is scratch

    def _written_to(self, call: ir.Call, rule: Effect, step: Step) -> bool:
        scope, target = step.scope, _target(call, rule.path)
        if isinstance(target, ir.Name):
            target = _just_bound(target, step) or target
        if target is None:
            return False
        if self._is(target, scope, frozenset()):
            return True
        made = self._bound(scope).get(target.id, []) if isinstance(target, ir.Name) else [target]  # `csv.writer(buffer)`
        inner = [a for m in made if isinstance(m, ir.Call) for a in m.args[:1]]
        return len(inner) == len(made) > 0 and all(self._is(e, scope, frozenset()) for e in inner)

    def _is(self, expr: ir.Expr, scope: Scope, seen: frozenset[tuple[Scope, str]]) -> bool:
        """Whether an expression gives a buffer, a scratch file that is open, or the path of one."""
        match expr:
            case ir.Name(_, name):
                return (scope, name) not in seen and self._is_named(name, scope, seen | {(scope, name)})
            case ir.Constant():
                return self._confined(expr, scope)
            case ir.Attribute(_, value) | ir.Subscript(_, value) | ir.Await(_, value):
                return self._is(value, scope, seen)
            case ir.Joined(_, parts) | ir.Operation(_, _, parts):
                return any(self._is(p, scope, seen) for p in parts if not isinstance(p, ir.Constant))
            case ir.Conditional(_, _, then, orelse):
                return self._is(then, scope, seen) and self._is(orelse, scope, seen)
            case ir.Call():
                return self._is_called(expr, scope, seen)
        return False

    def _is_named(self, name: str, scope: Scope, seen: frozenset[tuple[Scope, str]]) -> bool:
        bound = self._bound(scope).get(name)
        if bound is not None:
            made = [e for e in bound if e is None or not _mentions(e, frozenset({name}))]  # not `path = f"{path}.wav"`
            return (bool(made) and all(e is not None and self._is(e, scope, seen) for e in made)) or self._removed(name, scope)
        given = self._given(name, scope)
        return bool(given) and len(seen) < DEPTH and all(e is not None and self._is(e, s, seen) for e, s in given)

    def _is_called(self, call: ir.Call, scope: Scope, seen: frozenset[tuple[Scope, str]]) -> bool:
        frame = self.evaluator.program.generic(scope)
        for api in self.evaluator.apis(call.func, frame):
            effect, converts = self.rulebook.find(api.called, Effect), self.rulebook.find(api.called, DataConvert)
            if (effect is not None and effect.scratch == "made") or (converts is not None and converts.result == "buffer"):
                return True
            if effect is not None and effect.path and (named := _target(call, effect.path)) is not None:
                return self._is(named, scope, seen)
            if converts is not None and converts.result in PATHS:
                parts = (*call.args, *((call.func.value,) if isinstance(call.func, ir.Attribute) and "()" in api.called else ()))
                return any(self._is(p, scope, seen) for p in parts if not isinstance(p, ir.Constant))
        functions = [f for v in self.evaluator.values(call.func, frame) for f in self.evaluator.callables(v)]
        given = [(r, f.scope) for f in functions if f.scope in self.callers for r in results(f.scope.function)]
        again = any((s, "return") in seen for _, s in given)  # a function that returns a call of itself
        return bool(given) and not again and len(seen) < DEPTH and all(self._is(r, s, seen | {(s, "return")}) for r, s in given)

    def _given(self, name: str, scope: Scope) -> list[tuple[ir.Expr | None, Scope]]:
        """What the pipeline's own calls give a parameter."""
        if not any(p.name == name for p in scope.function.parameters):
            return []
        found: list[tuple[ir.Expr | None, Scope]] = []
        for step in self.callers.get(scope, ()):
            frame = self.evaluator.program.generic(step.scope)
            for call in (e for e in flow.own(step.stmt) if isinstance(e, ir.Call)):
                entered = [f for v in self.evaluator.values(call.func, frame) for f in self.evaluator.callables(v) if f.scope is scope]
                for function in entered[:1]:
                    parameters = scope.function.parameters[1 if function.receiver is not None else 0 :]
                    found.append((argument_map(parameters, call).get(name), step.scope))
        return found

    def _bound(self, scope: Scope) -> dict[str, list[ir.Expr | None]]:
        """The local names with what they are bound to; None where that is no single expression."""
        if scope not in self._bindings:
            found: dict[str, list[ir.Expr | None]] = {}
            for stmt in flow.flatten(scope.function.body):
                pairs: list[tuple[ir.Expr, ir.Expr | None]] = []
                if isinstance(stmt, ir.Assign):
                    pairs = [(t, stmt.value) for t in stmt.targets]
                elif isinstance(stmt, ir.With):
                    pairs = [(t, e) for e, t in stmt.items if t is not None]
                plain = {n.id: value for target, value in pairs for n in _names(target)}
                for name in flow.binds((stmt._replace(body=()) if isinstance(stmt, ir.With) else _head(stmt),)):
                    found.setdefault(name, []).append(plain.get(name))
            self._bindings[scope] = found
        return self._bindings[scope]

    def _removed(self, name: str, scope: Scope) -> bool:
        """Whether the last thing that a function does with the path under a name is to remove its file."""
        bound = self._bound(scope).get(name, [])
        if not bound or not all(e is not None and self._composed(e, scope) for e in bound):
            return False
        mentions = [(e.at, s) for s in flow.flatten(scope.function.body) for e in flow.own(s) if isinstance(e, ir.Name) and e.id == name]
        last = max(mentions)[1]
        return any(_mentions(t, frozenset({name})) for t in self._removes(last, scope))

    def _removes(self, stmt: ir.Stmt, scope: Scope) -> Iterator[ir.Expr]:
        for call, rule in self._writing(stmt, scope):
            if rule.scratch == "removed" and (target := _target(call, rule.path)) is not None:
                yield target

    def _composed(self, expr: ir.Expr, scope: Scope) -> bool:
        """Text, or a path, that the program puts together."""
        if isinstance(expr, (ir.Joined, ir.Operation, ir.Constant)):
            return not isinstance(expr, ir.Constant) or isinstance(expr.value, str)
        if not isinstance(expr, ir.Call):
            return False
        rules = (self.rulebook.find(a.called, DataConvert) for a in self.evaluator.apis(expr.func, self.evaluator.program.generic(scope)))
        return any(rule is not None and rule.result in PATHS for rule in rules)

    def _confined(self, expr: ir.Constant, scope: Scope) -> bool:
        """A file of constant name that this function writes first and reads afterwards, and nothing else in the program names."""
        name = expr.value
        if not isinstance(name, str) or "." not in name or ("/" in name and not name.startswith("/tmp/")):
            return False
        body = scope.function.body
        at = [(e.at, s) for s in flow.flatten(body) for e in flow.own(s) if isinstance(e, ir.Constant) and e.value == name]
        if len(at) < 2 or self.evaluator.program.texts_with(name.rpartition("/")[2]) != len(at):
            return False
        first, last = min(at)[1], max(at)[1]
        writes, reads = (any(_mentions(t, frozenset({name})) for t in self._targets(s, scope)) for s in (first, last))
        around = liveness.blocks_around(body, first.at)[-1][0] if writes and not reads else ()
        return bool(around) and all(any(ir.holds(s.at, a) for s in around) for a, _ in at)

    def _targets(self, stmt: ir.Stmt, scope: Scope) -> Iterator[ir.Expr]:
        """What a statement itself writes over: the paths of files."""
        for call, rule in self._writing(stmt, scope):
            if rule.scratch != "removed" and (target := _target(call, rule.path)) is not None:
                yield target

    def _writing(self, stmt: ir.Stmt, scope: Scope) -> Iterator[tuple[ir.Call, Effect]]:
        frame = self.evaluator.program.generic(scope)
        for call in (e for e in flow.own(stmt) if isinstance(e, ir.Call)):
            for api in self.evaluator.apis(call.func, frame):
                rule = self.rulebook.find(api.called, Effect)
                mode = port(call, "mode|1")
                opens = rule is not None and rule.kind == "file-read" and isinstance(mode, ir.Constant) and str(mode.value)[:1] in "wx"
                if rule is not None and rule.path and (rule.kind == "file-write" or opens):
                    yield call, rule

    # ------------------------------------------------------------ what belongs together

    def _escapes(self, scope: Scope) -> bool:
        """Whether a function hands the path of a scratch file on in what it returns, other than by itself."""
        names = frozenset().union(*self._groups(scope)) if self._groups(scope) else frozenset()
        for value in results(scope.function):
            if isinstance(value, ir.Name) and value.id in names:
                steps = self.callers.get(scope, ())
                if not steps or not all(isinstance(s.stmt, ir.Assign) and isinstance(s.stmt.targets[0], ir.Name) for s in steps):
                    return True
            elif not isinstance(value, ir.Name) and _hands_on(value, names):
                return True
        return False

    def _groups(self, scope: Scope) -> tuple[frozenset[str], ...]:
        """The local names (and constant paths) of a function's scratch files, those of one file together."""
        if scope not in self._names:
            self._names[scope] = {}  # for functions that call each other
            bound = self._bound(scope)
            found = {
                n: frozenset({n}) for n in bound if self._is(ir.Name(scope.function.at, n), scope, frozenset()) and self._on_disk(n, scope)
            }
            for name in tuple(found):
                of = {m for e in bound[name] if e is not None for m in found if _mentions(e, frozenset({m}))}
                whole = found[name].union(*(found[m] for m in of))
                found.update(dict.fromkeys(whole, whole))
            constants = (e for s in flow.flatten(scope.function.body) for e in flow.own(s) if isinstance(e, ir.Constant))
            found.update({str(e.value): frozenset({str(e.value)}) for e in constants if self._confined(e, scope)})
            self._names[scope] = found
        return tuple(dict.fromkeys(self._names[scope].values()))

    def _on_disk(self, name: str, scope: Scope) -> bool:
        """Not a buffer."""
        values = self.evaluator.name(name, self.evaluator.program.generic(scope))
        rules = [self.rulebook.find(v.path.removesuffix("()"), DataConvert) for v in values if isinstance(v, Api)]
        return not rules or not all(rule is not None and rule.result == "buffer" for rule in rules)

    def _writes(self, stmt: ir.Stmt, group: frozenset[str], scope: Scope, depth: int) -> bool:
        """Whether a statement makes, changes or removes a file of these names, itself or in a function that it calls."""
        frame = self.evaluator.program.generic(scope)
        for call in (e for e in flow.own(stmt) if isinstance(e, ir.Call)):
            for api in self.evaluator.apis(call.func, frame):
                rule = self.rulebook.find(api.called, Effect)
                target = _target(call, rule.path) if rule is not None else None
                made = rule is not None and rule.scratch == "made" and bool(flow.binds((_head(stmt),)) & group)
                if made or (rule is not None and rule.kind == "file-write" and target is not None and _mentions(target, group)):
                    return True
            for function in (f for v in self.evaluator.values(call.func, frame) for f in self.evaluator.callables(v)):
                parameters = function.scope.function.parameters[1 if function.receiver is not None else 0 :]
                given = frozenset(n for n, e in argument_map(parameters, call).items() if _mentions(e, group))
                body = flow.flatten(function.scope.function.body) if given and depth < DEPTH else ()
                if any(self._writes(s, given, function.scope, depth + 1) for s in body):
                    return True
        return any(_mentions(t, group) for t in self._targets(stmt, scope))


def _just_bound(name: ir.Name, step: Step) -> ir.Expr | None:
    """What a name was last bound to in the same block."""
    block, at = liveness.blocks_around(step.scope.function.body, step.stmt.at)[-1]
    before = [s for s in block[:at] if name.id in flow.binds((s,))]
    last = before[-1] if before else None
    return last.value if isinstance(last, ir.Assign) and isinstance(last.targets[0], ir.Name) else None


def _target(call: ir.Call, path: str) -> ir.Expr | None:
    if path == "self":
        return call.func.value if isinstance(call.func, ir.Attribute) else None
    return port(call, path) if path else None


def _head(stmt: ir.Stmt) -> ir.Stmt:
    """A compound statement without the statements inside it."""
    match stmt:
        case ir.For() | ir.While() | ir.If():
            return stmt._replace(body=(), orelse=())
        case ir.With():
            return stmt._replace(body=())
        case ir.Try():
            return stmt._replace(body=(), handlers=tuple(h._replace(body=()) for h in stmt.handlers), orelse=(), final=())
        case ir.Match():
            return stmt._replace(cases=())
    return stmt


def _outside_text(expr: ir.Expr) -> Iterator[ir.Expr]:
    """All parts of an expression but the pieces of f-strings."""
    yield expr
    for child in () if isinstance(expr, ir.Joined) else flow.children(expr):
        yield from _outside_text(child)


def _names(target: ir.Expr) -> tuple[ir.Name, ...]:
    if isinstance(target, ir.Sequence):
        return tuple(i for i in target.items if isinstance(i, ir.Name))
    return (target,) if isinstance(target, ir.Name) else ()


def _is_of(expr: ir.Expr, group: frozenset[str]) -> bool:
    return (isinstance(expr, ir.Name) and expr.id in group) or (isinstance(expr, ir.Constant) and expr.value in group)


def _mentions(expr: ir.Expr, group: frozenset[str]) -> bool:
    return any(_is_of(p, group) for p in walk(expr))


def _hands_on(expr: ir.Expr, names: frozenset[str]) -> bool:
    if isinstance(expr, ir.Name):
        return expr.id in names
    return isinstance(expr, CARRIES) and any(_hands_on(c, names) for c in flow.children(expr))
