"""Values on their way to Triton and back: which tensor they get, what the codec refuses, how fused objects take many rows at once."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from triton_migrate.generate.templates import render
from triton_migrate.plan.cutting.cut import Crossing
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.plan.values.tensors import pack, tensor, unpack
from triton_migrate.plan.values.vtype import DATA, PLAIN, UNKNOWN, VType
from triton_migrate.port import port
from triton_migrate.study import study


@pytest.fixture(scope="module")
def codec() -> ModuleType:
    module = ModuleType("triton_codec")
    exec(render("triton_codec.py"), module.__dict__)
    return module


TEXT, NUMBERS = VType("str"), VType("list", items=(VType("float"),))
SENT = [
    (TEXT, "STRING", (1,), "text"),
    (VType("bytes"), "STRING", (1,), b"\0\xff\0"),
    (VType("int"), "INT64", (1,), -3),
    (VType("float"), "FP64", (1,), 0.1),
    (VType("bool"), "BOOL", (1,), True),
    (NUMBERS, "FP64", (-1,), [0.1, 2.0]),
    (NUMBERS, "FP64", (-1,), []),
    (VType("list", items=(TEXT,)), "STRING", (-1,), ["a", "", "é\0"]),
    (VType("list", items=(TEXT,)), "STRING", (-1,), []),
    (VType("list", items=(VType("image"),)), "STRING", (-1,), [Image.new("RGB", (2, 3), "red"), Image.new("RGB", (2, 3), "blue")]),
    (VType("array", "float32", 2), "FP32", (-1, -1), np.ones((3, 2), np.float32)),
    (VType("array", "uint8", 4, True), "UINT8", (-1, -1, -1), np.ones((1, 2, 2, 3), np.uint8)),
    (VType("array", "float32", axed=True), "FP32", (-1, -1), np.ones((2, 2, 2), np.float32)),
    (VType("number", "float32"), "FP32", (1,), np.float32(0.1)),
    (VType("number", "int64"), "INT64", (1,), np.int64(7)),
    (PLAIN, "STRING", (1,), None),
    (DATA, "STRING", (1,), {"rows": [[1, 2.5], []]}),
    (VType("array", "float32"), "STRING", (1,), np.float32(0.5)),
    (VType("array", "floating", 1), "STRING", (1,), np.ones(2, np.float16)),
    (UNKNOWN, "STRING", (1,), (1, "two")),
]


@pytest.mark.parametrize(("kind", "dtype", "dims", "value"), SENT)
def test_a_value_comes_back_as_it_was(codec: ModuleType, kind: VType, dtype: str, dims: tuple[int, ...], value: object) -> None:
    made = tensor(Crossing("value", kind), set(), True)
    assert (made.name, made.dtype, made.dims, made.variable) == ("VALUE", dtype, dims, "value")
    sent = eval(pack("value", made, kind), {**codec.__dict__, "value": value})
    assert (len(sent) == 1 and sent.ndim == len(dims) + 1) or kind.axed
    back = eval(unpack("sent", made, kind), {**codec.__dict__, "sent": sent})
    assert type(back) is type(value)
    assert np.array_equal(back, value) and getattr(back, "dtype", None) == getattr(value, "dtype", None)


REFUSED = [
    ("pack", np.ones(2), "FP32", "float64 where config.pbtxt says FP32"),
    ("pack", np.ones(2, np.int64), "FP64", "int64 where config.pbtxt says FP64"),
    ("pack", np.float64(0.5), "FP32", "float64 where"),
    ("pack", 0.1, "FP32", "FP32 cannot hold 0.1"),
    ("pack", 1.5, "INT64", "INT64 cannot hold 1.5"),
    ("pack", 300, "UINT8", "UINT8 cannot hold 300"),
    ("pack", None, "FP64", "FP64 cannot hold None"),
    ("pack", "1.5", "FP64", "FP64 cannot hold '1.5'"),
    ("pack", 3, "STRING", "STRING cannot hold 3"),
    ("pack_rows", np.ones((1, 2)), "FP32", "float64 where config.pbtxt says FP32"),
    ("pack_rows", np.ones((1, 2), object), "FP64", "object where"),
]


@pytest.mark.parametrize(("function", "value", "dtype", "words"), REFUSED)
def test_nothing_is_cut_or_rounded_silently(codec: ModuleType, function: str, value: object, dtype: str, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        getattr(codec, function)(value, dtype)


def test_a_wider_dtype_of_the_same_kind_may_hold_it(codec: ModuleType) -> None:
    assert codec.pack_rows(np.ones((1, 2), np.float16), "FP32").dtype == np.float32
    assert codec.pack(np.uint8(3), "UINT32").tolist() == [[3]]
    assert codec.pack([1, 2], "FP64").tolist() == [[1.0, 2.0]]


def test_pictures_travel_in_a_list_of_their_own_only() -> None:
    pictures = VType("list", items=(VType("image"),))
    assert pictures.travels
    assert [VType(kind, items=(inner,)).travels for kind in ("dict", "tuple", "list") for inner in (VType("image"), pictures)] == [
        False, False, False, False, True, False,
    ]  # fmt: skip


def test_what_is_no_single_number_is_not_taken_for_one(codec: ModuleType) -> None:
    kind = VType("number", "float32")
    made = tensor(Crossing("score", kind), set(), True)
    sent = eval(pack("score", made, kind), {**codec.__dict__, "score": np.ones(3, np.float32)})
    with pytest.raises(ValueError, match="cannot reshape"):
        eval(unpack("sent", made, kind), {"sent": sent})


# ---------------------------------------------------------------- fused objects

APPS = {
    "classify = pipeline('sentiment-analysis')\nrun = lambda text: classify(text)[0]['label']": (
        "[text]", 'classify(batch, batch_size=len(batch))', 'rows["output"]'),
    "classify = pipeline('sentiment-analysis')\nrun = lambda text: classify(text, top_k=None)": None,
    "tag = pipeline('ner', aggregation_strategy='simple')\nrun = lambda text: len(tag(text))": (
        "[text]", 'tag(batch, batch_size=len(batch))', 'rows["output"][0]'),
    "write = pipeline('text-generation')\nrun = lambda text: write(text)[0]['generated_text']": None,
    "model = SentenceTransformer('m')\nrun = lambda text: model.encode(text).tolist()": (
        "[text]", "model.encode(batch)", 'rows["output"][0]'),
    "nlp = spacy.load('m')\nrun = lambda text: nlp(text).to_json()": (
        "[text]", "list(nlp.pipe(batch))", 'rows["output"][0]'),
    "yolo = YOLO('m.pt')\nrun = lambda text: len(yolo(text, conf=0.4)[0].boxes)": (
        "[text]", "yolo(batch, conf=0.4)", 'rows["output"]'),
    "model = whisper.load_model('base')\nrun = lambda text: model.transcribe(text)['text']": None,
}  # fmt: skip
HEAD = """
    import spacy
    import whisper
    from flask import Flask, jsonify, request
    from sentence_transformers import SentenceTransformer
    from transformers import pipeline
    from ultralytics import YOLO

    app = Flask(__name__)
