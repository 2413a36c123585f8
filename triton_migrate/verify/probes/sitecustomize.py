"""Python imports this before the application's first line: it starts the probes, and then what the machine's own sitecustomize does."""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import triton_migrate_calls  # type: ignore[import-not-found]
import triton_migrate_probes  # type: ignore[import-not-found]

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [place for place in sys.path if os.path.abspath(place) != HERE]
triton_migrate_probes.start(HERE)
triton_migrate_calls.start()
_next = PathFinder.find_spec("sitecustomize", sys.path)
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(module_from_spec(_next))
