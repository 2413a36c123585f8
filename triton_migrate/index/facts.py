"""Takes the sources of a project, gives the facts of each in the same order, however they are come by: the cache, this process, several.

The garbage collector rests meanwhile: facts are millions of small tuples without a cycle among them, and looking for one takes longer
than making them (measured on scikit-learn's 671 files: 27 s instead of 7).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from triton_migrate.base import Failed, SourceFile
from triton_migrate.index import ir
from triton_migrate.index.cache import FactsCache, packed, unpacked
from triton_migrate.index.lower import lower

Lowered = ir.ModuleFacts | Failed
WORTH_A_PROCESS = 1_000_000  # characters of source; with less, starting it and unpacking what it sends costs more than it saves
CHUNK = 16  # files that a process takes at once


def facts_of(sources: tuple[SourceFile, ...], cache: FactsCache | None = None, jobs: int = 1) -> tuple[Lowered, ...]:
    """Facts by content: neither `cache` nor `jobs` changes what comes out."""
    with _collector_at_rest():
        known = {} if cache is None else _known(sources, cache)
        fresh = tuple({s.digest: s for s in sources if s.digest not in known}.values())
        processes = min(jobs, sum(len(source.text) for source in fresh) // WORTH_A_PROCESS)
        # Packing takes as long as lowering: where nothing has to be packed, two or three processes are no quicker than one
        pool = processes >= (2 if cache is not None else 4)
        facts, sent = _in_processes(fresh, processes) if pool else _here(fresh, pack=cache is not None)
        if cache is not None and sent:
            cache.put(sent)
        facts |= known
        return tuple(_at(source.path, facts[source.digest]) for source in sources)


def _known(sources: tuple[SourceFile, ...], cache: FactsCache) -> dict[str, Lowered]:
    kept = cache.get({s.digest for s in sources})
    return {digest: facts for digest, data in kept.items() if (facts := unpacked(data)) is not None}


def _here(sources: tuple[SourceFile, ...], *, pack: bool) -> tuple[dict[str, Lowered], dict[str, bytes]]:
    """Facts, and packed facts, by digest."""
    made = {source.digest: lower(source) for source in sources}
    if not pack:
        return made, {}
    return made, {d: data for d, facts in made.items() if isinstance(facts, ir.ModuleFacts) and (data := packed(facts)) is not None}


def _in_processes(sources: tuple[SourceFile, ...], processes: int) -> tuple[dict[str, Lowered], dict[str, bytes]]:
    """The same; what a process could not send is lowered here."""
    import multiprocessing  # loading it takes longer than lowering a small tree
    from concurrent.futures import ProcessPoolExecutor

    # The largest first: a long file that starts last is waited for
    ordered = sorted(sources, key=lambda source: (-len(source.text), source.path))
    start = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, mp_context=start, initializer=gc.disable) as pool:
        answers = list(pool.map(_sent, ordered, chunksize=CHUNK))
    sent = {source.digest: data for source, data in zip(ordered, answers, strict=True) if data is not None}
    return {s.digest: (unpacked(sent[s.digest]) if s.digest in sent else None) or lower(s) for s in sources}, sent


def _sent(source: SourceFile) -> bytes | None:
    facts = lower(source)
    return packed(facts) if isinstance(facts, ir.ModuleFacts) else None


def _at(path: str, lowered: Lowered) -> Lowered:
    """Two files with the same content share their facts, not their path."""
    if isinstance(lowered, Failed):
        return lowered if lowered.file == path else replace(lowered, file=path)
    return lowered if lowered.path == path else lowered._replace(path=path)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()  # what was just made stays to the end: later rounds need not walk it again
            gc.enable()
