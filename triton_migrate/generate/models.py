"""Takes planned models, gives `ServedModel`s with the finished text of their `pipeline.py`, or why one cannot be written."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

from triton_migrate.base import Span
from triton_migrate.generate.alone import alone_pipeline
from triton_migrate.generate.networks import (
    Exporting,
    as_stage,
    examples,
    in_versions,
    networks,
    of_version,
    replacing,
    runs,
    runs_alone,
)
from triton_migrate.generate.pipeline import Assembly, Surface
from triton_migrate.generate.soundness import unbound, undefined
from triton_migrate.plan.around.registries import Chosen, Registry, Version, marks
from triton_migrate.plan.copied.closure import Closure, UncopyableError
from triton_migrate.plan.copied.environment import fill
from triton_migrate.plan.copied.several import refuse_several
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.leaving.errors import known_in
from triton_migrate.plan.planned import MAX_BATCH_SIZE, PlannedModel
from triton_migrate.plan.records import Network, Numbered, ServedModel
from triton_migrate.plan.values.tensors import records
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.rulebook.book import Rulebook, normalised
from triton_migrate.study import Study

LOOKED_UP = "the pipeline looks its model up for each request"
BESIDE = "what a version runs is more than one model: a framework backend could hold but one of them"
UNLIKE = "its versions are not exported alike"


@dataclass(frozen=True, slots=True)
class Written:
    """A served model with what its pipeline took from the app."""

    planned: PlannedModel
    served: ServedModel
    copied: tuple[Span, ...]
    names: tuple[tuple[str, str], ...]  # (file, name) of the app's globals that its pipeline has now
    called: dict[Span, str]  # the app's own modules that its pipeline imports by calls
    parts: tuple[ServedModel, ...] = ()  # the models of an ensemble's steps

    @property
    def every(self) -> tuple[ServedModel, ...]:
        return (*self.parts, self.served)


def distinct(written: Iterable[Written]) -> tuple[ServedModel, ...]:
    """Each model of the repository once; of a shared stage that of the ensemble whose requests example requests can be made for."""
    found: dict[str, ServedModel] = {}
    for model in (m for w in written for m in w.every):
        known = found.get(model.name)
        if known is None or any(network.inputs is None for network in known.networks):
            found[model.name] = model
    return tuple(found.values())


def write_model(study: Study, planned: PlannedModel, pins: dict[str, str], asked: Exporting) -> Written | NoCut:
    """Assemble one model's pipeline. `pins`: requirement lines of the app by normalised distribution name; `asked`: what is exported."""
    if planned.cut.kind == "alone":
        return _write_alone(study, planned, pins, asked)
    if planned.parts:
        return _write_ensemble(study, planned, pins, asked)
    registry, evaluator = planned.cut.registry, study.evaluator
    versions = tuple(Chosen(registry, v) for v in _asked_for(registry, planned, evaluator)) if registry is not None else (None,)
    made = [_assembled(study, planned, asked, chosen) for chosen in versions]
    if (problem := next((m for m in made if isinstance(m, NoCut)), None)) is not None:
        return problem
    found = [m for m in made if isinstance(m, _Assembled)]
    if registry is not None:
        found = _numbered([(c.version.number, m) for c, m in zip(versions, found, strict=True) if c is not None])
    found = [replace(m, text=m.text + "".join(replacing(network, m.text) for network in m.networks)) for m in found]
    first, streams = found[0], planned.cut.streams
    stay = dict.fromkeys(reason for m in found for reason in m.stay)
    requirements = dict.fromkeys(r for m in found for r in _requirements(m.closure, planned, pins, evaluator.rulebook))
    served = ServedModel(
        planned.name, MAX_BATCH_SIZE if planned.stacked else 0 if streams else 1,
        tuple(t for t, _ in planned.inputs), tuple(t for t, _ in planned.outputs), planned.stacked, first.text, tuple(requirements),
        tuple(dict.fromkeys(m.artifact for m in planned.models if m.artifact)), tuple(c.span for c in planned.cuts),
        planned.models[0].framework if planned.models else "", planned.cut.why + first.closure.told, first.networks, tuple(stay), streams,
        on=first.closure.on_gpu(),
        versions=tuple(
            Numbered(c.version.number, str(c.version.key), m.text, c.registry.span)
            for c, m in zip(versions, found, strict=True) if c is not None
        ),
    )  # fmt: skip
    copied = dict.fromkeys(span for m in found for span in m.closure.copied)
    names = tuple(dict.fromkeys(name for m in found for name in m.closure.names))
    return Written(planned, served, tuple(copied), names, {k: v for m in found for k, v in m.closure.called.items()})


