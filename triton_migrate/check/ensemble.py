"""Rules on the graph of one ensemble: tensors written once, used, of one type and shape; steps that exist and form no circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tritonclient.grpc.model_config_pb2 import DataType, ModelEnsembling, ModelInput, ModelOutput

from triton_migrate.check.elsewhere import made_elsewhere
from triton_migrate.check.fields import Field
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model

Declared: TypeAlias = ModelInput | ModelOutput


@dataclass(frozen=True, slots=True)
class _End:
    """One end of an edge: ensemble tensor `tensor` is `port` of `owner`, declared as `declared`."""

    tensor: str
    port: str
    owner: Model
    declared: Declared
    field: Field


def ensemble_problems(model: Model, models: Mapping[str, Model]) -> Iterator[Problem]:
    """`models` are those of the repository by name."""
    fields = model.fields.at("ensemble_scheduling")
    if not model.config.ensemble_scheduling.step:
        yield model.error(fields, "no-steps", "an ensemble needs ensemble_scheduling with at least one step", "write its steps")
        return
    yield from _steps(model, models, fields)
    yield from _graph(model, fields)
    yield from _edges(model, models, fields)
    yield from _streams(model, models, fields)
    if model.config.response_cache.enable and any(m.config.model_transaction_policy.decoupled for m in _below(model, models, ())):
        place = model.fields.at("response_cache")
        yield model.error(place, "cache-of-stream", "the response cache does not go with a decoupled step", "leave response_cache out")
    if circle := _circle(model, models, ()):
        yield model.error(fields, "circle", f"ensembles call each other in a circle: {' -> '.join(circle)}", "break the circle")


def _steps(model: Model, models: Mapping[str, Model], fields: Field) -> Iterator[Problem]:
    most = model.config.max_batch_size
    for index, step in enumerate(model.config.ensemble_scheduling.step):
        field = fields.at("step", index)
        callee = models.get(step.model_name)
        if callee is None:
            tell = model.note if made_elsewhere(model.folder.parent, step.model_name) else model.error
            yield tell(
                field.at("model_name"),
                "no-such-model",
                f"step {index} is model {step.model_name!r}, which is not in the repository",
                f"there are {', '.join(sorted(models))}",
            )
            continue
        served = [int(version.name) for version in callee.served]
        if step.model_version > 0 and step.model_version not in served:
            yield model.error(
                field.at("model_version"),
                "no-such-version",
                f"version {step.model_version} of {step.model_name} is not served",
                "-1 asks for the newest",
            )
        if 0 < callee.config.max_batch_size < most:  # a step without batching is fine where its dims begin with the batch: see _edges
            yield model.error(
                model.fields.at("max_batch_size"),
                "ensemble-batch-size",
                f"allows batches of {most}, but its step {step.model_name} only of {callee.config.max_batch_size}",
                "at most the smallest of its steps",
            )
        yield from _maps(model, step, callee, field)


def _maps(model: Model, step: ModelEnsembling.Step, callee: Model, field: Field) -> Iterator[Problem]:
    """Keys are the callee's tensors, and none of its inputs is left out."""
    for side, given, tensors in (("input", step.input_map, callee.config.input), ("output", step.output_map, callee.config.output)):
        known = {tensor.name for tensor in tensors}
        for port in sorted(set(given) - known):
            message = f"{step.model_name} has no {side} {port!r}"
            yield model.error(field.entry(f"{side}_map", port), f"no-such-{side}", message, f"it has {', '.join(sorted(known))}")
    for tensor in callee.config.input:
        if not tensor.optional and tensor.name not in step.input_map:
            message = f"input {tensor.name} of {step.model_name} is mapped to no tensor"
            yield model.error(field, "unmapped-input", message, "add it to input_map")


