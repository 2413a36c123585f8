"""What a judgement is made of: evidence, what is in the way of a port, and the `Verdict` of one pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span

TARGETS = {"tight": "pytriton", "individual": "model", "modular": "ensemble", "loose": "python-backend"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact and where it stands. `rule` is the rule it decided, or the flag it raised."""

    rule: str
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something in the code that a port has to get past, and the smallest edit that would do it."""

    message: str
    span: Span
    fix: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to be sure: `weight` is what it takes off the confidence."""

    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule found when it holds. `looser_if` is the one edit that would move the pipeline to a looser category."""

    rule: str
    evidence: tuple[Evidence, ...]
    looser_if: str | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The category of one pipeline. `confidence` is 0..1; `doubts` say what it lacks to 1, the weightiest first."""

    category: str
    rule: str
    confidence: float
    runner_up: str
    evidence: tuple[Evidence, ...]
    noted: tuple[Evidence, ...]  # one for each flag
    looser_if: str | None
    effort: int
    effort_why: str
    blockers: tuple[Blocker, ...] = ()
    doubts: tuple[str, ...] = ()
    probe: bool = False  # it runs the model on nothing that a client, the application's state or a device gives: a check, no pipeline

    @property
    def target(self) -> str:
        return TARGETS[self.category]

    @property
    def flags(self) -> tuple[str, ...]:
        """What does not decide the category, but a port has to know: CATEGORIES calls these flags."""
        return tuple(dict.fromkeys(note.rule for note in self.noted))
