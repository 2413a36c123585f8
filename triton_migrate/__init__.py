"""Port Flask, FastAPI and Celery apps that serve models to NVIDIA Triton, and prove the port."""

__version__ = "0.1.0"  # the build reads it here: asking the installed metadata takes as long as reading a cached rulebook
