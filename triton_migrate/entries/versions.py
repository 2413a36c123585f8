"""Takes calls that register routes or routers, gives the version of the API that they say: the front of the whole path (`/v1/api/x`)."""

from __future__ import annotations

from typing import NamedTuple

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.rulebook.vocabulary import WebMount, WebRoute, WebRouter


class Version(NamedTuple):
    """What was said of a version; either part may be said nearer to the route than the other."""

    number: str = ""
    before: str = ""

    def within(self, outer: Version) -> Version:
        return Version(self.number or outer.number, self.before or outer.before)

    @property
    def front(self) -> str:
        return f"{self.before or '/v'}{self.number}" if self.number else ""


UNVERSIONED = Version()


def version(evaluator: Evaluator, rule: WebRoute | WebRouter | WebMount, call: ir.Call, frame: Frame) -> Version:
    """The version that one call says."""
    number = evaluator.constant(port(call, rule.version), frame) if rule.version else None
    before = evaluator.constant(port(call, rule.version_prefix), frame) if rule.version_prefix else None
    told = str(number).strip("/").lstrip("v") if isinstance(number, (int, float, str)) else ""
    return Version(told, before if isinstance(before, str) else "")
