"""Takes a `ServedModel`, gives its `config.pbtxt`, checked against the server's rules first: Triton tells half of them to its log only."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace

from google.protobuf import text_format
from google.protobuf.message import Message
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup, ModelQueuePolicy

from triton_migrate.base import TritonMigrateError
from triton_migrate.plan.records import ServedModel, Tensor

DTYPES = frozenset(name.removeprefix("TYPE_") for name in DataType.keys()) - {"INVALID", "BF16"}  # noqa: SIM118 - an enum wrapper, no dict
FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
STREAMS = 16
ARGUMENTS_OF_INFER = frozenset({"errors", "version"})  # client.infer(model, outputs, /, errors=(), version=None, **inputs)


def waits(model: ServedModel) -> bool:
    """Whether its stream is a coroutine's, to be run by an event loop; other streams get a thread each."""
    return "async def stream(" in model.pipeline


def complaints(model: ServedModel) -> tuple[str, ...]:
    """What the real server or the generated client would refuse, in words; empty when the model can be written."""
    return tuple(_complaints(model))


def config_pbtxt(model: ServedModel) -> str:
    """Text of `config.pbtxt`. Raises TritonMigrateError with the first of `complaints`."""
    for complaint in complaints(model):
        raise TritonMigrateError(f"model {model.name}: {complaint}")
    config = _config(model)
    text = _layout(config, model)
    assert text_format.Parse(text, ModelConfig()) == config, text
    return text


def cpu_config_pbtxt(model: ServedModel) -> str | None:
    """Text of `configs/cpu.pbtxt`, which counts where Triton is started with `--model-config-name=cpu`; None where it would be the same."""
    return config_pbtxt(replace(model, on=None)) if model.on is not None else None


def _complaints(model: ServedModel) -> Iterator[str]:
    if not FOLDER.fullmatch(model.name):
        yield f"{model.name!r} cannot be a folder of the model repository (letters, digits, _ . -)"
    if model.max_batch_size < 0:
        yield f"max_batch_size {model.max_batch_size} is negative"
    if model.decoupled and model.max_batch_size:
        yield "its results are streamed, so max_batch_size must be 0"
    if model.stacked and not model.max_batch_size:
        yield "its requests are stacked, so max_batch_size must be at least 1"
    if not model.stacked and model.max_batch_size > 1:
        yield f"its requests are run one by one, so max_batch_size must be 0 or 1, not {model.max_batch_size}"
    for side, tensors in (("input", model.inputs), ("output", model.outputs)):
        if not tensors:
            yield f"Triton needs at least one {side}"
        names = [tensor.name for tensor in tensors]
        yield from (f"{side} {name!r} is there twice" for name in sorted(set(names)) if names.count(name) > 1)
        for tensor in tensors:
            yield from (f"{side} {tensor.name!r} {complaint}" for complaint in _tensor_complaints(tensor))
    yield from (f"input {tensor.name!r} is an argument of client.infer" for tensor in model.inputs if tensor.name in ARGUMENTS_OF_INFER)


def _tensor_complaints(tensor: Tensor) -> Iterator[str]:
    if not tensor.name.isidentifier():
        yield "is no Python name, so client.infer cannot take it as a keyword"
    if tensor.dtype not in DTYPES:
        yield f"has type {tensor.dtype}, which is not one of {', '.join(sorted(DTYPES))}"
    if not tensor.dims:
        yield "has no dims; a scalar per row is dims [1]"
    yield from (f"has dimension {size}; it must be at least 1, or -1 for any" for size in tensor.dims if size < 1 and size != -1)
    if tensor.provenance == "json" and (tensor.dtype, tensor.dims) != ("STRING", (1,)):
        yield "carries JSON, so it must be STRING [1]"


def _config(model: ServedModel) -> ModelConfig:
    how = {"platform": "ensemble"} if model.steps else {"backend": "python"}
    config = ModelConfig(name=model.name, max_batch_size=model.max_batch_size, **how)
    # The client always sends a batch axis; without batching it is part of the shape.
    lead = () if model.max_batch_size else (1,)
    for sink, tensors in ((config.input, model.inputs), (config.output, model.outputs)):
        for tensor in tensors:
            sink.add(name=tensor.name, data_type=DataType.Value(f"TYPE_{tensor.dtype}"), dims=(*lead, *tensor.dims))
    for step in model.steps:
        made = config.ensemble_scheduling.step.add(model_name=step.model, model_version=-1)
        made.input_map.update(step.inputs)
        made.output_map.update(step.outputs)
    if model.steps:
        return config
    if model.versions:
        config.version_policy.all.SetInParent()
    if model.stacked or model.policy is not None or model.levels is not None:
        config.dynamic_batching.SetInParent()
    if model.levels is not None:
        config.dynamic_batching.priority_levels = len(model.levels.told)
        config.dynamic_batching.default_priority_level = model.levels.usual
    if model.policy is not None:
        policy = config.dynamic_batching.default_queue_policy
        policy.timeout_action = ModelQueuePolicy.REJECT
        policy.default_timeout_microseconds = model.policy.timeout
        policy.max_queue_size = model.policy.size
    if model.cached:
        config.response_cache.enable = True
    if model.decoupled:
        config.model_transaction_policy.decoupled = True
        if not waits(model):
            config.parameters["streams"].string_value = str(STREAMS)
    if model.alone:
        config.parameters["FORCE_CPU_ONLY_INPUT_TENSORS"].string_value = "no"
    if model.on is None:
        config.instance_group.add(kind=ModelInstanceGroup.KIND_CPU, count=model.instances)
    elif model.on.each:
        config.instance_group.add(kind=ModelInstanceGroup.KIND_GPU, count=model.instances, gpus=model.on.gpus)
    else:
        config.instance_group.add(kind=ModelInstanceGroup.KIND_MODEL, count=model.instances)
    return config


