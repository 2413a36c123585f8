"""Takes statements that run the model, gives the expressions in them that read the request: the app evaluates them and sends the values.

`model.predict(np.array(request.json["rows"]))` leaves the app as `model.predict(np.array(rows))`, whose `rows` is `request.json["rows"]`.
A hoisted expression is written as an assignment at its own place, as lifted ones are (`liveness.lift`).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from itertools import pairwise

from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.costs import HEAVY, value_cost
from triton_migrate.plan.leaving.files import Files
from triton_migrate.plan.leaving.judge import Judge
from triton_migrate.plan.leaving.living import Living
from triton_migrate.plan.values.types import Types
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import WebParameter

NAMELESS = frozenset({"get", "getlist", "json", "get_json", "read", "file", "float", "int", "str", "strip", "items"})


class Hoists:
    """Answers for one function; names are given once."""

    def __init__(self, judge: Judge, types: Types, frame: Frame, taken: set[str]) -> None:
        self.judge, self.types, self.frame, self.taken = judge, types, frame, taken
        self.files, self.living = Files(judge.evaluator), Living(judge.evaluator)
        self._named: dict[int, ir.Assign] = {}
        self._sent: dict[object, ir.Expr | None] = {}
        # by the expression of a statement: what of it cannot leave, fields of records, and paths of open files
        self._anchors: dict[int, tuple[ir.Expr, ...]] = {}

    def of(
        self, stmt: ir.Stmt, calls: tuple[ir.Call, ...], bound: frozenset[str], first: bool, *, fields: bool = False
    ) -> tuple[ir.Assign, ...]:
        """What can be read before a statement that makes some of `calls`; `bound`: names that are not known yet where the run starts.

        What changes something is done before nothing that is done before it now: only where the statement is the `first` of the run.
        `fields`: only what is `harmless`.
        """
        found: list[ir.Expr] = []
        leading = _leading(stmt) if first else None
        for inner in self._surely_run(stmt):
            for expr in self._heads(inner):
                if (anchors := self._anchors.get(id(expr))) is None:
                    anchors = self._anchors[id(expr)] = (
                        *self.judge.stuck_parts(expr, inner, self.frame),
                        *self._fields(expr),
                        *self.living.parts(expr, self.frame),
                        *(p for p in walk(expr) if self.files.temporary(p, self.frame)),
                    )
                near = bound & {p.id for p in flow.deep(expr) if isinstance(p, ir.Name)} if anchors and bound else bound
                for anchor in (a for a in anchors if not fields or self.harmless(a)):
                    key = (id(expr), id(anchor), id(inner), tuple(map(id, calls)), near, fields)
                    if key not in self._sent:
                        self._sent[key] = self._around(expr, anchor, inner, calls, near, fields)
                    chosen = self._sent[key]
                    if chosen is not None and (inner is leading or not self.judge.changes(chosen, inner, self.frame)):
                        found.append(chosen)
        outer = [e for e in found if not any(o is not e and any(p is e for p in walk(o)) for o in found)]
        return tuple(self._name(e) for e in {id(e): e for e in outer}.values())

    def _fields(self, expr: ir.Expr) -> tuple[ir.Expr, ...]:
        """The fields of records in it: each is a tensor of its own, and the record none."""
        return tuple(p for p in walk(expr) if self._declared(p) and self.types.of(p, self.frame).travels is not False)

    def _declared(self, expr: ir.Expr) -> bool:
        """Whether it is what a record's class declares, not what a property makes: it is there, and cannot fail."""
        kind = self.types.of(expr.value, self.frame) if isinstance(expr, ir.Attribute) and self.record_of(expr) else None
        body = kind.cls.scope.definition.body if kind is not None and kind.cls is not None else ()
        targets = (t for s in body if isinstance(s, ir.Assign) and s.annotation is not None for t in s.targets)
        return any(isinstance(t, ir.Name) and isinstance(expr, ir.Attribute) and t.id == expr.attr for t in targets)

    def record_of(self, expr: ir.Expr) -> str:
        """The name of the record whose field this is; "" when it is none."""
        if not isinstance(expr, ir.Attribute) or not isinstance(expr.value, ir.Name):
            return ""
        name = expr.value.id
        if name not in self.frame.scope.bindings or self.judge.is_receiver(name, self.frame):
            return ""
        return name if self.types.of(expr.value, self.frame).kind == "record" else ""

    def harmless(self, expr: ir.Expr) -> bool:
        """Whether the app may have it before it is known that it needs it: a field of a record, or an upload that is read at one place."""
        return bool(self.record_of(expr)) or self._upload(flow.unawaited(expr))

    def _upload(self, expr: ir.Expr) -> bool:
        match expr:
            case ir.Call(_, ir.Attribute(_, ir.Name(_, name), _), (), ()) if name in {p.name for p in self.frame.scope.function.parameters}:
                kinds = {a.path.split("()")[0] for a in self.judge.evaluator.apis(expr.func, self.frame)}
                rules = [self.judge.evaluator.rulebook.find(kind, WebParameter) for kind in kinds]
                parts = [e for s in self.frame.scope.function.body for e in flow.every(s)]
                called = {id(e.func) for e in parts if isinstance(e, ir.Call)}
                facts = (e for e in parts if isinstance(e, ir.Attribute) and id(e) not in called)  # `file.filename`
                asked = {id(e.value) for e in facts if self.types.of(e, self.frame).kind != "file"}
                told = bool(rules) and all(rule is not None and rule.source == "file" for rule in rules)
                once = [e.id for e in parts if isinstance(e, ir.Name) and id(e) not in asked].count(name) == 1
                return told and once and self.types.of(expr, self.frame).kind == "bytes"
        return False

    def without_whole(self, hoists: tuple[ir.Assign, ...], reads: set[str]) -> tuple[ir.Assign, ...]:
        """Fields of a record that is sent whole need not be sent again. `reads`: the names read beside the hoists."""
        return tuple(h for h in hoists if h.value is None or not self._of_records(h.value) or not self._of_records(h.value) & reads)

    def _of_records(self, expr: ir.Expr) -> set[str]:
        return {name for p in walk(expr) if (name := self.record_of(p))}

    def _surely_run(self, stmt: ir.Stmt) -> Iterator[ir.Stmt]:
        """The statement and those in it that run exactly once when it does."""
        yield stmt
        if isinstance(stmt, ir.With):
            for inner in stmt.body:
                yield from self._surely_run(inner)

    def _heads(self, stmt: ir.Stmt) -> tuple[ir.Expr, ...]:
        match stmt:
            case ir.Assign(_, _, value, _, _) | ir.Return(_, value):
                return (value,) if value is not None else ()
            case ir.Evaluate(_, value) | ir.If(_, value, _, _) | ir.For(_, _, value, _, _):
                return (value,)
        return ()

    def _around(
        self, expr: ir.Expr, anchor: ir.Expr, stmt: ir.Stmt, calls: tuple[ir.Call, ...], bound: frozenset[str], itself: bool
    ) -> ir.Expr | None:
        """The cheapest value to send around the anchor, or the anchor `itself`; of equals the outermost."""
        path = tuple(liveness.path_to(expr, anchor))
        if any(isinstance(e, ir.Joined) for e in path[:-1]):  # places inside f-strings are not reliable before Python 3.12
            return None
        told = (path[: i + 1] for i, e in enumerate(path) if e is anchor or not itself)
        legal = [
            way[-1]
            for way in told
            if (always(way) or (self.record_of(way[-1]) and _in_a_loop(way))) and self._may_be_sent(way[-1], stmt, calls, bound)
        ]
        return min(legal, key=lambda e: self._price(e, stmt), default=None)

    def _price(self, expr: ir.Expr, stmt: ir.Stmt) -> float:
        return value_cost(self.types.of(expr, self.frame)) + (HEAVY if self.judge.weight.part_heavy(expr, stmt, self.frame) else 0)

    def _may_be_sent(self, expr: ir.Expr, stmt: ir.Stmt, calls: tuple[ir.Call, ...], bound: frozenset[str]) -> bool:
        if isinstance(expr, (ir.Constant, ir.Starred, ir.Slice, ir.Name)):
            return False
        parts = list(walk(expr))
        if any(p is c for p in parts for c in calls) or any(isinstance(p, (ir.Yield, ir.Walrus)) for p in parts):
            return False
        if bound & {n.id for n in flow.names(expr)} or any(self.judge.uses_loaded(p, self.frame) for p in parts):
            return False
        values = self.judge.evaluator.values(expr, self.frame)
        if any(self.judge.is_object(v) or self.judge.of_the_web(v) for v in values):
            return False
        kind = self.types.of(expr, self.frame)
        if kind.kind == "unknown" and not (self._asked(parts) or self._declared(expr) or self.files.temporary(expr, self.frame)):
            return False  # what a device or a database gives may be anything
        return kind.travels is not False and (kind.kind != "file" or self.files.of(expr, stmt, self.frame).only)

    def _asked(self, parts: list[ir.Expr]) -> bool:
        """Whether it comes from the request: what that brings is plain."""
        return any(self.judge.of_the_web(v) for p in parts for v in self.judge.evaluator.values(p, self.frame))

    def _name(self, expr: ir.Expr) -> ir.Assign:
        if id(expr) not in self._named:
            name = _called(expr)
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            self._named[id(expr)] = liveness.lift(name, expr)
        return self._named[id(expr)]


