"""Takes a course and the application's state, gives the `Judgement` of the rules T1, T2 and T3, when one of them holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

from triton_migrate.classify import kept
from triton_migrate.classify import steps as of
from triton_migrate.classify.confidence import RARE
from triton_migrate.classify.course import Course, Write
from triton_migrate.classify.records import Doubt, Evidence, Judgement
from triton_migrate.classify.state import State, takes
from triton_migrate.classify.training import trained
from triton_migrate.index import ir
from triton_migrate.resolve.values import Api, UserFunction
from triton_migrate.rulebook.vocabulary import DataConvert, DataLive
from triton_migrate.trace.records import Cell, PredictSite, Step

OPENS = frozenset({"image", "bytes", "buffer"})  # what a stored blob is turned into


def tight(course: Course, state: State) -> Judgement | None:
    """T2 before T1: training says more about the port than the state that it leaves behind."""
    harmless = cache(partial(_harmless, course, state))  # one cell feeds many sites
    rules = (trained, partial(stateful, harmless=harmless), live)
    return next((found for rule in rules for site in course.sites if (found := rule(course, state, site))), None)


# ---------------------------------------------------------------- T1


def stateful(course: Course, state: State, site: PredictSite, harmless: Callable[[Cell], bool]) -> Judgement | None:
    """T1: a cell that an entry changes, a file that another entry wrote, or a row of a database feeds the site."""
    for cell in sorted((o for o in site.taint if isinstance(o, Cell) and state.changed(o)), key=str):
        if harmless(cell):
            continue
        for write in state.changed(cell):
            if not _transported(write):
                return _of_cell(course, cell, write, site)
    for step in _feeding(course.feeding, site):
        for path in state.touched(step, writing=False):
            writers = [w for w in state.files.get(path, ()) if w.course is not course]
            if writers and not of.loads(step):
                return _t1(f"{path}, which {writers[0].course.pipeline.entry.id} writes, feeds {site.text}", step, site, writers[0].step)
        if (filled := state.folders.filled(course, step)) is not None and not _brings_a_model(course, step):
            folder, writer = filled
            return _t1(f"{folder}/, which {writer.course.pipeline.entry.id} fills, feeds {site.text}", step, site, writer.step)
        if reads_store(course, step, site) and not kept.cached_row(course, step):
            doubts = () if not of.from_client(step) else (Doubt(RARE, "the row is found by what the client sent"),)
            return _t1(f"a stored value read here feeds {site.text}", step, site, None, *doubts)
    return None


def _brings_a_model(course: Course, read: Step) -> bool:
    """Whether what a folder holds is loaded: choosing among finished artifacts is no state."""
    return any(of.loads(step) for step in course.feeding if read.number in step.taint or step is read)


def _harmless(course: Course, state: State, cell: Cell) -> bool:
    """Whether what an entry puts into the cell is no state for this one."""
    return (
        written_first(course, state, cell)
        or chooses(course, cell)
        or kept.cache(course, state, cell)
        or kept.stored_input(course, state, cell)
    )


def _feeding(steps: Iterable[Step], site: PredictSite) -> Iterator[Step]:
    """Those of the steps that are in the site's backward slice."""
    return (step for step in steps if step.number in site.taint or step.number == site.step)


def _of_cell(course: Course, cell: Cell, write: Write, site: PredictSite) -> Judgement:
    entry = write.course.pipeline.entry.id
    evidence = [Evidence("T1", f"{cell.name} feeds {site.text} and is changed at run time by {entry}", write.step.span)]
    read = next((s for s in _feeding(course.feeding, site) if course.reads(s, cell)), None)
    if read is not None and read is not write.step:
        evidence.append(Evidence("T1", f"{cell.name} is read here", read.span))
    known = of.has_effect(write.step, "mutate") or isinstance(write.step.stmt, ir.Assign)
    doubts = () if known else (Doubt(RARE, f"that the call in {write.step.span.place} changes {cell.name} is a guess"),)
    looser = f"{cell.name} (changed in {write.step.span.place}) were passed in with the request"
    return Judgement("T1", (*evidence, _runs("T1", site)), looser, doubts)


def _t1(message: str, step: Step, site: PredictSite, writer: Step | None, *doubts: Doubt) -> Judgement:
    evidence = [Evidence("T1", message, step.span)]
    if writer is not None:
        evidence.append(Evidence("T1", "it is written here", writer.span))
    return Judgement("T1", (*evidence, _runs("T1", site)), f"the look-up in {step.span.place} were passed in with the request", doubts)


