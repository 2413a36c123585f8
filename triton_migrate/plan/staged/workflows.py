"""Takes a study, gives the sources in which tasks that a queue chains are one task: a pipeline of stages, which a port can wire in Triton.

`chain(prepare.s(x), infer.s(), label.s())()` puts three jobs on the queue, one after the other, each with the result of the one before.
Where that is all the queue does for them they are `prepare_infer_label.delay(x)`, whose body calls the three. It is submitted, polled and
stored as the chain was: by the id of the last result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.entries.options import Told
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.records import Task
from triton_migrate.index import flow, ir
from triton_migrate.index.text import Text
from triton_migrate.match import Matcher
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rulebook.vocabulary import TaskEnqueue, TaskOption, TaskWait
from triton_migrate.study import Study

LEAST, LONG = 2, 40
JOINED = "tasks that the queue chained are one task, whose stages Triton wires"
COMMON = frozenset({"workflow", "result", "concurrency"})  # what a queue is told that does not set a task apart

Replacement = tuple[ir.At, str]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """`infer.s(1, k=2)`: its arguments by the task's own names, without what it is handed; and how it is written."""

    task: Task
    given: tuple[tuple[str, ir.Expr], ...]
    written: ir.Attribute

    @property
    def function(self) -> ir.Function:
        return self.task.handler.scope.function


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A workflow: where it is made, its parts, and the method that puts a task on the queue at once."""

    scope: Scope
    expr: ir.Expr
    parts: tuple[Part, ...]
    sent: str

    @property
    def name(self) -> str:
        names = [p.function.name for p in self.parts]
        whole = "_".join(names)
        return whole if len(whole) <= LONG else f"{names[0]}_to_{names[-1]}"

    @property
    def arguments(self) -> tuple[tuple[str, ir.Expr], ...]:
        """What all parts are given, by names that tell them apart."""
        found: dict[str, ir.Expr] = {}
        for part in self.parts:
            found.update({(n if n not in found else f"{part.function.name}_{n}"): e for n, e in part.given})
        return tuple(found.items())


def joined(study: Study) -> dict[str, str]:
    """By file, the text with each simple chain of tasks as one task; empty for most applications."""
    source = {s.path: s.text for s in study.project.sources}
    edits: dict[str, list[Replacement]] = {}
    defined: dict[object, str] = {}
    for chain in _Chains(study).simple():
        last, text = chain.parts[-1].task, study.texts[chain.scope.file]
        shape = tuple((p.task, tuple(n for n, _ in p.given)) for p in chain.parts)
        name = defined.get(shape, chain.name)
        if shape not in defined and (name in defined.values() or name in last.scope.module.bindings):
            continue
        calls = _calls(chain, name, text)
        imported = _imported(chain, name, text)
        if not calls or imported is None:
            continue
        if shape not in defined:
            edits.setdefault(last.file, []).append(_definition(chain, name, study.texts[last.file]))
        defined[shape] = name
        edits.setdefault(chain.scope.file, []).extend((*calls, *imported))
    return {file: _whole(source[file], tuple(dict.fromkeys(new))) for file, new in edits.items()}


class _Chains:
    def __init__(self, study: Study) -> None:
        self.evaluator = study.evaluator
        self.matcher = Matcher(study.evaluator)
        self.told: dict[Scope, tuple[Told, ...]] = {task.scope: told for task, told in study.told}
        self.tasks = {task.scope: task for task, _ in study.told}
        self.queues = Queues(self.matcher, tuple(self.tasks.values()))
        self.rulebook = study.evaluator.rulebook

    def simple(self) -> Iterator[Chain]:
        """Those that are nothing but calls in a row."""
        scopes = {
            m.place.scope: None
            for m in self.matcher.find(TaskEnqueue)
            if m.rule.partial and not self.matcher.program.is_test(m.place.scope.file)
        }
        if not scopes or self._looks_back():
            return
        for scope in scopes:
            taken: list[ir.At] = []
            for expr in (e for s in scope.body for e in flow.every(s)):
                if not any(ir.holds(at, expr.at) for at in taken) and (chain := self._chain(scope, expr)) is not None:
                    taken.append(expr.at)
                    if self._alike(chain):
                        yield chain

    def _looks_back(self) -> bool:
        """Whether something asks for the results in the middle."""
        waits = [(r.api, r.before) for r in self.rulebook.of_role(TaskWait) if r.before]
        roots = {(path.rpartition(".")[0], name) for apis, names in waits for path in apis for name in names}
        names = {name for _, name in roots}
        for file in self.evaluator.program.files.values():
            for scope in file.scopes:
                for expr in (e for s in scope.body for e in flow.every(s)):
                    if isinstance(expr, ir.Attribute) and expr.attr in names:
                        frame = self.evaluator.program.generic(scope)
                        if any((api.path, expr.attr) in roots for api in self.evaluator.apis(expr.value, frame)):
                            return True
        return False

    def _chain(self, scope: Scope, expr: ir.Expr) -> Chain | None:
        written, sent = self._written(scope, expr)
        parts = tuple(filter(None, (self._part(scope, e, i > 0) for i, e in enumerate(written))))
        return Chain(scope, expr, parts, sent) if len(parts) == len(written) >= LEAST else None

    def _written(self, scope: Scope, expr: ir.Expr) -> tuple[tuple[ir.Expr, ...], str]:
        """The parts of `chain(a, b)` and of `a | b`, and how its like is put on the queue."""
        frame = self.evaluator.program.generic(scope)
        if isinstance(expr, ir.Call) and not expr.keywords:
            rules = [r for api in self.evaluator.apis(expr.func, frame) if (r := self.rulebook.find(api.called, TaskOption))]
            if (rule := next((r for r in rules if r.sequence), None)) is not None:
                listed = len(expr.args) == 1 and isinstance(expr.args[0], ir.Sequence)
                return (expr.args[0].items if listed and isinstance(expr.args[0], ir.Sequence) else expr.args), rule.sequence
        if isinstance(expr, ir.Operation) and expr.operator == "BitOr":
            sent = next((r.sequence for r in self.rulebook.of_role(TaskOption) if r.sequence), "")
            return tuple(_operands(expr)), sent
        return (), ""

    def _part(self, scope: Scope, expr: ir.Expr, handed: bool) -> Part | None:
        if not isinstance(expr, ir.Call) or not isinstance(expr.func, ir.Attribute):
            return None
        frame = self.evaluator.program.generic(scope)
        for api in self.evaluator.apis(expr.func, frame):
            rule = self.rulebook.find(api.called, TaskEnqueue)
            if rule is None or not rule.partial or rule.first != 0 or (handed and rule.closed):
                continue
            found = tuple(self.queues.enqueued(rule, api, expr, frame))
            if len(found) == 1 and found[0][0].scope in self.tasks:
                return _given(self.tasks[found[0][0].scope], found[0][1], expr.func, handed)
        return None

    def _alike(self, chain: Chain) -> bool:
        """Whether the queue treats all parts as one, and each is a plain function of one file."""
        own = {frozenset(t for t in self.told.get(p.task.scope, ()) if t.kind not in COMMON) for p in chain.parts}
        functions = [p.function for p in chain.parts]
        plain = all(len(f.decorators) == 1 and not f.is_async and not f.is_generator for f in functions)
        named = all(isinstance(d, (ir.Name, ir.Attribute)) or _only_named(d) for f in functions for d in f.decorators)
        one_file = len({p.task.file for p in chain.parts}) == 1 and all(p.task.scope.parent is p.task.scope.module for p in chain.parts)
        return len(own) == 1 and plain and named and one_file


def _operands(expr: ir.Expr) -> Iterator[ir.Expr]:
    if isinstance(expr, ir.Operation) and expr.operator == "BitOr":
        for operand in expr.operands:
            yield from _operands(operand)
    else:
        yield expr


def _only_named(decorator: ir.Expr) -> bool:
    """`@app.task(name="tasks.infer")`: nothing that a task of another name would not have."""
    return isinstance(decorator, ir.Call) and not decorator.args and all(k == "name" for k, _ in decorator.keywords)


def _given(task: Task, call: ir.Call, written: ir.Attribute, handed: bool) -> Part | None:
    parameters = task.scope.function.parameters
    names = [p.name for p in parameters][int(handed) :]
    starred = any(isinstance(a, ir.Starred) for a in call.args) or any(k is None for k, _ in call.keywords)
    if starred or any(p.kind != "positional" for p in parameters) or len(call.args) > len(names) or len(parameters) < int(handed):
        return None
    given = (*zip(names, call.args, strict=False), *((k, v) for k, v in call.keywords if k is not None))
    open_names = {p.name for p in parameters[int(handed) :] if p.default is None} - {n for n, _ in given}
    return Part(task, given, written) if not open_names and {n for n, _ in given} <= set(names) else None


# ---------------------------------------------------------------- the text


def _definition(chain: Chain, name: str, text: Text) -> Replacement:
    """The task that calls the others, below the last of them."""
    arguments = iter(n for n, _ in chain.arguments)
    lines, before = [], ""
    taken = {n for n, _ in chain.arguments}
    for i, part in enumerate(chain.parts):
        own = [f"{n}={spelled}" if handed_by_name else spelled for n, spelled, handed_by_name in _spelled(part, arguments, bool(before))]
        call = f"{part.function.name}({', '.join([*([before] if before else []), *own])})"
        if i + 1 == len(chain.parts):
            lines.append(f"return {call}")
            break
        before = chain.parts[i + 1].function.parameters[0].name
        while before in taken:
            before += "_"
        taken.add(before)
        lines.append(f"{before} = {call}")
    names = [p.function.name for p in chain.parts]
    said = f'"""{", ".join(names[:-1])} and {names[-1]}, one after the other."""'
    (decorator,) = chain.parts[-1].function.decorators
    marked = text.piece(decorator.func.at if isinstance(decorator, ir.Call) else decorator.at)
    given = ", ".join(n for n, _ in chain.arguments)
    body = "".join(f"\n    {line}" for line in (said, *lines))
    end = max(p.function.at[2] for p in chain.parts)
    place = (end, len(text.lines[end - 1].rstrip(b"\n")))
    return (*place, *place), f"\n\n\n@{marked}\ndef {name}({given}):{body}"


def _spelled(part: Part, arguments: Iterator[str], handed: bool) -> Iterator[tuple[str, str, bool]]:
    """Parameter, the name of its value, and whether it must be said which one it is."""
    order = [p.name for p in part.function.parameters][int(handed) :]
    for i, (parameter, _) in enumerate(part.given):
        yield parameter, next(arguments), order[i] != parameter


def _calls(chain: Chain, name: str, text: Text) -> tuple[Replacement, ...]:
    """The places where the workflow is made, and put on the queue; none where something else is done with it."""
    last = chain.parts[-1].written.value
    task = f"{text.piece(last.value.at)}.{name}" if isinstance(last, ir.Attribute) else name
    given = ", ".join(text.piece(e.at) for _, e in chain.arguments)
    part = f"{task}.{chain.parts[0].written.attr}({given})"
    every = [(s, e) for s in flow.flatten(chain.scope.body) for e in flow.expressions(s)]
    for stmt, expr in every:
        if isinstance(expr, ir.Call) and expr.func is chain.expr and not expr.args and not expr.keywords:
            return ((expr.at, f"{task}.{chain.sent}({given})"),)
        if isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute) and expr.func.value is chain.expr:
            plain = not expr.args and not expr.keywords
            return ((expr.at, f"{task}.{chain.sent}({given})"),) if plain else ((chain.expr.at, part),)
        if isinstance(stmt, ir.Assign) and stmt.value is chain.expr and len(stmt.targets) == 1 and isinstance(stmt.targets[0], ir.Name):
            held = stmt.targets[0].id
            called = [e for _, e in every if isinstance(e, ir.Call) and isinstance(e.func, ir.Name) and e.func.id == held]
            if any(e.args or e.keywords for e in called):
                return ()
            return ((chain.expr.at, part), *((e.at, f"{held}.{chain.sent}()") for e in called))
    return ()


def _imported(chain: Chain, name: str, text: Text) -> tuple[Replacement, ...] | None:
    """An import beside that of the last task; None where it is not known how the file gets at it."""
    written, task = chain.parts[-1].written.value, chain.parts[-1].task
    if isinstance(written, ir.Attribute) or chain.scope.file == task.file:
        return ()
    for stmt in chain.scope.module.body:
        if isinstance(stmt, ir.ImportFrom) and isinstance(written, ir.Name) and any((a or n) == written.id for n, a in stmt.names):
            end = (stmt.at[2], stmt.at[3])
            more = f"\nfrom {'.' * stmt.level}{stmt.module} import {name}" if text.piece(stmt.at).endswith(")") else f", {name}"
            return (((*end, *end), more),)
    return None


def _whole(source: str, new: tuple[Replacement, ...]) -> str:
    text = Text(source)
    if not text.lines:
        return source
    return text.piece((1, 0, len(text.lines), len(text.lines[-1])), new)
