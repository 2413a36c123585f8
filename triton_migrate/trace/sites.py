"""Takes a call that runs a model, gives the predict site: one for each place, whatever way the walk came there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Instance, UserFunction
from triton_migrate.rulebook.vocabulary import (
    ModelPredict,
)
from triton_migrate.trace import expressions
from triton_migrate.trace.environment import Env
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import PredictOrigin, PredictSite
from triton_migrate.trace.taints import CLEAN, Taint

if TYPE_CHECKING:
    from triton_migrate.trace.walk import Walk


def network(walk: Walk, function: UserFunction, call: ir.Call, frame: Frame, env: Env, taint: Taint) -> Taint:
    """`net.forward(x)` on a network of the program's own: its code is the model's inside.

    So is a method that only this network has and that runs its layers (`net.caption(image)`): from elsewhere, it is one opaque model.
    """
    if not isinstance(function.receiver, Instance) or not walk.models.inside(function.scope):
        return CLEAN
    name, own = function.scope.name, function.scope in walk.layered and function.scope.name != "__init__"
    for base in walk.evaluator.mro(function.receiver.of):
        if isinstance(base, Api):
            path = walk.rulebook.canonical(f"{base.path}()")
            named = f"{path}()" if name == "__call__" else f"{path}.{name}"
            rule = walk.rulebook.find(named, ModelPredict)
            if rule is None and own and (whole := walk.rulebook.find(f"{path}()", ModelPredict)):
                rule = replace(whole, fused=True, row_independent=False, stack="", result="")
            if rule is not None:
                api = Api(named.removesuffix("()"), function.receiver.site, function.receiver)
                return predict(walk, rule, api, call, frame, env, taint)
    return CLEAN


def predict(walk: Walk, rule: ModelPredict, api: Api, call: ir.Call, frame: Frame, env: Env, taint: Taint) -> Taint:
    if walk.models.inside(frame.scope):
        walk.layered.update(walk.active)
        return taint  # the layers of the program's own network: the network is what is run
    key = (frame.scope.file, call.at)
    number = walk.numbered.setdefault(key, len(walk.numbered))
    parts = (*call.args, *(v for _, v in call.keywords))
    walk.fed[number] = walk.fed.get(number, CLEAN).union(*(walk.given.get(id(part), CLEAN) for part in parts))
    models = walk.models.of(api, rule, call, frame)
    if rule.given and not models:
        return taint
    site = PredictSite(
        number, Span(frame.scope.file, *call.at), callee_text(call.func), call, frame, rule, api, models,
        taint, walk.step.number if walk.step else 0, tuple(walk.chain), walk.queued, walk.worker,
    )  # fmt: skip
    if number == len(walk.sites):
        walk.sites.append(site)
    else:
        old = walk.sites[number]
        models = tuple(dict.fromkeys((*old.models, *site.models)))
        walk.sites[number] = replace(old, models=models, taint=old.taint | taint)
    result = walk.origins.taint(PredictOrigin(number))
    if walk.step is not None:
        walk.step.predicts.add(number)
        if isinstance(walk.step.stmt, ir.Evaluate) and walk.step.stmt.value is call and isinstance(call.func, ir.Attribute):
            # The result stays in the model (`interpreter.invoke()`)
            expressions.mutate(walk, call.func.value, result, frame, env, walk.step)
    return result
