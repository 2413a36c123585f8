"""Takes a study and a selection of its pipelines, gives the `Port`: the served models, the change set, and what was not ported.

What generates and rewrites is loaded where there is something to port: LibCST and Triton's client take longer than scanning a small tree.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.bind.owned import live_cells, replaced, switched_cells
from triton_migrate.bind.plan import bind, passable, unbound
from triton_migrate.bind.records import BindPlan, Bound
from triton_migrate.bind.versions import conflicts
from triton_migrate.changes import ChangeSet, FileEdit, NewFile, NotDone, read_text
from triton_migrate.entries.counted import visible_gpus, worker_count
from triton_migrate.entries.records import Application, Entry, Task
from triton_migrate.generate.served import CLIENT, PYTRITON, ServedApp
from triton_migrate.generate.snippets import unavailable_handler
from triton_migrate.match import Matcher
from triton_migrate.plan.around.caches import caches_of, kept_back
from triton_migrate.plan.around.direct import Direct, direct_calls, level, levels
from triton_migrate.plan.around.queues import beside_rows, queue_policy, queue_rows
from triton_migrate.plan.around.reloads import Reload, asking_anew, reloads
from triton_migrate.plan.around.strays import Handled
from triton_migrate.plan.around.versions import Registries
from triton_migrate.plan.copied.importing import changed
from triton_migrate.plan.cutting.choice import Where
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.port import Planner
from triton_migrate.plan.records import NotPorted
from triton_migrate.rulebook.book import normalised
from triton_migrate.rulebook.vocabulary import WebRouter
from triton_migrate.study import Study
from triton_migrate.trace.records import Pipeline

if TYPE_CHECKING:
    from triton_migrate.generate.models import Written
    from triton_migrate.plan.planned import PlannedModel

HANDLED = ("flask", "fastapi")
NOT_ATTACHED = "cannot tell where the application object is made that Triton would start with (Flask and FastAPI are known)"
PASSED, STAGED = "python-backend", "ensemble"
LOADED_ANEW = "a route loads its file anew, and an exported network would go on answering for the old one"
INSTANCES = 8  # copies of a model at most


@dataclass(frozen=True, slots=True)
class Port:
    """What `apply` would write. `models` are in the repository; `not_ported` says what stays and why; `direct`: what needs no queue."""

    models: tuple[Written | Bound, ...]
    not_ported: tuple[NotPorted, ...]
    changes: ChangeSet
    direct: tuple[Direct, ...] = ()


def port(
    found: Study,
    endpoints: frozenset[str],
    exports: str = "networks",
    *,
    cut: str = "cheapest",
    target: str = "",
    inprocess: bool = False,
    sync_queue: bool = False,
    write: bool = True,
) -> Port:
    """Plan, generate and rewrite the selected pipelines (by id). `exports`: which models leave their framework (generate.networks).
    `cut`: see plan.choice. `target` "python-backend": tight pipelines whose state can be passed in leave the application, too,
    and modular ones are one model each; "ensemble": loose pipelines become ensembles as well, where they have stages.
    `inprocess`: for models served alone, what runs Triton in the application is written, too. `sync_queue`: routes that only wait for
    a task run it themselves (plan.around.direct).

    Without `write` the app's own files are left alone and the change set is empty: what a scan says needs only the served models.
    """

    pipelines = tuple(p for p, _ in (*found.inferring, *found.consuming))
    foreign = tuple(told for p in pipelines if p.entry.id in endpoints and (told := _foreign(found, p)) is not None)
    endpoints -= {told.endpoint for told in foreign}
    registries = Registries(found.evaluator, pipelines)
    anew = {p.entry.id: made for p in pipelines if target != PASSED and (made := reloads(found.evaluator, p, found.pipelines))}

    def planned(handled: Handled) -> Port:
        return _port(found, endpoints, exports, cut, target, inprocess, sync_queue, write, handled)

    for handled in (Handled(registries, anew), *((Handled(registries, {}), Handled(None, anew)) if anew else ())):
        tried = planned(handled)
        if _soundly(found, handled, tried):
            break
    else:
        tried = planned(Handled(None, {}))
    return replace(tried, not_ported=(*foreign, *tried.not_ported))


def _foreign(found: Study, pipeline: Pipeline) -> NotPorted | None:
    """Code that this Python cannot compile is not written either; the pipeline's own, or what it imports and may need."""
    program = found.evaluator.program
    foreign = [path for path, file in program.files.items() if file.facts.foreign]
    own = {s.scope.file for s in pipeline.steps} if foreign else set()
    reached = own.union(*map(program.imported_by, own))
    path = min((f for f in foreign if f in reached), key=lambda f: (f not in own, f), default=None)
    if path is None:
        return None
    late = program.files[path].facts
    mine = "{}.{}".format(*sys.version_info)
    place = Span(late.path, late.foreign, 0, late.foreign, 0)
    return NotPorted(pipeline.entry.id, f"this line is for another Python than {mine}, which runs triton-migrate", place,
                     "run triton-migrate with the Python of the application (3.10 or newer)")  # fmt: skip


