"""Takes all courses of an application, gives who changes which state at run time: globals and attributes, files, what is trained and saved.

A write that only puts a loaded object in place, takes one away, or fills what is not there yet is not a change: the object is what
anybody would find there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.course import Course, Write
from triton_migrate.classify.folders import Folders
from triton_migrate.classify.launched import launches
from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope
from triton_migrate.resolve.values import Container, Site
from triton_migrate.rulebook.vocabulary import (
    ChannelPut,
    ChannelTake,
    Effect,
    ModelConfigure,
    ModelLoad,
    ModelSave,
    ModelTrain,
    StreamSource,
)
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.records import Call, Cell, PredictOrigin, Step

UNLOADING = frozenset({"clear", "pop", "popitem"})  # taking away adds nothing that could feed a model
WRITING = frozenset("wax+")  # letters of an `open` mode that lets one write
ONCE = ("import", "startup")


@dataclass(frozen=True, slots=True)
class Training:
    """A call that trains outside any entry: on import or at start-up. `guarded`: only when the artifact is missing."""

    site: Site | None
    span: Span
    guarded: bool


@dataclass(frozen=True, slots=True)
class Saving:
    """A call that writes a model outside any entry, to the file that `artifact` names. `by`: the files whose import makes the call."""

    artifact: str
    span: Span
    by: frozenset[str]


class State:
    """Who writes what; one per application."""

    def __init__(self, courses: tuple[Course, ...], matcher: Matcher, moments: Moments) -> None:
        self.courses, self.matcher, self.moments = courses, matcher, moments
        self.loaders = _loading(courses)
        self._named: dict[tuple[int, Frame], str | None] = {}  # the file that an expression (by id: the courses keep it) names
        self.writes: dict[Cell, list[Write]] = {}
        self.kept: set[Cell] = set()  # what any entry puts anything in, be it a model, a result, or the request's own
        self.files: dict[str, list[Write]] = {}
        self.folders = Folders(courses, matcher, partial(self.named, writing=True))
        self.trained: list[Write] = []
        self.writing: list[Write] = []  # all steps that write a cell
        for course in courses:
            for step in course.pipeline.steps:
                if of.trains(step):
                    self.trained.append(Write(course, step))
                if step.writes:
                    self.writing.append(Write(course, step))
                self.kept |= step.writes
                for cell in step.writes:
                    if not self.harmless(course, step, cell):
                        self.writes.setdefault(cell, []).append(Write(course, step))
                for path in self.touched(step, writing=True):
                    self.files.setdefault(path, []).append(Write(course, step))
        self.changing = frozenset(site for course in courses for site in _changing(course))
        self.once = tuple(self._trained_once())
        self.launched = tuple(launches(courses, matcher))
        self.entries = self._entries_of_functions()

    # ------------------------------------------------------------ cells

    def harmless(self, course: Course, step: Step, cell: Cell) -> bool:
        """A write that says nothing which could feed a model later: of the model itself, or made anew from constants."""
        if self.of_the_model(course, step, cell) or self._hands_over(step):
            return True
        plain = isinstance(step.stmt, ir.Assign) and not step.stmt.augmented
        if of.from_client(step) or of.from_model(step):
            return False
        if plain:
            return not course.reads(step, cell) or not step.calls or bool(step.enters)  # made anew from constants
        return any(isinstance(r, ModelConfigure) for r in of.rules(step))

    def _hands_over(self, step: Step) -> bool:
        """`jobs.append(job)` and `job = jobs.popleft()`, where each job is taken once: a queue, and nothing that is kept."""
        puts = (call for call in step.calls if any(isinstance(r, (ChannelPut, ChannelTake)) for r in call.rules))
        return any(call.api.made in self._queues for call in puts)

    @cached_property
    def _queues(self) -> frozenset[Site]:
        """The containers from which work is taken, and which nobody looks into as a whole: a window of frames is no queue."""
        steps = tuple(step for course in self.courses for step in course.pipeline.steps)
        taken = frozenset(call.api.made for step in steps for call in _takings(step) if call.api.made is not None)
        return taken - frozenset(site for step in steps for site in self._looks_into(step)) if taken else taken

    def _looks_into(self, step: Step) -> Iterator[Site]:
        if isinstance(step.stmt, (ir.If, ir.While)):
            return
        frame, read = self.matcher.program.generic(step.scope), flow.own(step.stmt)
        calls = [part for part in read if isinstance(part, ir.Call)]
        own = {id(c.func.value) for c in calls if isinstance(c.func, ir.Attribute)}
        own |= {id(a) for c in calls if isinstance(c.func, ir.Name) and c.func.id == "len" for a in c.args}
        own |= {id(p) for c in read if isinstance(c, ir.Conditional) for p in flow.walk(c.test)}  # `jobs.pop(0) if jobs else None`
        for part in read:
            if isinstance(part, (ir.Name, ir.Attribute)) and id(part) not in own:
                yield from (v.site for v in self.matcher.evaluator.values(part, frame) if isinstance(v, Container))

    def of_the_model(self, course: Course, step: Step, cell: Cell) -> bool:
        """A write that puts a loaded object in place, unloads, fills what was missing, or sets up the next run."""
        stmt, called = step.stmt, tuple(of.rules(step))
        if any(isinstance(r, ModelConfigure) and r.input for r in called) or (step.predicts and isinstance(stmt, ir.Evaluate)):
            return True
        loads = bool(step.enters & self.loaders) or any(isinstance(r, ModelLoad) for r in called)
        if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) and isinstance(stmt.value.func, ir.Attribute):
            if stmt.value.func.attr in UNLOADING or (loads and not step.predicts and not of.from_model(step)):
                return True  # `models.update({name: load(name)})` puts an artifact in place, as an assignment does
        if _sets_default(stmt, cell):
            return True
        if not isinstance(stmt, ir.Assign) or stmt.augmented:
            return False
        if _makes_its_object(step, cell):
            return True
        if step.taint & course.loading and not of.from_model(step):
            return True  # what holds a loaded model: a record around it
        if loads or any(isinstance(r, ModelConfigure) for r in called):
            return True  # another finished artifact, even at the client's wish, is no state of the application
        if self._comes_with_the_model(course, step, cell):
            return True
        return fills(course, step, cell)

    def _comes_with_the_model(self, course: Course, step: Step, cell: Cell) -> bool:
        """`model = load(name); names = names_of(name)` in a function of its own: its classes, its transforms change with the artifact."""
        if step.scope is course.root or of.from_model(step) or course.reads(step, cell):
            return False
        return any(s.writes and s.enters & self.loaders and isinstance(s.stmt, ir.Assign) for s in course.by_scope[step.scope])

    @cached_property
    def reading(self) -> frozenset[Scope]:
        """The functions that read a stream themselves."""
        return frozenset(match.place.scope for match in self.matcher.find(StreamSource))

    def changed(self, cell: Cell) -> tuple[Write, ...]:
        return tuple(self.writes.get(cell, ()))

    # ------------------------------------------------------------ files

    def touched(self, step: Step, *, writing: bool) -> tuple[str, ...]:
        """The files whose path the code spells out that the statement reads or writes."""
        if not (named := self.named(step, writing=writing)):
            return ()
        frame = self.matcher.program.generic(step.scope)
        found = (self._file(expr, frame) for expr in named)
        return tuple(dict.fromkeys(path for path in found if path))

    def named(self, step: Step, *, writing: bool) -> tuple[ir.Expr, ...]:
        """The expressions by which the statement names, or may name, the files that it reads or writes."""
        found: list[ir.Expr] = []
        for call in step.calls:
            for rule in call.rules:
                about = isinstance(rule, Effect) and rule.kind in ("file-read", "file-write") and not rule.empty
                if isinstance(rule, Effect) and about and self._writes(step, call, rule) == writing:
                    found += _named(step, call, rule)
        return tuple(found)

    def _writes(self, step: Step, call: Call, rule: Effect) -> bool:
        spelled = of.call_expression(step, call)
        if rule.kind == "file-read" and rule.path and spelled is not None:
            frame = self.matcher.program.generic(step.scope)
            mode = self.matcher.evaluator.constant(port(spelled, "mode|1"), frame)
            return isinstance(mode, str) and bool(set(mode) & WRITING)
        return rule.kind == "file-write"

    def _file(self, expr: ir.Expr, frame: Frame) -> str | None:
        """What `file_of` says, once: several entries run through the same statement."""
        if (id(expr), frame) not in self._named:
            self._named[id(expr), frame] = file_of(self.matcher.evaluator, expr, frame)
        return self._named[id(expr), frame]

    # ------------------------------------------------------------ models

    def saved(self, course: Course) -> tuple[tuple[Step, str | None], ...]:
        """Where an entry writes models, each with the artifact it names as far as that is known."""
        return tuple(
            (step, self._artifact(step, call, rule))
            for step in course.pipeline.steps
            for call in step.calls
            for rule in call.rules
            if isinstance(rule, ModelSave)
        )

    def _artifact(self, step: Step, call: Call, rule: ModelSave) -> str | None:
        spelled = of.call_expression(step, call)
        expr = port(spelled, rule.artifact) if spelled is not None and rule.artifact else None
        return file_of(self.matcher.evaluator, expr, self.matcher.program.generic(step.scope)) if expr is not None else None

    def saved_once(self, course: Course) -> tuple[Saving, ...]:
        """What importing the entry's file, or starting the application, writes."""
        files = self.matcher.program.imported_by(course.pipeline.entry.file)
        return tuple(s for s in self._savings if s.span.file in files and (not s.by or s.by & files))

    @cached_property
    def _savings(self) -> tuple[Saving, ...]:
        found = []
        for match in self.matcher.find(ModelSave):
            expr = port(match.place.call, match.rule.artifact) if match.rule.artifact else None
            path = file_of(self.matcher.evaluator, expr, self.matcher.program.generic(match.place.scope)) if expr is not None else None
            starting = self._at_startup(match.place)
            by = frozenset() if starting else frozenset(self._imports(match.place, frozenset()))
            if path is not None and (starting or by):
                found.append(Saving(path, self.matcher.program.span(match.place.scope, match.place.call.at), by))
        return tuple(found)

    def _at_startup(self, place: CallPlace) -> bool:
        return self.moments.of(place) == "startup" and not self.moments.by_hand(place)

    def _imports(self, place: CallPlace, seen: frozenset[Scope]) -> Iterator[str]:
        """The files whose import makes the call: its own, or those of its callers; not where a script's main part does."""
        if place.scope in seen:
            return
        if place.scope.kind == "function":
            for caller in self.moments.callers(place.scope):
                yield from self._imports(caller, seen | {place.scope})
            return
        body = place.scope.node.body if isinstance(place.scope.node, ir.ModuleFacts) else ()
        if not any(flow.is_main(s) and ir.holds(s.at, place.call.at) for s in body):
            yield place.scope.file

    def _trained_once(self) -> list[Training]:
        found = []
        for match in self.matcher.find(ModelTrain):
            if self.moments.of(match.place) in ONCE and not self.moments.by_hand(match.place):
                span = self.matcher.program.span(match.place.scope, match.place.call.at)
                found.append(Training(match.api.made, span, self._if_missing(match.place)))
        return found

    def _if_missing(self, place: CallPlace) -> bool:
        """Whether a check for a file, or a failed load, decides about the call or about a call of its function."""
        body = place.scope.body
        for stmt in flow.flatten(body):
            held = ir.holds(stmt.at, place.call.at)
            if held and isinstance(stmt, ir.If) and self._looks_for_a_file(stmt.test, place.scope):
                return True
            if held and isinstance(stmt, ir.Try) and any(h.at[:2] <= place.call.at[:2] for h in stmt.handlers):
                return True
        callers = self.moments.callers(place.scope) if place.scope.kind == "function" else []
        return bool(callers) and all(self._if_missing(caller) for caller in callers)

    def _looks_for_a_file(self, test: ir.Expr, scope: Scope) -> bool:
        frame = self.matcher.program.generic(scope)
        calls = (part for part in flow.walk(test) if isinstance(part, ir.Call))
        found = (self.matcher.rulebook.find(a.called, Effect) for c in calls for a in self.matcher.evaluator.apis(c.func, frame))
        return any(rule is not None and rule.kind == "file-read" for rule in found)

    # ------------------------------------------------------------ entries

    def _entries_of_functions(self) -> dict[Scope, frozenset[Scope]]:
        """The entries that use a function. A task counts as the routes that enqueue it: they are one way in."""
        walked = Counter(scope for course in self.courses for scope in course.by_scope)
        tasks = {c.root for c in self.courses if walked[c.root] > (c.root in c.by_scope)}
        found: dict[Scope, set[Scope]] = {}
        for course in self.courses:
            if course.root not in tasks:
                for scope in course.by_scope:
                    found.setdefault(scope, set()).add(course.root)
        return {scope: frozenset(roots) for scope, roots in found.items()}


