"""Takes an application's folder, gives the `Study`: everything `scan` finds out, as records. Nothing is written and nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import Failed, Span
from triton_migrate.classify import Verdict, classify
from triton_migrate.discover import Project, discover
from triton_migrate.entries.applications import applications
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.records import Application, Entry, Task
from triton_migrate.entries.routes import Routes
from triton_migrate.entries.startup import startup_functions
from triton_migrate.entries.tasks import tasks
from triton_migrate.index import ir
from triton_migrate.index.cache import FactsCache
from triton_migrate.index.facts import facts_of
from triton_migrate.index.text import Text
from triton_migrate.match import Matcher
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.program import Program
from triton_migrate.rulebook.load import load_rulebook
from triton_migrate.rulebook.vocabulary import Cache, Metric
from triton_migrate.trace.models import Models
from triton_migrate.trace.pipeline import trace
from triton_migrate.trace.records import Pipeline


@dataclass(frozen=True, slots=True)
class Study:
    """One analysed application. `pipelines` and `verdicts` go together; a verdict is None where no model is reached."""

    project: Project
    failed: tuple[Failed, ...]
    analysed: int
    evaluator: Evaluator
    texts: dict[str, Text]
    applications: tuple[Application, ...]
    pipelines: tuple[Pipeline, ...]
    verdicts: tuple[Verdict | None, ...]
    caches: tuple[tuple[Span, str], ...]
    metrics: tuple[tuple[Span, str], ...]

    @property
    def inferring(self) -> tuple[tuple[Pipeline, Verdict], ...]:
        return tuple((p, v) for p, v in zip(self.pipelines, self.verdicts, strict=True) if v is not None)

    @property
    def frameworks(self) -> tuple[str, ...]:
        return tuple(sorted({p.entry.framework for p in self.pipelines if isinstance(p.entry, Entry)}))


def study(root: Path, rules: Path | None = None, *, cache: FactsCache | None = None, jobs: int = 1) -> Study:
    """Discover, index, resolve, match, trace, classify. `cache` and `jobs` change the time it takes, nothing else."""
    project = discover(root)
    lowered = facts_of(project.sources, cache, jobs)
    facts = tuple(f for f in lowered if isinstance(f, ir.ModuleFacts))
    broken = tuple(f for f in lowered if isinstance(f, Failed))
    evaluator = Evaluator(Program(facts), load_rulebook(rules))
    matcher = Matcher(evaluator)
    models = Models(matcher, frozenset(f.scope for f in startup_functions(matcher)), project.distributions)
    routes = Routes(matcher).entries()
    queued = tasks(matcher, routes)
    queues = Queues(matcher, queued)
    entries: tuple[Entry | Task, ...] = (*routes, *queued)
    pipelines = tuple(trace(evaluator, models, entry, queues) for entry in entries)
    return Study(
        project, (*project.failed, *broken), len(facts), evaluator, {s.path: Text(s.text) for s in project.sources}, applications(matcher),
        pipelines, classify(pipelines), _places(matcher, Cache), _places(matcher, Metric),
    )  # fmt: skip


def _places(matcher: Matcher, role: type[Cache] | type[Metric]) -> tuple[tuple[Span, str], ...]:
    found = {matcher.program.span(m.place.scope, m.place.call.at): m.rule.kind for m in matcher.find(role)}
    return tuple(sorted(found.items()))
