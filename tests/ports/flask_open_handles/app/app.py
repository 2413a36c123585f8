"""What is open, or lives, in the process of the request is handed to the function that runs the model."""

import array
import csv
import functools
import io
import itertools
import os
import re
import tempfile
import types
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from flask import Flask, jsonify, request
from PIL import Image

app = Flask(__name__)
clf = joblib.load("clf.joblib")
COLUMNS = ["a", "b", "c", "d"]


def shade_of(picture):
    grey = np.asarray(Image.open(picture).convert("L"), dtype=float) / 255.0
    return float(clf.predict_proba([[grey.mean(), grey.std(), grey.min(), grey.max()]])[0, 1])


@app.post("/memory")
def memory():
    picture = io.BytesIO(request.files["image"].read())
    if picture.read(4) == b"":
        return jsonify(error="empty"), 400
    picture.seek(0)
    return jsonify(shade=shade_of(picture))


def first_rows(picture, count):
    frame = pd.DataFrame([list(picture.read(4)) for _ in range(count)], columns=COLUMNS) / 255.0
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/half")
def half():
    content = io.BytesIO(request.get_data())
    scores = first_rows(content, 3)
    return jsonify(scores=scores, read=content.tell(), rest=len(content.read()))


def packed_shades(archive):
    greys = [np.asarray(Image.open(archive.open(name)).convert("L"), dtype=float) / 255.0 for name in archive.namelist()]
    rows = [[grey.mean(), grey.std(), grey.min(), grey.max()] for grey in greys]
    return clf.predict_proba(rows)[:, 1].tolist()


@app.post("/packed")
def packed():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("one.png", request.files["image"].read())
    archive = zipfile.ZipFile(content)
    return jsonify(names=archive.namelist(), shades=packed_shades(archive))


def wrapped_scores(text):
    frame = pd.read_csv(text)
    return clf.predict_proba(frame[COLUMNS].to_numpy())[:, 1].tolist()


@app.post("/wrapped")
def wrapped():
    return jsonify(scores=wrapped_scores(io.TextIOWrapper(io.BytesIO(request.get_data()), encoding="utf-8")))


def saved_scores(text):
    frame = pd.read_csv(text)
    return clf.predict_proba(frame[COLUMNS].to_numpy())[:, 1].tolist()


@app.post("/saved")
def saved():
    number, name = tempfile.mkstemp(".csv")
    with os.fdopen(number, "wb") as out:
        out.write(request.get_data())
    with open(name, encoding="utf-8") as text:
        scores = saved_scores(text)
    os.unlink(name)
    return jsonify(scores=scores)


def read_scores(reader):
    frame = pd.DataFrame([[float(value) for value in row] for row in reader], columns=COLUMNS)
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/reader")
def reader():
    rows = csv.reader(io.StringIO(request.get_data(as_text=True)))
    header = next(rows)
    return jsonify(header=header, scores=read_scores(rows))


def drawn_scores(rows):
    frame = pd.DataFrame(list(rows), columns=COLUMNS)
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/drawn")
def drawn():
    return jsonify(scores=drawn_scores(itertools.islice(request.get_json()["rows"], 2)))


def changed_scores(rows, change):
    frame = pd.DataFrame([change(row) for row in rows], columns=COLUMNS)
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/changed")
def changed():
    body = request.get_json()
    return jsonify(scores=changed_scores(body["rows"], lambda row: [value * body["scale"] for value in row]))


def scaled(factor, row):
    return [value * factor for value in row]


def partly_scores(rows, change):
    frame = pd.DataFrame([change(row) for row in rows], columns=COLUMNS)
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/partly")
def partly():
    body = request.get_json()
    change = functools.partial(scaled, body["scale"])
    return jsonify(scores=partly_scores(body["rows"], change))


def space_score(space):
    frame = pd.DataFrame([[space.a, space.b, space.c, space.d]], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy(dtype=float))[0, 1])


@app.post("/space")
def space():
    return jsonify(score=space_score(types.SimpleNamespace(**request.get_json())))


def match_score(match):
    frame = pd.DataFrame([[float(group) for group in match.groups()]], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy())[0, 1])


@app.post("/match")
def match():
    found = re.match(r"(\S+) (\S+) (\S+) (\S+)$", request.get_data(as_text=True))
    if found is None:
        return jsonify(error="four numbers"), 422
    return jsonify(score=match_score(found))


