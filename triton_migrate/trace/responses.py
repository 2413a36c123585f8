"""Takes a call that builds a response, gives the kind of its body, by its media type or by its rule, and whether it is an error."""

from __future__ import annotations

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Literal, UserClass, Value
from triton_migrate.rulebook.vocabulary import WebResponse

PLAIN = {"application/json": "json", "text/html": "html", "text/plain": "text"}
STREAMS = ("multipart/x-mixed-replace", "text/event-stream", "application/x-ndjson")
ERROR = 400
FILES = ("image/", "audio/", "video/", "application/pdf", "application/zip", "application/octet-stream", "text/csv")


def answered_kind(evaluator: Evaluator, rule: WebResponse, call: ir.Call, frame: Frame) -> str:
    """json | html | text | file | stream | redirect | same, the last for what only wraps another body."""
    for name in filter(None, rule.media.split(",")):
        told = port(call, name)
        media = evaluator.constant(told, frame)
        if isinstance(told, ir.Joined) and isinstance(told.parts[0], ir.Constant):
            media = told.parts[0].value  # f"image/{format}"
        if isinstance(media, str):
            return _of_media(media, rule.kind)
    return rule.kind


def class_kind(evaluator: Evaluator, cls: Value) -> str:
    """The kind of a response class's bodies, by the media type that a class of the program says; empty: it is none."""
    bases = evaluator.mro(cls) if isinstance(cls, UserClass) else (cls,)
    rule = next((r for b in bases if isinstance(b, Api) and (r := evaluator.rulebook.find(b.path, WebResponse))), None)
    said = evaluator.class_attribute(cls, "media_type", None) if isinstance(cls, UserClass) else ()
    media = next((v.value for v in said if isinstance(v, Literal) and isinstance(v.value, str)), "")
    return "" if rule is None else _of_media(media, rule.kind)


def _of_media(media: str, otherwise: str) -> str:
    plain = media.partition(";")[0].strip().lower()
    if plain in STREAMS:
        return "stream"
    return PLAIN.get(plain) or ("file" if plain.startswith(FILES) else otherwise)


def refuses(evaluator: Evaluator, rule: WebResponse, call: ir.Call, frame: Frame) -> bool:
    """`Response("no file", 400)`: the kind of an error says nothing of the answer's."""
    status = evaluator.constant(port(call, rule.status), frame) if rule.status else None
    return isinstance(status, int) and status >= ERROR


def refusal(expr: ir.Expr) -> bool:
    """`return body, 400`."""
    status = expr.items[1] if isinstance(expr, ir.Sequence) and expr.kind == "tuple" and len(expr.items) > 1 else None
    return isinstance(status, ir.Constant) and isinstance(status.value, int) and status.value >= ERROR
