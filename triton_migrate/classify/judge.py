"""Takes traced pipelines, gives a `Verdict` for each: the rules of CATEGORIES.md, in order, with the evidence for the one that decided."""

from __future__ import annotations

from dataclasses import replace

from triton_migrate.base import Span
from triton_migrate.classify import steps as of
from triton_migrate.classify.blockers import blockers
from triton_migrate.classify.confidence import GUESS, MEASURED, RARE, confidence
from triton_migrate.classify.control import Obstacle, obstacles
from triton_migrate.classify.course import Course
from triton_migrate.classify.flags import flags
from triton_migrate.classify.individual import individual
from triton_migrate.classify.modular import loose_ends, modular
from triton_migrate.classify.overall import NEAR_TIGHT
from triton_migrate.classify.records import Doubt, Evidence, Judgement, Verdict
from triton_migrate.classify.stages import StageFunction, stage_functions
from triton_migrate.classify.state import State
from triton_migrate.classify.tight import tight
from triton_migrate.entries.records import Entry
from triton_migrate.match import Matcher
from triton_migrate.resolve.program import Program
from triton_migrate.trace.guessed import RUNS
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.records import Consumed, Pipeline

SHOWN = 12  # functions named as evidence for `loose`
CATEGORY = {"T": "tight", "I": "individual", "M": "modular", "l": "loose"}  # by the first letter of the rule
WORDS = {"parse": "reads the request", "pre": "prepares the input", "post": "interprets the result", "respond": "builds the answer"}
# The Red Hat MTA scale, by rule
EFFORT = {
    "T1": (5, "the model stays in the application (PyTriton) until its state is passed in"),
    "T2": (7, "training has to leave the serving process, or the model stays in the application (PyTriton)"),
    "T3": (7, "live objects have to become data before anything can be cut"),
    "I1": (1, "only the predict call changes"),
    "I2": (1, "the loop keeps its code and asks Triton for the model"),
    "M1a": (3, "each stage becomes a model of an ensemble"),
    "M1b": (3, "each stage becomes a model of an ensemble"),
    "M1c": (3, "each stage becomes a model of an ensemble"),
    "loose": (3, "pre- and post-processing move with the model"),
}
UNKNOWN = (13, "no load of the model was found, so what it takes to serve it is not known")
REMOTE = (0, "the model already runs on a server of its own")


def classify(pipelines: tuple[Pipeline, ...], matcher: Matcher, moments: Moments) -> tuple[Verdict | None, ...]:
    """One verdict per pipeline, in order; None where no model is reached."""
    courses = tuple(Course(_served(p, matcher.program), matcher.evaluator) for p in pipelines)
    state = State(courses, matcher, moments)
    found = {course: _verdict(course, state) for course in courses if course.sites}
    return tuple(_of_its_route(course, found) if course in found else None for course in courses)


def _served(pipeline: Pipeline, program: Program) -> Pipeline:
    """Without what tests put in the place of parts of the application."""
    return replace(pipeline, steps=tuple(step for step in pipeline.steps if not program.is_test(step.scope.file)))


def _of_its_route(course: Course, found: dict[Course, Verdict]) -> Verdict:
    """A task is judged with the route that enqueues it, which sees both sides of the queue; of several, with the one nearest to tight."""
    if isinstance(course.pipeline.entry, Entry):
        return found[course]
    routes = [v for other, v in found.items() if isinstance(other.pipeline.entry, Entry) and course.root in other.by_scope]
    return min(routes, key=lambda v: NEAR_TIGHT.index(v.category), default=found[course])


def consumer_verdict(consumed: Consumed) -> Verdict:
    """I2: no route or task drives the model; the loop around it keeps its code."""
    where = f"in {consumed.consumer.function}, which no route or task drives"
    evidence = [Evidence("I2", f"{s.text} runs the model {where}", s.span) for s in consumed.sites]
    points, why = EFFORT["I2"]
    doubts = () if consumed.models else (Doubt(RARE, "the model that is run was not found, only the call that runs it"),)
    sure = confidence("I2", doubts)
    return Verdict("individual", "I2", sure, "loose", tuple(evidence), (), None, points, why, doubts=tuple(d.why for d in doubts))