def tree_scores(root):
    frame = pd.DataFrame([[float(cell.text) for cell in row] for row in root], columns=COLUMNS)
    return clf.predict_proba(frame.to_numpy())[:, 1].tolist()


@app.post("/tree")
def tree():
    root = ET.fromstring(request.get_data())
    if root.tag != "rows":
        return jsonify(error="rows"), 422
    return jsonify(scores=tree_scores(root))


def odd_score(fraction, numbers, view):
    frame = pd.DataFrame([[float(fraction), sum(numbers), view.nbytes, view[0]]], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy())[0, 1])


@app.post("/odd")
def odd():
    body = request.get_json()
    numbers = array.array("d", body["numbers"])
    return jsonify(score=odd_score(Fraction(body["fraction"]), numbers, memoryview(body["word"].encode())))


def noisy_score(random, row):
    frame = pd.DataFrame([np.array(row) + random.normal(size=4)], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy())[0, 1])


@app.post("/noisy")
def noisy():
    body = request.get_json()
    random = np.random.default_rng(body["seed"])
    return jsonify(score=noisy_score(random, body["row"]), next=float(random.normal()))


def stamped_score(stamp):
    frame = pd.DataFrame([[stamp.dayofweek, stamp.quarter, stamp.hour / 24, stamp.days_in_month / 31]], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy(dtype=float))[0, 1])


@app.post("/stamped")
def stamped():
    return jsonify(score=stamped_score(pd.Timestamp(request.get_json()["at"])))


def part_score(parts):
    grey = np.asarray(Image.open(parts["file"]).convert("L"), dtype=float) / parts["scale"]
    return float(clf.predict_proba([[grey.mean(), grey.std(), grey.min(), grey.max()]])[0, 1])


@app.post("/parts")
def parts():
    return jsonify(score=part_score({"file": request.files["image"].stream, "scale": float(request.form["scale"])}))


def named_score(path):
    frame = pd.DataFrame([[len(path.stem), len(path.suffix), len(path.parts), 0.5]], columns=COLUMNS)
    return float(clf.predict_proba(frame.to_numpy(dtype=float))[0, 1])


@app.post("/named")
def named():
    return jsonify(score=named_score(Path(request.get_json()["name"])))


def head_score(content):
    frame = pd.DataFrame([list(content.read(4))], columns=COLUMNS) / 255.0
    return float(clf.predict_proba(frame.to_numpy())[0, 1])


@app.post("/same")
def same():
    content = io.BytesIO(request.get_data())
    return jsonify(score=head_score(content), position=content.tell())


def round_score(content):
    frame = pd.DataFrame([list(content.read(4))], columns=COLUMNS) / 255.0
    return float(clf.predict_proba(frame.to_numpy())[0, 1])


@app.post("/rounds")
def rounds():
    content = io.BytesIO(request.get_data())
    return jsonify(scores=[round_score(content) for _ in range(3)])


@app.post("/turns")
def turns():
    content = io.BytesIO(request.get_data())
    scores = []
    for _ in range(3):
        frame = pd.DataFrame([list(content.read(4))], columns=COLUMNS) / 255.0
        scores.append(float(clf.predict_proba(frame.to_numpy())[0, 1]))
    return jsonify(scores=scores)


def note(notes, text):
    notes.append(text)


def noted_score(row, notes):
    frame = pd.DataFrame([row], columns=COLUMNS)
    note(notes, f"{frame.shape[1]} columns")
    return float(clf.predict_proba(frame.to_numpy(dtype=float))[0, 1])


@app.post("/noted")
def noted():
    notes = []
    score = noted_score(request.get_json()["row"], notes)
    return jsonify(score=score, notes=notes)


def closing_shade(picture):
    grey = np.asarray(Image.open(picture).convert("L"), dtype=float) / 255.0
    return float(clf.predict_proba([[grey.mean(), grey.std(), grey.min(), grey.max()]])[0, 1])


@app.post("/closing")
def closing():
    picture = io.BytesIO(request.files["image"].read())
    shade = closing_shade(picture)
    size = len(picture.getvalue())
    picture.close()
    return jsonify(shade=shade, size=size)
