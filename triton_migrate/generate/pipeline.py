"""Takes a cut and its closure, gives the text of `pipeline.py`: the moved statements as functions, and the surface that serves them.

The user's statements are moved, not rewritten: `prepare` holds those before the predict call, `finish` those after it (`handle` all of
them when requests are run one by one); `preprocess`, `predict` and `postprocess` only unpack and pack tensors around them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from triton_migrate.generate.moduletext import HEAD, ROOT, function, load_function, ordered, spaced, wrapped
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.copied.closure import Closure
from triton_migrate.plan.copied.origins import kept_under
from triton_migrate.plan.copied.placement import DEFINED, DEVICE
from triton_migrate.plan.cutting.cut import Crossing, Cut
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.cutting.exits import CLASS, DEFINITION, Exit
from triton_migrate.plan.cutting.liveness import holds, imported_names, lifted_name, names_around, without
from triton_migrate.plan.fused import UNSURE, Fused, fused
from triton_migrate.plan.records import Tensor
from triton_migrate.plan.values import tensors
from triton_migrate.plan.values.vtype import parse
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Instance
from triton_migrate.trace.records import PredictSite

STACK = {
    "array": ("np.concatenate(batches)", "import numpy as np"),
    "tensor": ("torch.cat(batches)", "import torch"),
    "frame": ("pd.concat(batches, ignore_index=True)", "import pandas as pd"),
    "list": ("[row for batch in batches for row in batch]", ""),
}
LEFT = "# when the client has left, model.py closes this generator"
STACKED = {"torch.cat": "tensor"}  # of rows whose type is not known
SHAPE = {"list": "()", "frame": "tuple(batch.columns)"}


@dataclass(frozen=True, slots=True)
class Surface:
    """The tensors of a served model with the types of their values."""

    inputs: tuple[tuple[Tensor, Crossing], ...]
    outputs: tuple[tuple[Tensor, Crossing], ...]


class Assembly:
    """Puts one pipeline.py together."""

    def __init__(
        self,
        name: str,
        cut: Cut,
        cutter: Cutter,
        closure: Closure,
        surface: Surface,
        invalid: tuple[str, ...],
        sites: tuple[PredictSite, ...],
    ) -> None:
        self.sites = sites
        self.name, self.cut, self.cutter, self.closure, self.surface, self.invalid = name, cut, cutter, closure, surface, invalid
        self.scope, self.text = cut.scope, closure.texts[cut.scope.file]
        self.renamed: dict[str, str] = {}  # receivers of the app -> globals of pipeline.py
        self.split = False  # nothing but rows goes from before the predict call to after it

    def build(self) -> str:
        """The whole text."""
        for receiver in self.cut.receivers:
            values = self.cutter.evaluator.name(receiver, self.cut.frame)
            chosen = self.closure.chosen is not None
            known = None if chosen else self.closure.objects.looked_up(receiver, self.cut.frame, self.cut.span)
            self.renamed[receiver] = known or self.closure.provide(values, receiver, self.cut.span, (receiver, self.scope))
        if self.cut.streams:
            return self._joined(self._streamed())
        body = self._model() if self.cut.kind == "model" else self._stacked() if self.cut.stacked else self._single()
        return self._joined(body)

    def called(self, site: PredictSite, depth: int) -> str:
        """The call at this level of a site's chain, in the cut's own function, as pipeline.py writes it."""
        if self.cut.kind == "model":
            return self._call(site)
        self.scope, self.text = self.cut.scope, self.closure.texts[self.cut.scope.file]
        return self._expression(site.chain[depth][0] if depth < len(site.chain) else site.call)

    # ------------------------------------------------------------ moved code

    def _moved(self, run: Sequence[ir.Stmt], extra: tuple[tuple[ir.At, str], ...] = ()) -> str:
        """A run of statements, with the lifted expressions after them as assignments."""
        last = next((e for e in self.cut.exits if e.parted and run and e.moved in run), None)
        if last is not None and isinstance(last.moved, ir.Try):
            body = self._moved((*last.moved.body, *(s for s in run if lifted_name(s))), extra)
            text = self._moved([s for s in run if s is not last.moved and not lifted_name(s)], extra)
            return f"{text}try:\n{textwrap.indent(body, '    ')}" + "".join(self._caught(h, last) for h in last.moved.handlers)
        statements = [s for s in run if not lifted_name(s)]
        text = ""
        if statements:
            exprs = [e for s in statements for e in flow.every(s)]
            extra = (*extra, *(r for e in self.cut.exits for r in e.replaced()))
            dropped = tuple((s.at, LEFT) for s in self.cut.dropped if any(ir.holds(t.at, s.at) for t in statements))
            exprs = [e for e in exprs if not any(ir.holds(at, e.at) for at, _ in dropped)]
            text = self.text.statements(statements[0].at, statements[-1].at, (*self._replacements(exprs), *dropped, *extra))
        for stmt in run:
            if (name := lifted_name(stmt)) and isinstance(stmt, ir.Assign) and stmt.value is not None:
                text += f"{name} = {self.text.value(stmt.value.at, self._edits(stmt.value, extra))}\n"
        return text

    def _caught(self, handler: ir.Handler, place: Exit) -> str:
        """A handler that ends the pipeline."""
        caught = f" {self._expression(handler.type)}" if handler.type is not None else ""
        return f"except{caught}:\n    raise {CLASS}({place.number})\n"

    def _expression(self, expr: ir.Expr, extra: tuple[tuple[ir.At, str], ...] = ()) -> str:
        return self.text.piece(expr.at, self._edits(expr, extra))

    def _edits(self, expr: ir.Expr, extra: tuple[tuple[ir.At, str], ...] = ()) -> tuple[tuple[ir.At, str], ...]:
        stays = [e for e in flow.deep(expr) if not any(ir.holds(place, e.at) for place, _ in extra)]
        own = (r for r in self._replacements(stays) if not any(ir.holds(place, r[0]) for place, _ in extra))
        return (*own, *extra)

    def _replacements(self, exprs: list[ir.Expr]) -> tuple[tuple[ir.At, str], ...]:
        local = self.local(self.scope)
        frame = self.cut.frame if self.scope is self.cut.scope else self.cutter.evaluator.program.generic(self.scope)
        registry = self.cut.registry
        inline = registry.inline(self.cutter.evaluator, exprs, frame) if registry is not None else ()
        chains = (*self.cutter.judge.stand_ins(exprs, frame), *inline)
        held = tuple((c.at, self._provided(c, frame)) for c in chains)
        sent = tuple((h.at, lifted_name(h)) for h in self.cut.hoists)
        apart = (*chains, *(h.value for h in self.cut.hoists if h.value is not None))
        exprs = [e for e in exprs if not any(e is p for a in apart for p in walk(a))]
        settled = self.closure.settings.only(exprs, frame)
        self._require({e.id for e in exprs if isinstance(e, ir.Name)} - local - set(self.renamed) - settled)
        given = tuple((e.at, self.renamed[e.id]) for e in exprs if isinstance(e, ir.Name) and self.renamed.get(e.id, e.id) != e.id)
        made = self.cutter.types.threads.edits(exprs, self.text)
        return (*held, *sent, *given, *made, *self.closure.replacements(self.scope.file, exprs, local, frame))

    def _provided(self, chain: ir.Expr, frame: Frame) -> str:
        """The global that holds what `app.state.model` holds in the app."""
        wanted = chain.attr if isinstance(chain, ir.Attribute) else "model"
        values = self.cutter.evaluator.values(chain, frame)
        if (key := kept_under(chain)) and (known := self.closure.objects.kept(values, key, wanted, self.cut.span)) is not None:
            return known
        return self.closure.provide(values, wanted, self.cut.span)

    def local(self, scope: Scope) -> set[str]:
        function = scope.function
        names = {p.name for p in function.parameters} | flow.binds(function.body) | names_around(scope)
        parts = list(flow.every_of_function(function))
        names |= {n.id for e in parts if isinstance(e, ir.Comprehension) for t, _, _ in e.loops for n in flow.names(t)}
        names |= {p.name for e in parts if isinstance(e, ir.Lambda) for p in e.function.parameters}
        names -= {n for s in flow.flatten(function.body) if isinstance(s, ir.Declare) for n in s.names}
        return names - imported_names(scope)

    def _require(self, names: set[str]) -> None:
        for name in sorted(names & imported_names(self.scope)):
            self.closure.import_of(self.scope, name, self.cut.span)
        self.closure.require_all(self.scope.file, names - imported_names(self.scope), self.cut.span)

    # ------------------------------------------------------------ the three shapes

    def _model(self) -> str:
        """Only the predict calls: tensors in, the model's own arrays out."""
        ((given, crossing),) = self.surface.inputs
        calls = []
        for (made, _), site in zip(self.surface.outputs, self._distinct(), strict=True):
            calls.append(f'    if "{made.name}" in wanted:\n        out["{made.name}"] = {self._by_row(site, self._call(site))}\n')
        unpacked = tensors.unpack(f'inputs["{given.name}"]', given, crossing.type)
        sites = self._distinct()
        packed = [(t.name, tensors.pack(self._of_row(s, t.name), t, c.type)) for (t, c), s in zip(self.surface.outputs, sites, strict=True)]
        post = "\n".join(f'    if "{name}" in rows:\n        out["{name}"] = {value}' for name, value in packed)
        parts = [
            f"def preprocess(inputs):\n    return {unpacked}, ()\n",
            self._stacking(crossing.type.kind),
            'def predict(batch, wanted):\n    """One call for all rows; only what is asked for."""\n    out = {}\n'
            + "".join(calls)
            + "    return out\n",
            f"def postprocess(rows, carried):\n    out = {{}}\n{post}\n    return out\n",
            self._run(),
        ]
        return "\n\n".join(parts)

    def _call(self, site: PredictSite) -> str:
        """The predict call with its rows replaced; a receiver that is a local name of the app is made in load()."""
        self.scope, self.text = site.scope, self.closure.texts[site.scope.file]
        assert isinstance(site.call.func, ir.Attribute)
        receiver = site.call.func.value
        root = next(flow.names(receiver), None)
        extra = tuple((e.at, "batch") for _, e in self.cutter.predicts.rows(site) or ())
        if root is None or root.id in self.local(site.scope) or self._of_the_web(root, site):
            values = self.cutter.evaluator.name(root.id, site.frame) if root is not None else frozenset()
            held = bool(values) and all(isinstance(v, Instance) for v in values)
            place, values = (
                (root.at, values) if held and root is not None else (receiver.at, self.cutter.evaluator.values(receiver, site.frame))
            )
            named = isinstance(receiver, ir.Name) and self.closure.chosen is None
            known = self.closure.objects.looked_up(receiver.id, site.frame, site.span) if named and isinstance(receiver, ir.Name) else None
            within = (receiver.id, site.scope) if isinstance(receiver, ir.Name) and site.scope.kind == "function" and not held else None
            extra = (*extra, (place, known or self.closure.provide(values, "model", site.span, within)))
            if root is not None:
                self.renamed.setdefault(root.id, root.id)  # not a name of pipeline.py
        return self._expression(site.call, extra)

    def _of_the_web(self, name: ir.Name, site: PredictSite) -> bool:
        return any(self.cutter.judge.of_the_web(v) for v in self.cutter.evaluator.name(name.id, site.frame))

    def _distinct(self) -> tuple[PredictSite, ...]:
        """One site per output: sites that call the same method share it."""
        found: dict[str, PredictSite] = {}
        for site in self.sites:
            found.setdefault(site.call.func.attr if isinstance(site.call.func, ir.Attribute) else "output", site)
        return tuple(found[c.name] for _, c in self.surface.outputs)

    def _single(self) -> str:
        """The run as one function; requests are served one by one."""
        run = self.cut.moved
        names = [c.name for _, c in self.surface.inputs]
        moved = self._moved(run) + ("" if self.cut.tail else self._return([c.name for _, c in self.surface.outputs]))
        given = ", ".join(tensors.unpack(f'inputs["{t.name}"]', t, c.type) for t, c in self.surface.inputs)
        results = self._results(f"handle({given})")
        return "\n\n".join([function("handle", names, moved, self._place(), self._decorators()), f"def run(inputs, wanted):\n{results}"])

    def _streamed(self) -> str:
        """The run as one generator: what it yields, or what the iterator that it makes gives, is sent as it comes."""
        ((made, crossing),) = self.surface.outputs
        run, kind, word = self.cut.moved, crossing.type, "async " if self.closure.waits else ""
        if kind.kind == "stream":
            last = run[-1] if self.cut.tail else None
            source = self._expression(last.value) if isinstance(last, ir.Return) and last.value is not None else crossing.name
            moved = self._moved(run[:-1] if last is not None else run) + f"yield from {source}\n"
            kind = kind.items[0]
        else:
            moved = self._moved(run)
        given = ", ".join(tensors.unpack(f'inputs["{t.name}"]', t, c.type) for t, c in self.surface.inputs)
        each = f'    {word}for piece in handle({given}):\n        yield {{"{made.name}": {tensors.pack("piece", made, kind)}}}\n'
        handle = function("handle", [c.name for _, c in self.surface.inputs], moved, self._place(), self._decorators(), word)
        return "\n\n".join([handle, f"{word}def stream(inputs):\n{each}"])

    def _stacked(self) -> str:
        """The run split at its predict call."""
        run, (site,), call = self.cut.moved, self.cut.sites, self.cut.call
        index = next(i for i, s in enumerate(run) if any(p is call for e in flow.every(s) for p in walk(e)))
        blocks, target = self._unwrapped(run[index], call)
        context = [f"with {', '.join(self._expression(e) for e, _ in w.items)}:" for w in blocks]
        ((kind, leaf),) = self.cut.rows
        batch = leaf.id if isinstance(leaf, ir.Name) and leaf.id not in self.renamed else "batch"
        inner = self._before(run[index], target)
        pre = self._pre(run, index, inner, leaf, batch, context)
        output, post = self._post(run, index, target, blocks, context)
        given = [c.name for _, c in self.surface.inputs]
        after = _reads_without(self._post_statements(run, index, target), call, self.cut.hoists)
        after |= set() if self.cut.tail else {c.name for _, c in self.surface.outputs}
        made = flow.binds(run[:index]) | flow.binds(tuple(inner))
        carried = sorted((after & (made | set(given))) - {output} - set(self.renamed))
        whole = fused(site, kind, self.cutter.evaluator) if call is site.call else None
        self.split = not carried and whole is None
        called = f'return {{"output": {self._called(site, call, leaf, whole)}}}\n'
        prepared = sorted(set(carried) & made - {batch})
        rows = without(leaf, self.cut.hoists)
        reads = flow.reads(without((*run[:index], *inner), self.cut.hoists)) | {n.id for n in flow.names(rows)}
        needed = [n for n in given if n in reads]
        values = {c.name: tensors.unpack(f'inputs["{t.name}"]', t, c.type) for t, c in self.surface.inputs}
        returned = "" if self.cut.tail else self._return([c.name for _, c in self.surface.outputs])
        parts = [
            function("prepare", needed, pre + self._return([batch, *prepared]), self._place(), self._decorators()),
            function("finish", [output, *carried], post + returned, "", self._decorators()),
            self._preprocess(batch, needed, made, carried, values, whole),
            self._stacking("list" if whole else kind.kind if kind.kind in STACK else STACKED.get(site.rule.stack, kind.kind), kind.kind),
            function("predict", ["batch", "wanted"], wrapped(context, called), "One call for all rows.", self._decorators()),
            "def postprocess(rows, carried):\n" + self._postprocess(site, bool(carried), whole),
            self._run(),
        ]
        return "\n\n".join(parts)

    def _preprocess(
        self, batch: str, needed: list[str], made: set[str], carried: list[str], values: dict[str, str], whole: Fused | None
    ) -> str:
        twice = [n for n in needed if n in carried and n not in made]  # one object: `prepare` may change it
        given, values = values, {**values, **{n: n for n in twice}}
        call = f"prepare({', '.join(values[n] for n in needed)})"
        if not carried and whole is None:
            return f"def preprocess(inputs):\n    return {call}, ()\n"
        prepared = [n for n in carried if n in made and n != batch]
        first = "".join(f"    {n} = {given[n]}\n" for n in twice) + f"    {', '.join([batch, *prepared])} = {call}\n"
        kept = [n if n in made else values[n] for n in carried]
        rows = batch
        if whole is not None and whole.given == "row":
            rows = f"[{batch}]"
        elif whole is not None and whole.given == "either":
            first += f"    alone = not isinstance({batch}, list)\n"
            rows = f"[{batch}] if alone else {batch}"
            kept = ["alone", *kept] if whole.item else kept
        rest = ", ".join(kept) + ("," if len(kept) == 1 else "")
        return f"def preprocess(inputs):\n{first}    return {rows}, ({rest})\n"

    def _postprocess(self, site: PredictSite, carries: bool, whole: Fused | None) -> str:
        if whole is not None and whole.item and whole.given == "either":
            head = '    alone, *carried = carried\n    output = rows["output"][0] if alone else rows["output"]\n'
            return head + self._results(f"finish(output{', *carried' if carries else ''})")
        output = 'rows["output"][0]' if whole is not None and whole.item else 'rows["output"]' if whole else self._of_row(site, "output")
        return self._results(f"finish({output}{', *carried' if carries else ''})")

    def _called(self, site: PredictSite, call: ir.Call, leaf: ir.Expr, whole: Fused | None) -> str:
        """The predict call for all rows."""
        if whole is not None and site.rule.pipes:
            return f"list({self._expression(call.func)}.{site.rule.pipes}(batch))"
        text = self._expression(call, ((leaf.at, "batch"),))
        if whole is not None and site.rule.sized:
            return f"{text.rstrip().removesuffix(')').rstrip().rstrip(',')}, {site.rule.sized}=len(batch))"
        return text if whole is not None else self._by_row(site, text)

    def _lists(self, site: PredictSite) -> bool:
        """Whether the call gives its outputs as a list, each of all rows, which has to be cut by rows."""
        return self.cut.stacked and parse(site.rule.result).kind == "list" and not site.rule.fused

    def _by_row(self, site: PredictSite, call: str) -> str:
        """A model that gives several arrays gives them as a list: make it a list per row."""
        return f"[[o[i : i + 1] for o in outputs] for outputs in [{call}] for i in range(len(batch))]" if self._lists(site) else call

    def _of_row(self, site: PredictSite, name: str) -> str:
        return f'rows["{name}"][0]' if self._lists(site) else f'rows["{name}"]'

    def _unwrapped(self, stmt: ir.Stmt, call: ir.Call) -> tuple[list[ir.With], ir.Stmt]:
        """The `with` blocks around the predict statement, and the statement."""
        context = []
        while isinstance(stmt, ir.With):
            context.append(stmt)
            stmt = next(s for s in stmt.body if any(p is call for e in flow.every(s) for p in walk(e)))
        return context, stmt

    def _before(self, stmt: ir.Stmt, target: ir.Stmt) -> list[ir.Stmt]:
        """Statements inside the `with` blocks that stand above the predict statement."""
        found: list[ir.Stmt] = []
        while isinstance(stmt, ir.With):
            found += [s for s in stmt.body if s.at[2:] <= target.at[:2]]
            stmt = next(s for s in stmt.body if ir.holds(s.at, target.at))
        return found

    def _pre(self, run: ir.Block, index: int, inner: list[ir.Stmt], leaf: ir.Expr, batch: str, context: list[str]) -> str:
        text = self._moved(run[:index])
        if inner:
            text += wrapped(context, self._moved(inner))
        if not (isinstance(leaf, ir.Name) and leaf.id == batch):
            text += f"{batch} = {self._expression(leaf)}\n"
        return text

    def _post_statements(self, run: ir.Block, index: int, target: ir.Stmt) -> list[ir.Stmt]:
        inside: list[ir.Stmt] = [s for s in flow.flatten((run[index],)) if s.at[:2] >= target.at[:2] and not isinstance(s, ir.With)]
        return [*(inside or [target]), *run[index + 1 :]]

    def _post(self, run: ir.Block, index: int, target: ir.Stmt, blocks: list[ir.With], context: list[str]) -> tuple[str, str]:
        """The name the output gets, and the statements after the call."""
        whole = (
            isinstance(target, ir.Assign)
            and target.value is self.cut.call
            and len(target.targets) == 1
            and isinstance(target.targets[0], ir.Name)
        )
        output = (
            target.targets[0].id
            if whole and isinstance(target, ir.Assign) and isinstance(target.targets[0], ir.Name)
            else self._free("output")
        )
        inside = [s for w in blocks for s in w.body if s.at[:2] >= target.at[2:]]
        text = "" if whole else self._moved([target], ((self.cut.call.at, output),))
        if inside:
            text += self._moved(inside)
        if text:
            text = wrapped(context, text)
        text += self._moved(run[index + 1 :])
        return output, text

    def _free(self, name: str) -> str:
        taken = self.local(self.cut.scope) | set(self.closure.names.values())
        while name in taken:
            name += "_"
        return name

    # ------------------------------------------------------------ the surface

    def _return(self, names: list[str]) -> str:
        return f"return {', '.join(names)}\n"

    def _results(self, call: str) -> str:
        """Pack what the moved code returned."""
        pairs = self.surface.outputs
        if len(pairs) == 1:
            ((made, crossing),) = pairs
            return f'    result = {call}\n    return {{"{made.name}": {tensors.pack("result", made, crossing.type)}}}\n'
        names = [c.name for _, c in pairs]
        packed = "".join(f'        "{t.name}": {tensors.pack(c.name, t, c.type)},\n' for t, c in pairs)
        return f"    {', '.join(names)} = {call}\n    return {{\n{packed}    }}\n"

    def _stacking(self, kind: str, row: str = "") -> str:
        """How batches become one, and what must be equal for that. `kind` is that of a batch, `row` of what the code calls one."""
        code, needs = STACK.get(kind, STACK["array"])
        if needs:
            module, _, alias = needs.removeprefix("import ").partition(" as ")
            alias = alias or module
            if alias not in self.closure.imports:
                self.closure.imports[alias] = needs
                self.closure.libraries[module] = None
        shape = SHAPE.get(kind, "np.shape(batch)[1:]" if kind in UNSURE else "tuple(batch.shape[1:])")
        if kind == "list" and row in ("array", "image"):  # pictures of one size, so that none is padded
            shape = "batch[0].shape" if row == "array" else "batch[0].size"
        return f"def stack(batches):\n    return {code}\n\n\ndef row_shape(batch):\n    return {shape}\n"

    def _decorators(self) -> str:
        """Decorators of the function that configure the model's run come along."""
        return "".join(f"@{self._expression(d)}\n" for d in self.cutter.judge.configuring(self.cut.scope))

    def _run(self) -> str:
        return (
            'def run(inputs, wanted):\n    """All of it, for one request in this process."""\n    batch, carried = preprocess(inputs)\n'
            "    return postprocess(predict(batch, wanted), carried)\n"
        )

    def _place(self) -> str:
        span = self.cut.span
        return f"Moved from {span.file}:{span.line}."

    def _joined(self, body: str) -> str:
        closure = self.closure
        head = HEAD.format(name=self.name, place=f"{self.cut.scope.file} ({self.cut.scope.qualname})")
        codec = sorted(tensors.functions(body))
        if "io.BytesIO(" in body:
            closure.imports.setdefault("io", "import io")
        own = ["import os", "import sys", "from pathlib import Path", *(f"from triton_codec import {f}" for f in codec)]
        own += [f"from triton_call import {f}" for f in sorted(tensors.functions(body, tensors.ANY))]
        imports = ordered([*own, *closure.imports.values()])
        parts = [head + "\nfrom __future__ import annotations\n\n" + imports + "\n" + ROOT]
        if any("asyncio.get_event_loop(" in text for text in (*closure.definitions, *closure.load)):
            parts.append("asyncio.set_event_loop(asyncio.new_event_loop())  # a thread may have none\n")
        parts += [DEFINED] if DEVICE in "".join((*closure.definitions, *closure.load, body)) else []
        parts += closure.definitions
        parts += [DEFINITION] if self.cut.exits else []
        caught = (*self.invalid, *((CLASS,) if self.cut.exits and self.invalid != ("Exception",) else ()))
        invalid = f"INVALID = ({', '.join(caught)}{',' if len(caught) == 1 else ''})  # what the app catches: the client's fault\n"
        parts.append(invalid + "".join(f"{g} = None\n" for g in closure.globals))
        parts.append(load_function(closure))
        parts.append(body)
        return spaced(parts)


def _reads_without(statements: list[ir.Stmt], call: ir.Call, hoists: tuple[ir.Assign, ...]) -> set[str]:
    """Names the statements read, those inside the predict call left out."""
    inside = {id(e) for e in walk(call)}
    sent = {lifted_name(h) for h in hoists if id(h.value) not in inside and any(holds(s, h.value) for s in statements if h.value)}
    inside |= {id(e) for h in hoists if h.value is not None for e in walk(h.value)}
    stored = {id(n) for s in statements if isinstance(s, ir.Assign) and not s.augmented for t in s.targets for n in walk(t) if t is n}
    parts = [e for s in statements for e in flow.every(s) if isinstance(e, ir.Name) and id(e) not in inside | stored]
    return {e.id for e in parts} | sent