def _soundly(found: Study, handled: Handled, made: Port) -> bool:
    plans = tuple(w.planned for w in made.models if not isinstance(w, Bound))
    every = tuple(p for p, _ in (*found.inferring, *found.consuming))
    return handled.soundly(found.evaluator, plans, every, frozenset(n.endpoint for n in made.not_ported))


def _port(
    found: Study,
    endpoints: frozenset[str],
    exports: str,
    cut: str,
    target: str,
    inprocess: bool,
    sync_queue: bool,
    write: bool,
    handled: Handled,
) -> Port:
    versions, anew = handled.registries, handled.anew
    selected = tuple((p, v) for p, v in (*found.inferring, *found.consuming) if p.entry.id in endpoints)
    stays = {
        p.entry.id
        for p, v in selected
        if v.category == "tight" or (target != PASSED and p.entry.id not in anew and replaced(found.evaluator, p, found.pipelines))
    }
    tight, loose = (tuple((p, v) for p, v in selected if (p.entry.id in stays) is wanted) for wanted in (True, False))
    switched = switched_cells(found.pipelines)
    if target == PASSED:
        passed, binding = passable(tight)
        live = live_cells(found.evaluator, found.pipelines)
        planner = Planner(found.evaluator, (*loose, *passed), Where(cut), live, switched, staged=frozenset(), registries=versions)
    else:
        chosen = {p.entry.id for p, v in tight if v.rule == "T1" and versions is not None and versions.of(p) is not None}
        choosing, tight = (tuple((p, v) for p, v in tight if (p.entry.id in chosen) is wanted) for wanted in (True, False))
        live = live_cells(found.evaluator, found.pipelines) if choosing else frozenset()
        nothing = BindPlan((), (), ())
        binding = bind(found.evaluator, found.texts, tight, found.pipelines, conflicts(found.project.root)) if tight else nothing
        staged = frozenset({"modular", "loose"} if target == STAGED else {"modular"})
        planner = Planner(found.evaluator, (*loose, *choosing), Where(cut), live, switched, staged=staged, registries=versions)
    planned = planner.plan()
    pins, workers = _pins(found.project.root), worker_count(Matcher(found.evaluator), found.project.root)
    while planned.models or binding.bound:
        from triton_migrate.generate.models import write_model
        from triton_migrate.generate.networks import Exports, exporting

        asked = exporting(planned.models, Exports(exports))
        still = replace(asked, never=LOADED_ANEW)
        made = [(m, write_model(found, m, pins, still if anew.keys() & {*m.endpoints} else asked)) for m in planned.models]
        written = [_counted(_renewed(_caching(found, w), anew), workers) for _, w in made if not isinstance(w, NoCut)]
        troubles = [(m, w) for m, w in made if isinstance(w, NoCut)]
        direct = _direct(found, written) if sync_queue else ()
        written = [_limited(found, w, direct) for w in written]
        edits = _edits(found, written, binding, direct, anew) if write and not troubles else []
        if stuck := next((e for e in edits if isinstance(e, NotDone) and binding.bound and _binds(binding, e)), None):
            binding = unbound(binding, _simplify(stuck))
            continue
        troubles += [(w.planned, _simplify(e)) for e in edits if isinstance(e, NotDone) for w in _touched(written, e)]
        edited = frozenset(e.path for e in edits if isinstance(e, FileEdit))
        troubles += [(w.planned, problem) for w in written if (problem := changed(w.called, edited, found.evaluator)) is not None]
        if not troubles and not write:
            return Port((*written, *binding.bound), (*planned.not_ported, *binding.not_ported), ChangeSet())
        if not troubles:
            from triton_migrate.generate.models import distinct
            from triton_migrate.generate.repository import repository_files

            served = distinct(written)
            files = repository_files(served, _served_app(found, written, direct), inprocess=inprocess) if served else ()
            troubles = _refused(written, files)
        if not troubles:
            done = tuple(e for e in edits if isinstance(e, FileEdit))
            needs = (*((CLIENT,) if written else ()), *((PYTRITON,) if binding.bound else ()))
            requirements = _requirements(found.project.root, needs)
            changes = _merged(found.project.root, _with_bindings(found, files, binding), (*done, *requirements))
            return Port((*written, *binding.bound), (*planned.not_ported, *binding.not_ported), changes, direct)
        failed = {e: problem for model, problem in reversed(troubles) for e in model.endpoints}
        for entry, problem in failed.items():
            planner.reject(entry, problem)
        planned = planner.plan()
    return Port((), (*planned.not_ported, *binding.not_ported), ChangeSet())


