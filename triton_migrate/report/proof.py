"""What a verification proves, in words that page and terminal share: takes parts of the document, gives sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triton_migrate.report.verification import Exercised, Load, LoadFigures, RowCheck, RowDifference, Together, VerifiedRequest

NAMED = 3  # requests
GAIN = 1.05  # below that, a difference is the noise of a shared machine


def together_in_words(crowd: Together) -> str:
    """Whether rows that share a batch are known to leave each other alone."""
    if crowd["mixed_up"]:
        return "an answer depends on what else is under way"
    batch = crowd["rows_per_call"]
    if crowd["distinct"] < 2:
        return "only one request could be asked, so rows that share a batch were all the same"
    if batch is None or batch <= 1:
        return "no two of them met in one call of a model, so nothing is known about rows that share a batch"
    return f"{batch:.1f} rows per call, and no answer depends on its neighbours"


def rows_in_words(check: RowCheck) -> str:
    """Whether a row of a model's batch is what it is alone."""
    if check["why"]:
        return f"not asked in batches: {check['why']}"
    if check["mixed_up"]:
        tensors = sorted({one["tensor"] for one in check["mixed_up"]} - {""})
        return f"{', '.join(tensors) or 'the answer'} depends on the batch: the rows are not independent"
    return f"{check['rows']} rows asked alone and in one batch are the same"


def row_in_words(one: RowDifference) -> str:
    """One row that its batch changes."""
    return f"row {one['row']} of {one['tensor'] or 'the answer'}: {one['alone']} alone, {one['batched']} in a batch of {one['rows']}"


def gained(load: Load) -> bool:
    """Whether the port is faster by more than noise, in each round: original and port take turns, so a busy moment meets one of them."""
    return load["ratio"]["rps"] >= GAIN and all(one["ratio"] > 1 for one in load["rounds"])


def load_in_words(load: Load) -> str:
    """Whether the port is faster, said plainly."""
    ratio, at = load["ratio"]["rps"], f"at {load['connections']} connection{'' if load['connections'] == 1 else 's'}"
    if ratio >= GAIN and not gained(load):
        return f"No gain that holds: {ratio:.2f} times the requests per second {at}, but not in each of {len(load['rounds'])} rounds."
    if ratio >= GAIN:
        return f"Faster: {ratio:.2f} times the requests per second {at}."
    if ratio > 1 / GAIN:
        return f"No gain: as many requests per second as the original {at}."
    return f"No gain: {ratio:.2f} times the requests per second of the original {at}."


def exercised_in_words(row: Exercised) -> str:
    """What became of the requests that were made up for one entry."""
    if not row["answered"]:
        many = "1 request was tried and not answered" if row["tried"] == 1 else f"{row['tried']} requests were tried, none was answered"
        tried = many if row["tried"] else "no request could be made up"
        return f"not exercised: {tried}" + (f"; the likeliest got {row['why']}" if row["why"] else "")
    failed = f"; at {row['failed']} more the original itself fails, which proves nothing" if row["failed"] else ""
    return f"{row['tried']} requests tried, {row['answered']} answered and {row['refused']} refused by the original{failed}"


def varying_in_words(requests: Sequence[VerifiedRequest]) -> tuple[str, ...]:
    """The places that the original itself answers differently each time, each with the requests it varies in."""
    at: dict[str, list[str]] = {}
    for request in requests:
        for place in request.get("varies", []):
            at.setdefault(place_in_words(place), []).append(request["id"])
    many: dict[str, list[str]] = {}
    for place, names in at.items():
        shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        every = f"every one of {len(requests)} requests" if len(names) == len(requests) > 1 else shown
        many.setdefault(every, []).append(place)
    return tuple(f"{', '.join(places)} (in {where})" for where, places in many.items())


def place_in_words(place: str) -> str:
    """Where an answer differs or varies: `$` is a JSON body as a whole."""
    return {"$": "the whole body", "line *": "the lines of the body"}.get(place, place)


@dataclass(frozen=True, slots=True)
class Bar:
    """One side at one level of load; `share` of the highest rate on the page, in percent."""

    at: str
    side: str
    figures: LoadFigures
    share: float


def bars(load: Load) -> tuple[Bar, ...]:
    """Both sides at every level, fewest connections first, open loops last."""
    closed = [(load["connections"], load["original"], load["port"])]
    closed += [(level["connections"], level["original"], level["port"]) for level in load.get("levels", []) if level["rate"] is None]
    rows = [(f"{n} connection{'' if n == 1 else 's'}", a, b) for n, a, b in sorted(closed, key=lambda row: row[0])]
    rows += [
        (f"{level['rate']:g} a second, open loop", level["original"], level["port"])
        for level in load.get("levels", [])
        if level["rate"] is not None
    ]
    most = max(side["rps"] for _, *sides in rows for side in sides) or 1.0
    return tuple(
        Bar(at, side, figures, round(100 * figures["rps"] / most, 1))
        for at, original, port in rows
        for side, figures in (("original", original), ("port", port))
    )


def server_in_words(load: Load) -> str:
    """Where a request's time went on Triton, and what both sides need of memory; empty where it was not measured."""
    said = []
    if share := load.get("server"):
        said.append(
            f"On Triton a request waited {share['queue_ms']:.1f} ms in the queue and computed for {share['compute_ms']:.1f} ms, "
            f"{share['rows_per_call']:.1f} rows per call."
        )
    if used := load.get("memory"):
        whole = used["application"] + used["triton"]
        said.append(
            f"Memory: original {used['original']:.0f} MB, port {whole:.0f} MB ({used['application']:.0f} the application, "
            f"{used['triton']:.0f} Triton)."
        )
    return " ".join(said)