def _graph(model: Model, fields: Field) -> Iterator[Problem]:
    """What is written, used and reachable."""
    writers = _writers(model)
    read = {tensor for step in model.config.ensemble_scheduling.step for tensor in step.input_map.values()}
    yield from _written_twice(model, fields)
    yield from _unused(model, fields, writers, read)
    yield from _unwritten(model, fields, writers)
    for index, output in enumerate(model.config.output):
        if output.name in read and writers.get(output.name, -1) >= 0:
            yield model.warning(
                model.fields.at("output", index),
                "output-read-by-step",
                f"{output.name!r} is an output and also the input of a step: a request for other outputs only fails",
                "nest a second ensemble, or always ask for it",
            )


def _writers(model: Model) -> dict[str, int]:
    """Tensor -> step that writes it; -1 for the inputs of the ensemble."""
    inputs = {tensor.name: -1 for tensor in model.config.input}
    steps = enumerate(model.config.ensemble_scheduling.step)
    return inputs | {tensor: index for index, step in steps for tensor in step.output_map.values()}


def _written_twice(model: Model, fields: Field) -> Iterator[Problem]:
    written = {tensor.name for tensor in model.config.input}
    for index, step in enumerate(model.config.ensemble_scheduling.step):
        for port, tensor in sorted(step.output_map.items()):
            if tensor in written:
                place = fields.at("step", index).entry("output_map", port)
                yield model.error(place, "written-twice", f"tensor {tensor!r} is written more than once", "give it a name of its own")
            written.add(tensor)


def _unused(model: Model, fields: Field, writers: Mapping[str, int], read: set[str]) -> Iterator[Problem]:
    outputs = {tensor.name for tensor in model.config.output}
    for index, tensor in enumerate(model.config.input):
        if tensor.name not in read:
            yield model.error(model.fields.at("input", index), "unused-input", f"input {tensor.name!r} is used by no step", "leave it out")
    for name, index in writers.items():
        if index >= 0 and name not in read | outputs:
            message = f"tensor {name!r} is used by no step and is no output"
            yield model.error(fields.at("step", index), "unused-tensor", message, "leave it out of output_map")


def _unwritten(model: Model, fields: Field, writers: Mapping[str, int]) -> Iterator[Problem]:
    for index, output in enumerate(model.config.output):
        if output.name not in writers:
            message = f"output {output.name!r} is written by no step"
            yield model.error(model.fields.at("output", index), "not-written", message, "add it to an output_map")
    for index, step in enumerate(model.config.ensemble_scheduling.step):
        for port, tensor in sorted(step.input_map.items()):
            if tensor not in writers:
                message = f"tensor {tensor!r} is written by no step and is no input"
                yield model.error(fields.at("step", index).entry("input_map", port), "not-written", message, "name a tensor that exists")
    for index in _stuck(model, set(writers)):
        yield model.error(fields.at("step", index), "tensor-circle", f"step {index} waits for its own result", "a graph has no circles")


def _stuck(model: Model, known: set[str]) -> tuple[int, ...]:
    """Steps that never run because they wait for each other."""
    written_by_steps = {tensor for step in model.config.ensemble_scheduling.step for tensor in step.output_map.values()}
    ready = known - written_by_steps
    waiting = dict(enumerate(model.config.ensemble_scheduling.step))
    while able := [index for index, step in waiting.items() if set(step.input_map.values()) & known <= ready]:
        for index in able:
            ready |= set(waiting.pop(index).output_map.values())
    return tuple(waiting)


def _edges(model: Model, models: Mapping[str, Model], fields: Field) -> Iterator[Problem]:
    """Both ends of a tensor have one type and one shape, as configured."""
    first: dict[str, _End] = {}
    for end in _ends(model, models, fields):
        known = first.setdefault(end.tensor, end)
        if known is end:
            continue
        where = f"in {known.owner.name} ({known.port}) and", f"in {end.owner.name} ({end.port})"
        types = [DataType.Name(each.declared.data_type) for each in (known, end)]
        shapes = [_full(each) for each in (known, end)]
        if types[0] != types[1]:
            message = f"tensor {end.tensor!r} is {types[0]} {where[0]} {types[1]} {where[1]}"
            yield model.error(end.field, "type-differs", message, "Triton never casts: make both equal")
        if not _fit(list(known.declared.dims), list(end.declared.dims)) and not _fit(*shapes):
            message = f"tensor {end.tensor!r} is {shapes[0]} {where[0]} {shapes[1]} {where[1]}"
            yield model.error(end.field, "shape-differs", message, "the configured dims must be equal, or -1")