def _caching(found: Study, written: Written) -> Written:
    """Where the application gives results again for equal inputs, the server may, too, if they are equal for sure."""
    kept = next(iter(caches_of(found, written.planned)), None)
    if kept is None or kept_back(written.planned, reloaded=False):
        return written
    return replace(written, served=replace(written.served, cached=kept.place))


def _renewed(written: Written, anew: dict[str, tuple[Reload, ...]]) -> Written:
    """A model that a route loads anew; replies of the old one are not kept."""
    places = dict.fromkeys(place for e in written.planned.endpoints for reload in anew.get(e, ()) for place in reload.places)
    return replace(written, served=replace(written.served, reloaded=tuple(places), cached="")) if places else written


def _counted(written: Written, workers: tuple[int, str]) -> Written:
    """A model that runs requests one by one is there as often as before: in each worker. One that stacks them needs no second copy."""
    served = written.served
    if workers[0] == 1 or served.stacked or served.decoupled or served.steps or served.alone:
        return written
    return replace(written, served=replace(served, instances=min(workers[0], INSTANCES), workers=workers[1]))


def _simplify(edit: NotDone) -> NoCut:
    return NoCut(edit.reason, edit.span, "simplify the statement")


def _refused(written: list[Written], files: tuple[NewFile, ...]) -> list[tuple[PlannedModel, NoCut]]:
    """The models that Triton would not load, with what it would say."""
    from triton_migrate.generate.checked import refused

    found = []
    for problem in refused(files):
        name, fix = problem.file.partition("/")[0], problem.fix
        found += [
            (w.planned, NoCut(f"Triton would refuse its model {name}: {problem.message}", w.planned.cut.span, fix))
            for w in written
            if name in {m.name for m in w.every}
        ]
    return found


def _touched(written: list[Written], edit: NotDone) -> list[Written]:
    """The models one of whose cut functions holds the edit that could not be done; all of them when it is elsewhere."""
    span = edit.span
    places = [(w, c.scope.function.at) for w in written for c in w.planned.cuts if c.scope.file == span.file and c.scope.kind == "function"]
    return [w for w, at in places if at[0] <= span.line <= at[2]] or written


def _binds(binding: BindPlan, edit: NotDone) -> bool:
    """Whether an edit that could not be done is one of the bindings'."""
    return any(b.scope.file == edit.span.file and b.scope.function.at[0] <= edit.span.line <= b.scope.function.at[2] for b in binding.bound)


