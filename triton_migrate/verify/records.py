"""What a verification found: one result per request, the load figures, Triton's own counters. Printable, picklable, JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the port's answer is not the original's; both values as text, shortened."""

    path: str
    original: str
    port: str

    def __str__(self) -> str:
        return f"{self.path}: {self.original} != {self.port}"


@dataclass(frozen=True, slots=True)
class RequestResult:
    """What both sides answered to one recorded request. A status is None where no answer came.

    `on_triton`: True/False when Triton's success counter was watched (the request is marked `infer` and the port answered below 400).
    `varies` names the places that the original itself answers differently each time: `$.took_ms`, `header x-request-id`.
    `guessed`: the request was made up, so that it reaches a model is a guess.
    """

    id: str
    method: str
    path: str
    status_original: int | None
    status_port: int | None
    infer: bool
    on_triton: bool | None
    differences: tuple[Difference, ...]
    ms_original: float
    ms_port: float
    varies: tuple[str, ...] = ()
    guessed: bool = False

    @property
    def equal(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Exercised:
    """What came of the requests that were made up for one entry: how many the original answered, refused, and failed at.

    `why` is what it said to the likeliest where it answered none.
    """

    entry: str
    tried: int
    answered: int
    refused: int
    failed: int
    why: str

    @property
    def said(self) -> str:
        if not self.answered:
            many = "1 request was" if self.tried == 1 else f"{self.tried} requests were"
            return f"not exercised, {many} tried; the likeliest got {self.why}"
        failed = f", the original fails at {self.failed} more" if self.failed else ""
        return f"{self.answered} requests that it answers, {self.refused} that it refuses{failed}"


@dataclass(frozen=True, slots=True)
class MixedUp:
    """A request that the port answered differently when others were under way."""

    id: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Together:
    """The requests that reach a model, sent by many clients at once: whether an answer depends on who shares its batch.

    `sent` answers to `distinct` requests, `equal` of them as they were alone. `rows_per_call` is the mean batch of the model that
    batched most, by Triton's counters (None: no call was counted). `left_out` could not be judged: the original itself does not
    answer them twice alike, or not when it is asked for many at once.
    """

    clients: int
    sent: int
    equal: int
    distinct: int
    rows_per_call: float | None
    left_out: tuple[str, ...]
    mixed_up: tuple[MixedUp, ...]

    @property
    def passed(self) -> bool:
        return not self.mixed_up

    @property
    def shown(self) -> bool:
        """Whether different rows did share a call."""
        return self.distinct > 1 and self.rows_per_call is not None and self.rows_per_call > 1

    def as_document(self) -> dict[str, Any]:
        mixed = [{"id": m.id, **asdict(m.difference)} for m in self.mixed_up]
        return {**asdict(self), "left_out": list(self.left_out), "mixed_up": mixed, "shown": self.shown}


@dataclass(frozen=True, slots=True)
class RowDifference:
    """What the row number `row` of a batch of `rows` is in a tensor when it is asked for alone, and in the batch; "" for all of it."""

    tensor: str
    row: int
    rows: int
    alone: str
    batched: str


@dataclass(frozen=True, slots=True)
class RowCheck:
    """One model of the server, asked the same rows alone and as a batch of `rows`: `calls` of the port. `why` it could not be judged."""

    model: str
    calls: int
    rows: int
    why: str
    mixed_up: tuple[RowDifference, ...]

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "mixed_up": [asdict(one) for one in self.mixed_up]}


@dataclass(frozen=True, slots=True)
class ModelCounts:
    """Triton's own counters for one model, replay and load together: requests answered, executions, rows inferred."""

    name: str
    requests: int
    executions: int
    inferences: int


@dataclass(frozen=True, slots=True)
class LoadRound:
    """Requests per second of both sides, measured one right after the other."""

    original_rps: float
    port_rps: float
    ratio: float


@dataclass(frozen=True, slots=True)
class LoadSide:
    """One side over all rounds."""

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Level:
    """Both sides at another number of connections, one round; where there is a `rate`, at so many requests a second in an open loop."""

    connections: int
    rate: float | None
    original: LoadSide
    port: LoadSide


@dataclass(frozen=True, slots=True)
class ServerShare:
    """What one request cost on Triton under that load, in milliseconds, and the rows per call that its scheduler reached."""

    queue_ms: float
    compute_ms: float
    rows_per_call: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes under load: proportional set size of a process and all it started. The port's are the application and Triton."""

    original: float
    application: float
    triton: float


@dataclass(frozen=True, slots=True)
class LoadRatio:
    """port / original, each the median of the rounds' ratios: above 1 is faster for rps, slower for the latencies."""

    rps: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Closed-loop load: `connections` that each send the next request when the last was answered, `seconds` per side and round.

    `client_share` is the part of one CPU core that the measuring client itself took; it shares the machine with what it measures.
    """

    request: str
    connections: int
    seconds: float
    rounds: tuple[LoadRound, ...]
    original: LoadSide
    port: LoadSide
    ratio: LoadRatio
    client_share: float
    levels: tuple[Level, ...] = ()
    server: ServerShare | None = None
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The proof of a port: what `verify` prints and report.json keeps."""

    requests: tuple[RequestResult, ...]
    models: tuple[ModelCounts, ...]
    load: LoadResult | None
    python: str
    server: str
    stand_ins: tuple[str, ...]
    together: Together | None = None
    exercised: tuple[Exercised, ...] = ()  # where the requests were made up
    rows: tuple[RowCheck, ...] = ()

    @property
    def equal(self) -> int:
        return sum(r.equal for r in self.requests)

    @property
    def total(self) -> int:
        return len(self.requests)

    @property
    def passed(self) -> bool:
        """Every reply equal, alone and among others, no row other in a batch, and every inference that should have reached Triton did;
        at least one, where any is marked so."""
        reached = any(r.on_triton for r in self.requests) or not any(r.infer for r in self.requests)
        alike = self.equal == self.total and (self.together is None or self.together.passed) and not any(r.mixed_up for r in self.rows)
        return alike and reached and all(r.on_triton is not False or r.guessed for r in self.requests)

    def as_document(self) -> dict[str, Any]:
        """The `verification` object of report.json."""
        return {
            "requests": [_request_document(r) for r in self.requests],
            "equal": self.equal,
            "total": self.total,
            "passed": self.passed,
            "exercised": [asdict(e) for e in self.exercised],
            "together": None if self.together is None else self.together.as_document(),
            "rows": [row.as_document() for row in self.rows],
            "load": None if self.load is None else _load_document(self.load),
            "models": [asdict(m) for m in self.models],
            "python": self.python,
            "server": self.server,
            "stand_ins": list(self.stand_ins),
        }


def _request_document(result: RequestResult) -> dict[str, Any]:
    return {**asdict(result), "equal": result.equal, "differences": [asdict(d) for d in result.differences], "varies": list(result.varies)}


def _load_document(load: LoadResult) -> dict[str, Any]:
    return {
        "request": load.request,
        "connections": load.connections,
        "seconds": load.seconds,
        "rounds": [asdict(r) for r in load.rounds],
        "original": asdict(load.original),
        "port": asdict(load.port),
        "ratio": asdict(load.ratio),
        "levels": [asdict(level) for level in load.levels],
        "server": None if load.server is None else asdict(load.server),
        "memory": None if load.memory is None else asdict(load.memory),
    }
