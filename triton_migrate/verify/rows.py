"""Takes what the port asked of its models, gives whether rows depend on each other: the same rows to Triton alone, and as one batch.

`together` asks the application, whose requests may or may not meet in a batch. Here they do, and the tensor that differs has a name.
"""

from __future__ import annotations

import base64
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tritonclient import http as triton_http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from triton_migrate.server.triton import HOST, Triton, ask
from triton_migrate.verify.compare import clip, json_differences, shown
from triton_migrate.verify.probes import CALLS, FOLDER
from triton_migrate.verify.records import Difference, RowCheck, RowDifference

MOST = 8  # calls that make up one batch
PATIENCE = 120.0  # seconds for one answer
TOL = 1e-4  # as of replies: another batch size is another order of additions
NPY = "k05VTVBZ"  # how the base64 of a NumPy file begins
Array = NDArray[Any]
Tensors = Mapping[str, Array]


class Call(NamedTuple):
    """One request of the port to a model. Batches are made of calls with equal `key`s."""

    model: str
    inputs: Tensors
    outputs: tuple[str, ...]

    @property
    def rows(self) -> int:
        return int(next(iter(self.inputs.values())).shape[0])

    @property
    def key(self) -> object:
        return (self.outputs, tuple((name, array.dtype.str, array.shape[1:]) for name, array in sorted(self.inputs.items())))


def noting(file: Path) -> dict[str, str]:
    """The environment in which a port writes its calls to `file`."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(FOLDER), os.environ.get("PYTHONPATH", "")))), CALLS: str(file)}


def calls(file: Path) -> tuple[Call, ...]:
    """What was written there, each once."""
    lines = dict.fromkeys(file.read_text("utf-8").splitlines() if file.is_file() else ())
    rows = (json.loads(line) for line in lines)
    return tuple(Call(row["model"], {n: _read(t) for n, t in row["inputs"].items()}, tuple(row["outputs"])) for row in rows)


def _read(tensor: Mapping[str, Any]) -> Array:
    shape = tensor["shape"]
    if tensor["dtype"] == "object":
        made = np.empty(len(tensor["items"]), dtype=object)
        made[:] = [base64.b64decode(item) for item in tensor["items"]]
        return made.reshape(shape)
    return np.frombuffer(base64.b64decode(tensor["bytes"]), dtype=tensor["dtype"]).reshape(shape)


def rows_apart(asked: tuple[Call, ...], triton: Triton) -> tuple[RowCheck, ...]:
    """One check for each model that takes batches."""
    by_model: dict[str, list[Call]] = defaultdict(list)
    for call in asked:
        if all(array.ndim for array in call.inputs.values()):
            by_model[call.model].append(call)
    client = triton_http.InferenceServerClient(f"{HOST}:{triton.ports.http}", connection_timeout=PATIENCE, network_timeout=PATIENCE)
    try:
        return tuple(_check(client, model, of, triton) for model, of in sorted(by_model.items()))
    finally:
        client.close()


def _check(client: Any, model: str, asked: list[Call], triton: Triton) -> RowCheck:
    most = int(ask(triton.ports.http, f"/v2/models/{model}/config").get("max_batch_size", 0))
    if most < 2:
        return RowCheck(model, 0, 0, "it takes one row at a time", ())
    found, together, failed = list[RowDifference](), 0, 0
    widest = 0
    for group in _groups(asked, most):
        alone = [_answer(client, call) for call in group]
        again = [_answer(client, call) for call in group]
        steady = [
            (call, first)
            for call, first, second in zip(group, alone, again, strict=True)
            if not isinstance(first, str) and not isinstance(second, str) and not any(_differences(first, second, 0, call.rows))
        ]
        failed += len(group) - len(steady)
        if not steady:
            continue
        if sum(call.rows for call, _ in steady) == 1:
            steady *= 2  # nobody else has rows of this shape: it is its own neighbour
        batch = Call(model, _joined([call for call, _ in steady]), steady[0][0].outputs)
        together, widest = together + len(steady), max(widest, batch.rows)
        found += _compared(_answer(client, batch), steady)
    why = "" if together else "it answers no recorded call twice alike" if failed else "nothing was asked of it"
    return RowCheck(model, together, widest, why, tuple(found))


def _groups(asked: list[Call], most: int) -> Iterator[list[Call]]:
    """Calls that can be one batch, the first of each kind."""
    kinds: dict[object, list[Call]] = defaultdict(list)
    for call in asked:
        group = kinds[call.key]
        if len(group) < MOST and sum(c.rows for c in group) + call.rows <= most:
            group.append(call)
    yield from (group for group in kinds.values() if group)


def _joined(group: list[Call]) -> Tensors:
    return {name: np.concatenate([call.inputs[name] for call in group]) for name in group[0].inputs}


def _answer(client: Any, call: Call) -> Tensors | str:
    """The outputs by name, or what Triton said instead."""
    inputs = []
    for name, array in call.inputs.items():
        made = triton_http.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        made.set_data_from_numpy(np.ascontiguousarray(array))
        inputs.append(made)
    wanted = [triton_http.InferRequestedOutput(name) for name in call.outputs]
    try:
        answered = client.infer(call.model, inputs, outputs=wanted)
    except InferenceServerException as refusal:
        return str(refusal.message())
    except OSError as trouble:
        return f"no answer: {trouble}"
    return {name: answered.as_numpy(name) for name in call.outputs}


def _compared(batch: Tensors | str, alone: list[tuple[Call, Tensors]]) -> Iterator[RowDifference]:
    total = sum(call.rows for call, _ in alone)
    if isinstance(batch, str):
        yield RowDifference("", 0, total, "answered", clip(batch))
        return
    start = 0
    for call, first in alone:
        for name, difference in _differences(first, batch, start, call.rows):
            yield RowDifference(name, start, total, difference.original, difference.port)
        start += call.rows


def _differences(first: Tensors, other: Tensors, start: int, rows: int) -> Iterator[tuple[str, Difference]]:
    """Of each tensor the first place where its rows are not those of the other from `start` on."""
    for name, array in first.items():
        part = other[name][start : start + rows] if array.shape[:1] == (rows,) else other[name]
        if (difference := next(json_differences(_plain(array), _plain(part), TOL), None)) is not None:
            yield name, difference


def _plain(array: Array) -> Any:
    """As JSON: bytes that are JSON by what they say, arrays in there by their numbers."""
    return [_opened(item) for item in array.flat] if array.dtype == object else array.tolist()


def _opened(item: bytes) -> Any:
    try:
        return _unpacked(json.loads(item))
    except ValueError:
        return shown(item.decode(errors="backslashreplace"))


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(NPY):
        return np.load(io.BytesIO(base64.b64decode(value)), allow_pickle=False).tolist()
    if isinstance(value, dict):
        return {key: _unpacked(inner) for key, inner in value.items()}
    return [_unpacked(inner) for inner in value] if isinstance(value, list) else value