def _in_a_loop(path: tuple[ir.Expr, ...]) -> bool:
    """Whether the last expression is a value like any around the comprehensions that it is in: a field that nobody may come to read."""
    *around, last = path
    read = {n.id for n in flow.names(last)}
    drawn = {n.id for e in around if isinstance(e, ir.Comprehension) for target, _, _ in e.loops for n in flow.names(target)}
    return not read & drawn and not any(isinstance(e, ir.Lambda) for e in around) and always(path[-2:])


def _leading(stmt: ir.Stmt) -> ir.Stmt:
    """What a statement does first."""
    while isinstance(stmt, ir.With):
        stmt = stmt.body[0]
    return stmt


def always(path: tuple[ir.Expr, ...]) -> bool:
    """Whether the last expression of the path is a value that is computed exactly once whenever its statement runs."""
    for outer, inner in pairwise(path):
        match outer:
            case ir.Comprehension(_, _, _, _, loops):
                if inner is not loops[0][1]:
                    return False
            case ir.Operation(_, "And" | "Or", operands):
                if inner is not operands[0]:
                    return False
            case ir.Conditional(_, test, _, _):
                if inner is not test:
                    return False
            case ir.Lambda() | ir.Slice() | ir.Starred():
                return False
    holder = path[-2] if len(path) > 1 else None
    return not (
        isinstance(holder, ir.Await) or (isinstance(holder, ir.Call) and holder.func is path[-1])
    )  # no value: a coroutine, a method


def _called(expr: ir.Expr) -> str:
    """What the program calls the value: a field of the request, a variable, a function."""
    parts = list(walk(expr))
    keys = [p.key.value for p in parts if isinstance(p, ir.Subscript) and isinstance(p.key, ir.Constant) and isinstance(p.key.value, str)]
    keys += [
        a.value for p in parts if isinstance(p, ir.Call) for a in p.args[:1] if isinstance(a, ir.Constant) and isinstance(a.value, str)
    ]
    attributes = [p.attr for p in reversed(parts) if isinstance(p, ir.Attribute)]
    found = next((w for w in (*keys, *attributes) if w not in NAMELESS), "body")
    name = re.sub(r"\W+", "_", found).strip("_").lower() or "body"
    return f"value_{name}" if keyword.iskeyword(name) or name[:1].isdigit() else name
