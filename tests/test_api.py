"""The four steps as functions: what `scan` must not do to an application, and what `apply` writes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from fixture_folders import Fixture, tree

from triton_migrate import api
from triton_migrate.base import SourceFile
from triton_migrate.discover import discover
from triton_migrate.index import ir
from triton_migrate.index.cache import FactsCache, packed, unpacked
from triton_migrate.index.facts import facts_of
from triton_migrate.index.lower import lower
from triton_migrate.report import json as report_json
from triton_migrate.report.kept import Kept

HOSTILE = """
import pathlib, pickle
from flask import Flask, jsonify, request

pathlib.Path(__file__).with_name("imported").write_text("the application was run")
app = Flask(__name__)
model = pickle.load(open("model.pkl", "rb"))


@app.post("/predict")
def predict():
    return jsonify(model.predict([request.get_json()["row"]]).tolist())
"""


def git(folder: Path, *arguments: str | Path) -> str:
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *name, "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(HOSTILE)
    return tmp_path / "app"


# ---------------------------------------------------------------- scan


def test_scan_runs_nothing_and_leaves_nothing(hostile: Path, tmp_path: Path) -> None:
    (hostile / "sitecustomize.py").write_text('open("imported", "w")\n')
    (hostile / "setup.py").write_text('open("imported", "w")\n')
    before = tree(hostile)
    report = api.scan(hostile, out=tmp_path / "out", cache=FactsCache(tmp_path / "cache"))
    api.apply(hostile, out=tmp_path / "out")
    assert tree(hostile) == before
    assert not list(tmp_path.rglob("imported"))
    assert [endpoint["id"] for endpoint in report["endpoints"] if endpoint["inference"]] == ["POST /predict"]


def test_links_that_leave_the_folder_are_not_followed(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.py").write_text(HOSTILE.replace("/predict", "/elsewhere"))
    (hostile / "linked.py").symlink_to(tmp_path / "elsewhere" / "other.py")
    (hostile / "folder").symlink_to(tmp_path / "elsewhere")
    (hostile / "loop").symlink_to(hostile)
    (hostile / "again.py").symlink_to(hostile / "main.py")
    (hostile / "gone.py").symlink_to(hostile / "nowhere.py")
    report = api.scan(hostile)
    assert {endpoint["path"] for endpoint in report["endpoints"]} == {"/predict"}
    assert {"file": "linked.py", "reason": "link that leaves the folder"} in report["files"]["skipped"]
    assert [failed["file"] for failed in report["files"]["failed"]] == ["gone.py"]


TANGLED = """
from flask import Flask, request
import joblib

app = Flask(__name__)
model = joblib.load("model.pkl")

class A(B): pass
class B(A): pass

a = [*a]
b = {**b}
d = {}
d["x"] = d["x"]
d["y"], d["z"] = d["z"], d["y"]

@app.route("/tangled")
def tangled():
    return A().m(a, b["x"], d["y"])
