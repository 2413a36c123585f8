"""Takes the files of a port, gives what Triton would refuse of its model repository: such a repository is not written."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from triton_migrate.changes import NewFile
from triton_migrate.check import Problem, check

REPOSITORY = PurePosixPath("triton_serving/model_repository")


def refused(files: tuple[NewFile, ...]) -> tuple[Problem, ...]:
    """By the rules of `triton-migrate check`; the first part of a problem's file is the model."""
    inside = [(PurePosixPath(f.path).relative_to(REPOSITORY), f.text) for f in files if PurePosixPath(f.path).is_relative_to(REPOSITORY)]
    if not inside:
        return ()
    with tempfile.TemporaryDirectory(prefix="triton-migrate-check-") as folder:
        for path, text in inside:
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return tuple(problem for problem in check(Path(folder)) if problem.severity == "error")