def _asked_for(registry: Registry, planned: PlannedModel, evaluator: Evaluator) -> tuple[Version, ...]:
    """The versions that the places which were cut may ask for."""
    held = frozenset(m for c in planned.cuts for m in marks(evaluator.values(c.version, c.frame)))
    found = tuple(v for v in registry.versions if marks(evaluator.values(v.expr, evaluator.program.generic(v.scope))) & held)
    return found or registry.versions


def _numbered(found: list[tuple[int, _Assembled]]) -> list[_Assembled]:
    """The versions with the one network that each of them runs a version of, or with none."""
    network = in_versions([(number, m.networks) for number, m in found])
    if network or not any(m.networks for _, m in found):
        return [replace(m, networks=tuple(replace(n, place=m.networks[0].place) for n in network)) for _, m in found]
    return [replace(m, networks=(), stay=(*m.stay, UNLIKE) if not any(m.stay for _, m in found) else m.stay) for _, m in found]


@dataclass(frozen=True, slots=True)
class _Assembled:
    """One pipeline.py with what it needed."""

    text: str
    closure: Closure
    networks: tuple[Network, ...]
    stay: tuple[str, ...]


def _assembled(study: Study, planned: PlannedModel, asked: Exporting, chosen: Chosen | None) -> _Assembled | NoCut:
    """The pipeline.py of one version; `chosen` is None for a model that has no other."""
    dropped = frozenset(id(c.scope.function) for c in planned.cuts if c.kind != "model")
    waits = planned.cut.kind == "stream" and planned.cut.scope.function.is_async
    judge = planned.cutter.judge
    answering = frozenset(judge.by_scope)
    moved = tuple(Span(c.scope.file, *s.at) for c in planned.cuts if c.kind != "model" for s in c.moved)
    evaluator = study.evaluator
    closure = Closure(
        evaluator,
        study.texts,
        study.moments,
        dropped=dropped,
        scratch=judge.scratch.roots(),
        answering=answering,
        watched=judge.filled.watched,
        moved=moved,
        waits=waits,
        chosen=chosen,
    )
    surface = Surface(planned.inputs, planned.outputs)
    sites = tuple(s for c in planned.cuts for s in c.sites)
    try:
        fill(closure)
        for _, crossing in planned.inputs:
            for record in records(crossing.type):
                if record.cls is not None:
                    closure.require(record.cls.scope.file, record.cls.scope.name, planned.cut.span)
        pairs = [(c.scope.file, e) for c, errors in zip(planned.cuts, planned.errors, strict=True) for e in errors]
        known = dict.fromkeys(closure.require(known_in(evaluator, file, e), e, planned.cut.span) for file, e in (*pairs, *planned.raised))
        invalid = ("Exception",) if "Exception" in known else tuple(known)
        refuse_several(closure, planned)
        assembly = Assembly(planned.name, planned.cut, planned.cutter, closure, surface, invalid, sites)
        text = assembly.build()
        closure.refuse_unfilled(sites)
        held = of_version(runs(assembly), planned, chosen) if chosen is not None else (runs(assembly), planned)
        only = LOOKED_UP if planned.cut.exits else BESIDE if held is None else ""
        exported, stay = ((), (only,)) if held is None or only else networks(*held, asked)
        exported = tuple(as_stage(network, planned, asked, text, assembly.split) for network in exported)
    except UncopyableError as exc:
        return exc.problem
    if (problem := _no_python(text, planned)) is not None:
        return problem
    lost = [name for name in undefined(text) if name not in closure.nowhere]
    if early := unbound(text):
        reason = f"{early[0]} would be read before it is set in the moved code"
        return NoCut(reason, planned.cut.span, f"give {early[0]} a name of its own in that function")
    if lost:
        reason = f"the moved code reads {', '.join(lost)}, which only the application has"
        return NoCut(reason, planned.cut.span, "define it at the top level of the file, or pass it as an argument")
    return _Assembled(text, closure, _placed(exported, closure), stay)


def _write_ensemble(study: Study, planned: PlannedModel, pins: dict[str, str], asked: Exporting) -> Written | NoCut:
    """The models of its steps, and the ensemble that wires them."""
    parts: dict[str, Written] = {}
    for part, _ in planned.parts:
        made = write_model(study, part, pins, asked)
        if isinstance(made, NoCut):
            return made
        parts[part.name] = made
    served = ServedModel(
        planned.name, 1, tuple(t for t, _ in planned.inputs), tuple(t for t, _ in planned.outputs), False, "", (), (),
        (), planned.models[0].framework if planned.models else "", _told(planned),
        steps=tuple(wired for _, wired in planned.parts),
    )  # fmt: skip
    kinds, steps = examples(planned.inputs), served.steps
    for i, step in enumerate(steps):
        reached = tuple(replace(n, inputs=kinds, steps=steps[: i + 1]) for n in parts[step.model].served.networks)
        parts[step.model] = replace(parts[step.model], served=replace(parts[step.model].served, networks=reached))
    beside = {model for part in parts.values() for n in part.served.networks if n.bare for model, _ in (n.bare.writes, *n.bare.read)}
    for name in beside & set(parts):
        parts[name] = replace(parts[name], served=replace(parts[name].served, beside=True))
    copied = tuple(dict.fromkeys(span for part in parts.values() for span in part.copied))
    names = tuple(dict.fromkeys(name for part in parts.values() for name in part.names))
    called = {place: module for part in parts.values() for place, module in part.called.items()}
    return Written(planned, served, copied, names, called, tuple(part.served for part in parts.values()))


