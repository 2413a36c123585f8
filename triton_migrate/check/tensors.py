"""Rules on the inputs and outputs of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from tritonclient.grpc.model_config_pb2 import DataType, ModelInput, ModelOutput

from triton_migrate.check.fields import Field
from triton_migrate.check.records import Problem
from triton_migrate.check.repository import Model


def tensor_problems(model: Model) -> Iterator[Problem]:
    """Presence, names, types, dims and reshape."""
    if not model.config.input or not model.config.output:
        side = "input" if not model.config.input else "output"
        tell = model.note if model.completes else model.warning
        yield tell(model.fields, "no-tensors", f"has no {side}", "a server that completes no configs cannot be asked: write it")
    for name, tensors in (("input", model.config.input), ("output", model.config.output)):
        yield from _side(model, name, tensors)


def _side(model: Model, side: str, tensors: Sequence[ModelInput | ModelOutput]) -> Iterator[Problem]:
    seen: set[str] = set()
    tell = model.note if model.completes else model.error
    for index, tensor in enumerate(tensors):
        field = model.fields.at(side, index)
        what = f"{side} {tensor.name!r}" if tensor.name else f"{side} {index}"
        if not tensor.name:
            yield model.error(field, "no-tensor-name", f"{what} has no name", "name it")
        elif tensor.name in seen:
            yield model.error(field.at("name"), "duplicate-tensor", f"{what} is there twice", "names must differ")
        seen.add(tensor.name)
        if tensor.data_type == DataType.TYPE_INVALID:
            yield tell(field.at("data_type"), "no-data-type", f"{what} has no data_type", "TYPE_FP32, TYPE_STRING …")
        yield from _shape(model, field, what, tensor)


def _shape(model: Model, field: Field, what: str, tensor: ModelInput | ModelOutput) -> Iterator[Problem]:
    if not tensor.dims:
        tell = model.note if model.completes else model.error
        yield tell(field.at("dims"), "no-dims", f"{what} has no dims", "a scalar per row is dims [1]; the batch axis is not written")
    for index, size in enumerate(tensor.dims):
        if size < 1 and size != -1:
            yield model.error(field.at("dims", index), "bad-dim", f"{what} has dimension {size}", "at least 1, or -1 for any size")
    if not tensor.HasField("reshape"):
        return
    if not model.config.max_batch_size and not tensor.reshape.shape:
        yield model.error(
            field.at("reshape"),
            "reshape-without-batching",
            f"{what} is reshaped to a scalar but max_batch_size is 0",
            "leave reshape out",
        )
    elif -1 not in (*tensor.dims, *tensor.reshape.shape) and prod(tensor.dims) != prod(tensor.reshape.shape):
        yield model.error(
            field.at("reshape"),
            "reshape-size",
            f"{what} has other sizes in dims and in reshape",
            "both must hold the same number of values",
        )
