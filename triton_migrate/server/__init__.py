"""Serving: takes a ported app, gives its models on the real Triton server, in the foreground or for the duration of a `with`."""

from triton_migrate.server.foreground import serve
from triton_migrate.server.interpreter import default_python
from triton_migrate.server.launch import running
from triton_migrate.server.repository import location
from triton_migrate.server.triton import ModelStatistics, Ports, Triton

__all__ = ["ModelStatistics", "Ports", "Triton", "default_python", "location", "running", "serve"]
