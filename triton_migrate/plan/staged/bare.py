"""Takes planned models, gives the stages of ensembles whose place the exported network itself may take, or why a stage stays in Python.

An ensemble hands on one tensor and one row per request, and has no code between two steps. So what a stage's function does besides the
network goes to its neighbours, which have to be the only ones at its tensors, and run Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triton_migrate.plan.planned import PlannedModel
from triton_migrate.plan.records import Bare, Wired

SHAPED = ("array", "tensor")


@dataclass(frozen=True, slots=True)
class _Use:
    """A stage in one ensemble. `readers`: other steps with their tensors; `answers`: the application is given what it makes."""

    ensemble: str
    writer: tuple[str, str] | None
    alone: bool  # only the stage reads what the writer writes
    readers: tuple[tuple[str, str], ...]
    answers: bool


def bare_stages(planned: tuple[PlannedModel, ...]) -> Mapping[str, Bare | str]:
    """By the stage's name; only stages that run one model are told of."""
    ensembles = tuple(model for model in planned if model.parts)
    parts = {part.name: part for model in ensembles for part, _ in model.parts}
    found: dict[str, Bare | str] = {}
    for part in parts.values():
        if len(part.models) == 1:
            found[part.name] = _bare(part, ensembles, planned, [b for b in found.values() if isinstance(b, Bare)])
    return found


def _bare(part: PlannedModel, ensembles: tuple[PlannedModel, ...], planned: tuple[PlannedModel, ...], others: list[Bare]) -> Bare | str:
    if why := _unfit(part, planned):
        return why
    uses = tuple(_uses(part.name, ensembles))
    if any(use.answers or not use.readers for use in uses):
        return "the application is given what it makes"
    if len({use.writer for use in uses}) > 1 or len({frozenset(use.readers) for use in uses}) > 1:
        return "pipelines use it with other stages around it"
    writer, readers = uses[0].writer, uses[0].readers
    if writer is None:
        return "the application itself gives its input"
    if not all(use.alone for use in uses) or _written_elsewhere(writer, part.name, ensembles):
        return f"others read what {writer[0]} gives it, too"
    if any(_fed_elsewhere(port, part.name, ensembles) for port in readers):
        return "a stage after it gets its input from another one in another pipeline"
    near = {writer[0], *(model for model, _ in readers)}
    if beside := next((b.stage for b in others if b.stage in near), ""):
        return f"its neighbour {beside} may be a network itself, and what lies between them needs Python"
    ((given, _),), ((made, _),) = part.inputs, part.outputs
    return Bare(part.name, given.name, made.name, writer, readers, tuple(use.ensemble for use in uses))


def _unfit(part: PlannedModel, planned: tuple[PlannedModel, ...]) -> str:
    if not part.stacked or len(part.cut.sites) != 1:
        (site, *_) = part.cut.sites
        return f"its call of the network ({site.span.place}) is no run on rows that other requests' can be stacked with"
    if len(part.inputs) != 1 or len(part.outputs) != 1:
        return "it takes or gives more than one value"
    ((rows, leaf),) = part.cut.rows
    if rows.kind not in SHAPED or not rows.one_row:
        place = f"{part.cut.scope.file}:{leaf.at[0]}"
        return f"a request may be any number of rows of the network ({place}), and an ensemble has one batch axis"
    everyone = {each.name: each for model in planned for each in (model, *(p for p, _ in model.parts)) if not each.parts}
    if any(part.models[0] in other.models for name, other in everyone.items() if name != part.name):
        return "other models ask the network, too"
    return ""


def _uses(stage: str, ensembles: tuple[PlannedModel, ...]) -> Iterator[_Use]:
    for ensemble in ensembles:
        wired = [w for _, w in ensemble.parts]
        for step in (w for w in wired if w.model == stage):
            given, made = {t for _, t in step.inputs}, {t for _, t in step.outputs}
            writer = next((port for port in _ports(wired, "outputs") if port[2] in given), None)
            readers = tuple((model, port) for model, port, tensor in _ports(wired, "inputs") if tensor in made)
            alone = [model for model, _, tensor in _ports(wired, "inputs") if tensor in given] == [stage]
            answered = {t.name for t, _ in ensemble.outputs}
            before = (writer[0], writer[1]) if writer is not None else None
            yield _Use(ensemble.name, before, alone and not given & answered, readers, bool(made & answered))


def _ports(wired: list[Wired], side: str) -> Iterator[tuple[str, str, str]]:
    """(model, its tensor, the ensemble's) of all steps."""
    for step in wired:
        for port, tensor in step.inputs if side == "inputs" else step.outputs:
            yield step.model, port, tensor


def _written_elsewhere(writer: tuple[str, str], stage: str, ensembles: tuple[PlannedModel, ...]) -> bool:
    """Whether what the neighbour writes goes to another stage, or to the application, in some ensemble."""
    for ensemble in ensembles:
        wired = [w for _, w in ensemble.parts]
        for tensor in (tensor for model, port, tensor in _ports(wired, "outputs") if (model, port) == writer):
            read = [model for model, _, other in _ports(wired, "inputs") if other == tensor]
            if read != [stage] or tensor in {t.name for t, _ in ensemble.outputs}:
                return True
    return False


def _fed_elsewhere(reader: tuple[str, str], stage: str, ensembles: tuple[PlannedModel, ...]) -> bool:
    """Whether a neighbour's input comes from something else in some ensemble."""
    for ensemble in ensembles:
        wired = [w for _, w in ensemble.parts]
        for tensor in (tensor for model, port, tensor in _ports(wired, "inputs") if (model, port) == reader):
            if [model for model, _, other in _ports(wired, "outputs") if other == tensor] != [stage]:
                return True
    return False
