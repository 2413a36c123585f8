"""Takes a finished walk, gives the `Pipeline`: slices around the predict sites, stages, inputs and the kind of response."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.base import Span
from triton_migrate.entries.parameters import is_file
from triton_migrate.entries.records import Consumer, Entry, Input, Task
from triton_migrate.index import flow, ir
from triton_migrate.resolve.calls import port, results
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.resolve.values import Api, Container, Literal, Site, UserFunction, Value, Values
from triton_migrate.rulebook.vocabulary import DataConvert, ModelLoad, WebParameter, WebResponse
from triton_migrate.trace import requested
from triton_migrate.trace.records import Consumed, Fitted, InputOrigin, Pipeline, PredictOrigin, PredictSite, Stage, Step
from triton_migrate.trace.responses import answered_kind, class_kind, refusal, refuses
from triton_migrate.trace.shared import Entrance, Shared
from triton_migrate.trace.taints import CLEAN, Taint
from triton_migrate.trace.training import Training
from triton_migrate.trace.walk import Walk, callee_text

KINDS = {"parse": 0, "pre": 1, "model": 2, "post": 3, "respond": 4}
WHOLE = {"text", "html", "json"}
HIDDEN = {"header", "cookie"}
DEEPEST = 3  # calls that wrap the body of a response


def trace(shared: Shared, entry: Entry | Task) -> Pipeline:
    """Walk one entry."""
    walk, evaluator = Walk(shared), shared.evaluator
    walk.worker = 0 if isinstance(entry, Task) else None
    declared = {i.parameter or i.name: i for i in entry.inputs} if isinstance(entry, Entry) else {}
    taints: dict[str, Taint] = {}
    for parameter in entry.handler.scope.function.parameters:
        known = declared.get(parameter.name)
        origins = [InputOrigin(known.source, known.name)] if known else []
        if not known and declared and _is_body(parameter, entry, evaluator):
            origins = [InputOrigin(i.source, i.name) for i in declared.values() if i.source in ("json", "form")]
        taints[parameter.name] = walk.origins.taint(*origins) | requested.handed(walk, entry.handler.scope, parameter.name)
    given = {}
    if entry.handler.receiver is not None and entry.handler.scope.function.parameters:
        given[entry.handler.scope.function.parameters[0].name] = frozenset({entry.handler.receiver})
    _dependencies(walk, evaluator, entry)
    if isinstance(entry, Entry):
        taints |= _prepared(walk, entry)
    answered = walk.run(Entrance(entry.handler, given), taints)
    for function in entry.after if isinstance(entry, Entry) else ():
        answered = _passed(walk, function, answered)
    return _assemble(walk, evaluator, entry, declared)


def _prepared(walk: Walk, entry: Entry) -> dict[str, Taint]:
    """What the handler's first parameter depends on when the framework runs a function of the program before it."""
    names = [p.name for p in entry.handler.scope.function.parameters[1 if entry.handler.receiver is not None else 0 :]]
    prepared = [_passed(walk, f, CLEAN) for f in entry.before]
    return {names[0]: prepared[-1]} if names and prepared else {}


def _passed(walk: Walk, function: UserFunction, taint: Taint) -> Taint:
    names = [p.name for p in function.scope.function.parameters]
    bound = 1 if function.receiver is not None else 0
    given = {names[0]: frozenset({function.receiver})} if function.receiver is not None and names else {}
    return walk.run(Entrance(function, given), dict.fromkeys(names[bound : bound + 1], taint))


def consume(shared: Shared, consumer: Consumer) -> Consumed:
    """Walk one consumer; without sites where it runs no model. A script that trains its model is no consumer of it."""
    walk, evaluator = Walk(shared), shared.evaluator
    frame = evaluator.program.generic(consumer.scope)
    if consumer.scope.kind == "function":  # what its callers give counts, not only its defaults
        given = {p.name: evaluator.name(p.name, frame) for p in consumer.scope.function.parameters}
        walk.run(Entrance(UserFunction(consumer.scope, frame.parent or frame), given), {})
    else:
        walk.run_module(frame)
    trains = consumer.kind == "script" and Training(walk.steps).any
    suspects = () if trains else tuple(walk.suspects.values())
    return Consumed(consumer, () if trains else tuple(walk.sites), suspects, frozenset(walk.followed))


def _is_body(parameter: ir.Parameter, entry: Entry | Task, evaluator: Evaluator) -> bool:
    from_annotation = evaluator.annotated(parameter.annotation, entry.handler.frame) if parameter.annotation is not None else frozenset()
    return any(not isinstance(v, (Api, Literal)) for v in from_annotation)


