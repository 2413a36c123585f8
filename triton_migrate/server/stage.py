"""The work folder of one run: takes the wheel, the interpreter and the repository, gives what the server is started on.

Three things make a staged copy necessary. The server looks for its Python stub in the backend folder, and the stub finds libpython and
site-packages only through LD_LIBRARY_PATH and the first `python3` on PATH: a script with that name sets both, for the stub alone.
It refuses backend libraries that are symbolic links out of that folder. And models leave `__pycache__` in their folder, while the
user's tree must stay as it is.
"""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.interpreter import Interpreter, libpython
from triton_migrate.server.repository import STAND_INS, RepositoryModel
from triton_migrate.server.wheel import Wheel

_STAND_IN_ROOT = Path(__file__).parent / "standin"
_LARGE = 16 * 2**20  # bytes; weights are shared with the user's tree by a hard link where the file system can


@dataclass(frozen=True, slots=True)
class Stage:
    """Folders handed to the server; all of them below one work folder that the run removes."""

    folder: Path
    backends: Path
    repository: Path
    log: Path


def stage(folder: Path, wheel: Wheel, interpreter: Interpreter, models: tuple[RepositoryModel, ...]) -> Stage:
    """Fill `folder` (empty, existing)."""
    result = Stage(folder, folder / "backends", folder / "repository", folder / "triton.log")
    backend = result.backends / "python"
    backend.mkdir(parents=True)
    for file in ("libtriton_python.so", "triton_python_backend_utils.py"):
        shutil.copyfile(wheel.python_backend / file, backend / file)
    _write_stub(backend / "triton_python_backend_stub", wheel, interpreter, folder / "python")
    for name in {model.backend for model in models} & set(STAND_INS):
        (result.backends / name).mkdir()
        shutil.copyfile(_STAND_IN_ROOT / name / "model.py", result.backends / name / "model.py")
    for model in models:
        target = result.repository / model.name
        try:
            shutil.copytree(model.folder, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=_link_or_copy)
        except OSError as trouble:  # a link to nowhere, a full disk
            raise TritonMigrateError(f"model {model.name} cannot be copied to {target}: {trouble}", file=str(model.folder)) from trouble
    return result


def _write_stub(file: Path, wheel: Wheel, interpreter: Interpreter, aliases: Path) -> None:
    python = interpreter.executable
    programs, library = python.parent, libpython(interpreter)
    namesake = programs / "python3"
    if not (namesake.exists() and namesake.samefile(python)):  # python3.12 beside a python3 that is 3.11
        aliases.mkdir()
        (aliases / "python3").symlink_to(python)
        programs = aliases
    lines = [
        "#!/bin/sh",
        f'PATH={shlex.quote(str(programs))}:"$PATH"',
        f'LD_LIBRARY_PATH={shlex.quote(str(library))}"${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"',
        "export PATH LD_LIBRARY_PATH",
        f'exec {shlex.quote(str(wheel.stub(interpreter.version)))} "$@"',
    ]
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o755)


def _link_or_copy(source: str, target: str) -> None:
    if os.path.getsize(source) >= _LARGE:
        try:
            os.link(os.path.realpath(source), target)
            return
        except OSError:  # another file system
            pass
    shutil.copyfile(source, target)
