"""Takes a study and a selection of its pipelines, gives the `Port`: the served models, the change set, and what was not ported.

What generates and rewrites is loaded where there is something to port: LibCST and Triton's client take longer than scanning a small tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triton_migrate.changes import ChangeSet, FileEdit, NewFile, NotDone, read_text
from triton_migrate.entries.records import Entry
from triton_migrate.generate.served import CLIENT, ServedApp
from triton_migrate.generate.snippets import unavailable_handler
from triton_migrate.plan.cut import NoCut
from triton_migrate.plan.port import plan
from triton_migrate.plan.records import NotPorted
from triton_migrate.rulebook.book import normalised
from triton_migrate.study import Study

if TYPE_CHECKING:
    from triton_migrate.generate.models import Written

HANDLED = ("flask", "fastapi")


@dataclass(frozen=True, slots=True)
class Port:
    """What `apply` would write. `models` are in the repository; `not_ported` says what stays and why."""

    models: tuple[Written, ...]
    not_ported: tuple[NotPorted, ...]
    changes: ChangeSet


def port(found: Study, endpoints: frozenset[str]) -> Port:
    """Plan, generate and rewrite the selected pipelines (by id)."""
    planned = plan(found.evaluator, tuple((p, v) for p, v in found.inferring if p.entry.id in endpoints))
    refused = list(planned.not_ported)
    if not planned.models:
        return Port((), tuple(refused), ChangeSet())
    from triton_migrate.generate.models import write_model
    from triton_migrate.generate.repository import repository_files

    pins = _pins(found.project.root)
    written: list[Written] = []
    for model in planned.models:
        made = write_model(found.evaluator, model, found.texts, pins)
        if isinstance(made, NoCut):
            refused += [NotPorted(e, made.reason, made.span, made.fix) for e in model.endpoints]
        else:
            written.append(made)
    if not written:
        return Port((), tuple(refused), ChangeSet())
    edits = _edits(found, written)
    if stuck := [e for e in edits if isinstance(e, NotDone)]:
        refused += [NotPorted(i, s.reason, s.span, "simplify the statement") for s in stuck for w in written for i in w.planned.endpoints]
        return Port((), tuple(refused), ChangeSet())
    files = repository_files(tuple(w.served for w in written), _served_app(found, written))
    done = tuple(e for e in edits if isinstance(e, FileEdit))
    return Port(tuple(written), tuple(refused), _merged(found.project.root, files, (*done, *_requirements(found.project.root))))


def _edits(found: Study, written: list[Written]) -> list[FileEdit | NotDone]:
    from triton_migrate.rewrite.app import AppEdits

    app = AppEdits(found.evaluator, found.texts)
    for model in written:
        app.cut(model.planned, model.names)
    ported = {e for w in written for e in w.planned.endpoints}
    frameworks = {p.entry.framework for p in found.pipelines if isinstance(p.entry, Entry) and p.entry.id in ported}
    for application in {a.span: a for a in found.applications}.values():
        if application.framework in frameworks and application.framework in HANDLED:
            app.unavailable(application, unavailable_handler(application.framework))
    root = found.project.root
    return list(app.files({path: read_text(root / path) for path in found.texts}))


def _served_app(found: Study, written: list[Written]) -> ServedApp:
    frameworks = tuple(dict.fromkeys(w.served.framework for w in written))
    manifest = "requirements.txt" if (found.project.root / "requirements.txt").is_file() else ""
    first = found.applications[0] if found.applications else None
    packages = tuple(sorted(found.frameworks)) or ("flask",)
    if first is None:
        return ServedApp(found.project.root.name, "app:app", "wsgi", False, packages, frameworks, manifest)
    return ServedApp(
        found.project.root.name, first.target, "asgi" if first.server == "asgi" else "wsgi", first.factory, packages, frameworks, manifest
    )


def _requirements(root: Path) -> tuple[FileEdit, ...]:
    """The app talks to Triton: its requirements name the client."""
    path = root / "requirements.txt"
    if not path.is_file() or path.is_symlink():
        return ()
    from triton_migrate.rewrite.requirements import edit_requirements

    before = read_text(path)
    after = edit_requirements(before, (CLIENT,), ())
    return (FileEdit("requirements.txt", before, after, "the app calls Triton through tritonclient", "safe"),) if after != before else ()


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