def _layout(config: ModelConfig, model: ServedModel) -> str:
    """One line per field and tensor: protobuf prints every value, the order is the one people write."""

    line = _line

    def block(field: str, parts: list[str]) -> list[str]:
        return [f"{field} [", *(f"  {{ {part} }}{',' if part is not parts[-1] else ''}" for part in parts), "]"]

    lines = [
        *textwrap.wrap(model.why, 118, initial_indent="# ", subsequent_indent="# "),
        line(ModelConfig(name=config.name)),
        line(ModelConfig(backend=config.backend) if config.backend else ModelConfig(platform=config.platform)),
        f"max_batch_size: {config.max_batch_size}",
        *block("input", [line(tensor) for tensor in config.input]),
        *block("output", [line(tensor) for tensor in config.output]),
    ]
    if model.steps:
        return "\n".join([*lines, *_steps(config)]) + "\n"
    if model.versions:
        names = ", ".join(f"{v.number} is {v.name!r}" for v in model.versions)
        told = f"The versions of the application ({model.versions[0].place.place}): {names}. Each folder holds one, and all are served."
        lines += textwrap.wrap(told, 118, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"version_policy {{ {line(config.version_policy)} }}")
    lines += _queueing(config, model)
    if model.cached:
        lines += [
            f"# the application keeps results, too ({model.cached}); the server needs --cache-config=local,size=BYTES for it",
            f"response_cache {{ {line(config.response_cache)} }}",
        ]
    if model.decoupled:
        lines += ["# any number of responses to one request", f"model_transaction_policy {{ {line(config.model_transaction_policy)} }}"]
        if config.parameters:
            lines += ["# how many requests one instance answers at once", line(ModelConfig(parameters=config.parameters))]
    if model.alone:
        lines += ["# a call that comes in a GPU's memory stays there: model.py takes both", line(ModelConfig(parameters=config.parameters))]
    lines += [
        *_placing(model),
        *((f"# As many as the application has workers ({model.workers}): requests are run one by one.",) if model.workers else ()),
        f"instance_group [ {{ {line(config.instance_group[0])} }} ]",
    ]
    return "\n".join(lines) + "\n"


def _queueing(config: ModelConfig, model: ServedModel) -> Iterator[str]:
    """What becomes of requests that wait."""
    if model.levels is not None:
        order = ", ".join(f"{level} is {told}" for level, (told, _) in enumerate(model.levels.told, 1))
        yield f"# in the place of the queue's priorities: level {order} of the application; level 1 comes first"
    if model.policy is not None:
        told = ", ".join(dict.fromkeys(span.place for span in model.policy.places))
        yield f"# in the place of what the queue was told ({told}): who waits longer, or is one too many, gets HTTP 503"
    if model.policy is not None or model.levels is not None:
        yield f"dynamic_batching {{ {_line(config.dynamic_batching)} }}"
    elif model.stacked:
        yield "# no delay: requests that wait are batched anyway"
        yield "dynamic_batching { }"


def _placing(model: ServedModel) -> Iterator[str]:
    if model.on is None:
        yield "# The Python backend chooses its device itself; each further instance is a process with its own copy of the model."
        return
    told = ", ".join(dict.fromkeys(span.place for span in model.on.places))
    chosen = "the GPU that the application names" if model.on.each else "the GPUs that the application names, or its library chooses"
    yield from textwrap.wrap(
        f"On {chosen} ({told}); each further instance is a process with its own copy of the model. On a machine without GPU: "
        "tritonserver --model-config-name=cpu",
        118, initial_indent="# ", subsequent_indent="# ",
    )  # fmt: skip


def _steps(config: ModelConfig) -> Iterator[str]:
    """The graph: each step with its model's tensors and the values of the application that they are."""
    yield "# model's tensor -> value of the application"
    yield "ensemble_scheduling {"
    yield "  step ["
    last = len(config.ensemble_scheduling.step) - 1
    for number, step in enumerate(config.ensemble_scheduling.step):
        yield "    {"
        yield f"      {_line(type(step)(model_name=step.model_name, model_version=step.model_version))}"
        for field, ports in (("input_map", step.input_map), ("output_map", step.output_map)):
            yield from (f"      {_line(type(step)(**{field: {port: tensor}}))}" for port, tensor in sorted(ports.items()))
        yield "    }" + ("," if number < last else "")
    yield "  ]"
    yield "}"


def _line(part: Message) -> str:
    return text_format.MessageToString(part, as_one_line=True, use_short_repeated_primitives=True)