def written_first(course: Course, state: State, cell: Cell) -> bool:
    """Whether the entry assigns the cell before it reads it: what feeds the model is this request's own (`not-re-entrant`)."""
    placed: list[Step] = []
    for step in course.pipeline.steps:
        if kept.puts_in_place(step, cell):
            placed.append(step)  # `d["key"] = x` keeps the rest
        elif course.reads(step, cell) and course.feeds(step):  # a guard, or what is kept to be put back, feeds no model
            return kept.put_anew(course, state, cell, placed, step)
        elif cell in step.writes and isinstance(step.stmt, ir.Assign) and not step.stmt.augmented:
            return True
    return False


def chooses(course: Course, cell: Cell) -> bool:
    """Whether the cell only says which finished model is used: every statement that reads it loads or picks one."""
    readers = [step for step in course.feeding if course.reads(step, cell)]
    return bool(readers) and all(of.loads(step) or _picks_a_model(course, step) for step in readers)


def _picks_a_model(course: Course, step: Step) -> bool:
    value = step.stmt.value if isinstance(step.stmt, ir.Assign) else None
    if not isinstance(value, ir.Subscript):
        return False
    made = {site.api.made for site in course.sites}
    found = course.evaluator.values(value, course.evaluator.program.generic(step.scope))
    return any(isinstance(v, Api) and v.site is not None and v.site in made for v in found)


def reads_store(course: Course, step: Step, site: PredictSite) -> bool:
    """A read of a database, session or vector store that is more than acquiring the client's own input."""
    if step.number == site.step or takes(step) or not course.reads_store(step):
        return False
    return not names_a_blob(course, step, site) and not made_here(course, step)


def names_a_blob(course: Course, read: Step, site: PredictSite) -> bool:
    """A look-up by a key that the client gave, whose result is, or names, bytes to open: the client's own input, acquired."""
    if not of.from_client(read):
        return False
    return any(_opens(step) for step in _feeding(course.feeding, site) if read.number in step.taint)


def _opens(step: Step) -> bool:
    if of.has_effect(step, "file-read"):
        return True
    return any(isinstance(rule, DataConvert) and rule.result in OPENS for rule in of.rules(step))


def made_here(course: Course, read: Step) -> bool:
    """A look-up by an id that this request made: transport from one process to another, not state."""
    made = (course.steps[n] for n in read.taint if isinstance(n, int) and n < read.number)
    return any(of.has_effect(step, "random") for step in made)


def _transported(write: Write) -> bool:
    """`jobs[uuid4()] = data`: an entry of a queue, keyed by an id made in that request."""
    targets = write.step.stmt.targets if isinstance(write.step.stmt, ir.Assign) else ()
    keyed = any(isinstance(target, ir.Subscript) for target in targets)
    return keyed and made_here(write.course, write.step)


# ---------------------------------------------------------------- T3


def live(course: Course, state: State, site: PredictSite) -> Judgement | None:
    """T3: an object of the running process is passed to the model, so that no cut before it can be sent."""
    frame = site.frame
    for argument in (*site.call.args, *(value for _, value in site.call.keywords)):
        for value in course.evaluator.values(argument, frame):
            callback = isinstance(value, UserFunction) and _touches_the_process(course, value)
            alive = isinstance(value, Api) and course.book.find(value.path.removesuffix("()"), DataLive)
            if callback or alive:
                what = "a function that works on the running process" if callback else "an object of the running process"
                message = f"{site.text} is given {what}"
                return Judgement("T3", (Evidence("T3", message, site.span),), f"{site.span.place} were given data instead of {what}")
    return None


def _touches_the_process(course: Course, function: UserFunction) -> bool:
    own = course.by_scope.get(function.scope, ())
    return any(s.writes or of.has_effect(s, "db-read", "db-write", "network", "process") or _sends(s, course) for s in own)


def _sends(step: Step, course: Course) -> bool:
    return any(course.book.find(call.api.path.rpartition(".")[0].removesuffix("()"), DataLive) for call in step.calls)


def _runs(rule: str, site: PredictSite) -> Evidence:
    return Evidence(rule, f"{site.text} runs the model", site.span)


def stored_inputs(course: Course) -> Iterator[Step]:
    """Reads of a store that are acquisition of the client's own input (flag `client-keyed-blob`)."""
    reading = [step for step in course.feeding if of.has_effect(step, "db-read")]
    for site in course.sites:
        yield from (step for step in _feeding(reading, site) if names_a_blob(course, step, site))


def fetches(course: Course) -> Iterator[Step]:
    """Reads from another service keyed by what the client sent (flag `external-fetch`)."""
    asking = [step for step in course.feeding if of.has_effect(step, "network") and of.from_client(step)]
    for site in course.sites:
        yield from (step for step in _feeding(asking, site) if step.number != site.step)
