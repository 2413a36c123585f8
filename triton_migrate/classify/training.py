"""Takes a predict site, gives the `Judgement` of T2: what the site runs is trained by an entry, or at every start."""

from __future__ import annotations

from triton_migrate.classify import steps as of
from triton_migrate.classify.confidence import GUESS
from triton_migrate.classify.course import Course, Write
from triton_migrate.classify.records import Doubt, Evidence, Judgement
from triton_migrate.classify.state import State
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.values import Site
from triton_migrate.rulebook.vocabulary import ModelSave, ModelTrain
from triton_migrate.trace.records import InputOrigin, ModelRef, PredictSite, Step


def trained(course: Course, state: State, site: PredictSite) -> Judgement | None:
    """T2: an entry or the start-up trains what the site runs, and it outlives the request."""
    itself = site.api.made in course.trained
    for write in state.trained:
        if (itself or write.course is course) and all(m.when == "per-request" for m in site.models):
            continue  # fitted, used and dropped within one request
        if _same_object(write.step, site):
            return _t2(write.course.pipeline.entry.id, write.step, site, ())
        if any(write.step.number == s.step for s in write.course.sites):
            continue  # a call that fits and predicts in one
        for save, artifact in state.saved(write.course):
            if any(m.artifact is not None and m.artifact == artifact for m in site.models):
                return _t2(write.course.pipeline.entry.id, _fitted(state, save, write), site, (save,))
            if any(_may_be(m, artifact, course) for m in site.models):
                doubt = Doubt(GUESS, "that the saved artifact is the loaded one is a guess: its name is made at run time")
                return _t2(write.course.pipeline.entry.id, _fitted(state, save, write), site, (save,), doubt)
    return _launched(course, state, site) or _at_start(course, state, site)


def _fitted(state: State, save: Step, write: Write) -> Step:
    """The training of what is saved there, among those of the entry; a scaler may be fitted and saved beside the model."""
    frame = state.matcher.program.generic(save.scope)
    given: set[Site | None] = set()
    for call in save.calls:
        spelled = of.call_expression(save, call)
        for rule in call.rules if spelled is not None else ():
            if isinstance(rule, ModelSave) and spelled is not None:
                given |= {a.made for a in state.matcher.evaluator.apis(port(spelled, rule.model), frame)} if rule.model else {call.api.made}
    own = [w.step for w in state.trained if w.course is write.course and of.receivers(w.step) & (given - {None})]
    return own[-1] if own else write.step


def _launched(course: Course, state: State, site: PredictSite) -> Judgement | None:
    """An entry starts a script that trains and saves what the site runs."""
    for launch in state.launched:
        known = any(m.artifact in launch.saves for m in site.models if m.artifact is not None)
        guessed = any(_may_be(m, saved, course) or (saved is None and m.artifact is None) for m in site.models for saved in launch.saves)
        if known or guessed:
            entry = launch.course.pipeline.entry.id
            evidence = (
                Evidence("T2", f"{entry} starts a script that trains the model {site.text} uses", launch.step.span),
                Evidence("T2", "the script trains here", launch.trains),
            )
            doubts = () if known else (Doubt(GUESS, "that the script saves the loaded artifact is a guess: its name is made at run time"),)
            looser = f"the training started in {launch.step.span.place} ran outside the application"
            return Judgement("T2", (*evidence, _runs(site)), looser, doubts)
    return None


def _may_be(model: ModelRef, saved: str | None, course: Course) -> bool:
    """Whether the saved file can be the loaded one, where the code does not spell both out. What an import loads is not replaced later."""
    if saved is not None:
        return model.artifact is None and _named_by_the_client(model, course)
    return model.when not in ("import", "startup")


def _named_by_the_client(model: ModelRef, course: Course) -> bool:
    loads = (step for step in course.pipeline.steps if of.loads(step) and step.span.holds(model.span))
    return any(isinstance(origin, InputOrigin) for step in loads for call in step.calls for origin in call.taint)


def _at_start(course: Course, state: State, site: PredictSite) -> Judgement | None:
    for once in state.once:
        if once.guarded:
            continue
        saved = [
            s for s in state.saved_once(course) if s.span.file == once.span.file and any(m.artifact == s.artifact for m in site.models)
        ]
        if saved or (once.site is not None and once.site == site.api.made):
            evidence = [Evidence("T2", f"every start trains the model that {site.text} uses", once.span)]
            evidence += [Evidence("T2", "the trained model is saved where the application loads it", s.span) for s in saved[:1]]
            looser = f"the training in {once.span.place} ran before deployment and its result were loaded"
            return Judgement("T2", (*evidence, _runs(site)), looser)
    return None


def _same_object(step: Step, site: PredictSite) -> bool:
    made = site.api.made
    return made is not None and any(call.api.made == made and any(isinstance(r, ModelTrain) for r in call.rules) for call in step.calls)


def _t2(entry: str, step: Step, site: PredictSite, saves: tuple[Step, ...], *doubts: Doubt) -> Judgement:
    evidence = [Evidence("T2", f"{entry} trains the model that {site.text} uses", step.span)]
    evidence += [Evidence("T2", "the trained model is saved where the application loads it", save.span) for save in saves]
    return Judgement("T2", (*evidence, _runs(site)), f"the training in {step.span.place} ran outside the application", doubts)


def _runs(site: PredictSite) -> Evidence:
    return Evidence("T2", f"{site.text} runs the model", site.span)
