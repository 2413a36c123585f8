"""Requests that verify makes up: samples that are what they say, schemas from all that is known, and the original as the judge."""

from __future__ import annotations

import csv
import io
import json
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from triton_migrate.base import TritonMigrateError
from triton_migrate.report.asking import routes
from triton_migrate.report.document import Report
from triton_migrate.verify.candidates import Candidate, candidates, record, wrong
from triton_migrate.verify.drawn import drawn
from triton_migrate.verify.generated import generate
from triton_migrate.verify.learned import Learned
from triton_migrate.verify.records import Exercised
from triton_migrate.verify.requests import read_requests
from triton_migrate.verify.samples import picture, sound, table
from triton_migrate.verify.shapes import fit, guessed, typed
from triton_migrate.verify.start import Application
from triton_migrate.verify.told import Field, Route, declared, document_of, forms, with_forms

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "bounds": {"type": "number", "exclusiveMinimum": 20, "maximum": 30},
    "whole": {"type": "integer", "minimum": 7, "maximum": 9},
    "choice": {"enum": ["a", "b"]},
    "rows": {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}, "minItems": 1},
    "maybe": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 5}]},
    "nested": {"type": "object", "properties": {"id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}}},
    "long": {"type": "string", "minLength": 90, "maxLength": 100},
}


# ---------------------------------------------------------------- values


def test_samples_are_what_they_say_and_differ() -> None:
    with Image.open(io.BytesIO(picture(1).content)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (96, 96))
        image.verify()
    with wave.open(io.BytesIO(sound(1).content)) as audio:
        assert (audio.getframerate(), audio.getnchannels(), audio.getnframes()) == (16_000, 1, 8_000)
    assert [len(row) for row in csv.reader(io.StringIO(table(1, ["x", "y"]).content.decode()))] == [2, 2, 2, 2]
    assert picture(1) == picture(1) and len({picture(n).content for n in range(4)}) == 4
    assert len({sound(n).content for n in range(4)}) == 4


@pytest.mark.parametrize("name", SCHEMAS)
def test_values_fit_their_schema(name: str) -> None:
    check = Draft202012Validator(SCHEMAS[name]).validate
    for number in range(4):
        check(fit(SCHEMAS[name], name, number))
    found = drawn({name: (name, SCHEMAS[name])}, 4, frozenset())
    assert len(found) >= 2 and found == drawn({name: (name, SCHEMAS[name])}, 4, frozenset())
    for values in found:
        check(values[name])


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("int", {"type": "integer", "minimum": 1, "maximum": 5}),
        ("list[list[float]]", {"type": "array", "minItems": 2, "maxItems": 4}),
        ("Literal['a', 'b']", {"enum": ["a", "b"]}),
        ("Optional[bool]", {"type": "boolean"}),
        ("None | bool", {"type": "boolean"}),
        ("UploadFile", None),
        ("not python(", None),
    ],
)
def test_types_as_written(text: str, schema: dict[str, Any] | None) -> None:
    found = typed(text)
    assert found == schema or (found is not None and schema is not None and schema.items() <= found.items())


def test_names_say_what_to_expect() -> None:
    kinds = {
        name: guessed(name)
        for name in ("imageBase64", "review_text", "sentences", "top_k", "features", "hue", "audio_file", "callback_url")
    }
    assert [kind.get("format") or kind["type"] for kind in kinds.values()] == [
        "image", "string", "array", "integer", "array", "number", "audio", "uri",
    ]  # fmt: skip
    assert (guessed("photo", file=True)["format"], guessed("upload", file=True)["format"], guessed("csv_file", file=True)["format"]) == (
        "image", "image", "table",
    )  # fmt: skip


# ---------------------------------------------------------------- what the original says


