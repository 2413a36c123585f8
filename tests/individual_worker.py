"""What a worker of a port does with its model, for test_individual: run in the port's folder with the name of what to do."""

from __future__ import annotations

import base64
import json
import logging.handlers
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def rows(count: int) -> Any:
    return np.random.default_rng(count).uniform(0, 8, (count, 4))


def regions() -> list[str]:
    from triton_serving import shared_memory

    return sorted(shared_memory._state.regions)


def reuse(flowers: Any) -> None:
    flowers.predict_proba(rows(1))
    first = regions()
    for _ in range(20):
        flowers.predict_proba(rows(1))
    say(first=first, same=regions())
    big = flowers.predict_proba(rows(40_000))  # 1.2 MB in, 0.9 MB out
    say(grown=regions(), alike=bool(np.allclose(big[:5], flowers.predict_proba(rows(40_000)[:5]))), shape=big.shape)
    try:
        flowers.predict(rows(1)[:, :3])
    except ValueError as error:
        say(error=str(error))


def threads(flowers: Any) -> None:
    wrong: list[int] = []

    def ask(number: int) -> None:
        for turn in range(12):
            given = rows(1 + (number * 37 + turn * 901) % 4000)
            found = flowers.predict_proba(given)
            if found.shape != (len(given), 3) or not np.allclose(found[-1], flowers.predict_proba(given[-1:])[0]):
                wrong.append(number)

    working = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    say(wrong=wrong, regions=len(regions()))


def fork(flowers: Any) -> None:
    before = flowers.predict(rows(3)).tolist()
    mine = regions()
    child = os.fork()
    if not child:
        again = flowers.predict(rows(3)).tolist()
        say(forked=os.getpid(), child=again == before, shared=sorted(set(mine) & set(regions())))
        sys.exit(0)
    os.waitpid(child, 0)
    say(parent=flowers.predict(rows(3)).tolist() == before, kept=regions() == mine)


def use(flowers: Any) -> None:
    """A thousand requests of many sizes, then what `wait` does."""
    for number in range(1000):
        flowers.predict(rows(1 + number % 50))
    wait(flowers)


def wait(flowers: Any) -> None:
    flowers.predict(rows(2))
    say(regions=regions())
    time.sleep(900)


def inside(flowers: Any) -> None:
    """Triton's C API: what it listens on, and where a C program finds the same."""
    from triton_serving import client
    from triton_serving.inprocess import server

    found = flowers.predict_proba(rows(30_000))
    sockets = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}
    tables = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    say(listening=[row[1] for row in tables if row[3] == "0A" and f"socket:[{row[9]}]" in sockets])
    say(alike=bool(np.allclose(found[-3:], flowers.predict_proba(rows(30_000)[-3:]))))
    try:
        flowers.predict(rows(1)[:, :3])
    except ValueError as error:
        say(error=str(error))
    child = os.fork()
    if not child:
        try:
            flowers.predict(rows(1))
        except client.Unavailable as error:
            say(forked=str(error))
        os._exit(0)
    os.waitpid(child, 0)
    made = server.server()
    kept = tempfile.mkdtemp(dir=os.getcwd())
    shutil.copytree(made.folder, kept, dirs_exist_ok=True)
    say(library=made.library._name, backends=kept)


def again(flowers: Any) -> None:
    """Before and after a line on stdin: the server is another one then."""
    first = flowers.predict(rows(5)).tolist()
    say(first=first)
    sys.stdin.readline()
    say(second=flowers.predict(rows(5)).tolist(), regions=regions())


def on_a_gpu(net: Any) -> None:
    """Tensors that say they are there, where there is none."""
    import torch
    from triton_serving import shared_memory

    class Elsewhere(torch.Tensor):
        is_cuda = True  # type: ignore[assignment]
        device = torch.device("cuda", 0)  # type: ignore[assignment]

    messages = logging.handlers.BufferingHandler(100)
    shared_memory.log.addHandler(messages)
    frame = torch.rand(1, 1, 16, 16)
    found = [net(frame.as_subclass(Elsewhere)) for _ in range(3)]
    say(alike=all(torch.equal(each, net(frame)) for each in found), regions=regions())
    say(unusable=sorted(shared_memory._state.unusable), said=[record.getMessage() for record in messages.buffer])


def register(net: Any) -> None:
    """A region on a GPU by a handle that is of none."""
    import torch
    from triton_serving import client, shared_memory

    net(torch.rand(1, 1, 16, 16))
    link = shared_memory._state.link
    try:
        link.register_gpu("triton-nobody", base64.b64encode(bytes(64)), 0, 1024)
    except client.TritonError as error:
        say(kind=type(error).__name__, error=str(error))
    say(names=link.names("cuda"))


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    from triton_serving import models

    (model,) = (m for m in vars(models).values() if type(m).__name__ == "Model" and not isinstance(m, type))
    globals()[sys.argv[1]](model)
