"""Where a pipeline is cut, and why: streams, cuts that are asked for, several cuts; by what `apply` plans for small applications."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from triton_migrate import api
from triton_migrate.generate.soundness import unbound, undefined

HEAD = """\
import json
from threading import Thread

import joblib
import numpy as np
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer

app = FastAPI()
classifier = joblib.load("classifier.joblib")
scaler = joblib.load("scaler.joblib")
tokenizer = AutoTokenizer.from_pretrained("tiny")
writer = AutoModelForCausalLM.from_pretrained("tiny")


class Item(BaseModel):
    text: str
    rows: list[list[float]]


"""


def planned(code: str, folder: Path, **how: Any) -> tuple[Any, str]:
    """The report, and the application's file as it would be."""
    app = folder / "app"
    app.mkdir()
    (app / "main.py").write_text(HEAD + dedent(code))
    report = api.apply(app, out=folder / "out", write=True, **how)
    return report, (app / "main.py").read_text()


def configured(folder: Path, model: str) -> str:
    return (folder / "app" / "triton_serving" / "model_repository" / model / "config.pbtxt").read_text()


def pipeline(folder: Path, model: str) -> str:
    return (folder / "app" / "triton_serving" / "model_repository" / model / "1" / "pipeline.py").read_text()


WRITTEN = '''\
def written(text: str, length: int):
    """Piece by piece."""
    inputs = tokenizer(text, return_tensors="pt")
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
    thread = Thread(target=writer.generate, kwargs=dict(inputs, streamer=streamer, max_new_tokens=length))
    thread.start()
    for piece in streamer:
        yield piece
    thread.join()


@app.post("/write")
def write(item: Item, length: int = 20):
    return StreamingResponse(written(item.text, length))
'''


def test_a_generator_becomes_a_decoupled_model(tmp_path: Path) -> None:
    report, port = planned(WRITTEN, tmp_path)
    assert report["not_ported"] == []
    assert (
        '''def written(text: str, length: int):
    """Piece by piece."""
    return triton.stream(
        "written",
        "PIECE",
        triton.unpack_text,
        LENGTH=triton.pack(length, "INT64"),
        TEXT=triton.pack(text, "STRING"),
    )
'''
        in port
    )
    config = configured(tmp_path, "written")
    assert "max_batch_size: 0\n" in config and "model_transaction_policy { decoupled: true }\n" in config
    assert 'parameters { key: "streams" value { string_value: "16" } }\n' in config
    moved = pipeline(tmp_path, "written")
    assert "def handle(length, text):" in moved and "        yield piece\n    thread.join()\n" in moved
    assert 'yield {"PIECE": pack(piece, "STRING")}' in moved


def test_an_iterator_that_a_thread_fills_crosses_as_a_stream(tmp_path: Path) -> None:
    code = """\
    @app.post("/write")
    async def write(item: Item):
        given = tokenizer([item.text], return_tensors="pt")
        streamer = TextIteratorStreamer(tokenizer)
        Thread(target=writer.generate, kwargs={**given, "streamer": streamer, "max_new_tokens": 20}).start()

        async def events():
            for piece in streamer:
                yield f"data: {json.dumps(piece)}\\n\\n"

        return StreamingResponse(events(), media_type="text/event-stream")
    """
    report, port = planned(code, tmp_path)
    assert report["not_ported"] == []
    assert "streamer = triton.stream(" in port and "for piece in streamer:" in port and "Thread" not in port
    assert "    yield from streamer\n" in pipeline(tmp_path, "write")


def test_coroutines_stay_coroutines_and_the_check_for_the_client_goes(tmp_path: Path) -> None:
    code = """\
    import asyncio


    @app.post("/scores")
    async def scores(item: Item, request: Request):
        async def lines():
            total = np.zeros(2)
            for row in item.rows:
                if await request.is_disconnected():
                    break
                total = total + classifier.predict_proba(scaler.transform([row + total.tolist()]))[0]
                yield json.dumps(total.tolist()) + "\\n"
                await asyncio.sleep(0)

        return StreamingResponse(lines())
    """
    report, port = planned(code, tmp_path)
    assert report["not_ported"] == []
    assert "    def lines():\n        return triton.stream(" in port
    moved = pipeline(tmp_path, "scores_lines")
    assert "async def handle(item):" in moved and "    async for piece in handle(" in moved
    assert "is_disconnected" not in moved and "# when the client has left, model.py closes this generator" in moved
    assert "parameters" not in configured(tmp_path, "scores_lines"), "one event loop, as many streams as there are"


PROGRESS = """\
@app.post("/progress")
def progress(item: Item):
    def lines():
        yield json.dumps({"total": len(item.rows)}) + "\\n"
        for number, row in enumerate(item.rows):
            label = int(classifier.predict(scaler.transform([row]))[0])
            yield json.dumps({"row": number, "label": label}) + "\\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
"""


def test_rows_that_do_not_need_each_other_are_asked_for_one_by_one_and_stacked(tmp_path: Path) -> None:
    report, port = planned(PROGRESS, tmp_path)
    assert report["not_ported"] == [] and "triton.infer(" in port and "triton.stream(" not in port
    assert "dynamic_batching { }" in configured(tmp_path, "progress_lines")


