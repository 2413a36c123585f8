"""report.html: takes a document, gives one self-contained page that needs no network, no server and no JavaScript.

Everything scanned is hostile until shown otherwise: Jinja escapes all of it, `visible` names what cannot be seen, and the page's own
policy lets only the two inlined files act (by their hashes), so that even an escape that was missed could not run or fetch anything.
"""

from __future__ import annotations

import json
import marshal
import re
import zlib
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from functools import cache as memoised
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import get_args

from jinja2 import Environment, PackageLoader, StrictUndefined, compiler
from jinja2.bccache import Bucket, BytecodeCache
from markupsafe import Markup, escape

from triton_migrate.index.cache import FactsCache
from triton_migrate.report.document import Dimension, Proof, Report
from triton_migrate.report.json import ordered
from triton_migrate.report.page import diagram, diff
from triton_migrate.report.page.evidence import blocks
from triton_migrate.report.page.order import moves
from triton_migrate.report.page.targets import ways
from triton_migrate.report.pipelines import (
    CATEGORIES,
    EFFORT,
    MEANING,
    STATUSES,
    Pipeline,
    apply_command,
    headline,
    pipelines,
    quiet,
    totals,
)
from triton_migrate.report.proof import (
    bars,
    exercised_in_words,
    gained,
    load_in_words,
    row_in_words,
    rows_in_words,
    server_in_words,
    together_in_words,
    varying_in_words,
)
from triton_migrate.report.verification import JSON
from triton_migrate.report.visible import visible

_LONGEST_VALUE = 400


class _Compiled(BytecodeCache):
    """What Jinja made of the templates, in the user's cache: making it takes longer than all else about the page."""

    def __init__(self, cache: FactsCache) -> None:
        folder = files("triton_migrate.report.page").joinpath("templates")
        texts = sorted(file.read_bytes() for file in folder.iterdir() if file.name.endswith(".j2"))
        self.cache = cache
        self.key = "templates " + sha256(b"\0".join((Path(compiler.__file__).read_bytes(), *texts))).hexdigest()
        self.known: dict[str, bytes] = {}
        self.fresh = False
        if data := cache.get([self.key]).get(self.key):
            with suppress(zlib.error, ValueError, EOFError, TypeError):
                self.known = marshal.loads(zlib.decompress(data))

    def load_bytecode(self, bucket: Bucket) -> None:
        if data := self.known.get(bucket.key):
            bucket.bytecode_from_string(data)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key] = bucket.bytecode_to_string()
        self.fresh = True

    def keep(self) -> None:
        """Write what was compiled since."""
        if self.fresh:
            self.cache.put({self.key: zlib.compress(marshal.dumps(self.known), level=1)})
            self.fresh = False


def render(document: Report, cache: FactsCache | None = None) -> str:
    """The text of the page. The same document gives the same bytes."""
    document = ordered(document)
    environment = _environment(cache)
    rows = pipelines(document)
    css, script = _inlined("report.css"), _inlined("report.js")
    text = environment.get_template("report.html.j2").render(
        document=document,
        name=document["root"].rstrip("/\\").replace("\\", "/").rpartition("/")[2] or document["root"],
        rows=rows,
        quiet=quiet(document),
        totals=totals(rows),
        headline=headline(document, rows),
        frameworks=sorted({framework for row in rows for framework in row.frameworks}),
        sources=sorted({row.file for row in rows}),
        moves=moves(rows),
        diffs=[diff.parse(change["diff"], change["file"]) for change in document["changes"]],
        apply=lambda entry=None: apply_command(document, entry),
        css=css,
        script=script,
        policy=_policy(css, script),
    )
    if isinstance(environment.bytecode_cache, _Compiled):
        environment.bytecode_cache.keep()
    return text


def page(template: str, **shown: object) -> str:
    """Another page of the same looks and policy, without a script."""
    css = _inlined("report.css")
    return _environment(None).get_template(template).render(css=css, policy=_policy(css, ""), **shown)


def write(document: Report, path: Path, cache: FactsCache | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(document, cache), encoding="utf-8", newline="\n")


@memoised
def _environment(cache: FactsCache | None) -> Environment:
    environment = Environment(
        loader=PackageLoader("triton_migrate.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        bytecode_cache=None if cache is None else _Compiled(cache),
    )
    environment.globals |= {
        "CATEGORIES": CATEGORIES,
        "EFFORT": EFFORT,
        "MEANING": MEANING,
        "PROOFS": get_args(Proof),
        "STATUSES": STATUSES,
        "BOX": (diagram.BOX_WIDTH, diagram.BOX_HEIGHT),
        "across": diagram.across,
        "down": diagram.down,
        "sentence": diagram.sentence,
        "blocks": blocks,
        "gained": gained,
        "bars": bars,
        "exercised_in_words": exercised_in_words,
        "load_in_words": load_in_words,
        "varying_in_words": varying_in_words,
        "server_in_words": server_in_words,
        "row_in_words": row_in_words,
        "rows_in_words": rows_in_words,
        "together_in_words": together_in_words,
        "touched": _touched,
        "reasons": _reasons,
        "ways": ways,
    }
    environment.filters |= {"percent": _percent, "prose": _prose, "shape": _shape, "value": _value}
    return environment


def _shown(value: object) -> object:
    """Jinja calls this on all that is printed, before it escapes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@memoised
def _inlined(name: str) -> Markup:
    return Markup(files("triton_migrate.report.page").joinpath("templates").joinpath(name).read_text(encoding="utf-8"))


def _policy(css: str, script: str) -> str:
    style, code = (b64encode(sha256(text.encode()).digest()).decode() for text in (css, script))
    return f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{code}'; img-src data:; base-uri 'none'; form-action 'none'"


def _reasons(rows: Iterable[Pipeline]) -> str:
    """Why the pipelines were cut where they were, in short."""
    return "; ".join(dict.fromkeys(model["why"].partition(";")[0] for row in rows for model in row.served))


def _touched(rows: tuple[Pipeline, ...], file: str, lines: range) -> list[Pipeline]:
    """The pipelines that have a stage among these lines of the file as it was."""
    return [row for row in rows if any(s["file"] == file and _meet(lines, s["line"], s["end_line"]) for s in row.found["stages"])]


def _meet(lines: range, first: int, last: int) -> bool:
    return first < lines.stop and lines.start <= max(first, last)


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _prose(text: str) -> Markup:
    """A sentence, with `names` in backticks set as code."""
    parts = re.split(r"`([^`\n]+)`", visible(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts))


def _shape(dimensions: list[Dimension] | None) -> str:
    match dimensions:
        case None:
            return ""
        case []:
            return "scalar"
        case _:
            return f"[{', '.join(map(str, dimensions))}]"


def _value(value: JSON) -> str:
    """A compared value as JSON, cut where a whole body differs."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"
