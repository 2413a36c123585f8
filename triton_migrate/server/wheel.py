"""Where the real Triton server comes from: takes the tool's own environment, gives the paths inside the PyPI wheel nvidia-pytriton.

The wheel is an optional extra (`triton-migrate[triton]`), so nothing of it is imported here; it is only located. It brings the
server, the Python backend, one stub per Python version and the local response cache, and runs without an installation.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError

MACHINES = ("x86_64", "aarch64")
OLDEST_GLIBC = (2, 35)


@dataclass(frozen=True, slots=True)
class Wheel:
    """Folders and files of the unpacked wheel. `stubs` are the Python versions it can run models with."""

    server: Path
    python_backend: Path
    caches: Path
    stub_root: Path
    stubs: tuple[str, ...]

    def stub(self, version: str) -> Path:
        return self.stub_root / version / "triton_python_backend_stub"


def locate() -> Wheel:
    """The wheel in this environment, or an error that says what is missing."""
    _refuse_platform()
    spec = importlib.util.find_spec("pytriton")
    if spec is None or not spec.submodule_search_locations:
        raise TritonMigrateError(
            f"there is no Triton server in this environment ({sys.prefix})", hint="pip install 'triton-migrate[triton]' (Python 3.10-3.12)"
        )
    root = Path(spec.submodule_search_locations[0], "tritonserver").resolve()
    server = root / "bin" / "tritonserver"
    if not server.is_file():
        raise TritonMigrateError(f"the package pytriton has no server at {server}", hint="pip install --force-reinstall nvidia-pytriton")
    stub_root = root / "python_backend_stubs"
    versions = sorted((f.parent.name for f in stub_root.glob("*/triton_python_backend_stub")), key=_numbers)
    return Wheel(server, root / "backends" / "python", root / "caches", stub_root, tuple(versions))


def _refuse_platform() -> None:
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise TritonMigrateError(
            f"the Triton server runs on Linux (x86_64, aarch64) only, this is {platform.system()} {platform.machine()}",
            hint="run the generated triton_serving/docker-compose.yml instead",
        )
    library, version = platform.libc_ver()
    if library == "glibc" and _numbers(version) < OLDEST_GLIBC:
        raise TritonMigrateError(
            f"the Triton server needs glibc 2.35 or newer, this system has {version}", hint="use Docker, or a newer Linux"
        )
    if library != "glibc":
        raise TritonMigrateError("the Triton server needs a Linux with glibc", hint="use Docker, or a Linux such as Debian or Ubuntu")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
