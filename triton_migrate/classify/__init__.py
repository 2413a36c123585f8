"""Pipelines in, `Verdict`s out: CATEGORIES.md as a program. `judge` applies the rules in order; each rule has a module of its own."""

from triton_migrate.classify.judge import classify, consumer_verdict
from triton_migrate.classify.overall import application_category
from triton_migrate.classify.records import Blocker, Evidence, Verdict

__all__ = ["Blocker", "Evidence", "Verdict", "application_category", "classify", "consumer_verdict"]
