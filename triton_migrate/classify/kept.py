"""Takes a read of what earlier requests left, gives whether it is no state: a cache of results, or an input that the client names.

A cache answers a hit at once and puts what a miss made where it was looked for. A stored input was put in its place by another entry,
whole, and the client gives its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course, Write
from triton_migrate.classify.state import State
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Cell, Step


def cache(course: Course, state: State, cell: Cell) -> bool:
    """A dict of finished results: every look-up that feeds a model returns a hit before the value is made, and none is added to."""
    reads = [s for s in course.feeding if course.reads(s, cell) and cell not in s.writes and not isinstance(s.stmt, ir.If)]
    if reads and all(_only_asks(read, cell) for read in reads):
        return all(_puts_a_result(write.step, cell) for write in state.changed(cell))
    if any(_accumulates(write, cell) for write in state.changed(cell)):
        return False
    return bool(reads) and all(_answers(course, read, lambda s: cell in s.writes) for read in reads)


def _only_asks(read: Step, cell: Cell) -> bool:
    """`[text for text in texts if text not in cache]`: which results are missing, for each item of a request."""
    parts = flow.own(read.stmt)
    asked = {id(o) for p in parts if isinstance(p, ir.Operation) and p.operator in ("In", "NotIn") for o in p.operands[1:]}
    return all(id(part) in asked for part in parts if _is(part, cell))


def _puts_a_result(step: Step, cell: Cell) -> bool:
    stmt = step.stmt
    return (
        isinstance(stmt, ir.Assign) and not stmt.augmented and of.from_model(step) and all(_keyed(target, cell) for target in stmt.targets)
    )


def cached_row(course: Course, read: Step) -> bool:
    """The same in a database."""
    return of.from_client(read) and _answers(course, read, lambda s: of.has_effect(s, "db-write"))


def answered_early(course: Course, state: State) -> Iterator[Step]:
    """Look-ups before the model that nothing of its input comes from: a hit is answered at once, and a miss put there afterwards."""
    first = min(course.predicting, default=0)
    looking = (s for s in course.pipeline.steps if s.number < first and isinstance(s.stmt, (ir.Assign, ir.Return)))
    ahead = [s for s in looking if not course.feeds(s)]
    for step in ahead:
        cells = [c for c in state.writes if course.reads(step, c) and c not in step.writes]
        rows = of.has_effect(step, "db-read") and _decides(course, step, lambda s: of.has_effect(s, "db-write"))
        if rows or any(_decides(course, step, partial(_puts, cell)) for cell in cells):
            yield step


def _puts(cell: Cell, step: Step) -> bool:
    return cell in step.writes


def puts_in_place(step: Step, cell: Cell) -> bool:
    """`feed[key] = value`, where neither says anything of the cell."""
    stmt = step.stmt
    if not isinstance(stmt, ir.Assign) or stmt.augmented or stmt.value is None or cell not in step.writes:
        return False
    places = [target for target in stmt.targets if isinstance(target, ir.Subscript) and _is(target.value, cell)]
    others = (part for expr in (stmt.value, *(p.key for p in places)) for part in flow.walk(expr))
    return len(places) == len(stmt.targets) and not any(_is(part, cell) for part in others)


def put_anew(course: Course, state: State, cell: Cell, placed: list[Step], read: Step) -> bool:
    """Whether all that any request puts into the cell is put there again, under the same keys, before this one reads it."""
    again = {(step.scope.file, step.stmt.at) for step in placed}
    only = all((w.step.scope.file, w.step.stmt.at) in again for w in state.changed(cell))
    reading = _arms(course, read, frozenset())
    return bool(placed) and only and all(_fixed_keys(course, step) and _arms(course, step, frozenset()) <= reading for step in placed)


def _fixed_keys(course: Course, step: Step) -> bool:
    """Whether the keys are the same in each request: constants, or what a loop takes from something that no client sends."""
    loops = [outer for outer in course.enclosing(step) if isinstance(outer, ir.For)]
    sent = [s for s in course.by_scope[step.scope] if s.stmt in loops and of.from_client(s)]
    bound = {n.id for loop in loops for n in flow.names(loop.target)}
    keys = [t.key for t in (step.stmt.targets if isinstance(step.stmt, ir.Assign) else ()) if isinstance(t, ir.Subscript)]
    plain = all(isinstance(key, ir.Constant) or (isinstance(key, ir.Name) and key.id in bound) for key in keys)
    return plain and not sent and not any(isinstance(outer, ir.While) for outer in course.enclosing(step))


def _arms(course: Course, step: Step, seen: frozenset[Scope]) -> frozenset[tuple[str, ir.At, bool]]:
    """The arms of branches in which a statement lies, in its function and in those that call it."""
    own = {
        (step.scope.file, outer.at, step.number in course.inside(step.scope, outer.body))
        for outer in course.enclosing(step)
        if isinstance(outer, ir.If)
    }
    callers = [c for c in course.callers.get(step.scope, ()) if c.scope not in seen]
    return frozenset(own).union(*(_arms(course, c, seen | {step.scope}) for c in callers))


def stored_input(course: Course, state: State, cell: Cell) -> bool:
    """What the client stored by another entry, and names now by its key."""
    writes = state.changed(cell)
    if any(w.course.root is course.root or _accumulates(w, cell) or cell in w.step.taint for w in writes):
        return False
    reads = [s for s in course.feeding if course.reads(s, cell)]
    return bool(reads) and not _works_on_elements(state, cell) and all(of.from_client(read) and _by_key(read, cell) for read in reads)


def _answers(course: Course, read: Step, keeps: Callable[[Step], bool]) -> bool:
    """Whether a hit is answered, and a miss kept, in the function of the look-up or in each one that it returns to."""
    waiting, seen = [read], {read.number}
    while waiting:
        step = waiting.pop()
        if _decides(course, step, keeps) or _sorts(course, step, keeps):
            continue
        callers = [s for s in course.callers.get(step.scope, ()) if course.feeds(s)]
        if not callers or any(s.number in seen for s in callers):
            return False
        seen |= {s.number for s in callers}
        waiting += callers
    return True


def _decides(course: Course, look_up: Step, keeps: Callable[[Step], bool]) -> bool:
    """`found = cache.get(key)`, `if found: return found`, and later `cache.set(key, made)`; or all of this under `if found is None`."""
    targets = look_up.stmt.targets if isinstance(look_up.stmt, ir.Assign) else ()
    names = {n.id for target in targets for n in flow.names(target)}
    own = course.by_scope[look_up.scope]
    for test in (s.stmt for s in own if isinstance(s.stmt, ir.If)):
        about = look_up.stmt.at[:2] <= test.at[:2] and names & {n.id for n in flow.names(test.test)}
        around = isinstance(look_up.stmt, ir.Return) and look_up.number in course.inside(look_up.scope, test.body)
        if not about and not around:
            continue
        filled = [s for s in own if s.number in course.inside(look_up.scope, test.body)]
        later = [s for s in own if s.stmt.at[:2] >= test.at[2:]]
        if any(_leads_to(course, s, keeps) for s in (later if _returns(test.body) else filled)):
            return True
    return False


def _sorts(course: Course, look_up: Step, keeps: Callable[[Step], bool]) -> bool:
    """`for i, row in enumerate(cache.mget(keys))`: what is found says only which items are still to be made, and those are put there."""
    targets = look_up.stmt.targets if isinstance(look_up.stmt, ir.Assign) else ()
    names = {n.id for target in targets for n in flow.names(target)}
    own = course.by_scope[look_up.scope]
    for step in own:
        for bound, inside in _elements(step, names, step is look_up):
            users = [s for s in own if s.number in course.inside(look_up.scope, inside) and bound & _own_names(s)]
            tests = [s for s in users if isinstance(s.stmt, ir.If) and _asks_whether(s.stmt.test)]
            if inside and (not tests or any(course.feeds(s) for s in users if s not in tests)):
                continue
            if any(_leads_to(course, s, keeps) for s in own if s.stmt.at[:2] >= step.stmt.at[2:]):
                return True
    return False


def _elements(step: Step, names: set[str], looks_up: bool) -> Iterator[tuple[set[str], ir.Block]]:
    """The names of what a loop over a look-up's result takes out of it, with the loop's body; none for a comprehension that only asks."""
    if isinstance(step.stmt, ir.For):
        yield _taken(step.stmt.target, step.stmt.iterable, names, looks_up), step.stmt.body
    for part in (p for p in flow.own(step.stmt) if isinstance(p, ir.Comprehension)):
        for target, iterable, conditions in part.loops:
            taken = _taken(target, iterable, names, looks_up)
            made = {n.id for e in (part.element, part.value) if e is not None for n in flow.names(e)}
            if taken and not taken & made and any(_asks_whether(test) for test in conditions):
                yield taken, ()


def _own_names(step: Step) -> set[str]:
    return {n.id for expr in flow.expressions(step.stmt) for n in flow.names(expr)}


def _asks_whether(test: ir.Expr) -> bool:
    """`row is None`, `row`, `not row`: whether anything was found."""
    match test:
        case ir.Name() | ir.Operation(_, "Not", (ir.Name(),)):
            return True
        case ir.Operation(_, "Is" | "IsNot", (ir.Name(), ir.Constant(_, None))):
            return True
    return False


def _taken(target: ir.Expr, iterable: ir.Expr, names: set[str], looks_up: bool) -> set[str]:
    """`row` of `i, row in enumerate(rows)` and of `key, row in zip(keys, rows)`; a counter and what lies beside it are nothing of it."""
    match iterable, target:
        case ir.Name(_, name), _ if name in names:
            return {n.id for n in flow.names(target)}
        case ir.Call(_, ir.Name(_, "enumerate"), (inner, *_)), ir.Sequence(_, _, (_, element)):
            return _taken(element, inner, names, looks_up)
        case ir.Call(_, ir.Name(_, "zip"), given), ir.Sequence(_, _, elements) if len(given) == len(elements):
            return {name for element, each in zip(elements, given, strict=True) for name in _taken(element, each, names, looks_up)}
        case ir.Call(), _ if looks_up:
            return {n.id for n in flow.names(target)}
    return set()


def _returns(block: ir.Block) -> bool:
    return bool(block) and isinstance(block[-1], ir.Return) and block[-1].value is not None


def _leads_to(course: Course, step: Step, keeps: Callable[[Step], bool]) -> bool:
    below = (s for entered in step.enters for scope in (entered, *course.below(entered)) for s in course.by_scope.get(scope, ()))
    return keeps(step) or any(keeps(s) for s in below)


def _accumulates(write: Write, cell: Cell) -> bool:
    """Whether the write does more than put one value in its place: it adds to what was there, or changes it."""
    stmt = write.step.stmt
    if not isinstance(stmt, ir.Assign) or stmt.augmented or not all(_keyed(target, cell) for target in stmt.targets):
        return True
    if cell not in write.step.taint or stmt.value is None:
        return False
    # `data, at = cache[key]` and `cache[key] = (data, now)`: put back as it was
    names = {n.id for n in flow.names(stmt.value)}
    near = (s for s in write.course.by_scope[write.step.scope] if cell in s.taint and s is not write.step)
    made = [s for s in near if isinstance(s.stmt, (ir.Assign, ir.For)) and names & flow.binds((s.stmt,))]
    return not made or not all(_only_looks_up(s) for s in made)


def _only_looks_up(step: Step) -> bool:
    return isinstance(step.stmt, ir.Assign) and isinstance(step.stmt.value, ir.Subscript) and not step.calls


def _keyed(target: ir.Expr, cell: Cell) -> bool:
    return isinstance(target, ir.Subscript) and not isinstance(target.key, ir.Constant) and _is(target.value, cell)


def _works_on_elements(state: State, cell: Cell) -> bool:
    """`kept[key].update(more)`: whether any entry gives more to what is kept there."""
    calls = (s.stmt.value for c in state.courses for s in c.pipeline.steps if isinstance(s.stmt, ir.Evaluate))
    methods = (c.func.value for c in calls if isinstance(c, ir.Call) and isinstance(c.func, ir.Attribute) and (c.args or c.keywords))
    return any(_is(base, cell) for element in methods for base in _looked_up_in(element))


def _by_key(read: Step, cell: Cell) -> bool:
    """Whether the statement looks up single elements only, by a key that is not spelled out."""
    parts = flow.own(read.stmt)
    elements = {id(base) for part in parts for base in _looked_up_in(part)}
    return all(id(part) in elements for part in parts if _is(part, cell))


def _looked_up_in(part: ir.Expr) -> Iterator[ir.Expr]:
    match part:
        case ir.Subscript(_, base, key) if not isinstance(key, ir.Constant):
            yield base
        case ir.Call(_, ir.Attribute(_, base, "get" | "pop"), (key, *_)) if not isinstance(key, ir.Constant):
            yield base
        case ir.Operation(_, "In" | "NotIn"):
            yield from part.operands


def _is(part: ir.Expr, cell: Cell) -> bool:
    if cell.kind == "global":
        return isinstance(part, ir.Name) and part.id == cell.name
    return isinstance(part, ir.Attribute) and part.attr == cell.name
