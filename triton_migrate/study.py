"""Takes an application's folder, gives the `Study`: everything `scan` finds out, as records. Nothing is written and nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import Failed, Span
from triton_migrate.classify import Verdict, classify, consumer_verdict
from triton_migrate.discover import Project, discover
from triton_migrate.entries.applications import applications
from triton_migrate.entries.consumers import consumers, scripts
from triton_migrate.entries.options import Options, Told
from triton_migrate.entries.queues import Queues
from triton_migrate.entries.records import Application, Entry, Task
from triton_migrate.entries.routes import Routes
from triton_migrate.entries.started import Beside, beside
from triton_migrate.entries.startup import startup_functions
from triton_migrate.entries.tasks import tasks, worker_startups
from triton_migrate.index import ir
from triton_migrate.index.cache import FactsCache
from triton_migrate.index.facts import facts_of
from triton_migrate.index.observed import read
from triton_migrate.index.text import Text
from triton_migrate.match import Matcher, last_of
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.program import Program
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Site
from triton_migrate.rulebook.load import load_rulebook
from triton_migrate.rulebook.vocabulary import Cache, Metric, ModelLoad
from triton_migrate.trace.elsewhere import Elsewhere, elsewhere
from triton_migrate.trace.models import Models
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.pipeline import consume, trace
from triton_migrate.trace.records import Consumed, ModelRef, Pipeline
from triton_migrate.trace.shared import Shared
from triton_migrate.trace.unresolved import Unresolved, unresolved
from triton_migrate.trace.walk import callee_text


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
    consumers: tuple[Consumed, ...]
    idle: tuple[ModelRef, ...]  # models that are loaded and that nothing runs
    unregistered: tuple[Entry, ...]  # handlers of routes that no application serves
    caches: tuple[tuple[Span, str], ...]
    metrics: tuple[tuple[Span, str], ...]
    beside: Beside  # what must run beside the application
    told: tuple[tuple[Task, tuple[Told, ...]], ...]  # what the queues are told about their tasks
    elsewhere: tuple[tuple[Elsewhere, tuple[str, ...]], ...]  # calls that ask a model which is served elsewhere, and whose they are
    unresolved: tuple[tuple[Unresolved, tuple[str, ...]], ...]  # what of its models could not be resolved, and whose it is
    concerns: tuple[tuple[Span, str, str], ...]  # calls about placement or optimisation: where, which, what is called
    moments: Moments

    @property
    def inferring(self) -> tuple[tuple[Pipeline, Verdict], ...]:
        return tuple((p, v) for p, v in zip(self.pipelines, self.verdicts, strict=True) if v is not None)

    @property
    def consuming(self) -> tuple[tuple[Pipeline, Verdict], ...]:
        """Loops and scripts that run a model; a function that a pipeline enters is that one's."""
        return tuple((c.pipeline, consumer_verdict(c)) for c in self.consumers)

    @property
    def frameworks(self) -> tuple[str, ...]:
        return tuple(sorted({p.entry.framework for p in self.pipelines if isinstance(p.entry, Entry)}))


def study(
    app: Path | Project,
    rules: Path | None = None,
    *,
    cache: FactsCache | None = None,
    jobs: int = 1,
    sharing: bool = False,
    observed: Path | None = None,
) -> Study:
    """Discover, index, resolve, match, trace, classify. `cache` and `jobs` change the time it takes, nothing else.

    `sharing`: scripts beside an application are consumers, too, where they run the artifact of a model that it serves. `observed`: the
    file in which a recording wrote what it saw.
    """
    project = app if isinstance(app, Project) else discover(app)
    lowered = facts_of(project.sources, cache, jobs)
    facts = tuple(f for f in lowered if isinstance(f, ir.ModuleFacts))
    broken = tuple(f for f in lowered if isinstance(f, Failed))
    rulebook = load_rulebook(rules, cache)
    seen = read(observed, project.sources) if observed is not None else None
    evaluator = Evaluator(Program(facts, rulebook.import_roots, seen, rulebook.web_roots), rulebook)
    matcher = Matcher(evaluator)
    models = Models(matcher, frozenset(f.scope for f in (*startup_functions(matcher), *worker_startups(matcher))), project.distributions)
    web = Routes(matcher)
    routes = web.entries()
    queued = tasks(matcher, routes)
    queues = Queues(matcher, queued, routes)
    entries: tuple[Entry | Task, ...] = (*routes, *queued)
    shared = Shared(evaluator, models, queues)
    traced = (trace(shared, entry) for entry in entries)
    pipelines = tuple(p for p in traced if not (isinstance(p.entry, Task) and p.entry.training) or p.trains)
    options = Options(matcher, queued, queues)
    walked = _consumers(matcher, shared, pipelines, web.files, sharing, project.ported)
    consumed = tuple(c for c in walked if c.sites)
    idle = models.idle(_served(matcher, pipelines), _loading(pipelines))
    return Study(
        project, (*project.failed, *broken), len(facts), evaluator, {s.path: Text(s.text) for s in project.sources}, applications(matcher),
        pipelines, classify(pipelines, matcher, models.moments), consumed, idle, web.unregistered,
        _places(matcher, Cache), _places(matcher, Metric), beside(matcher, _looping(pipelines)), tuple((t, options.of(t)) for t in queued),
        elsewhere(evaluator, pipelines), unresolved(models, pipelines, walked, idle), _concerns(matcher), models.moments,
    )  # fmt: skip


