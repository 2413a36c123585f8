"""Plays Triton's pytorch backend with the torch package: takes a model folder with TorchScript and its config, answers requests.

Runs inside the models' interpreter, one process per instance. Inputs are matched as the native backend does: by the names of
`forward`'s arguments, or by the number at the end of `NAME__0`; outputs by that number, or by their order. No GPU, no strings.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import numpy as np
import torch
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]

POSITION = re.compile(r"__(\d+)$")


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.max_batch_size = config["max_batch_size"]
        parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        if threads := int(parameters.get("INTRA_OP_THREAD_COUNT", 0)):
            torch.set_num_threads(threads)
        if threads := int(parameters.get("INTER_OP_THREAD_COUNT", 0)):
            torch.set_num_interop_threads(threads)
        file = config.get("default_model_filename") or "model.pt"
        path = os.path.join(args["model_repository"], args["model_version"], file)
        self.module = torch.jit.load(path, map_location="cpu").eval()  # type: ignore[no-untyped-call]
        arguments = [argument.name for argument in self.module.forward.schema.arguments[1:]]
        self.inputs = in_order([tensor["name"] for tensor in config["input"]], arguments, config["name"])
        names = [tensor["name"] for tensor in config["output"]]
        numbered = [POSITION.search(name) for name in names]
        self.outputs = {name: int(match[1]) if match else place for place, (name, match) in enumerate(zip(names, numbered))}  # noqa: B905
        self.types = {tensor["name"]: pb_utils.triton_string_to_numpy(tensor["data_type"]) for tensor in config["output"]}

    def execute(self, requests: list[Any]) -> list[Any]:
        """One call for all requests whose rows have equal shapes; an error hits only its group."""
        responses: list[Any] = [None] * len(requests)
        groups: dict[Any, list[tuple[int, list[Any]]]] = {}
        for position, request in enumerate(requests):
            arrays = [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs]
            alone = () if self.max_batch_size > 0 else (position,)
            groups.setdefault((tuple(array.shape[1:] for array in arrays), alone), []).append((position, arrays))
        for members in groups.values():
            for position, response in self.run(requests, members):
                responses[position] = response
        return responses

    def run(self, requests: list[Any], members: list[tuple[int, list[Any]]]) -> list[tuple[int, Any]]:
        stacked = [np.concatenate(parts) for parts in zip(*(arrays for _, arrays in members))] if len(members) > 1 else members[0][1]  # noqa: B905
        try:
            with torch.inference_mode():
                result = self.module(*(torch.from_numpy(np.array(array)) for array in stacked))
            results = [part.numpy() for part in (result if isinstance(result, (tuple, list)) else (result,))]
        except Exception as trouble:  # noqa: BLE001 - the user's module may raise anything
            if len(members) > 1:  # one request may be to blame: let it fail alone
                return [answer for member in members for answer in self.run(requests, [member])]
            error = pb_utils.TritonError(f"PyTorch execute failure: {trouble}", pb_utils.TritonError.INTERNAL)
            return [(position, pb_utils.InferenceResponse(error=error)) for position, _ in members]
        answers, start = [], 0
        for position, arrays in members:
            rows = slice(start, start := start + len(arrays[0])) if self.max_batch_size > 0 else slice(None)
            wanted = [name for name in self.outputs if name in requests[position].requested_output_names()]
            tensors = [self.tensor(name, results[self.outputs[name]][rows]) for name in wanted]
            answers.append((position, pb_utils.InferenceResponse(tensors)))
        return answers

    def tensor(self, name: str, array: Any) -> Any:
        if array.dtype != self.types[name]:
            found = np.dtype(self.types[name]).name
            raise pb_utils.TritonModelException(
                f"configuration expects datatype {found} for output '{name}', model provides {array.dtype.name}"
            )
        return pb_utils.Tensor(name, np.ascontiguousarray(array))


def in_order(names: list[str], arguments: list[str], model: str) -> list[str]:
    """Configured input names in the order `forward` takes them."""
    if len(names) != len(arguments):
        raise ValueError(f"unable to load model '{model}', configuration expects {len(names)} inputs, model provides {len(arguments)}")
    if set(names) == set(arguments):
        return arguments
    numbers = {int(match[1]): name for name in names if (match := POSITION.search(name))}
    if sorted(numbers) != list(range(len(names))):
        allowed = f"argument names of forward ({', '.join(arguments)}) or NAME__0 .. NAME__{len(names) - 1}"
        raise ValueError(f"unable to load model '{model}', inputs must be named by {allowed}; configured: {', '.join(names)}")
    return [numbers[place] for place in range(len(names))]
