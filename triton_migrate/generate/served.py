"""What the generated files must know about the application whose models are served: how it starts and what it installs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triton_migrate.entries.started import Beside
from triton_migrate.plan.around.queues import QueueRow

PYTRITON = "nvidia-pytriton>=0.7,<0.8"  # brings Triton 2.51 and its clients, and needs numpy<2
CLIENT = "tritonclient[grpc,http]"  # [all] would add CUDA bindings


@dataclass(frozen=True, slots=True)
class ServedApp:
    """The application that asks Triton.

    `target` is what its server is told to run (`imgsvc.main:app`); with `factory` the name is a function that makes the application.
    `manifest` is its requirements file relative to the root, "" if it has none: then `packages` are installed.
    """

    name: str
    target: str
    server: Literal["asgi", "wsgi"]
    factory: bool
    packages: tuple[str, ...]
    frameworks: tuple[str, ...]  # of its models, for the reader
    manifest: str = ""
    script: str = ""  # what a person starts instead of a server
    beside: Beside = Beside()  # noqa: RUF009 - it is frozen
    gpus: int = 0  # how many a machine needs, for the numbers that the application says
    visible: tuple[str, str] = ("", "")  # CUDA_VISIBLE_DEVICES as the application sets it, and where
    direct: tuple[tuple[str, str], ...] = ()  # tasks that a route runs itself, and where
    queued: tuple[QueueRow, ...] = ()  # what queues are told about tasks that ask Triton now
    http_errors: bool = False  # something answers what routes raise before the application does, and knows HTTP's own exceptions only

    def command(self, port: int) -> str:
        """How a production server starts it on `port`."""
        if self.script:
            return f"python {self.script}"
        if self.server == "asgi":
            return f"uvicorn {self.target} {'--factory ' if self.factory else ''}--host 0.0.0.0 --port {port}"
        target = f"'{self.target}()'" if self.factory else self.target
        return f"gunicorn -w 1 --threads 16 -b 0.0.0.0:{port} {target}"

    @property
    def install(self) -> str:
        """Arguments of `pip install`: the application's, a server, which development setups often lack, and what `client.py` needs."""
        own = f"-r {self.manifest}" if self.manifest else " ".join(f"'{package}'" for package in self.packages)
        if self.script:
            return f"{own} '{CLIENT}'"
        return f"{own} {'uvicorn' if self.server == 'asgi' else 'gunicorn'} '{CLIENT}'"