def test_the_whole_pipeline_when_asked_for(tmp_path: Path) -> None:
    report, port = planned(PROGRESS, tmp_path, cut="pipeline")
    assert report["not_ported"] == [] and "        yield from triton.stream(" in port
    assert "asked for with --cut pipeline" in " ".join(configured(tmp_path, "progress_lines").replace("# ", "").split())


SCALED = """\
@app.post("/label")
def label(item: Item):
    rows = np.array(item.rows)
    scaled = np.asarray(scaler.transform(rows), dtype=np.float64)
    labels = classifier.predict(scaled)
    return {"labels": labels.tolist()}
"""


SCALED_ROW_BY_ROW = """\
@app.post("/label")
def label(item: Item):
    rows = np.array(item.rows)
    first = np.asarray(scaler.transform(rows[:1]), dtype=np.float64)
    second = np.asarray(scaler.transform(rows[1:2]), dtype=np.float64)
    third = np.asarray(scaler.transform(rows[2:3]), dtype=np.float64)
    rest = np.asarray(scaler.transform(rows[3:]), dtype=np.float64)
    scaled = np.concatenate([first, second, third, rest])
    labels = classifier.predict(scaled)
    return {"labels": labels.tolist()}
"""


def test_a_reason_names_the_first_places_and_says_that_there_are_more(tmp_path: Path) -> None:
    planned(SCALED_ROW_BY_ROW, tmp_path)
    why = " ".join(configured(tmp_path, "label").replace("# ", "").split())
    assert "scikit-learn would stay in the app for main.py:26, main.py:27, main.py:28 and more;" in why


def test_only_the_predict_call_when_asked_for(tmp_path: Path) -> None:
    report, port = planned(SCALED, tmp_path)
    assert report["not_ported"] == [] and "scaler" not in port
    why = " ".join(configured(tmp_path, "label").replace("# ", "").split())
    assert "with the predict call alone scikit-learn would stay in the app for main.py:26" in why
    assert "what needs nothing of the model stays (main.py:25, main.py:28)" in why

    (tmp_path / "again").mkdir()
    report, port = planned(SCALED, tmp_path / "again", cut="model")
    assert report["not_ported"] == []
    assert (
        'scaler = joblib.load("scaler.joblib")' in port
        and "scaler.transform(rows)" in port
        and "classifier" not in port.replace('"classifier"', "")
    )


GATHERED = """\
import asyncio


@app.post("/both")
async def both(row: list[float], other: list[float]):
    await asyncio.sleep(0)
    one, two = await asyncio.gather(asyncio.to_thread(classifier.predict, [row]), asyncio.to_thread(classifier.predict, [other]))
    return {"one": one.tolist(), "two": two.tolist()}
"""


@pytest.mark.parametrize(
    ("how", "code", "reason", "line", "fix"),
    [
        (
            {"cut": "model"},
            WRITTEN,
            "only the predict call was to leave, but something else calls writer.generate",
            27,
            "call it in a statement of its own",
        ),
        (
            {},
            GATHERED,
            "the statement that runs the model also waits for something",
            29,
            "await into a variable first",
        ),
    ],
    ids=["no row to send", "what a thread does is handed on"],
)
def test_what_cannot_be_cut_is_said_with_its_place(
    how: dict[str, Any], code: str, reason: str, line: int, fix: str, tmp_path: Path
) -> None:
    report, _ = planned(code, tmp_path, **how)
    (refused,) = report["not_ported"]
    assert refused["reason"].startswith(reason) and (refused["file"], refused["line"]) == ("main.py", line)
    assert refused["fix"] and refused["fix"].startswith(fix)


@pytest.mark.parametrize(
    ("code", "reason", "line"),
    [
        (
            '@app.websocket("/ws")\nasync def ws(socket: WebSocket):\n    await socket.accept()\n    text = await socket.receive_text()\n'
            '    ids = tokenizer(text, return_tensors="pt").input_ids\n    for _ in range(9):\n'
            "        ids = writer.generate(ids, max_new_tokens=1)\n        await socket.send_text(tokenizer.decode(ids[0, -1]))\n",
            "each round of the loop that runs the model needs ids of the round before, whose type is not known",
            29,
        ),
        (
            '@app.post("/log")\ndef log(item: Item):\n    def lines():\n        ids = tokenizer(item.text, return_tensors="pt").input_ids\n'
            "        for _ in range(9):\n            ids = writer.generate(ids, max_new_tokens=1)\n"
            "            open('log.txt', 'a').write('next')\n            yield tokenizer.decode(ids[0, -1])\n\n"
            "    return StreamingResponse(lines())\n",
            "the loop that runs the model writes a file",
            29,
        ),
    ],
    ids=["websocket", "lasting effect"],
)
def test_where_nothing_around_the_model_can_leave_it_is_served_by_itself(code: str, reason: str, line: int, tmp_path: Path) -> None:
    report, port = planned(code, tmp_path)
    (served,) = report["served_models"]
    assert report["not_ported"] == [] and served["why"].startswith(f"{reason} (main.py:{line}); so the model is served by itself")
    assert re.search(r"triton_models\.tiny\.(awaited\.)?generate\(ids, max_new_tokens=1\)", port)


