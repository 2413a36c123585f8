"""The Python that runs the models: takes an interpreter, gives what the server must know about it, or says why it cannot serve.

The server itself is independent of Python, so the models may run in the app's environment while the server lives in the tool's.
What decides is measured, not documented: Triton's stub was built for NumPy 1 (under NumPy 2 it loads and then corrupts every
tensor), links libpythonX.Y.so.1.0 dynamically (without it a model loads for ever), and starts Python in isolated mode.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.server.wheel import Wheel

_PACKAGES = {"onnxruntime": "onnxruntime", "pytorch": "torch"}  # stand-in backend -> what it imports; that for fil goes by the model

# `-I` as in the stub: no PYTHONPATH, no user site, so that what is seen here is what a model sees.
_PROBE = """
import importlib.util as util, json, sys, sysconfig
try:
    from importlib import metadata
    numpy = metadata.version("numpy")
except ImportError:
    numpy = None
print(json.dumps({
    "executable": sys.executable, "version": "%d.%d" % sys.version_info[:2], "base_prefix": sys.base_prefix, "numpy": numpy,
    "libdir": sysconfig.get_config_var("LIBDIR"), "multiarch": sysconfig.get_config_var("MULTIARCH"),
    "modules": [name for name in ("onnxruntime", "torch") if util.find_spec(name)],
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python. `executable` is what it calls itself, so shims are looked through; `libraries` may hold its libpython."""

    executable: Path
    version: str  # X.Y
    libraries: tuple[Path, ...]
    numpy: str | None
    modules: tuple[str, ...]  # of onnxruntime and torch, those it can import


def default_python(app: Path) -> Path:
    """The interpreter that most likely has the app's packages: APP/.venv, the active environment, else the tool's own."""
    environments = [app / ".venv"]
    if active := os.environ.get("VIRTUAL_ENV"):
        environments.append(Path(active))
    candidates = (environment / "bin" / "python" for environment in environments)
    return next((python for python in candidates if python.is_file()), Path(sys.executable))


def probe(python: Path) -> Interpreter:
    """Ask the interpreter about itself."""
    try:
        answer = subprocess.run([python, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)
        if answer.returncode != 0:
            raise ValueError((answer.stderr.strip() or f"exit status {answer.returncode}").splitlines()[-1])
        facts = json.loads(answer.stdout)
        folders = [facts["libdir"], f"{facts['base_prefix']}/lib", f"{facts['base_prefix']}/lib64"]
        folders += [f"/usr/lib/{facts['multiarch']}", "/usr/local/lib", "/usr/lib64", "/usr/lib"]
        return Interpreter(
            Path(facts["executable"]),
            facts["version"],
            tuple(Path(folder) for folder in dict.fromkeys(folders) if folder),
            facts["numpy"],
            tuple(facts["modules"]),
        )
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as trouble:
        hint = "give the interpreter that has the app's packages: --python PATH"
        raise TritonMigrateError(f"{python} does not work as a Python interpreter: {trouble}", hint=hint) from trouble


def libpython(interpreter: Interpreter) -> Path | None:
    """Folder of the shared library that the stub of this version is linked with."""
    name = f"libpython{interpreter.version}.so.1.0"
    return next((folder for folder in interpreter.libraries if (folder / name).is_file()), None)


def refuse(interpreter: Interpreter, wheel: Wheel, stand_ins: tuple[str, ...] = ()) -> None:
    """Raise, in words, when this interpreter cannot run models, or not the backends that Python stands in for."""
    python = interpreter.executable
    fix = (
        "make one for the models: python3.11 -m venv VENV; VENV/bin/pip install the app's packages and 'numpy<2'; --python VENV/bin/python"
    )
    if interpreter.version not in wheel.stubs:
        message = f"Triton cannot run models on Python {interpreter.version} ({python}); it can on {', '.join(wheel.stubs)}"
        raise TritonMigrateError(message, hint=fix)
    downgrade = fix if interpreter.version == "3.13" else f"{python} -m pip install 'numpy<2'"  # NumPy 1 was never built for 3.13
    if interpreter.numpy is None:
        raise TritonMigrateError(f"{python} has no NumPy, which every Triton model needs", hint=downgrade)
    if int(interpreter.numpy.split(".")[0]) >= 2:
        message = f"{python} has NumPy {interpreter.numpy}; Triton's Python backend corrupts tensors with NumPy 2"
        raise TritonMigrateError(message, hint=downgrade)
    if libpython(interpreter) is None:
        message = f"{python} has no shared library libpython{interpreter.version}.so.1.0, which Triton loads"
        raise TritonMigrateError(message, hint="use a Python built with --enable-shared: the system's (libpython3-dev), uv's, or pyenv's")
    for backend in stand_ins:
        if (module := _PACKAGES.get(backend)) and module not in interpreter.modules:
            message = f"{python} has no {module}, which stands in for Triton's {backend} backend here"
            raise TritonMigrateError(message, hint=f"{python} -m pip install {module}")
