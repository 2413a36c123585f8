"""The part of report.json that `verify` adds: the replayed requests, what became of each, and the figures under load."""

from __future__ import annotations

from typing import TypeAlias, TypedDict, Union

JSON: TypeAlias = Union[bool, int, float, str, "list[JSON]", "dict[str, JSON]", None]


class Difference(TypedDict):
    """`path` is the JSON path of the value that differs, `$` for the whole body."""

    path: str
    original: JSON
    port: JSON


class _VaryingParts(TypedDict, total=False):
    varies: list[str]
    guessed: bool


class VerifiedRequest(_VaryingParts):
    """`infer`: the request is meant to run a model; `on_triton`: Triton's own counter says that it did (null: not counted).

    `varies`: the places that the original itself answers differently each time. `guessed`: the request was made up.
    """

    id: str
    method: str
    path: str
    status_original: int | None
    status_port: int | None
    equal: bool
    infer: bool
    on_triton: bool | None
    differences: list[Difference]
    ms_original: float | None
    ms_port: float | None


class LoadRound(TypedDict):
    original_rps: float
    port_rps: float
    ratio: float


class _Tail(TypedDict, total=False):
    p95_ms: float


class LoadFigures(_Tail):
    rps: float
    p50_ms: float
    p99_ms: float
    errors: int


class LoadRatio(TypedDict):
    """Port divided by original."""

    rps: float
    p50_ms: float
    p99_ms: float


class Level(TypedDict):
    """Another number of connections; or, where `rate` says so, an open loop of so many requests a second."""

    connections: int
    rate: float | None
    original: LoadFigures
    port: LoadFigures


class ServerShare(TypedDict):
    """What a request cost on Triton under load, and the rows per call that were reached."""

    queue_ms: float
    compute_ms: float
    rows_per_call: float


class Memory(TypedDict):
    """Megabytes under load; the port's are `application` and `triton`."""

    original: float
    application: float
    triton: float


class _MoreLoad(TypedDict, total=False):
    request: str
    levels: list[Level]
    server: ServerShare | None
    memory: Memory | None


class Load(_MoreLoad):
    connections: int
    seconds: float
    rounds: list[LoadRound]
    original: LoadFigures
    port: LoadFigures
    ratio: LoadRatio


class ModelCounts(TypedDict):
    """Triton's own counters: inferences divided by executions is the mean batch."""

    name: str
    requests: int
    executions: int
    inferences: int


class MixedUp(TypedDict):
    """A request that the port answered differently when others were under way."""

    id: str
    path: str
    original: JSON
    port: JSON


class Together(TypedDict):
    """The same requests from many clients at once. `shown`: different rows did share a call of a model, so the answers prove that
    no row depends on its neighbours. `left_out`: the original itself does not answer them twice alike."""

    clients: int
    sent: int
    equal: int
    distinct: int
    rows_per_call: float | None
    shown: bool
    left_out: list[str]
    mixed_up: list[MixedUp]


class RowDifference(TypedDict):
    """A row of a tensor, alone and in a batch of `rows`; `tensor` "" for the whole answer."""

    tensor: str
    row: int
    rows: int
    alone: str
    batched: str


class RowCheck(TypedDict):
    """One model of the server, asked the same rows alone and as one batch: those of `calls` requests. `why` it could not be judged."""

    model: str
    calls: int
    rows: int
    why: str
    mixed_up: list[RowDifference]


class Exercised(TypedDict):
    """What came of the requests that were made up for one entry: those that the original answered, refused, and failed at itself."""

    entry: str
    tried: int
    answered: int
    refused: int
    failed: int
    why: str


class _Crowd(TypedDict, total=False):
    seconds: float  # that verify took
    together: Together | None
    rows: list[RowCheck]
    exercised: list[Exercised]


class Verification(_Crowd):
    """`passed`: every reply equal, and what is marked `infer` came from Triton. `stand_ins`: backends that were not the native ones."""

    requests: list[VerifiedRequest]
    equal: int
    total: int
    passed: bool
    load: Load | None
    models: list[ModelCounts]
    python: str
    server: str
    stand_ins: list[str]