def _with_bindings(found: Study, files: tuple[NewFile, ...], binding: BindPlan) -> tuple[NewFile, ...]:
    if not binding.bound:
        return files
    from triton_migrate.generate.bindings import binding_files

    known = {file.path for file in files}
    made = binding_files(binding, _served_app(found, []), beside=bool(files))
    return (*files, *(file for file in made if file.path not in known))


def _direct(found: Study, written: list[Written]) -> tuple[Direct, ...]:
    """The calls that need no queue any more."""
    ported = {e for w in written for e in w.planned.endpoints}
    asking = frozenset(c.scope for w in written for c in w.planned.cuts)
    tasks = {t.handler.scope for t, _ in found.told if t.id in ported or t.handler.scope in asking}
    brokers = tuple(name for name, _ in found.beside.brokers)
    return tuple(direct_calls(Matcher(found.evaluator), found.texts, frozenset(tasks), brokers))


def _edits(
    found: Study, written: list[Written], binding: BindPlan, direct: tuple[Direct, ...], anew: dict[str, tuple[Reload, ...]]
) -> list[FileEdit | NotDone]:
    from triton_migrate.rewrite.bind import BindEdits

    app = BindEdits(found.evaluator, found.texts)
    for bound in binding.bound:
        app.bind(bound)
    for task in binding.tasks:
        app.own(task)
    for model in written:
        app.cut(model.planned, model.names)
    for call in direct:
        order = next((w.served.levels for w in written if any(c.scope is call.task for c in w.planned.cuts)), None)
        app.run_here(call, level(call, order))
    for reload, names in asking_anew([(w.planned.endpoints, w.every) for w in written], anew).items():
        app.load_anew(reload, names)
    ported = {e for w in written for e in w.planned.endpoints}
    handlers = (p.entry.handler.scope for p in found.pipelines if p.entry.id in ported and isinstance(p.entry, (Entry, Task)))
    app.leftovers.handlers |= {(s.file, s.function.at) for s in handlers if s.kind == "function"}
    files = {call.span.file for call in direct}
    asking = tuple(
        p.entry
        for p in found.pipelines
        if isinstance(p.entry, Entry)
        # not only a worker of theirs
        and (p.entry.file in files or (p.entry.id in ported and not all(s.worker is not None for s in p.sites)))
    )
    for application in _serving(found, asking):
        if application.framework in HANDLED:
            app.unavailable(application, unavailable_handler(application.framework))
    apps = {a.span: a for a in found.applications if a.framework in HANDLED}.values() if binding.bound else ()
    if binding.web and not sum(app.attach(application) for application in apps):
        return [NotDone(binding.bound[0].span, NOT_ATTACHED)]
    root = found.project.root
    instead = found.project.instead
    return [_sound(edit) for edit in app.files({path: instead.get(path) or read_text(root / path) for path in found.texts})]


def _serving(found: Study, entries: tuple[Entry, ...]) -> tuple[Application, ...]:
    """The applications that serve these entries: one imports the other; all of the framework where none does."""
    program = found.evaluator.program
    files, frameworks = {e.file for e in entries}, {e.framework for e in entries}
    around = frozenset[str]().union(*map(program.imported_by, files))
    of_them = tuple(a for a in {a.span: a for a in found.applications}.values() if a.framework in frameworks)
    told = tuple(a for a in of_them if a.span.file in around or files & program.imported_by(a.span.file))
    return told or of_them


def _sound(edit: FileEdit | NotDone) -> FileEdit | NotDone:
    """An edited file that would read a name which nothing defines any more is not written."""
    from triton_migrate.generate.soundness import first_read, undefined

    if isinstance(edit, NotDone) or not edit.path.endswith(".py"):
        return edit
    lost = sorted({*undefined(edit.after)} - {*undefined(edit.before)})
    if not lost:
        return edit
    return NotDone(first_read(edit.before, lost[0], edit.path), f"{lost[0]} would be read where nothing defines it any more")


