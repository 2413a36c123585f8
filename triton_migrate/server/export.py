"""Model files that git does not carry: takes the repository's models, runs the export scripts of those whose file is missing.

A port ships `triton_serving/export_<model>.py` instead of a binary; it writes the file from the user's artifact, in the user's
environment, and checks its own output. This is the one place where `serve` lets something be written into the app.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.interpreter import Interpreter
from triton_migrate.server.repository import RepositoryModel


def export_missing(app: Path, models: tuple[RepositoryModel, ...], interpreter: Interpreter, say: Callable[[str], None]) -> None:
    """Write the missing files of framework models, or raise naming the model and the reason."""
    for model in models:
        for file in model.missing:
            _export(app, model.name, file, interpreter.executable, say)


def _export(app: Path, name: str, file: Path, python: Path, say: Callable[[str], None]) -> None:
    script = app / "triton_serving" / f"export_{name}.py"
    if not script.is_file():
        hint = f"put the exported model there, or write {script.relative_to(app)}"
        raise TritonMigrateError(f"model {name} has no {file.name}, and there is no script that exports it", file=str(file), hint=hint)
    say(f"{name}: {file.relative_to(app)} is missing, running {script.relative_to(app)}")
    command = [str(python), "-m", f"triton_serving.{script.stem}"]
    try:
        run = subprocess.run(command, cwd=app, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    except OSError as trouble:
        raise TritonMigrateError(f"the export of model {name} did not start: {trouble}", file=str(script)) from trouble
    hint = f"run it yourself: cd {app} && {python} -m triton_serving.{script.stem}"
    if run.returncode != 0:
        last = (run.stderr.strip() or run.stdout.strip() or f"exit status {run.returncode}").splitlines()[-1]
        raise TritonMigrateError(f"the export of model {name} failed: {last}", file=str(script), hint=hint)
    if not file.is_file():
        raise TritonMigrateError(f"the export of model {name} ended well but wrote no {file.relative_to(app)}", file=str(script), hint=hint)
