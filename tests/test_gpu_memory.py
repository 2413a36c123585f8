"""Calls whose tensors are on a GPU: what can be said of them where there is none. Nothing here has seen a GPU.

`Elsewhere` is a tensor that says it is on one; its bytes are in this machine's memory, so what would be copied there can be looked at.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import tritonclient.grpc
import tritonclient.http
from test_individual import in_memory, ported, regions, said, worker

from triton_migrate.generate.templates import render
from triton_migrate.server import Ports, running
from triton_migrate.server.triton import Triton

TENSORS: list[Any] = [
    torch.arange(12, dtype=torch.float32).reshape(3, 4),
    torch.arange(12, dtype=torch.int64).reshape(3, 4).T,
    torch.tensor(2.5, dtype=torch.float64),
    torch.tensor([True, False, True]),
    torch.zeros((0, 3), dtype=torch.float16),
    torch.arange(5, dtype=torch.float32).to(torch.bfloat16),
    torch.tensor([1 + 2j, 3 - 4j]),
]


class Elsewhere(torch.Tensor):
    is_cuda = True  # type: ignore[assignment]


def elsewhere(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(Elsewhere)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("triton_codec", "triton_call"):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(render(f"{name}.py"), module.__dict__)
    return sys.modules["triton_call"]


def written(frozen: Any) -> bytes:
    memory = bytearray(frozen.size)
    frozen.write(memory)
    return bytes(memory)


@pytest.mark.parametrize("tensor", TENSORS, ids=lambda tensor: f"{tensor.dtype} {tuple(tensor.shape)}")
def test_a_tensor_is_the_same_bytes_wherever_it_is(call: ModuleType, tensor: torch.Tensor) -> None:
    given = ["()", [tensor, np.arange(3), {"sizes": (1, 2)}], {"mask": tensor}]
    here = call.Frozen(given)
    there = call.Frozen(["()", [elsewhere(tensor), np.arange(3), {"sizes": (1, 2)}], {"mask": elsewhere(tensor)}])
    assert here.gpu is None
    assert there.size == here.size
    assert written(there) == written(here)
    memory = torch.zeros(there.size + 64, dtype=torch.uint8)
    there.write_on_gpu(memory)
    assert memory[: there.size].numpy().tobytes() == written(here)

    name, (first, array, sizes), rest = call.thawed(memory)
    assert (name, sizes) == ("()", {"sizes": (1, 2)})
    for found in (first, rest["mask"], call.thawed(here.array())[1][0]):
        assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(found, tensor)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [0, 1, 2]


def test_a_call_goes_to_the_one_gpu_that_has_all_of_it(call: ModuleType) -> None:
    frozen = call.Frozen([np.arange(3), torch.zeros(2)])
    assert frozen.gpu is None
    numbers = [torch.device("cuda", number) for number in (0, 0, 1)]
    made = [type("Flat", (), {"device": device}) for device in numbers]
    frozen.arrays += [(0, made[0]), (64, made[1])]
    assert frozen.gpu == 0
    frozen.arrays.append((128, made[2]))
    assert frozen.gpu is None


def test_the_library_has_what_the_port_calls() -> None:
    """Read, not imported: without CUDA for Python it refuses to be."""
    found = importlib.util.find_spec("tritonclient.utils.cuda_shared_memory")
    assert found is not None
    assert found.origin is not None
    functions = {
        n.name: [a.arg for a in n.args.args] for n in ast.parse(Path(found.origin).read_text()).body if isinstance(n, ast.FunctionDef)
    }
    assert functions["create_shared_memory_region"] == ["triton_shm_name", "byte_size", "device_id"]
    assert functions["get_raw_handle"] == functions["destroy_shared_memory_region"] == ["cuda_shm_handle"]
    assert functions["as_shared_memory_tensor"] == ["cuda_shm_handle", "datatype", "shape"]
    for client in (tritonclient.http, tritonclient.grpc):
        methods = vars(client.InferenceServerClient)
        assert {f"{what}_cuda_shared_memory" for what in ("register", "unregister")} <= methods.keys()
        assert "get_cuda_shared_memory_status" in methods


def test_a_region_is_a_tensor_of_its_bytes() -> None:
    """What `as_shared_memory_tensor` gives, of this machine's memory: writing to the one is writing to the other."""
    from tritonclient.utils._shared_memory_tensor import SharedMemoryTensor

    memory = np.zeros(256, np.uint8)
    view = torch.from_dlpack(SharedMemoryTensor("UINT8", [256], memory.ctypes.data, 0, 256, -1))
    view[64:68].copy_(torch.arange(4, dtype=torch.uint8))
    assert memory[64:68].tolist() == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Triton]]:
    folder = Path(__file__).parent / "individual" / "torch_frames"
    _, port, _ = ported(folder, tmp_path_factory.mktemp("served"))
    config = (port / "triton_serving/model_repository/net/config.pbtxt").read_text()
    assert 'parameters { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value { string_value: "no" } }' in config
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        yield port, triton


@pytest.mark.triton
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_without_cuda_a_call_takes_the_memory_of_the_cpu(served: tuple[Path, Triton], protocol: str) -> None:
    port, triton = served
    told = said(worker(port, "on_a_gpu", triton.url if protocol == "http" else f"grpc://{triton.grpc_url}"))
    assert told["alike"]
    assert told["unusable"] == ["gpu"]
    assert len(told["regions"]) == 2
    assert len(told["said"]) == 1, "once, not with every call"
    assert "no shared memory on the GPU: RuntimeError: CUDA shared memory utilities require" in told["said"][0]
    assert regions(triton) == in_memory() == []


@pytest.mark.triton
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_triton_is_asked_for_a_region_as_it_wants_to_be(served: tuple[Path, Triton], protocol: str) -> None:
    """The handle is of no memory, so it is refused; the request itself is understood, and nothing is left registered."""
    port, triton = served
    told = said(worker(port, "register", triton.url if protocol == "http" else f"grpc://{triton.grpc_url}"))
    assert told["kind"] == "RegionError"
    assert told["error"] == "failed to register shared memory region: invalid args"
    assert told["names"] == []
