"""Takes recorded requests and a running app, gives its replies in order, and whether Triton's own counters rose for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from triton_migrate.verify.client import Client, Reply
from triton_migrate.verify.requests import RecordedRequest

LAG = 1.0  # seconds: Triton's counters rise a moment after the answer went out


@dataclass(frozen=True, slots=True)
class Replayed:
    """One reply, and whether Triton answered a request meanwhile (None: not watched, see `replay`)."""

    request: RecordedRequest
    reply: Reply
    on_triton: bool | None


def replay(
    requests: tuple[RecordedRequest, ...],
    client: Client,
    check: Callable[[], None],
    answered: Callable[[], int] | None = None,
) -> tuple[Replayed, ...]:
    """Send all, one after the other, as state may build up (a user is created, then used).

    `check` raises when the app's process died; it is asked after a request without an answer. `answered` gives the number of
    requests Triton has answered so far; it is watched for requests marked `infer` that the app answered below 400, for an app may
    refuse bad input without asking a model.
    """
    return tuple(_one(request, client, check, answered if request.infer else None) for request in requests)


def _one(request: RecordedRequest, client: Client, check: Callable[[], None], answered: Callable[[], int] | None) -> Replayed:
    before = answered() if answered else 0
    reply = client.send(request)
    if reply.status is None:
        check()
    if answered is None or reply.status is None or reply.status >= 400:
        return Replayed(request, reply, None)
    return Replayed(request, reply, _rose(answered, before))


def _rose(answered: Callable[[], int], before: int) -> bool:
    deadline = time.monotonic() + LAG
    while answered() <= before:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