"""
ROUTE = """
    @app.post("/run")
    def handler():
        text = request.form["text"]
        result = {call}
        return jsonify(result=result)
"""


def ported(folder: Path, source: str) -> tuple[PlannedModel, str]:
    """The one model of an app, and its pipeline.py."""
    (folder / "app.py").write_text(source)
    found = study(folder)
    made = port(found, frozenset(p.entry.id for p, _ in found.inferring), "none")
    assert made.not_ported == ()
    (written,) = made.models
    return written.planned, written.served.pipeline


@pytest.mark.parametrize("case", list(APPS))
def test_rows_of_many_requests_go_through_a_fused_object(tmp_path: Path, case: str) -> None:
    load, _, call = case.partition("\nrun = lambda text: ")
    model, pipeline = ported(tmp_path, dedent(HEAD) + load + "\n" + dedent(ROUTE).format(call=call))
    expected = APPS[case]
    assert model.stacked == (expected is not None)
    given, called, taken = expected or ("", "handle(", "")
    assert given in pipeline and called in pipeline and taken in pipeline


def test_fields_of_a_body_are_tensors_of_their_own(tmp_path: Path) -> None:
    source = """
        from fastapi import FastAPI
        from pydantic import BaseModel
        from sentence_transformers import SentenceTransformer

        app = FastAPI()
        model = SentenceTransformer("m")

        class Query(BaseModel):
            texts: list[str]
            lowered: bool = False

        @app.post("/embed")
        def embed(query: Query):
            texts = [t.lower() for t in query.texts] if query.lowered else query.texts
            return {"vectors": model.encode(query.texts).tolist()}
    """
    model, _ = ported(tmp_path, dedent(source))
    assert [(t.name, t.dtype, t.dims, t.provenance) for t, _ in model.inputs] == [("TEXTS", "STRING", (-1,), "declared")]
    assert [(t.dtype, t.dims, t.provenance) for t, _ in model.outputs] == [("FP32", (-1, -1), "inferred")]


def test_optional_fields_and_those_in_a_comprehension_are_tensors_of_their_own(tmp_path: Path) -> None:
    source = """
        from functools import lru_cache

        from fastapi import FastAPI
        from pydantic import BaseModel
        from transformers import pipeline

        app = FastAPI()

        @lru_cache(maxsize=None)
        def tagger():
            return pipeline("ner", aggregation_strategy="simple")

        class Document(BaseModel):
            text: str
            least: float = 0.0
            most: int | None = None

        @app.post("/tag")
        def tag(body: Document):
            found = [e for e in tagger()(body.text.strip()) if e["score"] >= body.least]
            return {"words": [e["word"] for e in found[: body.most]]}
    """
    model, pipeline = ported(tmp_path, dedent(source))
    assert "Document" not in pipeline
    assert {t.name for t, _ in model.inputs} <= {"TEXT", "LEAST", "MOST"}
    assert "model = tagger()" in pipeline, "loaded with the model, not by the first request"


def test_segments_of_speech_are_written_where_they_are_made(tmp_path: Path) -> None:
    """They are objects of the library: what the program does with them as such leaves with the model."""
    source = """
        import json
        from dataclasses import asdict

        from fastapi import FastAPI, UploadFile
        from faster_whisper import WhisperModel

        app = FastAPI()
        speech = WhisperModel("small")

        def as_text(result):
            return json.dumps({**result, "segments": [asdict(segment) for segment in result["segments"]]})

        @app.post("/heard")
        def heard(recording: UploadFile):
            spoken, info = speech.transcribe(recording.file, beam_size=5)
            segments = []
            for segment in spoken:
                segments.append(segment)
            result = {"language": info.language, "segments": segments}
            return {"text": as_text(result)}
    """
    _, pipeline = ported(tmp_path, dedent(source))
    assert "asdict(segment)" in pipeline