def _streams(model: Model, models: Mapping[str, Model], fields: Field) -> Iterator[Problem]:
    """A decoupled step answers as often as it likes: what it gives meets only what comes of the same answers."""
    source: dict[str, int] = {tensor.name: -1 for tensor in model.config.input}  # tensor -> the decoupled step that it comes of, or -1
    waiting = dict(enumerate(model.config.ensemble_scheduling.step))
    while able := [index for index, step in waiting.items() if set(step.input_map.values()) <= set(source)]:
        for index in able:
            step = waiting.pop(index)
            sources = {source[tensor] for tensor in step.input_map.values()}
            if len(sources) > 1:
                message = f"step {index} ({step.model_name}) takes tensors of different streams: a decoupled step is in between"
                yield model.error(fields.at("step", index), "streams-meet", message, "let the decoupled step pass the other tensor on, too")
            callee = models.get(step.model_name)
            streams = callee is not None and callee.config.model_transaction_policy.decoupled
            source |= dict.fromkeys(step.output_map.values(), index if streams else max(sources, default=-1))
    if len({source[output.name] for output in model.config.output if output.name in source}) > 1:
        message = "outputs come of different streams: a decoupled step is before some of them only"
        yield model.error(model.fields.at("output"), "streams-meet", message, "let the decoupled step pass the other tensor on, too")


def _ends(model: Model, models: Mapping[str, Model], fields: Field) -> Iterator[_End]:
    own: tuple[tuple[str, Sequence[Declared]], ...] = (("input", model.config.input), ("output", model.config.output))
    for side, tensors in own:
        for index, tensor in enumerate(tensors):
            yield _End(tensor.name, tensor.name, model, tensor, model.fields.at(side, index))
    for index, step in enumerate(model.config.ensemble_scheduling.step):
        callee = models.get(step.model_name)
        if callee is None:
            continue
        field = fields.at("step", index)
        inputs = {tensor.name: tensor for tensor in callee.config.input}
        outputs = {tensor.name: tensor for tensor in callee.config.output}
        yield from (_End(t, p, callee, inputs[p], field.entry("input_map", p)) for p, t in sorted(step.input_map.items()) if p in inputs)
        yield from (
            _End(t, p, callee, outputs[p], field.entry("output_map", p)) for p, t in sorted(step.output_map.items()) if p in outputs
        )


def _full(end: _End) -> list[int]:
    """Dims with the batch axis of a model that batches."""
    return [*([-1] if end.owner.config.max_batch_size else []), *end.declared.dims]


def _fit(one: list[int], other: list[int]) -> bool:
    """As the server compares: -1 is any size, and then looked at with each request."""
    return len(one) == len(other) and all(a == b or -1 in (a, b) for a, b in zip(one, other, strict=True))


def _below(model: Model, models: Mapping[str, Model], path: tuple[str, ...]) -> Iterator[Model]:
    """The models of its steps, and of the ensembles among them."""
    for step in model.config.ensemble_scheduling.step:
        if step.model_name in models and step.model_name not in path:
            yield models[step.model_name]
            yield from _below(models[step.model_name], models, (*path, step.model_name))


def _circle(model: Model, models: Mapping[str, Model], path: tuple[str, ...]) -> tuple[str, ...]:
    if model.name in path:
        return (*path[path.index(model.name) :], model.name)
    for step in model.config.ensemble_scheduling.step:
        callee = models.get(step.model_name)
        if callee is not None and callee.ensemble and (found := _circle(callee, models, (*path, model.name))):
            return found
    return ()
