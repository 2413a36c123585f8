"""Takes a fixture's source or its report, gives `Fact`s in the same words, so that the two can be compared exactly, both ways.

An expectation stands on the line it concerns:

    # $ web.route methods=POST url=/predict category=loose rule=loose    the handler's `def`; no category: no inference
    # $ web.route methods=GET url=/health probe                          it runs a model, but on no input
    # $ web.input source=json name=text                                  also the `def`; compared on lines that name an input
    # $ task.define queue=celery category=loose rule=loose               a task's `def`
    # $ consumer category=individual rule=I2                             the `def` of a loop that no route or task drives
    # $ model.load framework=sklearn                                     the call that gives a model
    # $ model.predict                                                    the call that runs one
    # $ model.elsewhere                                                  the call that asks one that is served elsewhere
    # $ MISSING: model.predict                                           should be reported and is not yet: fails once it is
    # $ SPURIOUS: model.predict                                          is reported and should not be: fails once it is not

Several on one line are separated by `;`, several methods by `,`.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "# $ "
SECTION = re.compile(r"\b(MISSING|SPURIOUS):")


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One thing that is, or should be, reported about a line; `said` in alphabetical order."""

    file: str
    line: int
    role: str
    said: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {' '.join((self.role, *self.said))}"


@dataclass(frozen=True, slots=True)
class Expected:
    true: frozenset[Fact]
    missing: frozenset[Fact]
    spurious: frozenset[Fact]


def written(root: Path) -> Expected:
    """What the comments of a fixture say."""
    facts: dict[str, set[Fact]] = {"TRUE": set(), "MISSING": set(), "SPURIOUS": set()}
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root).as_posix()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
            if token.type == tokenize.COMMENT and token.string.startswith(MARK):
                kinds_and_texts = ["TRUE", *SECTION.split(token.string[len(MARK) :])]
                for kind, text in zip(kinds_and_texts[::2], kinds_and_texts[1::2], strict=True):
                    facts[kind].update(_parsed(text, file, token.start[0]))
    return Expected(frozenset(facts["TRUE"]), frozenset(facts["MISSING"]), frozenset(facts["SPURIOUS"]))


def _parsed(text: str, file: str, line: int) -> Iterator[Fact]:
    for item in filter(None, map(str.strip, text.split(";"))):
        role, *said = item.split()
        methods = next((word for word in said if word.startswith("methods=")), None)
        if methods is None:
            yield Fact(file, line, role, tuple(sorted(said)))
            continue
        said.remove(methods)
        for method in methods.removeprefix("methods=").split(","):
            yield Fact(file, line, role, tuple(sorted((*said, f"method={method}"))))


def reported(report: Mapping[str, Any], asked_inputs: frozenset[tuple[str, int]]) -> frozenset[Fact]:
    """What a report says. Inputs only of the lines in `asked_inputs`: most fixtures are about something else."""
    return frozenset(_reported(report, asked_inputs))


def _reported(report: Mapping[str, Any], asked_inputs: frozenset[tuple[str, int]]) -> Iterator[Fact]:
    for endpoint in report["endpoints"]:
        for method in endpoint["methods"]:
            probe = ("probe",) if endpoint["probe"] else ()
            yield _fact(endpoint, "web.route", f"method={method}", f"url={endpoint['path']}", *probe, *_verdict(endpoint))
        if (endpoint["file"], endpoint["line"]) in asked_inputs:
            for given in endpoint["inputs"]:
                yield _fact(endpoint, "web.input", f"source={given['source']}", f"name={given['name']}")
    for task in report["tasks"]:
        yield _fact(task, "task.define", f"queue={task['queue']}", *_verdict(task))
    for consumer in report["consumers"]:
        yield _fact(consumer, "consumer", *_verdict({**consumer, "inference": True}))
    for model in report["models"]:
        yield _fact(model, "model.load", f"framework={model['framework']}")
        yield from (_fact(site, "model.predict") for site in model["predict_sites"])
    yield from (_fact(asked, "model.elsewhere") for asked in report["elsewhere"])


def _fact(row: Mapping[str, Any], role: str, *said: str) -> Fact:
    return Fact(row["file"], row["line"], role, tuple(sorted(said)))


def _verdict(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Nothing for an entry without inference; `category=None` shows an inference entry that was not classified."""
    if not row["inference"] or row.get("probe"):
        return ()
    return (f"category={row['category']}", f"rule={row['rule']}")
