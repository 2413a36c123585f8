"""Takes a course, gives the `Judgement` of I1: nothing but container conversion around one model that is not fused."""

from __future__ import annotations

from triton_migrate.classify import steps as of
from triton_migrate.classify.confidence import MEASURED
from triton_migrate.classify.course import Course
from triton_migrate.classify.records import Doubt, Evidence, Judgement


def individual(course: Course) -> Judgement | None:
    """I1. What another stage than the model does is `first_work`."""
    if any(m.fused for m in course.pipeline.models) or any(site.rule.fused for site in course.sites):
        return None
    several = len({frozenset(m.id for m in site.models) for site in course.sites}) > 1  # a site that picks among models runs one of them
    if several or not all(of.converts(step, course.book, course.running(step)) for step in course.working):
        return None
    guessed = [s for s in course.working for c in s.calls if not c.rules]
    doubts = (Doubt(MEASURED, f"what is called in {guessed[0].span.place} is known by its name only"),) if guessed else ()
    evidence = [Evidence("I1", f"{site.text} runs the model, with container conversion only around it", site.span) for site in course.sites]
    around = [s for s in course.working if s.number not in course.predicting and s.calls]
    evidence += [Evidence("I1", "conversion", step.span) for step in around[:4]]
    return Judgement("I1", tuple(evidence), None, doubts)
