"""Runs a script as its user does, `python app.py`, but on the host and port that are asked for: `python byhand.py HOST PORT SCRIPT`.

Runs in the interpreter that has the app's packages, so it imports nothing of this tool. The main part of such a script loads the models
and then serves with a port of its own; only that port is changed, and reloaders, which would start it twice, stay off.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any


def main(host: str, port: int, script: str) -> None:
    """Never returns while the script serves."""
    for module, name, serve_at in (
        ("werkzeug.serving", "run_simple", _werkzeug),
        ("uvicorn", "Config", _uvicorn),
        ("gevent.pywsgi", "WSGIServer", _gevent),
        ("waitress", "serve", _waitress),
    ):
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            serving = importlib.import_module(module)
            setattr(serving, name, serve_at(getattr(serving, name), host, port))
    sys.argv = [script]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")


def _werkzeug(run_simple: Callable[..., Any], host: str, port: int) -> Callable[..., Any]:
    def serve(hostname: str, port_: int, application: Any, **options: Any) -> None:
        run_simple(host, port, application, threaded=options.get("threaded", True))

    return serve


def _uvicorn(config: type[Any], host: str, port: int) -> type[Any]:
    class Config(config):  # type: ignore[misc]
        def __init__(self, app: Any, **options: Any) -> None:
            fixed = {"host": host, "port": port, "reload": False, "workers": 1, "log_level": "warning"}
            super().__init__(app, **{**options, **fixed})

    main = importlib.import_module("uvicorn.main")
    main.Config = Config  # type: ignore[attr-defined]
    return Config


def _gevent(server: type[Any], host: str, port: int) -> type[Any]:
    class WSGIServer(server):  # type: ignore[misc]
        def __init__(self, listener: Any, *rest: Any, **options: Any) -> None:
            super().__init__((host, port), *rest, **options)

    return WSGIServer


def _waitress(serve: Callable[..., Any], host: str, port: int) -> Callable[..., Any]:
    @functools.wraps(serve)
    def served(application: Any, **options: Any) -> Any:
        own = {name: value for name, value in options.items() if name not in ("listen", "unix_socket")}
        return serve(application, **{**own, "host": host, "port": port})

    return served


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