def test_an_openapi_document_names_the_fields() -> None:
    wind = {
        "type": "object",
        "required": ["speed"],
        "properties": {"speed": {"type": "number", "maximum": 9}, "gust": {"$ref": "#/x/gust"}},
    }
    upload = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}, "top": {"type": "integer"}},
    }
    text = json.dumps({
        "x": {"wind": wind, "gust": {"type": "boolean"}, "loop": {"items": {"$ref": "#/x/loop"}}},
        "paths": {
            "/wind/{place}": {
                "parameters": [{"name": "place", "in": "path", "required": True, "schema": {"type": "string"}}],
                "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x/wind"}}}}},
            },
            "/picture": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": upload}}}}},
            "/loop": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x/loop"}}}}}},
        },
    })  # fmt: skip
    document = document_of(text.encode())
    seen = declared(Route("POST /wind/<place>", "POST", "/wind/<place>", True, (Field("(body)", "json", None),)), document)
    assert [(f.name, f.source, f.required) for f in seen.fields] == [
        ("place", "path", True),
        ("speed", "json", True),
        ("gust", "json", False),
    ]
    assert [f.schema for f in seen.fields[1:]] == [{"type": "number", "maximum": 9}, {"type": "boolean"}]
    seen = declared(Route("POST /picture", "POST", "/picture", True, ()), document)
    assert [(f.name, f.source, f.required) for f in seen.fields] == [("file", "file", True), ("top", "form", False)]
    assert [f.name for f in declared(Route("POST /loop", "POST", "/loop", True, ()), document).fields] == ["(body)"]
    assert declared(Route("GET /", "GET", "/", True, ()), document).fields == ()
    assert document_of(b"<html>") == document_of(b"[1]") == {}


def test_a_form_names_its_fields_and_their_choices() -> None:
    page = """
        <input name="elsewhere">
        <form action="predict" method="post"><input name="age" type="number" min="18" max="99"><input name="bmi">
        <select name="sex"><option value="">choose</option><option value="f">f</option><option value="m">m</option></select>
        <input type="radio" name="smoker" value="yes"><input type="radio" name="smoker" value="no"><input type="file" name="scan">
        <textarea name="note"></textarea><input type="submit" name="go"></form>"""
    (form,) = forms(page, "/health/start")
    assert (form.method, form.action) == ("POST", "/health/predict")
    route = with_forms(Route("", "POST", "/health/predict", True, (Field("age", "form", None), Field("more", "form", None))), (form,))
    assert {f.name: f.source for f in route.fields} == {
        **dict.fromkeys(("age", "bmi", "sex", "smoker", "note", "more"), "form"),
        "scan": "file",
    }
    known = {f.name: f.schema for f in route.fields}
    assert known["age"] == {"type": "integer", "minimum": 18, "maximum": 99}
    assert (known["sex"], known["smoker"], known["bmi"]) == ({"enum": ["f", "m"]}, {"enum": ["yes", "no"]}, None)
    assert with_forms(Route("", "GET", "/health/predict", True, ()), (form,)).fields == ()


@pytest.mark.parametrize(
    ("said", "learned"),
    [
        ("KeyError: 'hue'", Learned(names=("hue",))),
        ("ValueError: X has 4 features, but SVC is expecting 13 features as input", Learned(widths=(4, 13))),
        (
            '{"error":"wind must be between -2.5 and 8"}',
            Learned(widths=(8,), told=(("wind", {"type": "number", "minimum": -2.5, "maximum": 8.0}),)),
        ),
        ("<b>wind</b> should be 'weak' or 'strong'", Learned(told=(("wind", {"enum": ["weak", "strong"]}),))),
        ("wind is missing", Learned()),
    ],
)
def test_a_refusal_teaches(said: str, learned: Learned) -> None:
    assert Learned().of(said, ("wind",)) == learned


# ---------------------------------------------------------------- requests


def test_all_kinds_of_values_are_carried() -> None:
    fields = {
        Field("id", "path"): 7, Field("q", "query"): "a b", Field("x-key", "header"): "k", Field("sid", "cookie"): "c",
        Field("n", "form"): True, Field("f", "file"): picture(0),
    }  # fmt: skip
    route = Route("", "POST", "/items/<int:id>", True, tuple(fields))
    assert record(route, "form", fields) == {
        "method": "POST", "path": "/items/7", "query": {"q": "a b"}, "headers": {"x-key": "k", "Cookie": "sid=c"}, "form": {"n": "true"},
        "files": {"f": picture(0)},
    }  # fmt: skip
    assert record(route, "json", {Field("(body)", "json"): [1, 2]})["json"] == [1, 2]
    raw = record(route, "raw-body", {Field("(body)", "raw-body"): picture(0)})
    assert raw["headers"] == {"Content-Type": "image/png"} and raw["body_b64"].startswith("iVBOR")