def _dependencies(walk: Walk, evaluator: Evaluator, entry: Entry | Task) -> None:
    """`Depends(f)` in the signature runs before the handler."""
    handler = entry.handler
    for parameter in handler.scope.function.parameters:
        exprs = [parameter.default] if parameter.default is not None else []
        for expr in exprs:
            if isinstance(expr, ir.Call) and any(
                (rule := evaluator.rulebook.find(a.path, WebParameter)) and rule.source == "dependency"
                for a in evaluator.apis(expr.func, handler.frame)
            ):
                for value in evaluator.values(expr.args[0] if expr.args else None, handler.frame):
                    if isinstance(value, UserFunction):
                        walk.run(Entrance(value, {}), {})


def _assemble(walk: Walk, evaluator: Evaluator, entry: Entry | Task, declared: dict[str, Input]) -> Pipeline:
    sites = tuple(_served(walk, entry))
    before: set[int] = set()
    for site in sites:
        before.update(site.taint.of(int))
    after = _after(walk, walk.origins.taint(*(PredictOrigin(s.number) for s in sites)))
    model_steps = {n for s in walk.steps for n in [s.number] if s.predicts}
    stages = tuple(_stages(walk.steps, before - model_steps, model_steps, after - model_steps, entry.handler.scope, walk))
    return Pipeline(
        entry, tuple(walk.steps), sites, tuple(_fitted(walk)) if sites else (), stages,
        _inputs(walk, entry, declared), _response(walk, evaluator, entry), walk.queue,
        frozenset(before - model_steps), frozenset(after - model_steps), tuple(walk.breaks.values()),
        tuple(walk.suspects.values()), frozenset(walk.followed),
    )  # fmt: skip


def _after(walk: Walk, predicted: Taint) -> set[int]:
    """The steps that depend on predict sites, and those that read what such a step made."""
    found: set[int] = set()
    while more := {s.number for s in walk.steps if s.number not in found and s.taint.meets(predicted)}:
        found |= more
        predicted = walk.origins.taint(*more)
    return found


def _served(walk: Walk, entry: Entry | Task) -> Iterator[PredictSite]:
    """The predict sites, without those of a training: what a loop that trains runs, and what the handler does not answer."""
    training = Training(walk.steps)
    own = (s for s in walk.steps if isinstance(s.stmt, (ir.Return, ir.Evaluate)) and s.scope is entry.handler.scope)
    answered = walk.answering.union(*(s.taint for s in own))
    loading = {s.scope for s in walk.steps for c in s.calls if any(isinstance(r, ModelLoad) for r in c.rules)} if walk.sites else set()
    for site in walk.sites:
        if _warms_up(walk, site, loading):
            continue
        trained = training.any and (training.runs(site) or training.evaluates(site, walk.fed.get(site.number, CLEAN)))
        if not trained and (not training.any or PredictOrigin(site.number) in answered):
            yield site


def _warms_up(walk: Walk, site: PredictSite, loading: set[Scope]) -> bool:
    """`model.encode("hello")` on a line of its own, beside the load: what runs on constants and is dropped makes the model ready.

    So does a function that the one which loads calls (`self._warmup(name)`), if nothing reads what it gives. `loading`: those that load.
    """
    stmt = walk.steps[site.step].stmt if walk.steps else None
    if site.scope not in loading:
        below = any(frame.scope in loading for _, frame in site.chain)
        return below and _unread(stmt, site) and not walk.fed.get(site.number, CLEAN).only(InputOrigin)
    dropped = isinstance(stmt, ir.Evaluate) and (
        stmt.value is site.call or (isinstance(stmt.value, ir.Await) and stmt.value.value is site.call)
    )
    given = (*site.call.args, *(value for _, value in site.call.keywords))
    names = (name for part in given for name in flow.names(part))
    return dropped and bool(given) and all(_of_a_library(v) for name in names for v in walk.evaluator.values(name, site.frame))


def _unread(stmt: ir.Stmt | None, site: PredictSite) -> bool:
    """Whether a statement is the call alone, or names its result for nothing."""
    match stmt:
        case ir.Evaluate(_, value):
            return value is site.call
        case ir.Assign(_, (ir.Name(_, name),), value):
            return value is site.call and name not in flow.reads(site.scope.body)
    return False


def _of_a_library(value: Value) -> bool:
    return isinstance(value, Literal) or (isinstance(value, Api) and value.site is None)


def _fitted(walk: Walk) -> Iterator[Fitted]:
    for step in walk.steps:
        for call in step.calls:
            if any(isinstance(r, DataConvert) and r.fitted for r in call.rules) and (model := walk.models.loaded(call.api)) is not None:
                place = walk.program.call_at(Site(step.scope.file, call.at))
                if place is not None:
                    yield Fitted(model, Span(step.scope.file, *call.at), callee_text(place.call.func))