def _verdict(course: Course, state: State) -> Verdict:
    stages = stage_functions(course, state)
    hindered = obstacles(course, frozenset(s.scope for s in stages))
    candidates = (tight(course, state), individual(course), modular(course, state, stages, hindered))
    held = [judged for judged in candidates if judged is not None]
    judged = held[0] if held else _loose(course, stages, hindered)
    category = CATEGORY[judged.rule[0]]
    runner_up = CATEGORY[held[1].rule[0]] if len(held) > 1 else _next_best(category, stages)
    doubts = sorted((*judged.doubts, *_doubts(course)), key=lambda d: -d.weight)
    points, why = _effort(course, judged.rule)
    noted = flags(course, state)
    fed = category == "tight" or not isinstance(course.pipeline.entry, Entry) or any(n.rule == "live-source" for n in noted)
    return Verdict(
        category, judged.rule, confidence(judged.rule, doubts), runner_up, judged.evidence, noted, judged.looser_if, points, why,
        blockers(course, judged), tuple(d.why for d in doubts), not course.pipeline.inputs and not fed,
    )  # fmt: skip


def _next_best(category: str, stages: tuple[StageFunction, ...]) -> str:
    if category == "loose":
        return "modular" if stages else "individual"
    return "loose"


def _effort(course: Course, rule: str) -> tuple[int, str]:
    models = course.pipeline.models
    if models and all(m.exportable == "no" and m.framework.startswith("other:") and m.backend == "python" for m in models):
        if all(site.rule.fused and not site.rule.row_independent and "client" in m.framework for site in course.sites for m in site.models):
            return REMOTE
    return EFFORT[rule] if models else UNKNOWN


# ---------------------------------------------------------------- loose


def _loose(course: Course, stages: tuple[StageFunction, ...], hindered: tuple[Obstacle, ...]) -> Judgement:
    """What is left: everything in the way of a category further up."""
    evidence = [Evidence("loose", f"{site.text} runs the model", site.span) for site in course.sites]
    evidence += [Evidence("loose", o.message, o.span) for o in hindered]
    told = {(s.name, s.kind): s for s in reversed(course.pipeline.stages) if s.kind in WORDS}  # the first of a function's
    around = sorted(told.values(), key=course.pipeline.stages.index)
    evidence += [Evidence("loose", f"{s.name} {WORDS[s.kind]}", s.span) for s in around[:SHOWN]]
    return Judgement("loose", tuple(evidence), _untangled(course, stages, hindered))


def _untangled(course: Course, stages: tuple[StageFunction, ...], hindered: tuple[Obstacle, ...]) -> str:
    """The one edit that would make stages of it: modular is as loosely coupled, and further apart."""
    if hindered:
        return f"modular if this went: {hindered[0].message} ({hindered[0].span.place})"
    mixed = [s for s in course.working if s.scope in course.holders and of.works(s, course.book) and s.number not in course.predicting]
    ends = loose_ends(course) or mixed
    if ends:
        places = f"{ends[0].span.place}" + (f" to {ends[-1].span.line}" if len(ends) > 1 and ends[-1].scope is ends[0].scope else "")
        return f"modular if the statements in {places} were functions of their own beside the model call"
    return "modular if what is around the model call were functions of their own"


# ---------------------------------------------------------------- how sure


def _doubts(course: Course) -> list[Doubt]:
    """What the facts rest on: how the model was recognised, and where the trace was lost on the way."""
    found = []
    if any(not site.models for site in course.sites):
        found.append(Doubt(RARE, "the model that is run was not found, only the call that runs it"))
    if any(site.rule is RUNS for site in course.sites):
        found.append(Doubt(GUESS, "that the call runs a model is a guess by its name: nothing is known of its library"))
    if any(m.exportable == "unknown" for m in course.pipeline.models):
        found.append(Doubt(MEASURED, "what was loaded is known only by what is done with it"))
    spans = [Span(s.scope.file, *s.stmt.at) for s in course.working]
    lost = [b for b in course.pipeline.breaks if any(span.holds(b.span) for span in spans)]
    found += [Doubt(MEASURED, f"{b.span.place}: {b.reason}") for b in lost[:6]]
    if len(course.pipeline.breaks) > len(lost):
        found.append(Doubt(MEASURED, f"{len(course.pipeline.breaks) - len(lost)} calls beside the model's data could not be followed"))
    return found
