"""Takes predict sites, gives what is known of their calls: the arguments that carry rows, and whether rows of requests can be stacked."""

from __future__ import annotations

from dataclasses import replace

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.fused import fused
from triton_migrate.plan.values.types import Types
from triton_migrate.plan.values.vtype import VType, parse
from triton_migrate.resolve.calls import argument_map, port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import ModelConfigure, ModelPredict
from triton_migrate.trace.records import PredictSite

Rows = tuple[tuple[VType, ir.Expr], ...]


def frame_at(site: PredictSite, depth: int) -> Frame:
    return site.chain[depth][1] if depth < len(site.chain) else site.frame


class PredictCalls:
    """Answers for the predict sites of one pipeline."""

    def __init__(self, evaluator: Evaluator, types: Types, sites: tuple[PredictSite, ...]) -> None:
        self.evaluator, self.types, self.sites = evaluator, types, sites

    def rows(self, site: PredictSite) -> Rows | None:
        """The arguments that carry rows, with their types; None when the call is written in a way we cannot take apart."""
        if any(isinstance(a, ir.Starred) for a in site.call.args):
            return None
        if site.rule.rows in ("*", ""):
            exprs = [*site.call.args, *(v for k, v in site.call.keywords)]
            if any(k is None for k, _ in site.call.keywords):
                return None
        else:
            exprs = [e for p in site.rule.rows.split(",") if (e := port(site.call, p.strip())) is not None]
        exprs = [v for e in exprs for v in (e.values if isinstance(e, ir.Mapping) else (e,))]
        exprs = [e for e in exprs if not isinstance(e, ir.Constant)]
        return tuple((_shaped(self.types.of(e, site.frame), site.rule), e) for e in exprs) or None

    def plain_receiver(self, site: PredictSite, version: ir.Expr | None = None) -> bool:
        """`model.predict(...)` whose receiver and other arguments read nothing of the request, but what chooses a `version`."""
        if not isinstance(site.call.func, ir.Attribute):
            return False
        rows = {id(n) for _, e in self.rows(site) or () for n in flow.names(e)}
        rows |= {id(n) for n in flow.names(version)} if version is not None else set()
        function = site.scope.function
        local = {p.name for p in function.parameters} | flow.binds(function.body)
        others = [n for n in flow.names(site.call) if id(n) not in rows and n.id in local]
        root = next(flow.names(site.call.func.value), None)
        return all(n is root for n in others)

    def rows_at(self, depth: int, calls: tuple[ir.Call, ...]) -> Rows:
        """The rows of the call at this level: of the predict call itself, or of a call to functions that only make it."""
        if len(self.sites) != 1 or len(calls) != 1:
            return ()
        (site,) = self.sites
        if calls[0].func is not (site.chain[depth][0] if depth < len(site.chain) else site.call).func:
            return ()  # something else makes the call
        rows = self.rows(site) or ()
        if not site.rule.row_independent or len(rows) != 1 or not self.sliceable(site, rows[0][0]):
            return ()
        inner, (_, leaf) = site.call, rows[0]
        for level in range(len(site.chain) - 1, depth - 1, -1):
            call = site.chain[level][0]
            function = frame_at(site, level + 1).scope.function
            parameters = function.parameters[1:] if frame_at(site, level + 1).scope.owner is not None else function.parameters
            given = argument_map(parameters, call)
            if not self._only_makes(function, inner, site) or not isinstance(leaf, ir.Name) or leaf.id not in given:
                return ()
            inner, leaf = call, given[leaf.id]
        return ((self.types.of(leaf, frame_at(site, depth)), leaf),)

    def _only_makes(self, function: ir.Function, call: ir.Call, site: PredictSite) -> bool:
        """Whether a function does nothing but return this call (with gradients off, say)."""
        body = tuple(s for s in function.body if not (isinstance(s, ir.Evaluate) and isinstance(s.value, ir.Constant)))
        while len(body) == 1 and isinstance(body[0], ir.With) and self._only_configures(body[0], site.frame):
            body = body[0].body
        return len(body) == 1 and isinstance(body[0], ir.Return) and body[0].value is call and not function.is_async

    def sliceable(self, site: PredictSite, rows: VType) -> bool:
        """Whether the result can be cut by rows: an array or tensor; or a list of those, when a request has one row."""
        if fused(site, rows, self.evaluator) is not None:
            return True
        result = parse(site.rule.result).kind
        return rows.kind in ("array", "tensor", "list", "frame", "unknown", "data") and (
            result in ("array", "tensor") or (result == "list" and not site.rule.fused and rows.one_row)
        )

    def stackable(self, run: ir.Block, call: ir.Call, leaf: ir.Expr, frame: Frame, local: set[str]) -> bool:
        """One statement makes the call, not under a loop or a branch, and the call reads nothing else of this request."""
        stmt: ir.Stmt | None = run[liveness.index_of(run, (call,))]
        while isinstance(stmt, ir.With):
            if not self._only_configures(stmt, frame):
                return False
            stmt = next((s for s in stmt.body if liveness.holds(s, call)), None)
        inside = {id(n) for n in flow.names(leaf)}
        others = {n.id for n in flow.names(call) if id(n) not in inside} & local
        return isinstance(stmt, (ir.Assign, ir.Return, ir.Evaluate)) and liveness.evaluated_once(stmt, call) and not others

    def configures(self, stmt: ir.Stmt, frame: Frame) -> bool:
        """Whether a statement is `with torch.no_grad():` or the like."""
        return isinstance(stmt, ir.With) and self._only_configures(stmt, frame)

    def _only_configures(self, stmt: ir.With, frame: Frame) -> bool:
        return all(
            target is None
            and any(self.evaluator.rulebook.find(a.path.removesuffix("()"), ModelConfigure) for a in self.evaluator.apis(expr, frame))
            for expr, target in stmt.items
        )


def _shaped(rows: VType, rule: ModelPredict) -> VType:
    """An array of unknown axes has those that the call asks for."""
    return replace(rows, rank=rule.takes) if rows.kind == "array" and not rows.rank else rows