def test_the_likeliest_comes_first_and_wrong_ones_are_named() -> None:
    route = Route(
        "", "POST", "/p", True, (Field("text", "json"), Field("rows", "json"), Field("k", "json", {"type": "integer"}, required=False))
    )
    found = [c.values(0) for c in candidates(route, Learned(widths=(13,)))]
    text, rows, k = route.fields
    assert isinstance(found[0][text], str) and len(found[0][rows]) == 4 and isinstance(found[0][k], int)
    assert k not in found[1]
    assert any(
        isinstance(values[rows], list) and len(values[rows][0]) == 13
        for values in found[2:]
        if values[rows] and isinstance(values[rows], list) and isinstance(values[rows][0], list)
    )
    what = dict(wrong(route, Candidate(((text, {"type": "string"}),), "json")))
    assert list(what) == ["no-text", "odd-text", "no-json"]
    assert (what["no-text"]["json"], what["odd-text"]["json"]) == ({}, {"text": {"unexpected": True}})


def test_routes_come_from_the_document() -> None:
    shared = {"inference": True, "port": {"status": "ported"}, "methods": ["GET", "POST"], "path": "/p"}
    given = {"name": "x", "source": "json", "type": "float | None", "dtype": None, "shape": None, "provenance": "declared"}
    document = {
        "endpoints": [
            {**shared, "id": "a", "inputs": [given]},
            {**shared, "id": "b", "inputs": []},
            {**shared, "id": "c", "inputs": [given], "port": {"status": "blocked"}},
            {**shared, "id": "d", "inputs": [], "inference": False, "port": None},
        ],
        "served_models": [
            {
                "endpoints": ["a"],
                "inputs": [{"dims": [5], "dtype": "FP32"}, {"dims": [9], "dtype": "BYTES"}, {"dims": [-1], "dtype": "FP32"}],
            }
        ],
    }
    found = routes(document)  # type: ignore[arg-type]
    assert [(r.id, r.method, r.infers, r.widths) for r in found] == [
        ("a", "POST", True, (5,)),
        ("b", "GET", True, ()),
        ("d", "GET", False, ()),
    ]
    assert (found[0].fields[0].required, found[0].fields[0].schema and found[0].fields[0].schema["type"]) == (False, "number")


# ---------------------------------------------------------------- against real applications

FLASK = """
    import csv
    import io
    from flask import Flask, jsonify, request
    from PIL import Image

    app = Flask(__name__)
    users = []

    @app.get("/")
    def page():
        return '<form action="/guess" method="post"><select name="kind"><option value="red">r</option></select><input name="size"></form>'

    @app.post("/guess")
    def guess():
        return f"{request.form['kind']} {['red'].index(request.form['kind']) + float(request.form['size'])}"

    @app.post("/rows")
    def rows():
        data = request.get_json()["instances"]
        if any(len(row) != 7 for row in data):
            raise ValueError(f"X has {len(data[0])} features, but Model is expecting 7 features as input")
        return jsonify([sum(row) for row in data])

    @app.post("/strict")
    def strict():
        low = request.get_json().get("alcohol", 0)
        if not isinstance(low, (int, float)) or not 40 <= low <= 50:
            return jsonify(error="alcohol must be between 40 and 50"), 400
        return jsonify(label=low)

    @app.post("/picture")
    def picture():
        with Image.open(request.files["file"].stream) as image:
            return jsonify(width=image.convert("RGB").width)

    @app.post("/costs")
    def costs():
        rows = list(csv.DictReader(io.StringIO(request.files["file"].read().decode())))
        try:
            return jsonify(costs=[float(row["parts"]) * float(row["hours of work"]) for row in rows])
        except KeyError as missing:
            return jsonify(error=f"bad row: {missing}"), 400

    @app.post("/users")
    def user():
        users.append(request.get_json()["name"])
        return jsonify(id=len(users)), 201

    @app.post("/users/<int:number>/mood")
    def mood(number):
        if number > len(users):
            return jsonify(error="no such user"), 404
        return jsonify(mood=len(request.get_json()["text"]))

    @app.post("/closed")
    def closed():
        return jsonify(error="forbidden"), 403

    @app.delete("/users")
    def remove():
        raise SystemExit("never asked for")
"""


