"""Takes processes and Triton's counters before and after a load, gives what the load cost: memory of both sides, queue and compute time."""

from __future__ import annotations

import psutil

from triton_migrate.server.triton import ModelStatistics
from triton_migrate.verify.records import Memory, ServerShare


def megabytes(process: int | None) -> float:
    """Proportional set size of the process and all it started, what they share counted once; 0 where it is gone."""
    if process is None:
        return 0.0
    try:
        parent = psutil.Process(process)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return round(sum(_resident(member) for member in family) / 2**20, 1)


def _resident(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0
    return int(getattr(full, "pss", full.rss))


def memory(original: int, application: int, triton: int | None) -> Memory:
    return Memory(megabytes(original), megabytes(application), megabytes(triton))


def server_share(before: tuple[ModelStatistics, ...], after: tuple[ModelStatistics, ...]) -> ServerShare | None:
    """Of all models together; None where nothing was asked of them in between."""

    def rise(field: str) -> float:
        return float(sum(getattr(row, field) for row in after) - sum(getattr(row, field) for row in before))

    requests, calls = rise("request_success"), rise("execution_count")
    if not requests or not calls:
        return None
    queue, compute = (rise(field) / requests * 1e3 for field in ("queue_seconds", "compute_seconds"))
    return ServerShare(round(queue, 3), round(compute, 3), round(rise("inference_count") / calls, 2))
