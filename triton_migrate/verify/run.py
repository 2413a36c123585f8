"""Takes an app, its port and recorded requests, gives the `Verification`: start both, ask both the same, compare, load both.

Where answers differ, the original is started a second time and asked again: what varies by itself is named and not held against the port.

This is the story of the room. It runs the user's code, the one place in the tool besides `serve` that does, and says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from triton_migrate.base import TritonMigrateError
from triton_migrate.server import Ports, Triton, running
from triton_migrate.verify.client import Client, Reply, client
from triton_migrate.verify.compare import differences
from triton_migrate.verify.inprocess import InApplication, is_bound
from triton_migrate.verify.load import LoadPlan, Target, measure_load
from triton_migrate.verify.recorded import Infers, nothing_known
from triton_migrate.verify.records import Difference, LoadResult, ModelCounts, RequestResult, RowCheck, Together, Verification
from triton_migrate.verify.replay import Replayed, replay
from triton_migrate.verify.requests import RecordedRequest, read_requests
from triton_migrate.verify.rows import calls, noting, rows_apart
from triton_migrate.verify.shares import memory, server_share
from triton_migrate.verify.start import App, Application, free_ports, running_app, start_command
from triton_migrate.verify.together import among_others
from triton_migrate.verify.varying import Varying, unexplained, varying
from triton_migrate.verify.wire import wire

CALLS = "calls.jsonl"
Places = Mapping[str, tuple[Varying, ...]]  # by request id


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two apps, up, and its only client."""

    app: App
    client: Client


def verify_port(
    original: Path,
    port: Path,
    application: Application,
    requests: Path,
    *,
    python: Path,
    load: LoadPlan | None = None,
    fresh: Callable[[], Path] | None = None,
    infers: Infers = nothing_known,
    say: Callable[[str], None] = print,
) -> Verification:
    """Compare the app in the folder `original` with its port in the folder `port`, served by a Triton of its own.

    Both folders are run in and may be written to by the apps: pass copies. `fresh` makes one more copy of the original, for its second
    run (default: the same folder, with what the first run left). `infers` says which requests of a HAR file reach a model. `python` has
    the app's packages. Raises
    TritonMigrateError when there is nothing to compare (a bad requests file, an app or a model that does not start); a port that
    answers differently is a result. Whatever happens, everything started here is stopped.
    """
    recorded = read_requests(requests, infers)
    if load:
        _known(load, recorded, requests)
    if not any(request.infer for request in recorded):
        say("no request is marked `infer`, so nothing will show that Triton answered")
    say("running the app's own code, original and port, on this machine")
    with _side("the original", original, application, python) as before:
        say(f"the original is up on {before.app.command.server}, replaying {len(recorded)} requests")
        replies = replay(recorded, before.client, before.app.check)
        with (
            _triton(port, python, say) as triton,
            tempfile.TemporaryDirectory(prefix="triton-migrate-calls-") as folder,
            _side("the port", port, application, python, _told(triton, Path(folder) / CALLS)) as after,
        ):
            say(f"the port is up on Triton {triton.version}, replaying {len(recorded)} requests")
            alive = _alive(after.app, triton)
            replies, again = _proving(replies, replay(recorded, after.client, alive, lambda: _answered(triton)))
            recorded = tuple(first.request for first in replies)
            results = _compared(replies, again, {})
            places: Places = {}
            if not all(result.equal for result in results):
                say("answers differ: asking the original a second time, to see what varies by itself")
                places = _varying(replies, (fresh or (lambda: original))(), application, python)
                results = _compared(replies, again, places)
            _tell_failures(results, after.app, say)
            crowd = _among_others(replies, results, places, before, after, alive, triton, say)
            apart = _rows_apart(Path(folder) / CALLS, triton, say)
            figures = _loaded(load, recorded, results, before, after, triton, say) if load else None
            return Verification(
                results, _counts(triton), figures, str(python), before.app.command.server, triton.stand_ins, crowd, (), apart
            )


@contextmanager
def _side(name: str, root: Path, application: Application, python: Path, env: Mapping[str, str] | None = None) -> Iterator[Side]:
    (number,) = free_ports(1)
    command = start_command(application, python, number)
    with running_app(name, root, command, number, env) as app, client(app.url) as session:
        yield Side(app, session)


@contextmanager
def _triton(port: Path, python: Path, say: Callable[[str], None]) -> Iterator[Triton | InApplication]:
    """A server of the port's models, or the one that the port itself starts."""
    if is_bound(port):
        yield InApplication(Ports.free())
        return
    with running(port, python=python, ports=Ports.free(), say=say) as triton:
        yield triton


def _told(triton: Triton | InApplication, calls: Path) -> dict[str, str]:
    """What the port finds in its environment: where Triton is, and where to note what it asks."""
    if isinstance(triton, InApplication):
        return triton.environment
    return {"TRITON_URL": triton.url, "TRITON_GRPC_URL": triton.grpc_url, "TRITON_METRICS_URL": triton.metrics_url, **noting(calls)}


def _rows_apart(noted: Path, triton: Triton | InApplication, say: Callable[[str], None]) -> tuple[RowCheck, ...]:
    """The models asked directly: what the port sent them, alone and as one batch."""
    asked = calls(noted) if isinstance(triton, Triton) else ()
    if not (isinstance(triton, Triton) and asked):
        return ()
    found = rows_apart(asked, triton)
    for check in found:
        for one in check.mixed_up[:1]:
            say(f"{check.model}: {one.tensor or 'the answer'} depends on the batch: {one.alone} alone, {one.batched} in {one.rows} rows")
    return found