def _loading(pipelines: tuple[Pipeline, ...]) -> frozenset[Site]:
    """The calls that load a model when an entry that runs one is asked."""
    steps = (step for p in pipelines if p.sites for step in p.steps)
    return frozenset(Site(step.scope.file, c.at) for step in steps for c in step.calls if any(isinstance(r, ModelLoad) for r in c.rules))


def _consumers(
    matcher: Matcher,
    shared: Shared,
    pipelines: tuple[Pipeline, ...],
    routed: frozenset[str],
    sharing: bool,
    ported: bool,
) -> tuple[Consumed, ...]:
    """Loops over a stream; where nothing else runs a model, the scripts that do (beside an application they evaluate or prepare).

    Those in which no model was found are among them, without sites. `routed` are the files that register routes: a script that leads to
    one starts a server.
    """
    walked = frozenset(step.scope for p in pipelines for step in p.steps)
    found = [consume(shared, loop) for loop in consumers(matcher, walked)]
    infers = any(c.sites for c in found) or any(p.sites for p in pipelines)
    alone = not infers and not (ported and pipelines)  # the routes of a port run none any more
    if alone or sharing:
        entries = routed | frozenset(p.entry.file for p in pipelines)
        ran = [consume(shared, script) for script in scripts(matcher, entries)]
        served = {m.artifact for p in pipelines for m in p.models} - {None}
        leaving = {s.span for p in pipelines for s in p.sites}  # where a script runs the same call, that is ported already
        theirs = [c for c in ran if c.models and {m.artifact for m in c.models} <= served and leaving.isdisjoint(s.span for s in c.sites)]
        found += ran if alone else theirs
    return tuple(found)


def _looping(pipelines: tuple[Pipeline, ...]) -> frozenset[Scope]:
    """The functions that take from a queue of the program's own making and run a model."""
    sites = (s for p in pipelines for s in p.sites if s.queued and not isinstance(p.entry, Task))
    return frozenset((*(f.scope for _, f in s.chain), s.scope)[s.queued] for s in sites)


def _served(matcher: Matcher, pipelines: tuple[Pipeline, ...]) -> frozenset[str]:
    """The files that a serving process loads: those of the entries and of the application, and what they import."""
    started = {p.entry.file for p in pipelines} | (matcher.evaluator.reach.making if pipelines else frozenset())
    return frozenset().union(*(matcher.program.imported_by(file) for file in sorted(started)))


def _concerns(matcher: Matcher) -> tuple[tuple[Span, str, str], ...]:
    said = [rule for library in matcher.rulebook.libraries for rule in library.rules if rule.concern]
    found = set()
    for name in {last_of(api) for rule in said for api in rule.api}:
        for place in matcher.program.calls(name):
            for api in matcher.evaluator.apis(place.call.func, matcher.program.generic(place.scope)):
                for rule in matcher.rulebook.rules_for(api.called):
                    if rule.concern:
                        found.add((matcher.program.span(place.scope, place.call.at), rule.concern, callee_text(place.call.func)))
    return tuple(sorted(found))


def _places(matcher: Matcher, role: type[Cache] | type[Metric]) -> tuple[tuple[Span, str], ...]:
    found = {matcher.program.span(m.place.scope, m.place.call.at): m.rule.kind for m in matcher.find(role)}
    return tuple(sorted(found.items()))
