"""Port Flask, FastAPI and Celery apps that serve models to NVIDIA Triton, and prove the port."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("triton-migrate")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