def _alive(app: App, triton: Triton | InApplication) -> Callable[[], None]:
    def check() -> None:
        triton.refuse_dead()
        app.check()

    return check


def _answered(triton: Triton | InApplication) -> int:
    return sum(model.request_success for model in triton.statistics())


def _counts(triton: Triton | InApplication) -> tuple[ModelCounts, ...]:
    return tuple(ModelCounts(m.name, m.request_success, m.execution_count, m.inference_count) for m in triton.statistics())


def _proving(originals: tuple[Replayed, ...], ports: tuple[Replayed, ...]) -> tuple[tuple[Replayed, ...], tuple[Replayed, ...]]:
    """Both without the requests that were made up and at which the original fails: they prove nothing, and nobody meant them."""
    failing = {first.request.id for first in originals if first.request.guessed and (first.reply.status or 500) >= 500}
    kept = [tuple(one for one in side if one.request.id not in failing) for side in (originals, ports)]
    return kept[0], kept[1]


def _compared(originals: tuple[Replayed, ...], ports: tuple[Replayed, ...], places: Places) -> tuple[RequestResult, ...]:
    return tuple(
        RequestResult(
            id=original.request.id,
            method=original.request.method,
            path=original.request.path,
            status_original=original.reply.status,
            status_port=port.reply.status,
            infer=original.request.infer,
            on_triton=port.on_triton,
            differences=_differences(original, port.reply, places),
            ms_original=round(original.reply.seconds * 1e3, 2),
            ms_port=round(port.reply.seconds * 1e3, 2),
            varies=tuple(v.place for v in places.get(original.request.id, ())),
            guessed=original.request.guessed,
        )
        for original, port in zip(originals, ports, strict=True)
    )


def _differences(original: Replayed, reply: Reply, places: Places) -> tuple[Difference, ...]:
    return unexplained(differences(original.request, original.reply, reply), places.get(original.request.id, ()))


def _varying(replies: tuple[Replayed, ...], root: Path, application: Application, python: Path) -> Places:
    """By request, where the original answers differently when it is started anew and asked the same."""
    with _side("the original, once more,", root, application, python) as second:
        again = replay(tuple(first.request for first in replies), second.client, second.app.check)
    return {
        first.request.id: varying(first.request, first.reply, other.reply)
        for first, other in zip(replies, again, strict=True)
        if first.reply.status is not None
    }


def _among_others(
    replies: tuple[Replayed, ...],
    results: tuple[RequestResult, ...],
    places: Places,
    before: Side,
    after: Side,
    alive: Callable[[], None],
    triton: Triton | InApplication,
    say: Callable[[str], None],
) -> Together | None:
    """All that reaches a model and was answered alike when it came alone, refused requests too: they may spoil a batch."""
    known = {first.request.id: first for first, result in zip(replies, results, strict=True) if result.infer and result.equal}
    asked = tuple(first.request for first in known.values())
    if not asked:
        return None
    say(f"asking {len(asked)} of them together, as many clients do")
    typical = median(max(r.ms_original, r.ms_port) for r in results if r.id in known) / 1e3

    def judge(request: RecordedRequest, reply: Reply) -> tuple[Difference, ...]:
        return _differences(known[request.id], reply, places)

    return among_others(asked, typical, judge, before.client, after.client, alive, triton.statistics)


def _tell_failures(results: tuple[RequestResult, ...], port: App, say: Callable[[str], None]) -> None:
    """A 500 says nothing; the app's log does."""
    failed = [r.id for r in results if (r.status_port or 500) >= 500 > (r.status_original or 500)]
    if failed and (reason := port.reason()):
        say(f"the port failed at {', '.join(failed[:5])}; its log: {reason}")


def _known(plan: LoadPlan, recorded: tuple[RecordedRequest, ...], file: Path) -> None:
    if plan.request is not None and plan.request not in {request.id for request in recorded}:
        raise TritonMigrateError(f"no request has the id {plan.request!r}", file=str(file), hint="the load repeats one of the requests")


def _loaded(
    plan: LoadPlan,
    recorded: tuple[RecordedRequest, ...],
    results: tuple[RequestResult, ...],
    original: Side,
    port: Side,
    triton: Triton | InApplication,
    say: Callable[[str], None],
) -> LoadResult | None:
    """The load on one request that both sides answer alike: the speed of a wrong answer is of no interest."""
    wanted = [
        (request, status)
        for request, result in zip(recorded, results, strict=True)
        if result.equal and (status := result.status_original) is not None
        if (request.id == plan.request if plan.request else request.infer and status < 400)
    ]
    if not wanted:
        say("no load: no inference request was answered alike by both")
        return None
    request, status = wanted[0]
    original_side, port_side = (Target(s.app.port, wire(s.client.prepare(request)), status, request.poll) for s in (original, port))
    counted = triton.statistics()
    figures = measure_load(request.id, original_side, port_side, plan, say)
    if figures is None:
        return None
    used = memory(original.app.process.pid, port.app.process.pid, triton.process.pid if isinstance(triton, Triton) else None)
    return replace(figures, server=server_share(counted, triton.statistics()), memory=used)
