"""Takes the generated client as the port imports it, gives a file of what the port asked of each model: its inputs, as they were sent.

`verify` asks Triton the same again, alone and in one batch. It runs in the port's own process, and only while `verify` does.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

CALLS = "TRITON_MIGRATE_CALLS"
CLIENT = os.path.join("triton_serving", "client.py")
EACH = 12  # calls of one model
LARGEST = 1 << 23  # bytes of one call


class Noted:
    """The client's transport, with each call written down before it is made."""

    counts: dict[str, int] = {}  # noqa: RUF012
    lock = threading.Lock()

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def infer(self, model: str, inputs: dict[str, Any], outputs: Any, *more: Any) -> Any:
        if self.counts.get(model, 0) < EACH and not any(more) and sum(array.nbytes for array in inputs.values()) <= LARGEST:
            self._note(model, inputs, outputs)
        return self._transport.infer(model, inputs, outputs, *more)

    def _note(self, model: str, inputs: dict[str, Any], outputs: Any) -> None:
        with self.lock:
            count = self.counts[model] = self.counts.get(model, 0) + 1
            if count <= EACH:
                tensors = {name: _written(array) for name, array in inputs.items()}
                with open(os.environ[CALLS], "a", encoding="utf-8") as file:
                    file.write(json.dumps({"model": model, "inputs": tensors, "outputs": list(outputs)}) + "\n")


def _written(array: Any) -> dict[str, Any]:
    if array.dtype == object:
        items = [item.encode() if isinstance(item, str) else bytes(item) for item in array.flat]
        return {"dtype": "object", "shape": list(array.shape), "items": [base64.b64encode(item).decode() for item in items]}
    return {"dtype": str(array.dtype), "shape": list(array.shape), "bytes": base64.b64encode(array.tobytes()).decode()}


class Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        made = module._transport
        module._transport = lambda: Noted(made())  # type: ignore[attr-defined]


class Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname.endswith("triton_serving.client") else None
        if spec is None or not (spec.origin or "").endswith(CLIENT):
            return None
        spec.loader = Loader(fullname, spec.origin or "")
        return spec


def start() -> None:
    if CALLS in os.environ:
        sys.meta_path.insert(0, Finder())
