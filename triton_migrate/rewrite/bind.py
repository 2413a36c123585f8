"""Takes a `BindPlan`, gives the edits of the app: a decorator on what is bound, calls that ask, and one line at start-up."""

from __future__ import annotations

import re
import textwrap

from triton_migrate.base import Span
from triton_migrate.bind.records import Bound
from triton_migrate.entries.records import Application
from triton_migrate.index import ir
from triton_migrate.plan.cutting.liveness import evaluated_once, find_block
from triton_migrate.plan.values import tensors
from triton_migrate.resolve.scopes import Scope
from triton_migrate.rewrite.app import AppEdits
from triton_migrate.rewrite.operations import AddDecorator, AddImport, InsertAfter, InsertBefore, ReplaceExpression, ReplaceStatements

IMPORT = "from triton_serving import bindings"
WIDTH = 88


class BindEdits(AppEdits):
    """AppEdits that also bind: what is bound stays where it is, so nothing is left over."""

    def bind(self, bound: Bound) -> None:
        """Let the app ask for this model."""
        file = bound.scope.file
        alias = self._bindings(file)
        if bound.kind == "function":
            self._add(file, AddDecorator(Span(file, *bound.scope.function.at), f'{alias}.bound("{bound.name}")'))
        elif bound.kind == "region":
            self._outline(bound, alias)
        else:
            for site in bound.sites:
                self._ask(bound, site.scope.file, site.call, self._bindings(site.scope.file), bound.scope.function.is_async)
        self.reasons.setdefault(file, {})[f"{bound.scope.qualname} is run by Triton as {bound.name}"] = None

    def own(self, task: Scope) -> None:
        """Let the owner run a task that touches live state."""
        file = task.file
        self._add(file, AddDecorator(Span(file, *task.function.at), f"{self._bindings(file)}.owned", inner=True))
        self.reasons.setdefault(file, {})[f"{task.qualname} is run where the live state is"] = None

    def attach(self, application: Application) -> bool:
        """Start with the application; False where the statement that makes it is not known."""
        place = self._bound_app(application)
        if place is None:
            return False
        name, stmt, _ = place
        file = application.span.file
        alias = self._bindings(file)
        self._add(file, InsertAfter(Span(file, *stmt.at), f"{alias}.attach({name})\n"))
        self.reasons.setdefault(file, {})["Triton starts and stops with the application"] = None
        return True

    def _bindings(self, file: str) -> str:
        taken = any("bindings" in s.bindings for s in self.evaluator.program.files[file].scopes)
        self._add(file, AddImport(f"{IMPORT} as triton_bindings" if taken else IMPORT, own=self._own()))
        return "triton_bindings" if taken else "bindings"

    def _outline(self, bound: Bound, alias: str) -> None:
        """The run as a function above, and a call of it in its place."""
        cut, place = bound.cut, bound.place
        assert cut is not None and place is not None
        file, run = cut.scope.file, cut.run
        text = self.texts[file].statements(run[0].at, run[-1].at, bound.replaced)
        names = ", ".join(c.name for c in cut.outputs)
        body = textwrap.indent(text if cut.tail else f"{text}return {names}\n", "    ")
        parameters = ", ".join(a.name for a in bound.arguments)
        above = Span(file, *_start(place.node), *place.node.at[2:]) if isinstance(place.node, (ir.Function, ir.Class)) else cut.span
        self._add(file, InsertBefore(above, f'@{alias}.bound("{bound.name}")\ndef {bound.name}({parameters}):\n{body}\n\n'))
        call = f"{bound.name}({parameters})"
        if cut.scope.function.is_async:
            call = f"await {alias}.waiting({', '.join((bound.name, parameters))})"
        self._add(
            file,
            ReplaceStatements(Span(file, *run[0].at), Span(file, *run[-1].at), f"return {call}\n" if cut.tail else f"{names} = {call}\n"),
        )

    def _ask(self, bound: Bound, file: str, call: ir.Call, alias: str, waits: bool) -> None:
        """One predict call: its rows are sent, its result comes back in its place."""
        scope, text = bound.scope, self.texts[file]
        ((given, crossing),) = bound.inputs
        method = call.func.attr if isinstance(call.func, ir.Attribute) else ""
        made, out = next((t, c) for t, c in bound.outputs if c.name == method)
        rows = next(a for a in (*call.args, *(v for _, v in call.keywords)) if not isinstance(a, ir.Constant))
        packed = _of(alias, tensors.pack(text.piece(rows.at), given, crossing.type))
        infer = f"await {alias}.infer_async" if waits else f"{alias}.infer"
        arguments = [f'"{bound.name}"', f'["{made.name}"]', f"{given.name}={packed}"]
        block, index = find_block(scope.function.body, call)
        stmt = block[index]
        line = f"{infer}({', '.join(arguments)})"
        if isinstance(stmt, (ir.Assign, ir.Return, ir.Evaluate)) and evaluated_once(stmt, call):
            name = self._free("out", scope)
            code = f"{name} = {line}\n"
            if len(code) + stmt.at[1] > WIDTH:
                code = f"{name} = {infer}(\n" + "".join(f"    {a},\n" for a in arguments) + ")\n"
            self._add(file, InsertBefore(Span(file, *stmt.at), code))
            line = name
        array = f'{line}["{made.name}"]' if not waits or line.isidentifier() else f'({line})["{made.name}"]'
        value = _of(alias, tensors.unpack(array, made, out.type))
        self._add(file, ReplaceExpression(Span(file, *call.at), value))


def _of(alias: str, expression: str) -> str:
    """The codec's functions as the app knows them."""
    return re.sub(rf"\b({tensors.CODEC})\(", rf"{alias}.\1(", expression)


def _start(node: ir.Function | ir.Class) -> tuple[int, int]:
    """Where a definition begins, decorators included."""
    return min([node.at[:2], *((d.at[0], d.at[1] - 1) for d in node.decorators)])