def _named(step: Step, call: Call, rule: Effect) -> list[ir.Expr]:
    spelled = of.call_expression(step, call)
    if spelled is None:
        return []
    told = rule.path and rule.path != "self"
    named = [port(spelled, rule.path)] if told else [*spelled.args, *(v for _, v in spelled.keywords)]
    if isinstance(spelled.func, ir.Attribute) and not told:
        named.append(spelled.func.value)
    return [expr for expr in named if expr is not None]


def _changing(course: Course) -> Iterator[Site]:
    """Where library objects are made that the entry changes, and that outlive it."""
    changed = frozenset(site for step in course.pipeline.steps for site in of.receivers(step, "mutate"))
    walked: dict[str, set[ir.At]] = {}
    for step in course.pipeline.steps:
        walked.setdefault(step.scope.file, set()).add(step.stmt.at)
    for site in changed:
        if not any(ir.holds(at, site.at) for at in walked.get(site.file, ())):
            yield site


def _makes_its_object(step: Step, cell: Cell) -> bool:
    """`self.x = x` in a constructor: an object is made, and nothing changed; where it is kept is another write."""
    targets = step.stmt.targets if isinstance(step.stmt, ir.Assign) else ()
    return cell.kind == "attribute" and step.scope.name == "__init__" and all(isinstance(t, ir.Attribute) for t in targets)


