"""A graph of TensorFlow 1 that a context fills leaves with the session that runs it; one filled in the process's default graph stays."""

from __future__ import annotations

from pathlib import Path

from triton_migrate import api

READS = """\
import tensorflow as tf
from flask import Flask, jsonify, request

app = Flask(__name__)
{made}
    definition = tf.compat.v1.GraphDef()
    with open("leaves.pb", "rb") as file:
        definition.ParseFromString(file.read())
    tf.import_graph_def(definition, name="")
session = tf.compat.v1.Session({graph})


@app.post("/leaves")
def leaves():
    return jsonify(session.run("areas:0", {{"rows:0": request.json["rows"]}}).tolist())
"""


def test_what_fills_a_graph_leaves_with_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(READS.format(made="graph = tf.Graph()\nwith graph.as_default():", graph="graph=graph"))
    (tmp_path / "requirements.txt").write_text("flask\ntensorflow\n")
    report = api.apply(tmp_path, write=True, allow_dirty=True)
    assert [e["port"] and e["port"]["status"] for e in report["endpoints"]] == ["ported"]
    (pipeline,) = (tmp_path / "triton_serving" / "model_repository").glob("*/1/pipeline.py")
    loading = pipeline.read_text().partition("def load(")[2]
    places = [loading.index(part) for part in ("graph = tf.Graph()", "tf.import_graph_def(", "Session(graph=graph)")]
    assert places == sorted(places)


def test_the_default_graph_stays(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(READS.format(made="if True:", graph=""))
    (tmp_path / "requirements.txt").write_text("flask\ntensorflow\n")
    report = api.apply(tmp_path, write=True, allow_dirty=True)
    (kept,) = report["not_ported"]
    assert (kept["file"], kept["line"]) == ("app.py", 9)
    assert "what the whole process shares" in kept["reason"]
    assert not (tmp_path / "triton_serving").exists()
