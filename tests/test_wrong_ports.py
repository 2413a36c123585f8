"""verify finds every one of a set of deliberately wrong ports, and passes the right one, on recorded requests and on some it makes up."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from fixture_folders import tomllib

from triton_migrate import api
from triton_migrate.verify.records import Verification
from triton_migrate.verify.run import verify_port
from triton_migrate.verify.start import Application
from triton_migrate.verify.together import LEAST

HERE = Path(__file__).parent / "wrong_ports"
WRONG: dict[str, list[dict[str, Any]]] = defaultdict(list)
for wrong in tomllib.loads((HERE / "cases.toml").read_text("utf-8"))["port"]:
    WRONG[wrong["run"]].append(wrong)

pytestmark = pytest.mark.triton


def upload(content: bytes, name: str) -> dict[str, Any]:
    boundary = "colours"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return {"method": "POST", "path": "/picture", "headers": headers, "body_b64": b64encode(body).decode()}


def plain(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (6, 5), colour).save(out, "png")
    return out.getvalue()


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The application, its right port, and the requests."""
    folder = tmp_path_factory.mktemp("colours")
    original, port, requests = folder / "original", folder / "port", folder / "requests.jsonl"
    shutil.copytree(HERE / "app", original)
    subprocess.run([sys.executable, HERE / "make_models.py"], cwd=original, check=True)
    shutil.copytree(original, port)
    report = api.apply(port, exports="none", write=True, allow_dirty=True)
    assert [endpoint["port"] and endpoint["port"]["status"] for endpoint in report["endpoints"]] == ["ported"] * 4
    records = [
        *(
            {"id": name, **upload(plain(colour), f"{name}.png"), "infer": True}
            for name, colour in (("red", (230, 40, 10)), ("green", (20, 210, 60)), ("blue", (10, 60, 240)), ("grey", (90, 95, 90)))
        ),
        {"id": "not-a-picture", **upload(b"GIF89a?", "broken.png"), "expect_status": 415},
        {"id": "no-file", "method": "POST", "path": "/picture"},
        {"id": "rows", "method": "POST", "path": "/rows", "json": {"rows": [[0.9, 0.1, 0.2], [0.1, 0.2, 0.8]]}, "infer": True},
        {"id": "other-rows", "method": "POST", "path": "/rows", "json": {"rows": [[0.1, 0.9, 0.1], [0.8, 0.1, 0.1]]}, "infer": True},
        {"id": "one-row", "method": "POST", "path": "/rows", "json": {"rows": [[0.3, 0.3, 0.3]]}, "infer": True},
        {"id": "rank", "method": "POST", "path": "/rank", "json": {"row": [0.8, 0.3, 0.1], "top": 4}, "infer": True},
        {"id": "rank-by-default", "method": "POST", "path": "/rank", "json": {"row": [0.1, 0.2, 0.7]}, "infer": True},
        {"id": "no-number", "method": "POST", "path": "/rank", "json": {"row": [0.1, None, 0.7]}, "expect_status": 500},
        {"id": "lines", "method": "POST", "path": "/lines", "json": {"rows": [[0.9, 0.1, 0.2], [0.2, 0.2, 0.2]]}, "infer": True},
        {"id": "no-rows", "method": "POST", "path": "/rows", "json": {"rows": []}, "expect_status": 422},
    ]
    requests.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return original, port, requests


def verified(trees: tuple[Path, Path, Path], port: Path) -> Verification:
    original, _, requests = trees
    application = Application("flask", "app:app", "wsgi")
    return verify_port(original, port, application, requests, python=Path(sys.executable), say=lambda line: None)


@pytest.mark.parametrize("time", ["once", "twice"])
def test_the_right_port_passes_on_recorded_requests(trees: tuple[Path, Path, Path], time: str) -> None:
    found = verified(trees, trees[1])
    assert [(result.id, str(d)) for result in found.requests for d in result.differences] == []
    assert found.together is not None
    assert (found.together.mixed_up, found.together.left_out, found.together.shown) == ((), (), True)
    assert (found.together.distinct, found.together.equal) == (10, found.together.sent)
    assert found.together.sent >= found.together.clients >= LEAST  # how many clients and turns there is time for is the machine's doing
    assert {check.model: (check.mixed_up, check.why) for check in found.rows} == dict.fromkeys(("judge", "picture", "rows"), ((), ""))
    assert all(check.calls > 1 and check.rows > 1 for check in found.rows)
    assert found.passed


def test_it_passes_on_requests_that_are_made_up(trees: tuple[Path, Path, Path], tmp_path: Path) -> None:
    app, out = tmp_path / "app", tmp_path / "out"
    shutil.copytree(trees[0], app)
    api.apply(app, exports="none", out=out)
    told: list[str] = []
    report = api.verify(app, requests=None, out=out, python=Path(sys.executable), connections=(0,), seconds=1, rounds=1, say=told.append)
    done = report["verification"]
    assert done is not None and done["passed"] and done["equal"] == done["total"] >= 12, told
    rows = {row["entry"]: row for row in done["exercised"]}
    assert rows.keys() == {"POST /picture", "POST /rows", "POST /rank", "POST /lines"}
    assert all(row["answered"] >= 3 and row["refused"] for row in rows.values()), rows
    assert all(request["guessed"] for request in done["requests"]) and any(request["on_triton"] for request in done["requests"])
    assert [endpoint["port"] and endpoint["port"]["proof"] for endpoint in report["endpoints"]] == ["parity"] * 4
    assert {change["proof"] for change in report["changes"] if change["file"].endswith((".py", ".pbtxt"))} == {"parity"}
    assert (out / "generated.jsonl").is_file() and list((out / "samples").glob("*.png"))


@pytest.mark.parametrize("run", WRONG)
def test_wrong_ports_are_found(trees: tuple[Path, Path, Path], tmp_path: Path, run: str) -> None:
    port = tmp_path / "port"
    shutil.copytree(trees[1], port)
    for wrong in WRONG[run]:
        text = (port / wrong["file"]).read_text()
        assert text.count(wrong["find"]) == 1, f"{wrong['name']}: the port no longer reads {wrong['find']!r} once"
        (port / wrong["file"]).write_text(text.replace(wrong["find"], wrong["replace"]))
    found = verified(trees, port)
    alone = {result.id: [d.path for d in result.differences] for result in found.requests}
    among = {(mixed.id, mixed.difference.path) for mixed in found.together.mixed_up} if found.together else set()
    for wrong in WRONG[run]:
        if wrong.get("rows"):
            (check,) = (check for check in found.rows if check.model == wrong["request"])
            assert check.mixed_up and check.rows > 1 and check.mixed_up[0].alone != check.mixed_up[0].batched, wrong["name"]
        elif wrong.get("together"):
            assert alone[wrong["request"]] == [], wrong["name"]
            assert wrong["path"] in {path for _, path in among}, wrong["name"]  # which of them met in a batch is chance
        else:
            assert wrong["path"] in alone[wrong["request"]], wrong["name"]
    assert not found.passed