def _stages(steps: list[Step], before: set[int], model: set[int], after: set[int], handler: Scope, walk: Walk) -> Iterator[Stage]:
    """Neighbouring steps of one kind in one function, in the order of the walk."""
    run: list[Step] = []
    walked = {step.scope for step in steps}
    kind = ""
    for step in steps:
        now = _kind(step, before, model, after, handler)
        if not now or (step.enters and now != "model" and not walked.isdisjoint(step.enters)):
            continue  # the callee's own steps say it
        if run and (now != kind or run[-1].scope is not step.scope or now == "model"):
            yield _stage(kind, run, walk)
            run = []
        kind = now
        run.append(step)
    if run:
        yield _stage(kind, run, walk)


def _kind(step: Step, before: set[int], model: set[int], after: set[int], handler: Scope) -> str:
    if step.number in model:
        return "model"
    if step.number in before:
        return "parse" if step.inputs else "pre"
    if step.number in after:
        responds = step.responds or (isinstance(step.stmt, ir.Return) and step.scope is handler)
        return "respond" if responds else "post"
    return ""


def _stage(kind: str, run: list[Step], walk: Walk) -> Stage:
    first, last = run[0], run[-1]
    end = last.stmt.at[2] if not isinstance(last.stmt, (ir.If, ir.For, ir.While, ir.With, ir.Try)) else last.stmt.at[0]
    models = [m.id for n in first.predicts for m in walk.sites[n].models] if kind == "model" else []
    if kind == "model" and first.predicts:
        name = walk.sites[min(first.predicts)].text
    else:
        name = first.scope.qualname or "module"
    span = Span(first.scope.file, first.stmt.at[0], first.stmt.at[1], max(end, first.stmt.at[0]), last.stmt.at[3])
    return Stage(kind, name, span, models[0] if models else None)


# ---------------------------------------------------------------- inputs and response


def _inputs(walk: Walk, entry: Entry | Task, declared: dict[str, Input]) -> tuple[Input, ...]:
    found = {(i.name, i.source): i for i in declared.values() if i.source not in HIDDEN | {"any"}}
    seen = {o for step in walk.steps for o in step.inputs if isinstance(o, InputOrigin)}
    for origin in sorted(seen, key=lambda o: (o.source, o.name)):
        if origin.name and origin.name not in declared and origin.source not in HIDDEN:
            found.setdefault((origin.name, origin.source), Input(origin.name, origin.source, "", "inferred"))
    told = any(i.source in ("json", "form", "file") for i in declared.values())  # the body is spoken for
    for source in sorted(walk.whole.keys() - HIDDEN):
        same = (source, "json") if source == "raw-body" else (source,)  # bytes whose fields are known once parsed
        if not told and not any(s in same for _, s in found) and isinstance(entry, Entry):
            found[("body", source)] = Input("(body)", source, "", "inferred")
    return tuple(found.values())


def _response(walk: Walk, evaluator: Evaluator, entry: Entry | Task) -> str:
    """What the handler answers with: what its returns build, else what the framework makes of a plain value."""
    if not isinstance(entry, Entry):
        return "json"
    handler = entry.handler
    if is_file(evaluator, handler.scope.function.returns, handler.frame, entry.app):
        return "file"
    frame = evaluator.program.generic(entry.handler.scope)
    kinds: list[str] = []
    for expr in (e for e in results(entry.handler.scope.function) if not refusal(e)):
        kinds += _kinds(evaluator.values(_body(expr), frame), evaluator, entry)
        kinds += [_text_kind(text, evaluator, entry) for text in _texts(_body(expr), entry.handler.scope)]
    told = [s.responds for s in walk.steps if s.responds and (not kinds or s.scope is not entry.handler.scope)]
    kinds += [k for kind in told for k in (_written(walk, evaluator, entry) if kind == "plain" else (kind,))]
    for kind in ("stream", "file", "html", "json", "redirect", "text"):
        if kind in kinds:
            return kind
    return _plain_kind(evaluator, entry)


def _written(walk: Walk, evaluator: Evaluator, entry: Entry) -> list[str]:
    """What calls that write a plain value into the response make of it (`self.write({...})`)."""
    found: list[str] = []
    for step in walk.steps:
        for call in step.calls:
            place = evaluator.program.call_at(Site(step.scope.file, call.at))
            for rule in call.rules if place is not None else ():
                if isinstance(rule, WebResponse) and rule.kind == "plain" and place is not None:
                    found += _kinds(evaluator.values(port(place.call, rule.body), evaluator.program.generic(place.scope)), evaluator, entry)
    return found


