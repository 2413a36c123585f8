"""Takes written models, gives the edits of the app: the cut places call the client, and what is left over goes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from triton_migrate.base import Span
from triton_migrate.changes import FileEdit, NotDone
from triton_migrate.entries.records import Application
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.index.text import Text
from triton_migrate.plan.around.direct import Direct
from triton_migrate.plan.around.reloads import Reload
from triton_migrate.plan.constants import Constant
from triton_migrate.plan.cutting.alone import identifier, read, receiver
from triton_migrate.plan.cutting.cut import Cut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.exits import Exit, stretch
from triton_migrate.plan.cutting.liveness import blocks_around, find_block, lifted_name
from triton_migrate.plan.leaving.errors import known_in, swallowing
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.plan.values import tensors
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import UserClass
from triton_migrate.rewrite.applying import apply_operations
from triton_migrate.rewrite.leftovers.record import Leftovers
from triton_migrate.rewrite.leftovers.settling import settle
from triton_migrate.rewrite.mentions import element_key
from triton_migrate.rewrite.operations import (
    AddImport,
    DeleteStatements,
    DropAsync,
    InsertAfter,
    InsertBefore,
    InsertHandler,
    Operation,
    RemoveDecorator,
    ReplaceExpression,
    ReplaceStatements,
)
from triton_migrate.trace.records import PredictSite

CLIENT = "from triton_serving import client as {alias}"
MODELS = "from triton_serving import models as triton_models"
WIDTH = 88


class AppEdits:
    """Collects the operations of all files, then does them."""

    def __init__(self, evaluator: Evaluator, texts: dict[str, Text]) -> None:
        self.evaluator, self.texts = evaluator, texts
        self.operations: dict[str, list[Operation]] = {}
        self.leftovers = Leftovers(evaluator)
        self.reasons: dict[str, dict[str, None]] = {}

    # ------------------------------------------------------------ cuts

    def cut(self, planned: PlannedModel, names: tuple[tuple[str, str], ...]) -> None:
        """Let every place of this model call the client. `names`: the app's globals that its pipeline took over, by file."""
        for file, name in names:
            self.leftovers.ready.setdefault((file, name), planned.name)
        for held in (receiver(s) for c in planned.cuts for s in c.sites if isinstance(s.call.func, (ir.Attribute, ir.Name))):
            if part := held.attr if isinstance(held, ir.Attribute) else element_key(held):
                self.leftovers.ready_parts.setdefault(part, planned.name)
        for cut, errors in zip(planned.cuts, planned.errors, strict=True):
            if cut.kind == "alone":
                self._stand_in(planned, cut)
            else:
                self._client(cut.scope.file)
            if cut.scope.kind == "function":
                self.leftovers.kept.add((cut.scope.file, cut.scope.function.at))
            self.leftovers.passed |= {(cut.scope, c.name) for c in cut.inputs}
            self.leftovers.passed |= {(self.evaluator.program.files[cut.scope.file].module, e) for e in errors}
            self._import_errors(cut.scope.file, errors)
            self._numbered(cut)
            for file, guard in swallowing(self.evaluator, cut):
                self._client(file)
                self._add(file, InsertHandler(Span(file, *guard.at), f"{self._alias(file)}.Unavailable"))
            if cut.kind in ("region", "stream"):
                self._stream(planned, cut, errors) if cut.kind == "stream" else self._region(planned, cut, errors)
                for decorator in planned.cutter.judge.configuring(cut.scope):
                    self._add(cut.scope.file, RemoveDecorator(Span(cut.scope.file, *decorator.at)))
                    self.leftovers.remove(cut.scope.file, decorator.at)
            elif cut.kind == "model":
                for sites in _gathered(cut, planned.cutter, self.texts[cut.scope.file]):
                    self._calls(planned, cut, sites, errors)
            self.reasons.setdefault(cut.scope.file, {})[f"{cut.scope.qualname} asks Triton's {planned.name}"] = None

    def _stand_in(self, planned: PlannedModel, cut: Cut) -> None:
        """The model of each call is the one of `triton_serving.models`; in a coroutine the event loop goes on meanwhile."""
        file = cut.scope.file
        self._add(file, AddImport(MODELS, own=self._own(), up=self._below(file)))
        made = f"triton_models.{identifier(planned.name)}"
        waits = cut.scope.kind == "function" and cut.scope.function.is_async
        kept = [(c.file, c.expr.at, self._constant(c, made)) for c in read(self.evaluator, tuple(s for c in planned.cuts for s in c.sites))]
        for home, at, text in kept:
            self.leftovers.remove(home, at)
            if not waits or not any(home == file and ir.holds(s.call.at, at) for s in cut.sites):
                self._add(home, AddImport(MODELS, own=self._own()), ReplaceExpression(Span(home, *at), text))
        for site in cut.sites:
            held = receiver(site)
            self.leftovers.remove(file, held.at)
            if waits and not _in_generator(cut, site):
                inside = tuple((at, text) for f, at, text in kept if f == file and ir.holds(site.call.at, at))
                call = self.texts[file].piece(site.call.at, ((held.at, f"{made}.awaited"), *inside))
                self._add(file, ReplaceExpression(site.span, f"await {call}"))
            else:
                self._add(file, ReplaceExpression(Span(file, *held.at), made))

    def _constant(self, constant: Constant, made: str) -> str:
        text = constant.text(self.texts[constant.file].piece(constant.expr.at))
        return f"{made}.later({json.dumps(text)})"

    def _add(self, file: str, *operations: Operation) -> None:
        self.operations.setdefault(file, []).extend(o for o in operations if o not in self.operations.get(file, []))

    def _client(self, file: str) -> None:
        self._add(file, AddImport(CLIENT.format(alias=self._alias(file)), own=self._own()))

    def _below(self, file: str) -> int:
        """How many folders a script that is run by its path is below the application's; 0 where that is on sys.path as it is."""
        program = self.evaluator.program
        body, folder = program.files[file].module.body, PurePosixPath(file).parent
        relative = any(isinstance(s, ir.ImportFrom) and s.level for s in flow.flatten(body))
        elsewhere = any(PurePosixPath(other).parent != folder for other in program.imports(file))
        imported = any(file in program.imports(other) for other in program.files)
        by_path = any(flow.is_main(s) for s in body) and not (relative or elsewhere or imported)
        return len(folder.parts) if by_path else 0

    def _alias(self, file: str) -> str:
        return self.leftovers.alias(file)

    def _own(self) -> tuple[str, ...]:
        return tuple(sorted({p.split("/")[0].removesuffix(".py") for p in self.evaluator.program.files} | {"triton_serving"}))

    def _region(self, planned: PlannedModel, cut: Cut, errors: tuple[str, ...]) -> None:
        file, run = cut.scope.file, cut.run
        out = self._free("out", cut.scope)
        hoisted = {lifted_name(h): self.texts[file].piece(h.at) for h in cut.hoists}
        given = {t.name: self._client_calls(tensors.pack(hoisted.get(c.name, c.name), t, c.type), file) for t, c in planned.inputs}
        self.leftovers.spare(file, tuple(h.at for h in cut.hoists))
        infer = "" if cut.streams else self._infer(planned, cut, [t.name for t, _ in planned.outputs], given, errors)
        code = f"{out} = {infer}\n" if infer else ""
        code += "".join(self._early(place, out, file) for place in cut.exits if not place.parted)
        lifted = {lifted_name(e): e for e in cut.lifts}
        parted = next((place for place in cut.exits if place.parted), None)
        values, inside = "", []
        for made, crossing in planned.outputs:
            value = self._client_calls(tensors.unpack(f'{out}["{made.name}"]', made, crossing.type), file)
            self._import_records(file, crossing.type)
            if cut.streams:
                value = self._pieces(planned, cut, given, errors, 6 + len(crossing.name))
            if parted is not None and crossing.name in lifted:
                inside.append((lifted[crossing.name].at, value))
            elif crossing.name in lifted:
                self._add(file, ReplaceExpression(Span(file, *lifted[crossing.name].at), value))
            if crossing.name in lifted:
                self.leftovers.remove(file, lifted[crossing.name].at)
                continue
            values += f"return {value}\n" if cut.tail else f"{crossing.name} = {value}\n"
        code += values if parted is None else self._early(parted, out, file, values, tuple(inside))
        if not run:
            self._add(file, InsertBefore(Span(file, *cut.block[cut.first].at), code))
            return
        first, last = Span(file, *run[0].at), Span(file, *(run[-1] if parted is None else parted.stmt).at)
        self._add(file, ReplaceStatements(first, last, code))
        self.leftovers.remove(file, (*run[0].at[:2], *run[-1].at[2:]))

    def _early(self, place: Exit, out: str, file: str, values: str = "", inside: tuple[tuple[ir.At, str], ...] = ()) -> str:
        """What the app answers where the pipeline ended early; `values`: what it goes on with in a `try` that has more to do.

        `inside`: expressions of that which have left, too.
        """
        asked = "ended" if isinstance(place.stmt, ir.If) else "proceed"
        self.leftovers.spare(file, (*(stretch(block) for block in place.staying), *(e.at for e in place.caught)))
        text = self.texts[file]
        indent = text.indent(place.asked)
        code = f"\n{indent}".join([f"{self._alias(file)}.{asked}({out}, {place.number})", *values.splitlines()])
        return text.statements(place.stmt.at, place.stmt.at, ((place.asked, code), *inside))

    def _stream(self, planned: PlannedModel, cut: Cut, errors: tuple[str, ...]) -> None:
        """What the run yields comes from the client. Where that is all the function does it hands over the client's iterator: its
        request is sent at once, so the route can still answer that Triton is down, and the server can tell it that nobody listens."""
        file, run, function = cut.scope.file, cut.run, cut.scope.function
        given = {t.name: self._client_calls(tensors.pack(c.name, t, c.type), file) for t, c in planned.inputs}
        if cut.whole:
            code = f"return {self._pieces(planned, cut, given, errors, 7)}\n"
            if function.is_async:
                self._add(file, DropAsync(Span(file, *function.at)))
        elif function.is_async:
            each = self._free(planned.outputs[0][1].name, cut.scope)
            code = f"async for {each} in {self._pieces(planned, cut, given, errors, len(each) + 15)}:\n    yield {each}\n"
        else:
            code = f"yield from {self._pieces(planned, cut, given, errors, 11)}\n"
        first, last = Span(file, *run[0].at), Span(file, *run[-1].at)
        self._add(file, ReplaceStatements(first, last, code))
        self.leftovers.remove(file, (*run[0].at[:2], *run[-1].at[2:]))

    def _pieces(self, planned: PlannedModel, cut: Cut, given: dict[str, str], errors: tuple[str, ...], margin: int) -> str:
        """The iterator of a stream as an expression."""
        ((made, crossing),) = planned.outputs
        kind = crossing.type.items[0] if crossing.type.kind == "stream" else crossing.type
        self._import_records(cut.scope.file, kind)
        value = self._client_calls(tensors.unpack("piece", made, kind), cut.scope.file)
        unpack = value.removesuffix("(piece)") if value.count("(") == 1 else f"lambda piece: {value}"
        return self._infer(planned, cut, [made.name, unpack], given, errors, f"{self._alias(cut.scope.file)}.stream", margin)

    def _import_errors(self, file: str, errors: tuple[str, ...]) -> None:
        """What handlers further out catch, and this file does not know yet."""
        for name in errors:
            if (defining := known_in(self.evaluator, file, name)) != file:
                self._add(file, AddImport(f"from {self._spelled(file, defining)} import {name}", own=self._own()))

    def _import_records(self, file: str, kind: VType) -> None:
        """The client makes records of these classes: they stay where they are written, whoever else reads them, and are known here."""
        program = self.evaluator.program
        for cls in (record.cls.scope for record in tensors.records(kind) if record.cls is not None):
            self.leftovers.passed |= {(program.files[path].module, cls.name) for path in (file, cls.file)}
            if not isinstance(next(iter(self.evaluator.name(cls.name, program.frames[file])), None), UserClass):
                self._add(file, AddImport(f"from {self._spelled(file, cls.file)} import {cls.name}", own=self._own()))

    def _spelled(self, file: str, path: str) -> str:
        """A module of the app as this file's own imports write it."""
        program = self.evaluator.program
        for bindings in program.files[file].module.bindings.values():
            for binding in bindings:
                if binding.how == "from":
                    stmt, _ = binding.imported
                    if program.module_path(file, stmt.module, stmt.level) == path:
                        return "." * stmt.level + stmt.module
        return program.module_name(path)

    def _calls(self, planned: PlannedModel, cut: Cut, sites: tuple[PredictSite, ...], errors: tuple[str, ...]) -> None:
        """Predict calls on the same rows: one request, whose outputs take their places."""
        file, text = cut.scope.file, self.texts[cut.scope.file]
        ((kind, leaf),) = planned.cutter.predicts.rows(sites[0]) or ()
        ((given, _),) = planned.inputs
        outputs = {c.name: (t, c) for t, c in planned.outputs}
        wanted = {s.number: outputs[s.call.func.attr] for s in sites if isinstance(s.call.func, ir.Attribute)}
        arguments = {given.name: self._client_calls(tensors.pack(text.piece(leaf.at), given, kind), file)}
        infer = self._infer(planned, cut, list(dict.fromkeys(t.name for t, _ in wanted.values())), arguments, errors)
        holders = [blocks_around(cut.scope.function.body, s.call.at)[-1] for s in sites]
        together = len({id(block) for block, _ in holders}) == 1
        block, index = holders[0] if together else find_block(cut.scope.function.body, sites[0].call)
        stmt = block[index]
        out = self._free("out", cut.scope)
        simple = isinstance(stmt, (ir.Assign, ir.Return, ir.Evaluate))
        inline = f"({infer})" if infer.startswith("await ") else infer
        if simple:
            self._add(file, InsertBefore(Span(file, *stmt.at), f"{out} = {infer}\n"))
        for site in sites:
            made, crossing = wanted[site.number]
            array = f'{out if simple else inline}["{made.name}"]'
            self._add(file, ReplaceExpression(site.span, self._client_calls(tensors.unpack(array, made, crossing.type), file)))
            for part in walk(site.call):
                if part is not site.call and not any(part is p for p in walk(leaf)):
                    self.leftovers.remove(file, part.at) if isinstance(part, (ir.Name, ir.Attribute)) else None

    def _infer(
        self,
        planned: PlannedModel,
        cut: Cut,
        outputs: list[str],
        given: dict[str, str],
        caught: tuple[str, ...],
        call: str = "",
        margin: int = 6,
    ) -> str:
        alias = self._alias(cut.scope.file)
        call = call or (f"await {alias}.infer_async" if cut.scope.function.is_async else f"{alias}.infer")
        wanted = [f'"{outputs[0]}"', outputs[1]] if cut.streams else ["[" + ", ".join(f'"{o}"' for o in outputs) + "]"]
        errors = [f"errors=({', '.join(caught)}{',' if len(caught) == 1 else ''})"] if caught else []
        early = [self.texts[cut.scope.file].piece(e.at) for place in cut.exits for e in place.caught]
        early = [*dict.fromkeys((*early, *("Exception" for place in cut.exits if place.bare)))]
        errors += [f"early=({', '.join(early)}{',' if len(early) == 1 else ''})"] if early else []
        version = [f"version={self._version(cut)}"] if cut.version is not None else []
        arguments = [f'"{planned.name}"', *wanted, *errors, *version, *(f"{k}={v}" for k, v in given.items())]
        line = f"{call}({', '.join(arguments)})"
        if len(line) + cut.block[cut.first].at[1] + margin <= WIDTH:
            return line
        return f"{call}(\n" + "".join(f"    {a},\n" for a in arguments) + ")"

    def _version(self, cut: Cut) -> str:
        """What chooses the version, in the app."""
        assert cut.version is not None
        return cut.version.id if isinstance(cut.version, ir.Name) else self.texts[cut.scope.file].piece(cut.version.at)

    def _numbered(self, cut: Cut) -> None:
        """The dict of models becomes one of the numbers of versions, and what chooses from it stays."""
        registry, version = cut.registry, cut.version
        if registry is None or version is None:
            return
        for span, number in registry.edits:
            at = span.at
            opened = self._opened_for(span.file, at)
            if opened is None:
                self._add(span.file, ReplaceExpression(span, number))
            else:  # the file that was opened to load the model
                whole, (stmt,) = Span(span.file, *opened.at), opened.body
                self._add(span.file, ReplaceStatements(whole, whole, self.texts[span.file].piece(stmt.at, ((at, number),)) + "\n"))
            for gone in (at, *(e.at for e, _ in (opened.items if opened is not None else ()))):
                self.leftovers.remove(span.file, gone)
            self.reasons.setdefault(span.file, {})["knows its models by the numbers of their versions"] = None
        for path, frame in self.evaluator.program.frames.items():
            bound = (n for n in frame.scope.bindings if (path, n) in registry.names or registry.of(self.evaluator.name(n, frame)))
            self.leftovers.passed |= {(frame.scope, name) for name in bound}
        if isinstance(version, ir.Name):
            self.leftovers.passed.add((cut.scope, version.id))
        else:
            self.leftovers.spare(cut.scope.file, (version.at,))

    def _opened_for(self, file: str, at: ir.At) -> ir.With | None:
        """The `with open(path) as f:` that only a load reads."""
        for scope in (s for s in self.evaluator.program.files[file].scopes if s.kind in ("function", "module")):
            match tuple(flow.around(scope.node.body, at))[-2:]:
                case (ir.With(_, items, (stmt,)) as opened, ir.Assign() as inner) if stmt is inner:
                    read = {n.id for e in flow.every(inner) if not ir.holds(at, e.at) for n in flow.names(e)}
                    made = flow.binds((opened._replace(body=()),))
                    return opened if made and not made & read and len(items) == len(made) else None
        return None

    def _client_calls(self, expression: str, file: str) -> str:
        return re.sub(rf"(?<![\w.])({tensors.CODEC})\(", rf"{self._alias(file)}.\1(", expression)

    def _free(self, name: str, scope: Scope) -> str:
        function = scope.function
        taken = {p.name for p in function.parameters} | flow.binds(function.body) | flow.reads(function.body)
        while name in taken:
            name += "_"
        return name

    def run_here(self, call: Direct, level: int | None) -> None:
        """A route that waits for a task runs it, without the queue; at a `level` of priority where there are several."""
        if level is not None:
            self._client(call.span.file)
        self._add(call.span.file, ReplaceExpression(call.span, call.at(level, self._alias(call.span.file))))
        for wait in call.waited:
            self._add(wait.file, ReplaceExpression(wait, call.name))
        if call.loops:
            self._add(call.span.file, DeleteStatements(call.loops))
            for loop in call.loops:
                self.leftovers.remove(loop.file, loop.at)
        self.reasons.setdefault(call.span.file, {})[f"{call.task.name} is run where its result is waited for, without the queue"] = None

    def load_anew(self, reload: Reload, names: tuple[str, ...]) -> None:
        """A route that loaded the model's file again lets Triton do so."""
        file, alias = reload.scope.file, self._alias(reload.scope.file)
        waits = reload.scope.function.is_async
        self._client(file)
        caught = [self.texts[file].piece(expr.at) for expr in reload.caught]
        errors = f", errors=({', '.join(caught)}{',' if len(caught) == 1 else ''})" if caught else ""
        asked = f"await {alias}.load_anew_async" if waits else f"{alias}.load_anew"
        code = "".join(f'{asked}("{name}"{errors})\n' for name in names)
        for number, place in enumerate(reload.places):
            self._add(file, ReplaceStatements(place, place, "" if number else code, drop_empty=True))
            self.leftovers.remove(file, place.at)
        self.leftovers.kept.add((file, reload.scope.function.at))
        declared = [s for s in reload.scope.function.body if isinstance(s, ir.Declare)]
        gone = {cell.name for cell in reload.cells}
        spans = tuple(Span(file, *s.at) for s in declared if {*s.names} <= gone)
        if spans:
            self._add(file, DeleteStatements(spans))
        self.reasons.setdefault(file, {})[f"{reload.scope.qualname} lets Triton load {', '.join(names)} anew"] = None

    # ------------------------------------------------------------ the app's own error handling

    def unavailable(self, application: Application, handler: tuple[tuple[str, ...], str]) -> None:
        """Answer 503 while Triton is down: one handler beside the application object, whose name is put for `{app}`."""
        imports, code = handler
        file = application.span.file
        place = self._bound_app(application)
        if place is None:
            return
        name, stmt, scope = place
        for line in imports:
            if line.startswith("from triton_serving"):
                self._client(file)
            else:
                self._add(file, AddImport(line, own=self._own()))
        code = code.replace("app.", f"{name}.") if name != "app" else code
        if self._alias(file) != "triton":
            code = code.replace("triton.", f"{self._alias(file)}.")
        after = stmt if scope.kind == "function" else self._last(file)
        self._add(file, InsertAfter(Span(file, *after.at), code))
        self.reasons.setdefault(file, {})["answers 503 while Triton is down"] = None

    def _bound_app(self, application: Application) -> tuple[str, ir.Stmt, Scope] | None:
        file = application.span.file
        for scope in self.evaluator.program.files[file].scopes:
            body = scope.node.body
            for stmt in flow.flatten(body):
                if (
                    isinstance(stmt, ir.Assign)
                    and stmt.value is not None
                    and stmt.value.at[:2] == (application.span.line, application.span.column)
                ):
                    target = stmt.targets[0]
                    if isinstance(target, ir.Name) and stmt in body:
                        return target.id, stmt, scope
        return None

    def _last(self, file: str) -> ir.Stmt:
        """The last top-level statement before `if __name__ == "__main__"`."""
        body = self.evaluator.program.files[file].facts.body
        rest = [s for s in body if not flow.is_main(s)]
        return rest[-1]

    # ------------------------------------------------------------ done

    def files(self, read: dict[str, str]) -> Iterator[FileEdit | NotDone]:
        """The edited files; `read` gives each file's text as it is on disk."""
        for file, more in settle(self.leftovers).items():
            self._add(file, *more)
            self.reasons.setdefault(file, {})["drops what only the moved code needed"] = None
        for file in sorted(self.operations):
            if any(isinstance(o, ReplaceExpression) and ".ready(" in o.code for o in self.operations[file]):
                self._client(file)
            after = apply_operations(read[file], file, tuple(self.operations[file]))
            if isinstance(after, NotDone):
                yield after
            elif after != read[file]:
                yield FileEdit(file, read[file], after, "; ".join(self.reasons.get(file, {})), "review")