@pytest.fixture(scope="module")
def flask_rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Exercised], list[str]]:
    root = tmp_path_factory.mktemp("flask")
    (root / "app.py").write_text(dedent(FLASK))
    asked = (
        Route("guess", "POST", "/guess", True, (Field("kind", "form"), Field("size", "form"))),
        Route("rows", "POST", "/rows", True, (Field("instances", "json"),)),
        Route("strict", "POST", "/strict", True, (Field("alcohol", "json"),)),
        Route("picture", "POST", "/picture", True, (Field("file", "file"),)),
        Route("costs", "POST", "/costs", True, (Field("file", "file"),)),
        Route("mood", "POST", "/users/<int:number>/mood", True, (Field("number", "path"), Field("text", "json"))),
        Route("closed", "POST", "/closed", True, ()),
        Route("page", "GET", "/", False, ()),
        Route("user", "POST", "/users", False, (Field("name", "json"),)),
        Route("remove", "DELETE", "/users", False, ()),
    )
    told: list[str] = []
    file = root / "out" / "generated.jsonl"
    rows = generate(root, Application("flask", "app:app", "wsgi"), asked, file, python=Path(sys.executable), say=told.append)
    return file, {row.entry: row for row in rows}, told


def test_the_original_says_which_requests_are_right(flask_rows: tuple[Path, dict[str, Exercised], list[str]]) -> None:
    file, rows, told = flask_rows
    assert {name for name, row in rows.items() if row.answered} == {"guess", "rows", "strict", "picture", "costs", "mood"}
    assert (rows["closed"].answered, rows["closed"].why) == (0, '403 {"error":"forbidden"}')
    assert 'closed: not exercised, 1 request was tried; the likeliest got 403 {"error":"forbidden"}' in told
    assert rows["rows"].failed and rows["picture"].failed and not rows["strict"].failed and rows["strict"].refused
    found = read_requests(file)
    assert all(request.guessed and request.method != "DELETE" for request in found)
    assert sum(request.infer for request in found) == sum(row.answered for row in rows.values())
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    right = {line["path"]: line for line in reversed(lines) if line.get("infer")}
    assert right["/guess"]["form"]["kind"] == "red"
    assert {len(row) for row in right["/rows"]["json"]["instances"]} == {7}
    assert 40 <= right["/strict"]["json"]["alcohol"] <= 50
    assert (file.parent / right["/picture"]["files"]["file"]["path"]).is_file()
    table_of = file.parent / right["/costs"]["files"]["file"]["path"]
    assert table_of.read_text().splitlines()[0] == "parts,hours of work", "its refusals name the columns, one by one"
    order = [line["path"] for line in lines]
    assert order.index("/users") < order.index("/users/1/mood") and order[0] == "/"


def test_the_schema_of_fastapi_is_used_and_nothing_answered_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        dedent("""
            from typing import Literal
            from fastapi import FastAPI, HTTPException
            from pydantic import BaseModel, Field

            class Point(BaseModel):
                x: float = Field(ge=100, le=101)
                colour: Literal["red", "blue"]

            class Asked(BaseModel):
                points: list[Point] = Field(min_length=2)
                note: str | None = None

            app = FastAPI()

            @app.post("/points")
            def points(asked: Asked):
                return {"sum": sum(p.x for p in asked.points)}

            @app.post("/broken")
            def broken(asked: Asked):
                raise RuntimeError("no model")
        """)
    )
    application, python = Application("fastapi", "main:app", "asgi"), Path(sys.executable)
    body = (Field("points", "json", typed("list[Point]")), Field("note", "json", typed("str | None"), required=False))
    good, bad = (Route(name, "POST", f"/{name}", True, body) for name in ("points", "broken"))
    file = tmp_path / "out" / "generated.jsonl"
    (row,) = generate(tmp_path, application, (good,), file, python=python, say=lambda line: None)
    assert row.answered >= 3 and row.refused == 3 and not row.failed
    with pytest.raises(TritonMigrateError, match="no model"):
        generate(tmp_path, application, (bad,), file, python=python, say=lambda line: None)


def test_a_document_without_ported_entries_asks_nothing() -> None:
    empty: Report = {"endpoints": [], "served_models": []}  # type: ignore[typeddict-item]
    assert routes(empty) == ()