def _sets_default(stmt: ir.Stmt, cell: Cell) -> bool:
    """`return cache.setdefault(key, make(key))`: it puts only what is not there yet."""
    match stmt:
        case (
            ir.Evaluate(_, ir.Call(_, ir.Attribute(_, base, "setdefault")))
            | ir.Return(_, ir.Call(_, ir.Attribute(_, base, "setdefault")))
            | ir.Assign(value=ir.Call(_, ir.Attribute(_, base, "setdefault")))
        ):
            return cell.name in (base.id if isinstance(base, ir.Name) else "", base.attr if isinstance(base, ir.Attribute) else "")
    return False


def fills(course: Course, step: Step, cell: Cell) -> bool:
    """`if key not in cache: cache[key] = make(key)`: the write is behind a check that nothing is there yet."""
    for outer in course.enclosing(step):
        if isinstance(outer, ir.If) and step.number in course.inside(step.scope, outer.body) and asks_for_absence(outer.test, cell):
            return True
    return False


def asks_for_absence(test: ir.Expr, cell: Cell) -> bool:
    """Whether a test is about nothing being in the cell yet."""
    about = any(
        (isinstance(p, ir.Name) and p.id == cell.name) or (isinstance(p, ir.Attribute) and p.attr == cell.name)
        or (isinstance(p, ir.Constant) and p.value == cell.name)
        for p in flow.walk(test)
    )  # fmt: skip
    absent = any(isinstance(p, ir.Operation) and set(p.operator.split("+")) & {"Is", "Not", "NotIn", "Eq"} for p in flow.walk(test))
    return about and absent


def _takings(step: Step) -> Iterator[Call]:
    """The calls that take work from a container, not only off it (`frames.popleft()` on a line of its own keeps a window small)."""
    if not isinstance(step.stmt, ir.Evaluate):
        yield from (call for call in step.calls if any(isinstance(r, ChannelTake) for r in call.rules))


def takes(step: Step) -> bool:
    """Whether the statement takes work from a queue or channel."""
    return any(isinstance(rule, ChannelTake) for rule in of.rules(step))


def predicted(step: Step) -> bool:
    return any(isinstance(origin, PredictOrigin) for origin in step.taint)


def _loading(courses: tuple[Course, ...]) -> frozenset[Scope]:
    """Functions that load a model themselves, and constructors that do so through other functions."""
    steps = tuple(step for course in courses for step in course.pipeline.steps)
    found = {step.scope for step in steps if of.loads(step)}
    reached: set[Scope] = set(found)
    while True:
        more = {step.scope for step in steps if step.enters & reached}
        if more <= reached:
            return frozenset(found | {scope for scope in reached if scope.name == "__init__"})
        reached |= more