def _limited(found: Study, written: Written, direct: tuple[Direct, ...]) -> Written:
    """What a queue was told of a task that is run without it, Triton's scheduler is told."""
    scopes = {c.scope for c in written.planned.cuts} & {d.task for d in direct}
    told = tuple(option for task, options in found.told if task.handler.scope in scopes for option in options)
    policy, order = queue_policy(told), levels(tuple(d for d in direct if d.task in scopes))
    if written.served.decoupled or written.served.steps:
        return written
    return replace(written, served=replace(written.served, policy=policy, levels=order))


def _served_app(found: Study, written: list[Written], direct: tuple[Direct, ...] = ()) -> ServedApp:
    ported = {e for w in written for e in w.planned.endpoints}
    queued = tuple(row for t, told in found.told if t.id in ported for row in queue_rows(t.name, told))
    queued += beside_rows(tuple(p for p in found.pipelines if p.entry.id in ported))
    visible = visible_gpus(Matcher(found.evaluator), found.project.root)
    here = tuple((d.task.name, d.wait.place) for d in direct)
    started, gpus = _started(found, written), _gpus(written, visible[0])
    http = any(router.rule.errors for router in Matcher(found.evaluator).find(WebRouter))
    return replace(started, direct=here, queued=queued, beside=found.beside, gpus=gpus, visible=visible, http_errors=http)


def _gpus(written: list[Written], visible: str) -> int:
    """How many GPUs Triton's machine has, at least, where some model is put on one."""
    placed = [m.on for w in written for m in w.every if m.on is not None]
    numbers = [g for on in placed for g in on.gpus] + [int(number) for number in visible.split(",") if placed and visible]
    return max((number + 1 for number in numbers), default=len(placed) and 1)


def _started(found: Study, written: list[Written]) -> ServedApp:
    frameworks = tuple(dict.fromkeys(w.served.framework for w in written))
    manifest = "requirements.txt" if (found.project.root / "requirements.txt").is_file() else ""
    first = found.applications[0] if found.applications else None
    packages = tuple(sorted(found.frameworks)) or ("flask",)
    if first is None and found.consumers:
        needs = tuple(dict.fromkeys(n for w in written for m in w.every for n in m.requirements)) or ("numpy",)
        script = found.consumers[0].consumer.file
        return ServedApp(found.project.root.name, "", "wsgi", False, needs, frameworks, manifest, script)
    if first is None:
        return ServedApp(found.project.root.name, "app:app", "wsgi", False, packages, frameworks, manifest)
    return ServedApp(
        found.project.root.name, first.target, "asgi" if first.server == "asgi" else "wsgi", first.factory, packages, frameworks, manifest
    )


def _requirements(root: Path, needs: tuple[str, ...]) -> tuple[FileEdit, ...]:
    """The app talks to Triton, or runs it: its requirements say so."""
    path = root / "requirements.txt"
    if not path.is_file() or path.is_symlink():
        return ()
    from triton_migrate.rewrite.requirements import edit_requirements

    before = read_text(path)
    after = edit_requirements(before, needs, ())
    why = "the app runs Triton" if PYTRITON in needs else "the app calls Triton through tritonclient"
    return (FileEdit("requirements.txt", before, after, why, "safe"),) if after != before else ()


def _pins(root: Path) -> dict[str, str]:
    """Requirement lines of the app by distribution name."""
    path = root / "requirements.txt"
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_bytes().decode(errors="replace").splitlines():
        if match := re.match(r"\s*([A-Za-z][\w.-]*)[^#;]*", line):
            found[normalised(match[1])] = match[0].strip()
    return found


def _merged(root: Path, files: tuple[NewFile, ...], edits: tuple[FileEdit, ...]) -> ChangeSet:
    """Files of an earlier port stay where they are equal and are edited where they are not."""
    new, changed = [], list(edits)
    for file in files:
        target = root / file.path
        if not target.exists():
            new.append(file)
        elif read_text(target) != file.text:
            changed.append(FileEdit(file.path, read_text(target), file.text, file.reason, "review"))
    return ChangeSet(tuple(new), tuple(changed))
