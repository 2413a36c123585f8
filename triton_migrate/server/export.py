"""Networks that git does not carry: takes the app and the repository's models, runs the export scripts of those that are missing.

A port ships `triton_serving/export_<model>.py` instead of a binary; it writes the model's folder from the user's artifact, in the user's
environment, and checks its own output. This is the one place where `serve` lets something be written into the app.

A model of the repository whose file is missing cannot be loaded, so its export has to succeed. One that is not in the repository yet
is another matter: until it is, the pipeline that uses it runs the original, so the server starts without it, and says so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.interpreter import Interpreter
from triton_migrate.server.repository import RepositoryModel, location


def export_missing(app: Path, models: tuple[RepositoryModel, ...], interpreter: Interpreter, say: Callable[[str], None]) -> None:
    """Write the missing files of framework models, or raise naming the model and the reason."""
    for model in models:
        for file in model.missing:
            _export(app, model.name, file, interpreter.executable, say)


def export_new(app: Path, interpreter: Interpreter, say: Callable[[str], None]) -> bool:
    """Run the scripts whose model is not in the repository; gives whether one of them is now."""
    done = False
    for script in sorted((app / "triton_serving").glob("export_*.py")):
        name = script.stem.removeprefix("export_")
        if (location(app) / name).exists():
            continue
        say(f"{name}: not exported yet, running {script.relative_to(app)}")
        run = _run(app, script, interpreter.executable)
        if run.returncode == 0 and (location(app) / name / "config.pbtxt").is_file():
            say(run.stdout.strip().splitlines()[-1])
            done = True
        else:
            say(f"{name}: {_last(run)}; its pipeline runs the original, on the Python backend")
    return done


def wired(app: Path, repository: Path, interpreter: Interpreter, say: Callable[[str], None]) -> bool:
    """Let exported networks take the place of their stages in a copy of the repository; gives whether there was something to do."""
    script = app / "triton_serving" / "wiring.py"
    if not script.is_file():
        return False
    run = _run(app, script, interpreter.executable, str(repository))
    if run.returncode != 0:
        raise TritonMigrateError(f"the networks could not be put in the place of their stages: {_last(run)}", file=str(script))
    for line in run.stdout.splitlines():
        say(line)
    return True


def _run(app: Path, script: Path, python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", f"triton_serving.{script.stem}", *arguments]
    try:
        return subprocess.run(command, cwd=app, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    except OSError as trouble:
        raise TritonMigrateError(f"the export of model {script.stem} did not start: {trouble}", file=str(script)) from trouble


def _last(run: subprocess.CompletedProcess[str]) -> str:
    return (run.stderr.strip() or run.stdout.strip() or f"exit status {run.returncode}").splitlines()[-1]


def _export(app: Path, name: str, file: Path, python: Path, say: Callable[[str], None]) -> None:
    script = app / "triton_serving" / f"export_{name}.py"
    if not script.is_file():
        hint = f"put the exported model there, or write {script.relative_to(app)}"
        raise TritonMigrateError(f"model {name} has no {file.name}, and there is no script that exports it", file=str(file), hint=hint)
    say(f"{name}: {file.relative_to(app)} is missing, running {script.relative_to(app)}")
    run = _run(app, script, python)
    hint = f"run it yourself: cd {app} && {python} -m triton_serving.{script.stem}"
    if run.returncode != 0:
        raise TritonMigrateError(f"the export of model {name} failed: {_last(run)}", file=str(script), hint=hint)
    if not file.is_file():
        raise TritonMigrateError(f"the export of model {name} ended well but wrote no {file.relative_to(app)}", file=str(script), hint=hint)
