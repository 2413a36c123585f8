"""Takes a study and the file to write, gives the environment in which the application tells the types of its values (`verify.probes`).

Asked are the functions between an entry and its models, where a pipeline is or may be cut. The application's files are not touched, and
it is the user's own command that runs it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.discover import Project
from triton_migrate.index.observed import read
from triton_migrate.study import Study
from triton_migrate.verify.probes import FOLDER, OBSERVED, PLAN

Places = Mapping[str, frozenset[int]]  # by file the first lines of functions


def places(found: Study) -> Places:
    """The functions through which a request, a task or a message comes to a model."""
    scopes = {
        frame.scope
        for pipeline in (*found.pipelines, *(c.pipeline for c in found.consumers))
        for site in pipeline.sites
        for frame in (*(around for _, around in site.chain), site.frame)
        if frame.scope.kind == "function"
    }
    return {file: frozenset(s.function.at[0] for s in scopes if s.file == file) for file in sorted({s.file for s in scopes})}


@contextmanager
def observing(project: Project, asked: Places, file: Path, say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Write a fresh `file` while the application runs in the environment that is given; say at the end what was seen."""
    digests = {source.path: source.digest for source in project.sources if source.path in asked}
    plan = {
        os.path.realpath(project.root / path): {"file": path, "sha256": digests[path], "functions": sorted(lines)}
        for path, lines in asked.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"files": digests}) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="triton-migrate-record-") as folder:
        written = Path(folder) / "probes.json"
        written.write_text(json.dumps(plan), encoding="utf-8")
        path = os.pathsep.join(filter(None, (str(FOLDER), os.environ.get("PYTHONPATH", ""))))
        try:
            yield {"PYTHONPATH": path, PLAN: str(written), OBSERVED: str(file.resolve())}
        except TritonMigrateError:  # nothing was started
            file.unlink()
            raise
        _tell(file, project, asked, say)


def _tell(file: Path, project: Project, asked: Places, say: Callable[[str], None]) -> None:
    """What was seen; a file that says nothing is not kept."""
    if seen := read(file, project.sources).places:
        say(f"values seen at {len(seen)} places of {', '.join(sorted({place.split(':')[0] for place in seen}))}: {file}")
        return
    file.unlink()
    functions = sum(len(lines) for lines in asked.values())
    why = f"none of the {functions} functions before a model ran in a Python that reads PYTHONPATH" if asked else "no model is reached"
    say(f"no values were seen: {why}")
