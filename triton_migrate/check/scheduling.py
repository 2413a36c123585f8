"""Rules on batching, instances, cache and warm-up of one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tritonclient.grpc.model_config_pb2 import DataType, ModelInput, ModelInstanceGroup, ModelQueuePolicy, ModelWarmup

from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model

NOT_ON_ENSEMBLES = ("instance_group", "optimization", "model_warmup")


def scheduling_problems(model: Model) -> Iterator[Problem]:
    """What decides when and where a model runs."""
    if model.config.max_batch_size < 0:
        yield model.error(
            model.fields.at("max_batch_size"),
            "bad-batch-size",
            f"max_batch_size {model.config.max_batch_size} is negative",
            "0 means no batching",
        )
    yield from _batching(model)
    yield from _instances(model)
    yield from _cache(model)
    yield from _warm_up(model)
    if model.ensemble:
        for name in NOT_ON_ENSEMBLES:
            if model.fields.all(name):
                yield model.error(
                    model.fields.at(name),
                    "not-on-ensemble",
                    f"{name} must not be given for an ensemble",
                    "give it to the steps' models",
                )


def _batching(model: Model) -> Iterator[Problem]:
    config = model.config
    if not config.HasField("dynamic_batching"):
        return
    batching, field, most = config.dynamic_batching, model.fields.at("dynamic_batching"), config.max_batch_size
    if not most:
        yield model.warning(
            field,
            "batching-without-batch",
            "dynamic_batching does nothing while max_batch_size is 0",
            "set max_batch_size, or leave it out",
        )
    for index, size in enumerate(batching.preferred_batch_size):
        if most and not 0 < size <= most:
            yield model.error(
                field.at("preferred_batch_size", index),
                "preferred-batch-size",
                f"preferred_batch_size {size} is not within 1..{most}",
                "it must be at most max_batch_size",
            )
    if batching.priority_levels and not 1 <= batching.default_priority_level <= batching.priority_levels:
        yield model.error(
            field.at("priority_levels"),
            "priority-levels",
            "priority_levels needs a default_priority_level",
            f"one of 1..{batching.priority_levels}; 1 is the highest",
        )
    if batching.preserve_ordering and batching.priority_levels > 1:
        yield model.error(
            field.at("preserve_ordering"),
            "ordering-and-priority",
            "preserve_ordering goes with one priority level only",
            "leave one of them out",
        )
    policies = (batching.default_queue_policy, *batching.priority_queue_policy.values())
    delays = any(p.timeout_action == ModelQueuePolicy.DELAY and p.default_timeout_microseconds for p in policies)
    if batching.preserve_ordering and delays:
        yield model.error(
            field.at("default_queue_policy").at("timeout_action"),
            "ordering-and-delay",
            "preserve_ordering does not go with timeout_action DELAY: who waits too long would be overtaken",
            "leave one of them out",
        )


def _instances(model: Model) -> Iterator[Problem]:
    for index, group in enumerate(model.config.instance_group):
        field = model.fields.at("instance_group", index)
        if group.kind == ModelInstanceGroup.KIND_CPU and group.gpus:
            yield model.error(field.at("gpus"), "cpu-with-gpus", "KIND_CPU names gpus", "KIND_GPU, or leave gpus out")
        if (
            group.kind == ModelInstanceGroup.KIND_GPU
            and model.file.endswith("/config.pbtxt")
            and not (model.folder / "configs" / "cpu.pbtxt").is_file()
        ):
            yield model.note(
                field.at("kind"),
                "gpu-only",
                "KIND_GPU does not load on a machine without GPU",
                "add configs/cpu.pbtxt and start there with --model-config-name=cpu",
            )


def _cache(model: Model) -> Iterator[Problem]:
    if not model.config.response_cache.enable:
        return
    field = model.fields.at("response_cache")
    if model.config.model_transaction_policy.decoupled:
        yield model.error(field, "cache-of-stream", "the response cache does not go with a decoupled model", "leave response_cache out")
    elif model.config.HasField("sequence_batching"):
        yield model.error(field, "cache-of-sequence", "the response cache does not go with sequence batching", "leave response_cache out")
    else:
        yield model.warning(
            field,
            "cache-needs-flag",
            "the server caches only when it is started with --cache-config local,size=BYTES",
            "give it that flag",
        )


def _warm_up(model: Model) -> Iterator[Problem]:
    inputs = {tensor.name: tensor for tensor in model.config.input}
    for index, sample in enumerate(model.config.model_warmup):
        field, told = model.fields.at("model_warmup", index), f"warm-up {sample.name!r}"
        for name, given in sorted(sample.inputs.items()):
            for message, fix in _sample(model, name, given, inputs):
                yield model.error(field.entry("inputs", name), "warmup-input", f"{told} {message}", fix)
            if given.input_data_file and not (model.folder / "warmup" / given.input_data_file).is_file():
                place = field.entry("inputs", name)
                message = f"{told} reads warmup/{given.input_data_file}, which is not there"
                yield model.error(place, "warmup-file", message, f"put it into {model.name}/warmup/")
        for name in sorted({name for name, tensor in inputs.items() if not tensor.optional} - set(sample.inputs)):
            yield model.error(field, "warmup-input", f"{told} does not give {name!r}", "give every input")
        if model.config.max_batch_size and sample.batch_size > model.config.max_batch_size:
            most = f"at most {model.config.max_batch_size}"
            yield model.error(field.at("batch_size"), "warmup-batch", f"{told} has batch_size {sample.batch_size}", most)


def _sample(model: Model, name: str, given: ModelWarmup.Input, inputs: Mapping[str, ModelInput]) -> Iterator[tuple[str, str]]:
    """What is wrong with one input of a warm-up, and how to mend it."""
    if name not in inputs:
        yield f"gives {name!r}, which the model does not take", f"it takes {', '.join(sorted(inputs))}"
        return
    declared = inputs[name]
    if given.data_type != declared.data_type:
        types = DataType.Name(given.data_type), DataType.Name(declared.data_type)
        yield f"gives {name!r} as {types[0]}, which is {types[1]}", "Triton never casts"
    sizes = zip(given.dims, declared.dims, strict=False)
    if declared.dims and (len(given.dims) != len(declared.dims) or any(-1 != size != one for one, size in sizes)):
        yield f"gives {name!r} as {list(given.dims)}, which is {list(declared.dims)}", "the batch axis is batch_size"
    if given.WhichOneof("input_data_type") is None:
        yield f"does not say what {name!r} holds", "zero_data, random_data or input_data_file"
