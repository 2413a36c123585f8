"""Plays Triton's onnxruntime backend with the onnxruntime package: takes a model folder and its config, answers requests.

Runs inside the models' interpreter, one process per instance. It refuses what the native backend refuses, in the same words, so that a
configuration which would fail in production fails here. Unlike the native one it has no GPU and no auto-completion.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]

# ONNX Runtime's name of an element type -> Triton's
TYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float": "FP32",
    "double": "FP64",
    "string": "STRING",
}
LEVELS = {  # as the native backend counts
    -1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.name, self.max_batch_size = config["name"], config["max_batch_size"]
        file = config.get("default_model_filename") or "model.onnx"
        path = os.path.join(args["model_repository"], args["model_version"], file)
        self.session = onnxruntime.InferenceSession(path, session_options(config), providers=["CPUExecutionProvider"])
        self.check(config)
        self.inputs = config["input"]
        self.outputs = {output["name"]: output for output in config["output"]}

    def check(self, config: dict[str, Any]) -> None:
        given = {node.name: node for node in self.session.get_inputs()}
        if len(config["input"]) != len(given):
            expects = f"configuration expects {len(config['input'])} inputs, model provides {len(given)}"
            raise ValueError(f"unable to load model '{self.name}', {expects}")
        for kind, nodes in (("input", given), ("output", {node.name: node for node in self.session.get_outputs()})):
            for tensor in config[kind]:
                name = tensor["name"]
                if name not in nodes:
                    raise ValueError(f"unexpected inference {kind} '{name}', allowed {kind}s are: {', '.join(sorted(nodes))}")
                provided = "TYPE_" + TYPES.get(nodes[name].type[len("tensor(") : -1], "INVALID")
                if provided != tensor["data_type"]:
                    expects = f"configuration expects datatype {tensor['data_type']} for {kind} '{name}', model provides {provided}"
                    raise ValueError(f"unable to load model '{self.name}', {expects}")
                self.check_dims(name, dims_of(nodes[name]), configured_dims(tensor), exact=kind == "output")

    def check_dims(self, name: str, model: list[int], config: list[int], exact: bool) -> None:
        about = f"model '{self.name}', tensor '{name}': "
        if self.max_batch_size > 0:
            if not model or model[0] != -1:
                rule = "for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1"
                raise ValueError(f"{about}{rule}; but shape expected by the model is {shown(model)}")
            config = [-1, *config]
            how = "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape"
        elif not model:
            return  # a scalar; the server has checked that every configured dimension is 1
        else:
            how = "shape"
        if len(model) != len(config) or any(m != c for m, c in zip(model, config) if exact or m != -1):  # noqa: B905 - for Python 3.9
            expects = f"the model expects {len(model)} dimensions (shape {shown(model)})"
            raise ValueError(f"{about}{expects} but the model configuration specifies {len(config)} dimensions ({how} {shown(config)})")

    def execute(self, requests: list[Any]) -> list[Any]:
        """One session call for all requests whose rows have equal shapes and who ask for the same outputs; an error hits only its group."""
        responses: list[Any] = [None] * len(requests)
        groups: dict[Any, list[tuple[int, dict[str, Any]]]] = {}
        for position, request in enumerate(requests):
            try:
                arrays = self.read(request)
            except UnicodeDecodeError as trouble:
                error = pb_utils.TritonError(f"text that is not UTF-8: {trouble}", pb_utils.TritonError.INVALID_ARG)
                responses[position] = pb_utils.InferenceResponse(error=error)
                continue
            rows = tuple((name, array.shape[1:]) for name, array in arrays.items())
            alone = () if self.max_batch_size > 0 else (position,)
            wanted = tuple(name for name in self.outputs if name in request.requested_output_names())
            groups.setdefault((rows, wanted, alone), []).append((position, arrays))
        for (_, wanted, _), members in groups.items():
            for position, response in self.run(wanted, members):
                responses[position] = response
        return responses

    def read(self, request: Any) -> dict[str, Any]:
        """Input arrays by name, without optional ones that are absent."""
        arrays = {}
        for tensor in self.inputs:
            if (found := pb_utils.get_input_tensor_by_name(request, tensor["name"])) is None:
                continue
            array = found.as_numpy()
            if array.dtype == np.object_:  # Triton gives bytes, ONNX Runtime wants text
                array = np.array([item.decode("utf-8") for item in array.ravel()], dtype=object).reshape(array.shape)
            arrays[tensor["name"]] = array
        return arrays

    def run(self, wanted: tuple[str, ...], members: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, Any]]:
        feeds = members[0][1]
        if len(members) > 1:
            feeds = {name: np.concatenate([arrays[name] for _, arrays in members]) for name in feeds}
        try:
            results = self.session.run(list(wanted), feeds)
        except Exception as trouble:  # noqa: BLE001 - onnxruntime raises a dozen unrelated classes
            if len(members) > 1:  # one request may be to blame: let it fail alone
                return [answer for member in members for answer in self.run(wanted, [member])]
            error = pb_utils.TritonError(f"onnx runtime error: {trouble}", pb_utils.TritonError.INTERNAL)
            return [(position, pb_utils.InferenceResponse(error=error)) for position, _ in members]
        answers, start = [], 0
        for position, arrays in members:
            stop = start + len(next(iter(arrays.values()))) if self.max_batch_size > 0 else None
            tensors = [self.tensor(name, result[start:stop] if stop else result) for name, result in zip(wanted, results)]  # noqa: B905
            answers.append((position, pb_utils.InferenceResponse(tensors)))
            start = stop or 0
        return answers

    def tensor(self, name: str, array: Any) -> Any:
        if np.ndim(array) == 0:  # a scalar takes the configured shape of ones
            array = np.reshape(array, configured_dims(self.outputs[name]))
        return pb_utils.Tensor(name, np.ascontiguousarray(array))


def session_options(config: dict[str, Any]) -> Any:
    """What the native backend is told by `parameters` and `optimization`; without a number of threads this process takes its share."""
    parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(parameters.get("intra_op_thread_count") or os.environ.get("OMP_NUM_THREADS") or 0)
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count", 0))
    if parameters.get("execution_mode") == "1":
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    level = config.get("optimization", {}).get("graph", {}).get("level", 0)
    options.graph_optimization_level = LEVELS.get(int(level), onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
    return options


def configured_dims(tensor: dict[str, Any]) -> list[int]:
    """Dimensions the model sees: `reshape` hides `dims`."""
    return [int(dim) for dim in (tensor["reshape"].get("shape", []) if "reshape" in tensor else tensor["dims"])]


def dims_of(node: Any) -> list[int]:
    """Fixed dimensions as numbers, named and unknown ones as -1."""
    return [dim if isinstance(dim, int) else -1 for dim in node.shape]


def shown(dims: list[int]) -> str:
    return f"[{','.join(map(str, dims))}]"