def test_the_request_stays_also_by_the_name_of_its_module(tmp_path: Path) -> None:
    """The bytes of the upload cross, neither the request nor the `BytesIO` around them."""
    code = """
        import io

        import flask
        from PIL import Image

        web = flask.Flask(__name__)

        @web.route("/digit", methods=["POST"])
        def digit():
            image = Image.open(io.BytesIO(flask.request.files["image"].read())).convert("L").resize((8, 8))
            pixels = np.asarray(image, dtype=np.float32).reshape(1, -1)
            return flask.jsonify(digit=int(classifier.predict(pixels)[0]))
    """
    _, text = planned(code, tmp_path)
    assert 'IMAGE=triton.pack(flask.request.files["image"].read(), "STRING")' in text
    moved = pipeline(tmp_path, "digit")
    assert "flask" not in moved and "Image.open(io.BytesIO(" in moved


def test_a_camera_stays_and_nothing_crosses_that_is_not_there_yet(tmp_path: Path) -> None:
    code = """
        import cv2

        camera = cv2.VideoCapture(0)

        def frames():
            while True:
                found, frame = camera.read()
                for x, y in [(0, 0), (8, 8)]:
                    part = np.asarray(frame[y : y + 8, x : x + 8, 0], dtype=np.float64).reshape(1, -1)
                    label = str(classifier.predict(part)[0])
                    cv2.putText(frame, label, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 255, 0), 2)
                yield cv2.imencode(".jpg", frame)[1].tobytes()

        @app.get("/video")
        def video():
            return StreamingResponse(frames())
    """
    _, text = planned(code, tmp_path)
    assert "camera.read()" in text
    if "triton.infer(" in text or "triton.stream(" in text:
        assert "pack_json(part)" not in text and "pack_json(label)" not in text and "pack_json(camera" not in text


def test_the_path_of_the_file_itself_in_an_f_string(tmp_path: Path) -> None:
    """Before Python 3.12 an f-string ends at its own quote, so the path gets a name."""
    code = """
        import os

        def load():
            return joblib.load(f"{os.path.dirname(__file__)}/other.joblib")

        other = load()

        @app.post("/other")
        def ask(item: Item):
            return {"label": str(other.predict(np.array(item.rows))[0])}
    """
    planned(code, tmp_path)
    (model,) = (tmp_path / "app" / "triton_serving" / "model_repository").iterdir()
    moved = pipeline(tmp_path, model.name)
    compile(moved, "pipeline.py", "exec")
    assert 'FILE = str(APP_ROOT / "main.py")' in moved and 'f"{os.path.dirname(FILE)}/other.joblib"' in moved


CALLS_ITSELF = """import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.joblib")


def place(name, number=0):
    if number < 3:
        return place(f"{name}{number}", number + 1)
    return name


@app.post("/predict")
def predict():
    row = request.get_json()["row"]
    with open(place("row"), "w") as out:
        out.write(str(row))
    return jsonify(label=int(model.predict(np.array([row]))[0]))
"""


def test_a_function_that_calls_itself_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CALLS_ITSELF)
    report = api.apply(tmp_path, out=tmp_path / "out")
    assert [e["port"] and e["port"]["status"] for e in report["endpoints"]] == ["ported"]


def test_a_value_is_not_named_like_the_function_that_makes_it(tmp_path: Path) -> None:
    code = """
        def heat(model, rows):
            return [float(model.predict_proba(rows)[0][0])]

        @app.post("/explained")
        def explained(item: Item):
            rows = np.array(item.rows, dtype=np.float64)
            answer = {"label": str(classifier.predict(rows)[0])}
            answer["heat"] = heat(classifier, rows)
            return answer
    """
    planned(code, tmp_path)
    for model in (tmp_path / "app" / "triton_serving" / "model_repository").iterdir():
        assert "heat = heat(" not in pipeline(tmp_path, model.name)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("model = model\n    return model", ("model",)),
        ("global model\n    model = model\n    return model", ()),
        ("if x:\n        y = 1\n    return y", ()),
        ("rows = [y for y in x]\n    y = rows\n    return y", ()),
        ("y = y + x\n    return y", ("y",)),
    ],
)
def test_locals_that_are_read_too_early(body: str, names: tuple[str, ...]) -> None:
    assert unbound(f"model = y = 1\n\n\ndef handle(x):\n    {body}\n") == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(x: A, *y: B) -> (\n    C\n):\n    z: D = x\n    return z, w\n", ("w",)),
        ("class A:\n    x: B\n    y: (\n        C\n    ) = D\n\n    def g(self):\n        self.z: E = x\n", ("D", "x")),
        ("def f():\n    global count\n    count = [c for c in range(3)]\n\n\nprint(count, é)\n", ("é",)),
        ("from somewhere import *\nprint(anything)\n", ()),
        ("", ()),
    ],
)
def test_names_that_nothing_defines(text: str, names: tuple[str, ...]) -> None:
    assert undefined(text) == names
