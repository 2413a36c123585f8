"""Takes an app's folder and its requests, gives the answers: run in a process of its own, as an app holds its model in its modules."""

from __future__ import annotations

import base64
import importlib
import io
import logging
import os
import re
import runpy
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

HEAVY = ("sklearn", "torch", "onnxruntime", "joblib")
PICTURE = re.compile(r"(png|jpg)(64)?:(\d+)x(\d+):(\d+)")


def answers(sending: Connection, folder: Path, case: dict[str, Any], url: str, prepare: Path | None, together: int) -> None:
    """In a child process: make the models if asked to, start the app in `folder`, send status and body of each request.

    With `together`, the case's `stacked` requests (by place) are then asked by that many clients at once.
    """
    logging.disable(logging.CRITICAL)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ.pop("TRITON_URL", None)
    if url:
        os.environ["TRITON_URL"] = url
    if prepare is not None:
        runpy.run_path(str(prepare), run_name="__main__")
    module, _, name = case["target"].partition(":")
    application = getattr(importlib.import_module(module), name)
    ask = _flask if type(application).__module__.startswith("flask") else _fastapi
    alone = ask(application, case["requests"])
    heavy = [package for package in HEAVY if package in sys.modules]
    if together:
        again = [case["requests"][place] for place in case["stacked"]]
        with ThreadPoolExecutor(together) as pool:
            alone += [reply for replies in pool.map(lambda _: ask(application, again), range(together)) for reply in replies]
    sending.send((alone, heavy))


def _flask(application: Any, requests: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    client = application.test_client()

    def ask(request: dict[str, Any]) -> tuple[int, Any]:
        sent: dict[str, Any] = {key: request[key] for key in ("json", "data", "headers") if key in request}
        if "form" in request or "files" in request:
            sent["data"] = dict(request.get("form", {}))
            sent["data"].update({k: (io.BytesIO(body), name) for k, (name, body) in _files(request).items()})
        reply = client.open(request["path"], method=request["method"], **sent)
        body = reply.get_data().decode(errors="backslashreplace")
        return reply.status_code, reply.get_json(silent=True) if reply.is_json else body

    return [ask(_pictured(request)) for request in requests]


def _fastapi(application: Any, requests: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    from fastapi.testclient import TestClient

    def ask(client: TestClient, request: dict[str, Any]) -> tuple[int, Any]:
        sent: dict[str, Any] = {key: request[key] for key in ("json", "headers") if key in request}
        sent |= {"content": request["data"]} if "data" in request else {}
        sent |= {"data": request["form"]} if "form" in request else {}
        sent |= {"files": _files(request)} if "files" in request else {}
        reply = client.request(request["method"], request["path"], **sent)
        is_json = reply.headers.get("content-type", "").startswith("application/json")
        return reply.status_code, reply.json() if is_json else reply.text

    with TestClient(application, raise_server_exceptions=False) as client:
        return [ask(client, _pictured(request)) for request in requests]


def _files(request: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
    """`png:WIDTHxHEIGHT:SEED` is a picture, `text:NAME` a file that is none."""

    def file(spec: str) -> tuple[str, bytes]:
        return (f"picture.{spec[:3]}", _picture(spec)) if PICTURE.fullmatch(spec) else (spec.removeprefix("text:"), b"no picture")

    return {name: file(spec) for name, spec in request.get("files", {}).items()}


def _pictured(request: dict[str, Any]) -> dict[str, Any]:
    """`png64:...` anywhere in the JSON becomes that picture in base64."""
    return {**request, "json": _mapped(request["json"], _in_base64)} if "json" in request else request


def _in_base64(text: str) -> str:
    prefix, _, spec = text.rpartition(",")
    found = PICTURE.fullmatch(spec)
    picture = base64.b64encode(_picture(spec)).decode() if found and found[2] else spec
    return f"{prefix},{picture}" if prefix else picture


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _picture(spec: str) -> bytes:
    import numpy as np
    from PIL import Image

    found = PICTURE.fullmatch(spec)
    assert found is not None, spec
    width, height, seed = map(int, found.group(3, 4, 5))
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG" if found[1] == "png" else "JPEG")
    return written.getvalue()