def _gathered(cut: Cut, cutter: Cutter, text: Text) -> list[tuple[PredictSite, ...]]:
    """The sites of a function by block and rows: those that predict on the same rows are asked for together."""
    groups: dict[tuple[int, str], list[PredictSite]] = {}
    for site in cut.sites:
        ((_, leaf),) = cutter.predicts.rows(site) or ()
        block, index = find_block(cut.scope.function.body, site.call)
        together = isinstance(leaf, ir.Name) and not _rebound(block, index, leaf.id, groups, site)
        key = (id(block), leaf.id if isinstance(leaf, ir.Name) and together else f"{site.number}:{text.piece(leaf.at)}")
        groups.setdefault(key, []).append(site)
    return [tuple(g) for g in groups.values()]


def _in_generator(cut: Cut, site: PredictSite) -> bool:
    """`any(model.predict(row) for row in rows)`: an `await` there would make it another kind of generator."""
    block, index = find_block(cut.scope.body, site.call)
    found = (e for e in flow.every(block[index]) if isinstance(e, ir.Comprehension) and e.kind == "generator")
    return any(ir.holds(e.at, site.call.at) for e in found)


def _rebound(block: ir.Block, index: int, name: str, groups: dict[tuple[int, str], list[PredictSite]], site: PredictSite) -> bool:
    first = groups.get((id(block), name))
    if first is None:
        return False
    begin = next(i for i, s in enumerate(block) if any(p is first[0].call for e in flow.every(s) for p in walk(e)))
    return name in flow.binds(block[begin:index])