def _body(expr: ir.Expr) -> ir.Expr:
    """`return body, 400` answers with body."""
    return expr.items[0] if isinstance(expr, ir.Sequence) and expr.kind == "tuple" and expr.items else expr


def _kinds(values: Values, evaluator: Evaluator, entry: Entry, wrapped: int = 0) -> list[str]:
    """The kinds of what is answered; what only wraps another body (`make_response(jsonify(x))`) is of that one's."""
    found = []
    for value in values:
        if isinstance(value, Api):
            rule = evaluator.rulebook.find(value.path.removesuffix("()"), WebResponse)
            place = evaluator.program.call_at(value.site) if value.site is not None else None
            if rule is not None and place is not None:
                frame = evaluator.program.generic(place.scope)
                if refuses(evaluator, rule, place.call, frame):
                    continue
                rule_kind = answered_kind(evaluator, rule, place.call, frame)
                if rule_kind != "same":
                    sent = rule_kind in WHOLE and _in_pieces(evaluator, port(place.call, rule.body), frame)
                    found.append("stream" if sent else rule_kind)
                elif wrapped < DEEPEST and (body := port(place.call, rule.body)) is not None:
                    called = evaluator.values(body.func, frame) if isinstance(body, ir.Call) else ()
                    if any(f.scope.function.is_generator for v in called for f in evaluator.callables(v)):
                        return ["stream"]
                    found += _kinds(evaluator.values(_body(body), frame), evaluator, entry, wrapped + 1)
                    found += [_text_kind(text, evaluator, entry) for text in _texts(_body(body), frame.scope)]
            elif _is_bytes(value, evaluator) and (entry.app is None or entry.app.text != "json"):
                found.append("file")
            elif value.path == "builtins.str()":
                found.append(_text_kind("", evaluator, entry))
        elif isinstance(value, Container):
            found.append(_plain_kind(evaluator, entry))
        elif isinstance(value, Literal) and isinstance(value.value, str):
            found.append(_text_kind(value.value, evaluator, entry))
    return found


def _is_bytes(value: Api, evaluator: Evaluator) -> bool:
    """`buffer.getvalue()`, sent as it is."""
    rule = evaluator.rulebook.find(value.path.removesuffix("()"), DataConvert)
    return value.path == "builtins.bytes()" or (rule is not None and rule.result == "bytes")


def _in_pieces(evaluator: Evaluator, body: ir.Expr | None, frame: Frame) -> bool:
    """Whether a body is made while it is sent: a generator of the program, or what a library says to send so."""
    if not isinstance(body, ir.Call):
        return False
    made = (v for v in evaluator.values(body, frame) if isinstance(v, Api) and v.site is not None)
    rules = (evaluator.rulebook.find(v.path.removesuffix("()"), WebResponse) for v in made)
    functions = (v for v in evaluator.values(body.func, frame) if isinstance(v, UserFunction))
    return any(f.scope.function.is_generator for f in functions) or any(rule is not None and rule.kind == "stream" for rule in rules)


def _plain_kind(evaluator: Evaluator, entry: Entry) -> str:
    """What becomes of a plain result: the route's response class says it, else the framework."""
    return _wrapped_kind(evaluator, entry) or (entry.app.response if entry.app else "") or "json"


def _wrapped_kind(evaluator: Evaluator, entry: Entry) -> str:
    return min(filter(None, (class_kind(evaluator, cls) for cls in entry.answers)), default="")


def _text_kind(text: str, evaluator: Evaluator, entry: Entry) -> str:
    """A plain string's kind; where the framework sends strings as HTML, only markup is called so."""
    if wrapped := _wrapped_kind(evaluator, entry):
        return wrapped
    kind = (entry.app.text if entry.app else "") or "text"
    return kind if kind != "html" or text.lstrip().startswith("<") else "text"


def _texts(expr: ir.Expr, scope: Scope) -> Iterator[str]:
    """The beginnings of the strings put together that are answered, also under a name."""
    bound = scope.bindings.get(expr.id, []) if isinstance(expr, ir.Name) else []
    for made in (expr, *(b.expr for b in bound if b.how == "value" and b.expr is not None)):
        if (text := _beginning(made)) is not None:
            yield text


def _beginning(expr: ir.Expr) -> str | None:
    """The constant text that a string put together begins with; None where it is no such string."""
    match expr:
        case ir.Joined(_, (ir.Constant(_, str() as text), *_)) | ir.Operation(_, "Mod" | "Add", (ir.Constant(_, str() as text), *_)):
            return text
        case ir.Joined():
            return ""
        case ir.Operation(_, "Add", (left, *_)):
            return _beginning(left)
        case ir.Call(_, ir.Attribute(_, ir.Constant(_, str() as text), "format" | "join")):
            return text
    return None
