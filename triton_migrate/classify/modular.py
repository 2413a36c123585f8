"""Takes a course, gives the `Judgement` of M1a, M1b or M1c: two stage functions and what joins them."""

from __future__ import annotations

from triton_migrate.classify import steps as of
from triton_migrate.classify.confidence import MEASURED
from triton_migrate.classify.control import Obstacle, alternatives
from triton_migrate.classify.course import Course
from triton_migrate.classify.records import Doubt, Evidence, Judgement
from triton_migrate.classify.stages import StageFunction, drivers
from triton_migrate.classify.state import State
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.trace.records import Step

COMPARES = frozenset({"Lt", "LtE", "Gt", "GtE"})


def modular(course: Course, state: State, stages: tuple[StageFunction, ...], obstacles: tuple[Obstacle, ...]) -> Judgement | None:
    """M1; an obstacle is control flow that an ensemble cannot express."""
    if len({_call_of(course, stage) for stage in stages}) < 2 or obstacles:
        return None
    if _several_models(course, stages):
        return Judgement("M1b", _evidence("M1b", stages))
    shared = [s for s in stages if len(state.entries.get(s.scope, ())) > 1]
    if shared:
        users = len(state.entries[shared[0].scope])
        said = Evidence("M1a", f"{shared[0].scope.qualname} is called from {users} entries", shared[0].span)
        return Judgement("M1a", (said, *_evidence("M1a", stages)))
    if len(course.pipeline.models) <= 1 and all(s.only_calls for s in stages if s.holds) and course.holders <= {s.scope for s in stages}:
        if not loose_ends(course):
            return Judgement("M1c", _evidence("M1c", stages), None, (Doubt(MEASURED, "M1c rests on every line of the driver"),))
    return None


def _call_of(course: Course, stage: StageFunction) -> tuple[int, str]:
    """Where the stage is called first, and by what name: methods of several classes behind one call are a choice, and one stage.

    In a loop over stages they are called one after the other.
    """
    first = min(course.callers.get(stage.scope, ()), key=lambda step: step.number, default=None)
    looped = first is not None and any(isinstance(outer, (ir.For, ir.While)) for outer in course.enclosing(first))
    return first.number if first is not None else -1, stage.scope.qualname if looped else stage.scope.name


def _several_models(course: Course, stages: tuple[StageFunction, ...]) -> bool:
    """M1b: two models in different stage functions, joined by a driver that only passes values."""
    holding = {s.scope for s in stages if s.holds}
    sites = [site for site in course.sites if site.scope in holding and site.models]
    either = alternatives(course)
    for driver in drivers(course):
        ways = _ways(course, driver)
        joined = any(
            a.scope is not b.scope and set(a.models).isdisjoint(b.models) and frozenset((a.number, b.number)) not in either
            and any(a.number in w and b.number not in w for w in ways)
            and any(b.number in w and a.number not in w for w in ways)
            for a in sites for b in sites
        )  # fmt: skip
        if joined:  # engines behind one call are a choice, not a chain
            calls = [s for s in course.by_scope[driver] if s.enters & course.reaching]
            between = any(calls[0].number < end.number <= calls[-1].number for end in loose_ends(course, driver))
            return not between and not any(_judges_items(course, call) for call in calls)
    return False


def _judges_items(course: Course, call: Step) -> bool:
    """Whether a loop around a model's stage weighs each result itself: a threshold between one call and the next."""
    loops = [outer for outer in course.enclosing(call) if isinstance(outer, (ir.For, ir.While))]
    inside = (course.steps[n] for loop in loops for n in course.inside(call.scope, loop.body) if n > call.number)
    tests = (s.stmt for s in inside if isinstance(s.stmt, ir.If) and of.from_model(s) and not of.rejects(s.stmt))
    return any(isinstance(part, ir.Operation) and part.operator in COMPARES for test in tests for part in flow.walk(test.test))


def _ways(course: Course, driver: Scope) -> set[frozenset[int]]:
    """The predict sites behind each call of a driver. Methods of one name in one statement are one call with several receivers."""
    ways: dict[tuple[int, str], frozenset[int]] = {}
    for step in course.by_scope[driver]:
        for entered in step.enters & course.reaching:
            key = (step.number, entered.name)
            ways[key] = ways.get(key, frozenset()) | course.sites_under(entered)
    return set(ways.values())


def loose_ends(course: Course, driver: Scope | None = None) -> list[Step]:
    """The statements of the drivers (or of one) that work on the model's data themselves."""
    wanted = {driver} if driver is not None else set(drivers(course))
    return [step for step in course.working if step.scope in wanted and not of.passes(step, course.book)]


def _evidence(rule: str, stages: tuple[StageFunction, ...]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(rule, f"{s.scope.qualname} is a stage of its own" + (" and runs a model" if s.holds else ""), s.span) for s in stages
    )