def _told(planned: PlannedModel) -> str:
    names = [part.name for part, _ in planned.parts]
    return f"an ensemble of {', '.join(names[:-1])} and {names[-1]}: each stage is a function of its own; {planned.cut.why}"


def _write_alone(study: Study, planned: PlannedModel, pins: dict[str, str], asked: Exporting) -> Written | NoCut:
    """The model by itself; where it can be exported, its calls are passed on to its framework backend."""
    judge = planned.cutter.judge
    evaluator = study.evaluator
    closure = Closure(evaluator, study.texts, study.moments, answering=frozenset(judge.by_scope), watched=judge.filled.watched)
    sites = tuple(s for c in planned.cuts for s in c.sites)
    try:
        fill(closure)
        refuse_several(closure, planned)
        text, held = alone_pipeline(planned.name, sites, planned.stacked, evaluator, planned.cutter.judge, closure)
        closure.refuse_unfilled(sites)
        exported, stay = networks(runs_alone(planned.cutter, sites, held), planned, asked)
        text += "".join(replacing(network, text) for network in exported)
    except UncopyableError as exc:
        return exc.problem
    if (problem := _no_python(text, planned)) is not None:
        return problem
    if lost := [name for name in undefined(text) if name not in closure.nowhere]:
        reason = f"how the model is loaded depends on {', '.join(lost)}, which only the application has"
        return NoCut(reason, sites[0].models[0].span, "load each model in a statement of its own, with nothing but constants")
    served = ServedModel(
        planned.name, MAX_BATCH_SIZE if planned.stacked else 1, tuple(t for t, _ in planned.inputs), tuple(t for t, _ in planned.outputs),
        planned.stacked, text, _requirements(closure, planned, pins, evaluator.rulebook),
        tuple(dict.fromkeys(m.artifact for m in planned.models if m.artifact)), tuple(s.span for s in sites),
        planned.models[0].framework, planned.cut.why, _placed(exported, closure), stay, alone=True, on=closure.on_gpu(),
    )  # fmt: skip
    return Written(planned, served, tuple(closure.copied), tuple(closure.names), closure.called)


def _no_python(text: str, planned: PlannedModel) -> NoCut | None:
    try:
        compile(text, "pipeline.py", "exec", dont_inherit=True)
    except SyntaxError as trouble:
        place = (text.splitlines()[(trouble.lineno or 1) - 1 : trouble.lineno] or [""])[0].strip()
        return NoCut(f"the moved code would be no Python: {place}", planned.cut.span, "write that expression in a statement of its own")
    return None


def _placed(networks: tuple[Network, ...], closure: Closure) -> tuple[Network, ...]:
    """Networks go to the GPU that their pipeline is put on."""
    on = closure.on_gpu()
    return tuple(replace(n, gpus=on.gpus) for n in networks) if on is not None and on.each else networks


def _requirements(closure: Closure, planned: PlannedModel, pins: dict[str, str], rulebook: Rulebook) -> tuple[str, ...]:
    """The distributions that the pipeline's imports and its models' frameworks need, as the app pins them."""
    found: dict[str, None] = {}
    for root in (r for r in closure.libraries if r not in sys.stdlib_module_names):
        library = rulebook.library_of(root)
        named = [root, *(library.packages if library else ())]
        pinned = next((pins[n] for n in map(normalised, named) if n in pins), None)
        if pinned or (library and library.packages):
            found[pinned or library.packages[0]] = None  # type: ignore[union-attr]
    imported = {lib.framework for r in closure.libraries if (lib := rulebook.library_of(r)) and lib.heavy}
    for framework in {m.framework for m in planned.models} - imported:  # in the pickle only
        named = [n for lib in rulebook.libraries if lib.framework == framework and lib.heavy for n in map(normalised, lib.packages)]
        if named:
            found[next((pins[n] for n in named if n in pins), named[0])] = None
        else:  # what a pickle holds is not known: it needs what the application requires, though no code of it may import that
            models = (n for lib in rulebook.libraries if lib.framework and lib.heavy for n in map(normalised, lib.packages))
            found.update(dict.fromkeys(pins[n] for n in models if n in pins))
    return tuple(f for f in found if f not in ("numpy", "numpy<2"))  # the repository's own line
