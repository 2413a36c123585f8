"""Takes one step of a pipeline, gives what kind of work it is: a conversion, a guard, an effect, or a change of the model's data."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.classify.expressions import COMPUTES, DECIDES, changes, codes, receiver
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import last_name
from triton_migrate.resolve.values import Site
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.vocabulary import (
    Cache,
    ChannelPut,
    ChannelTake,
    DataConvert,
    Effect,
    FlowBind,
    FlowCall,
    Metric,
    ModelConfigure,
    ModelConstruct,
    ModelLoad,
    ModelPlace,
    ModelPredict,
    ModelTrain,
    Rule,
    TaskEnqueue,
    WebAbort,
    WebRequest,
    WebResponse,
)
from triton_migrate.trace.records import Call, InputOrigin, PredictOrigin, Step

PASSING = (  # a call of these hands data on as it is
    WebRequest, WebResponse, WebAbort, ModelConfigure, ModelPlace, ModelPredict, Metric, Cache,
    TaskEnqueue, ChannelPut, ChannelTake, FlowCall, FlowBind,
)  # fmt: skip
ACQUIRES = frozenset(
    {"file-read", "file-write", "network", "process", "log", "metric", "time", "random"}
)  # getting hold of the input changes no data
TEXT = "builtins.str()"
ANYTHING = "builtins.object()"  # where the rules of methods stand that do the same on every object


def rules(step: Step) -> Iterator[Rule]:
    """The rules of everything the statement calls."""
    return (rule for call in step.calls for rule in call.rules)


def has_effect(step: Step, *kinds: str) -> bool:
    return any(isinstance(rule, Effect) and rule.kind in kinds for call in step.calls for rule in call.rules)


def loads(step: Step) -> bool:
    """Whether the statement itself brings a model."""
    return any(isinstance(rule, (ModelLoad, ModelConstruct)) for rule in rules(step))


def trains(step: Step) -> bool:
    return any(isinstance(rule, ModelTrain) for rule in rules(step))


def from_client(step: Step) -> bool:
    return bool(step.taint.only(InputOrigin))


def from_model(step: Step) -> bool:
    return bool(step.taint.only(PredictOrigin))


def own_calls(step: Step) -> Iterator[Call]:
    """The library calls of a statement; what is also entered as a function of the program is known by that.

    Where a receiver may be several objects, and a rule knows the method of one, the others say nothing.
    """
    entered, known = {scope.name for scope in step.enters}, {call.at for call in step.calls if call.rules}
    return (call for call in step.calls if call.rules or (call.at not in known and call.api.path.rpartition(".")[2] not in entered))


def receivers(step: Step, *kinds: str) -> frozenset[Site]:
    """Where the objects were made whose methods the statement calls; with kinds, those methods that have such an effect."""
    calls = (c for c in step.calls if not kinds or any(isinstance(r, Effect) and r.kind in kinds for r in c.rules))
    return frozenset(call.api.made for call in calls if call.api.made is not None)


def call_expression(step: Step, call: Call) -> ir.Call | None:
    """The call as the statement spells it."""
    return next((part for part in flow.own(step.stmt) if isinstance(part, ir.Call) and part.at == call.at), None)


def rejects(stmt: ir.If) -> bool:
    """A guard: its body only answers with an error or ends the request."""
    leaves = any(isinstance(s, (ir.Return, ir.Raise)) or _calls(s) for s in stmt.body)
    return leaves and not stmt.orelse and all(isinstance(s, (ir.Return, ir.Raise, ir.Evaluate)) for s in stmt.body)


def _calls(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call)


def converts(step: Step, book: Rulebook, running: frozenset[str] = frozenset()) -> bool:
    """Only container conversion in the sense of I1: parsing, field access, making and reshaping arrays, checks that reject.

    `running`: the functions by their names through which the statement runs a model.
    """
    after = from_model(step)
    if isinstance(step.stmt, ir.If):
        return not after and rejects(step.stmt)
    if isinstance(step.stmt, ir.While):
        return False
    if after and not step.predicts and _records(step):
        return True
    callees = [
        part.func for part in flow.own(step.stmt) if isinstance(part, ir.Call) and (step.predicts or last_name(part.func) in running)
    ]
    chosen = {id(part) for callee in callees for part in receiver(callee)}  # which model is run is no change of the data
    for part in flow.own(step.stmt):
        if id(part) not in chosen and changes(part, step, DECIDES if after and not step.predicts else COMPUTES, after):
            return False
    return all(call_converts(call, book) for call in own_calls(step)) and not _works_on_text(step, book)


def _records(step: Step) -> bool:
    """`session.add(row)` on a line of its own: the result is written to a database beside the answer, which stays what it is."""
    if not isinstance(step.stmt, ir.Evaluate) or step.enters:
        return False
    effects = [next((r for r in call.rules if isinstance(r, Effect)), None) for call in step.calls]
    kept = (
        e is not None and (e.kind == "db-write" or call.api.path.endswith(".refresh")) for e, call in zip(effects, step.calls, strict=True)
    )
    return bool(effects) and all(kept)


def _works_on_text(step: Step, book: Rulebook) -> bool:
    """`text.lower()` where nothing is known of the receiver: known by its name."""
    known, entered = {call.at for call in step.calls}, {scope.name for scope in step.enters}
    for part in flow.own(step.stmt):
        if isinstance(part, ir.Call) and isinstance(part.func, ir.Attribute) and part.at not in known and part.func.attr not in entered:
            rule = book.find(f"{TEXT}.{part.func.attr}", DataConvert)
            if rule is not None and not rule.container:
                return True
    return False


def passes(step: Step, book: Rulebook) -> bool:
    """What a driver does between stages: it hands values on, picks options, guards, reads the request, builds the answer."""
    if isinstance(step.stmt, (ir.If, ir.For, ir.While, ir.Try, ir.With)):
        return True  # whether its arms can be wired is a question of control flow
    if step.inputs or step.responds or isinstance(step.stmt, (ir.Raise, ir.Assert, ir.Return)):
        return True  # how the answer is worded is no stage
    if any(isinstance(p, ir.Operation) and p.operator in COMPUTES for p in flow.own(step.stmt)):
        return False
    return all(call_converts(call, book) or _acquires(call) for call in own_calls(step))


def call_converts(call: Call, book: Rulebook) -> bool:
    """Whether a library call leaves the data what it is: by its own rules, else by those of a method of that name on any object."""
    name = call.api.path.rpartition(".")[2]
    if call.api.path.startswith("builtins.NoneType()"):
        return True  # `model = None` until loaded
    known = call.rules or book.rules_for(f"{ANYTHING}.{name}")
    if any(isinstance(r, PASSING) for r in known):
        return True
    if any(isinstance(r, DataConvert) and r.container for r in known):
        return True
    return any(isinstance(r, Effect) and (r.kind in ("log", "metric", "time") or (r.kind == "mutate" and name in _FILLING)) for r in known)


_FILLING = frozenset({"append", "extend", "insert", "add"})


def _acquires(call: Call) -> bool:
    return any(isinstance(r, Effect) and r.kind in ACQUIRES for r in call.rules)


def _helps_with_text(call: Call, book: Rulebook) -> bool:
    """`raw.strip()`, `raw.replace(",", ".")`: string helpers are no stages."""
    if call.rules and not call.api.path.startswith(TEXT):
        return False
    return book.find(f"{TEXT}.{call.api.path.rpartition('.')[2]}", DataConvert) is not None


def works(step: Step, book: Rulebook, ahead: bool = False) -> bool:
    """Whether the statement changes the model's data by more than getting hold of it. `ahead`: a model is still to run on it."""
    if isinstance(step.stmt, (ir.Try, ir.With, ir.Raise, ir.Assert)) or converts(step, book):
        return False
    if isinstance(step.stmt, ir.If):
        return not rejects(step.stmt) and from_model(step)
    own = [c for c in own_calls(step) if not call_converts(c, book) and not _helps_with_text(c, book)]
    if own and all(_acquires(call) for call in own):
        return False
    # choosing between two values, or wording one, is no work
    computed = [p for p in flow.own(step.stmt) if not isinstance(p, (ir.Conditional, ir.Joined))]
    if ahead or not from_model(step):
        computed = [p for p in computed if not codes(p, step.scope)]  # nor is the code of an option
    return bool(own) or any(changes(part, step, COMPUTES, from_model(step)) for part in computed)