"""
NESTED = {
    "brackets.py": "a = " + "[" * 90 + "]" * 90,
    "sum.py": "def f(a):\n    return " + " + ".join(f"a{i}()" for i in range(2000)),
    "chain.py": "def f(a):\n    return a" + ".b(1)" * 700,
    "branches.py": "def f(a):\n    if a: b = 0\n" + "".join(f"    elif a == {i}: b = {i}\n" for i in range(600)),
    "signs.py": "a = " + "-" * 900 + "1",
    "lambdas.py": "a = " + "lambda: " * 400 + "1",
}


def test_hostile_sources_are_named_and_the_others_scanned(hostile: Path) -> None:
    (hostile / "tangled.py").write_text(TANGLED)
    (hostile / "calls.py").write_text("".join(f"def f{i}(x):\n    return f{i + 1}(x)\n" for i in range(500)) + "y = f0(1)\n")
    (hostile / "row.py").write_text("x0 = 1\n" + "".join(f"x{i + 1} = x{i}\n" for i in range(1000)) + "x1000.y = 1\n")
    (hostile / "folder.py").mkdir()
    os.mkfifo(hostile / "pipe.py")
    for name, text in NESTED.items():
        (hostile / name).write_text(text)
    report = api.scan(hostile)
    assert {endpoint["path"] for endpoint in report["endpoints"]} == {"/predict", "/tangled"}
    assert {failed["file"] for failed in report["files"]["failed"]} == NESTED.keys() - {"brackets.py"}
    assert {failed["error"] for failed in report["files"]["failed"]} == {"nested too deeply to parse"}
    assert {"file": "pipe.py", "reason": "no regular file"} in report["files"]["skipped"]


def test_report_is_the_same_in_every_process(app: Fixture, tmp_path: Path) -> None:
    scan = "import sys; from pathlib import Path; from triton_migrate import api; api.scan(Path(sys.argv[1]), out=Path(sys.argv[2]))"
    written = set()
    for seed in "013":
        out = tmp_path / seed
        subprocess.run([sys.executable, "-c", scan, str(app.before), str(out)], env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
        written.add((out / api.REPORT).read_bytes())
    assert len(written) == 1


def test_report_follows_its_schema_at_every_step(app: Fixture, tmp_path: Path) -> None:
    before = app.copy(app.before, tmp_path / "app")
    for step in (api.scan, api.apply):
        step(before, out=tmp_path / "out")
        written = report_json.read(tmp_path / "out" / api.REPORT)
        report_json.validate(written)
        assert written["root"] == str(before.resolve())
        assert "<script src" not in (tmp_path / "out" / api.PAGE).read_text("utf-8"), "the page needs nothing but itself"


# ---------------------------------------------------------------- apply


def test_apply_twice_gives_the_same_bytes(app: Fixture, tmp_path: Path) -> None:
    before = app.copy(app.before, tmp_path / "app")
    api.apply(before, out=tmp_path / "one")
    api.apply(before, out=tmp_path / "two", cache=FactsCache(tmp_path / "cache"))
    api.apply(before, out=tmp_path / "three", cache=FactsCache(tmp_path / "cache"), jobs=4)
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == tree(tmp_path / "three")


@pytest.mark.parametrize("endings", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_patch_applies_and_reverses_byte_for_byte(app: Fixture, tmp_path: Path, endings: str) -> None:
    before = app.copy(app.before, tmp_path / "app")
    for file in before.rglob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", endings.encode()))
    patch = tmp_path / "out" / api.PATCH
    api.apply(before, out=tmp_path / "out")
    git(before, "init", "--quiet")
    git(before, "add", "--all")
    git(before, "commit", "--quiet", "--message", "before")
    original = {path: path.read_bytes() for path in before.rglob("*") if path.is_file() and ".git" not in path.parts}

    git(before, "apply", "--check", patch)
    git(before, "apply", patch)
    assert (before / "triton_serving" / "client.py").is_file()
    written = app.copy(app.before, tmp_path / "written" / "app")
    for file in written.rglob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", endings.encode()))
    api.apply(written, write=True)
    assert {n: t for n, t in tree(before).items() if not n.startswith(".git/")} == tree(written)

    git(before, "apply", "-R", patch)
    assert git(before, "status", "--porcelain") == ""
    assert {path: path.read_bytes() for path in before.rglob("*") if path.is_file() and ".git" not in path.parts} == original


def test_patch_applies_in_a_larger_repository(app: Fixture, tmp_path: Path) -> None:
    service = app.copy(app.before, tmp_path / "services" / "app")
    git(tmp_path, "init", "--quiet")
    api.apply(service, out=tmp_path / "out")
    git(tmp_path, "apply", "--directory=services/app", tmp_path / "out" / api.PATCH)
    assert (service / "triton_serving" / "client.py").is_file()


# ---------------------------------------------------------------- facts by content


def sources(*texts: str) -> tuple[SourceFile, ...]:
    return tuple(SourceFile(f"m{number}.py", text, str(hash(text))) for number, text in enumerate(texts))


TEXTS = ("x = 1\n", "def f(a, *, b=2j): ...\n", "class C:\n    y = 'é'\n", "x = 1\n", "def (\n", "x = 1.5, None, True, b'0', ...\n")


@pytest.mark.parametrize("jobs", [1, 4])
def test_cache_and_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    monkeypatch.setattr("triton_migrate.index.facts.WORTH_A_PROCESS", 5)
    asked, cache = sources(*TEXTS), FactsCache(tmp_path / "cache")
    plain = tuple(map(lower, asked))
    assert facts_of(asked, None, jobs) == plain
    assert facts_of(asked, cache, jobs) == plain, "cold"
    assert len(cache.get([source.digest for source in asked])) == 4, "four texts differ and parse"
    assert facts_of(asked, cache, jobs) == plain, "warm"


def test_cache_that_cannot_be_used_is_done_without(tmp_path: Path) -> None:
    asked = sources(*TEXTS)
    plain = tuple(map(lower, asked))
    (tmp_path / "file").write_text("in the way")
    assert facts_of(asked, FactsCache(tmp_path / "file" / "cache")) == plain
    broken = FactsCache(tmp_path / "broken")
    broken.folder.mkdir()
    broken.file.write_bytes(b"no database " * 1000)
    assert facts_of(asked, broken) == plain
    assert facts_of(asked, broken) == plain
    assert len(broken.get([source.digest for source in asked])) == 4, "replaced by a new one"


def test_report_of_an_unchanged_tree_is_kept(hostile: Path, tmp_path: Path) -> None:
    cache, rules = FactsCache(tmp_path / "cache"), tmp_path / "rules"

    def kept(given: Path | None = None) -> set[str]:
        return set(Kept.of(cache, discover(hostile), given).texts())

    assert kept() == set()
    shown = api.scan(hostile, cache=cache)
    assert kept() == {"document"}, "nothing was written yet"
    first = api.scan(hostile, out=tmp_path / "one", cache=cache)
    assert kept() == {"document", "report.json", "report.html"}
    assert shown == first == api.scan(hostile, out=tmp_path / "two", cache=cache) == api.scan(hostile, out=tmp_path / "three")
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == tree(tmp_path / "three")

    key = Kept.of(cache, discover(hostile), None).key
    for damaged in (b"", b"junk", zlib.compress(b"[]"), zlib.compress(b'{"document": 1}'), zlib.compress(b'{"document": "{"}')):
        cache.put({key: damaged})
        assert api.scan(hostile, cache=cache) == first
    rules.mkdir()
    assert kept(rules) == kept(tmp_path / "nowhere") == set()
    for name in ("main.py", "more.py", "requirements.txt", "poetry.lock"):
        api.scan(hostile, cache=cache)
        assert kept() == {"document"}
        with open(hostile / name, "a", encoding="utf-8") as file:
            file.write("\n# scikit-learn\n")
        assert kept() == set(), name


def test_cache_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triton_migrate.index.cache.BIGGEST", 2500)
    cache = FactsCache(tmp_path)
    cache.put({"a": b"a" * 1000, "b": b"b" * 1000, "c": b"c" * 1000})
    assert len(cache.get(["a", "b", "c"])) == 2


def test_cache_reads_facts_and_nothing_else() -> None:
    facts = lower(sources(TEXTS[1])[0])
    assert isinstance(facts, ir.ModuleFacts)
    data = packed(facts)
    assert data is not None and unpacked(data) == facts
    for bad in (b"", data[:-7], zlib.compress(b"junk"), zlib.compress(pickle.dumps(Path("x"))), zlib.compress(pickle.dumps((1, 2)))):
        assert unpacked(bad) is None


def test_a_script_that_leads_to_one_of_two_models_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(
        "import sys\nimport joblib\nimport onnxruntime\n\n"
        "class Table:\n    def __init__(self, path):\n        self.model = joblib.load(path)\n"
        "    def run(self, names, feed):\n        return self.model.predict(feed)\n\n"
        "class Network:\n    def __init__(self, path):\n        self.session = onnxruntime.InferenceSession(path)\n"
        "    def run(self, names, feed):\n        return self.session.run(names, feed)\n\n"
        "def made(path):\n    return Network(path) if path.endswith('.onnx') else Table(path)\n\n"
        "def answered(runtime, frame):\n    return dict(zip(frame['names'], runtime.run(frame['names'], frame['feed'])))\n\n"
        "def main():\n    runtime = made(sys.argv[1])\n    for line in sys.stdin:\n        print(answered(runtime, eval(line)))\n\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    report = api.scan(tmp_path)
    assert [(c["file"], len(c["models"])) for c in report["consumers"]] == [("worker.py", 2)]
