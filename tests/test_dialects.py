"""Code that only another Python than the one of these tests reads: it is scanned all the same, and told why it is not ported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from triton_migrate import api
from triton_migrate.base import SourceFile
from triton_migrate.index.dialects import readable
from triton_migrate.index.ir import ModuleFacts
from triton_migrate.index.lower import lower

new = pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it as it is")

NEWER = [
    ('x = f"a {"\\n".join(y)} {d["k"]!r:>{w["z"]}}"', "x = f\"a {'_n'.join(y)} {d['k']!r:>{w['z']}}\""),
    ("x = f'{'\\n'.join(y)}'", "x = f'{\"_n\".join(y)}'"),
    ('x = f"""{d["""k"""]}"""', "x = f\"\"\"{d['''k''']}\"\"\""),
    ('x = f"é{d["é"]}" + y', "x = f\"é{d['é']}\" + y"),
    ("class A[T: int](B): pass", "class A        (B): pass"),
    ("async def f[T](x: T) -> T: pass", "async def f   (x: T) -> T: pass"),
    ("def f[\n  T,\n](x): pass", "def f\\\n   \\\n (x): pass"),
    ("type Rows[T] = list[T]", "Rows =         list[T]"),
    ("type One = (\n  A\n  | B\n)", "One =      (\n  A\n  | B\n)"),
    ("try:\n  f()\nexcept A, B:\n  g()", "try:\n  f()\nexcept A| B:\n  g()"),
]

OLD = """\
try:
    print "loading", path
    exec code in there
except IOError, trouble:
    print trouble
"""

APP = """\
import joblib
from fastapi import FastAPI
from pydantic import BaseModel

type Row = list[float]


class Rows(BaseModel):
    rows: list[Row]


class Keeper[T]:
    def __init__(self, path: str) -> None:
        self.model: T = joblib.load(path)


app = FastAPI()
keeper = Keeper("prices.joblib")


@app.post(f"/{"prices"}")
def prices(body: Rows) -> dict[str, list[float]]:
    return {"prices": keeper.model.predict(body.rows).tolist()}
"""


@new
@pytest.mark.parametrize(("text", "said"), NEWER, ids=[text for text, _ in NEWER])
def test_what_is_new_is_read_in_older_words_of_the_same_length(text: str, said: str) -> None:
    assert readable(text) == said and len(said) == len(text)


@pytest.mark.parametrize("text", ["def f(:", "x = f'{f\"{d['k']}\"}'", "\0"])
def test_what_cannot_be_read_even_so_is_a_syntax_error(text: str) -> None:
    assert readable(text) is None


def test_python_2_is_read_in_words_of_the_same_length() -> None:
    said = """\
try:
    _ =   "loading", path
    _ =  code in there
except IOError| trouble:
    _ =   trouble
"""
    assert readable(OLD) == said and len(said) == len(OLD)


@new
@pytest.mark.parametrize(
    "deep",
    ["x = " + "[" * 5000, "x = " + "f(" * 3000 + ")" * 3000, "x = (" + "1+\n" * 50_000 + "1)", "x = " + "1+\\\n" * 50_000 + "1",
     "x = (" + "'a'\n" * 50_000 + ")", "if a: pass\n" + "elif a: pass\n" * 20_000, "x = " + "a." * 50_000 + "b"],
    ids=["brackets", "calls", "sum", "continued", "texts", "branches", "attributes"],
)  # fmt: skip
def test_what_is_too_deep_for_the_parser_is_no_end_of_the_scan(deep: str) -> None:
    assert readable(f"{deep}\ntype X = int\nprint 1\n") is None


@new
def test_facts_name_the_line_that_is_too_new() -> None:
    plain, newer = (lower(SourceFile("a.py", text, "")) for text in ("x = 1\n", "x = 1\ntype Y = int\n"))
    assert isinstance(plain, ModuleFacts) and isinstance(newer, ModuleFacts)
    assert (plain.foreign, newer.foreign, newer.body[1].at) == (0, 2, (2, 0, 2, 12))


@new
def test_it_is_scanned_and_the_port_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    report = api.scan(tmp_path)
    assert report["files"]["failed"] == []
    (endpoint,) = report["endpoints"]
    assert (endpoint["id"], endpoint["line"], endpoint["inference"]) == ("POST /prices", 22, True)
    assert [(m["framework"], m["line"]) for m in report["models"]] == [("sklearn", 14)]
    (blocker,) = endpoint["blockers"]
    assert (blocker["file"], blocker["line"], "another Python" in blocker["message"]) == ("app.py", 5, True)
    applied = api.apply(tmp_path, out=tmp_path / "out")
    assert [(n["file"], n["line"]) for n in applied["not_ported"]] == [("app.py", 5)] and applied["changes"] == []
