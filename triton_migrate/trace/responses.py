"""Takes a call that builds a response, gives the kind of its body: by its media type where it says one, else by its rule."""

from __future__ import annotations

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import WebResponse

PLAIN = {"application/json": "json", "text/html": "html", "text/plain": "text"}
STREAMS = ("multipart/x-mixed-replace", "text/event-stream", "application/x-ndjson")
FILES = ("image/", "audio/", "video/", "application/pdf", "application/zip", "application/octet-stream", "text/csv")


def answered_kind(evaluator: Evaluator, rule: WebResponse, call: ir.Call, frame: Frame) -> str:
    """json | html | text | file | stream | redirect | same, the last for what only wraps another body."""
    for name in filter(None, rule.media.split(",")):
        media = evaluator.constant(port(call, name), frame)
        if isinstance(media, str):
            media = media.partition(";")[0].strip().lower()
            if media in STREAMS:
                return "stream"
            return PLAIN.get(media) or ("file" if media.startswith(FILES) else rule.kind)
    return rule.kind
