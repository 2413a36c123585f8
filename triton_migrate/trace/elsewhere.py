"""Takes pipelines, gives their calls that ask a model which is served elsewhere: there is nothing to move, and the report says so.

A library's rule says that a call always does (`openai.OpenAI().chat.completions.create`), or by which address (`requests.post(URL)`).
What of an address is not known stands in it by its name, in braces: `{SCORING_URL}/v1/models/{name}:predict`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, last_name
from triton_migrate.resolve.values import Literal, Site, Values
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.vocabulary import Effect
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import Pipeline

DEPTH = 6  # names that lead to an address
ENVIRONMENT = frozenset({"os.environ.get", "os.getenv"})


@dataclass(frozen=True, slots=True, order=True)
class Elsewhere:
    """One call. `service` is who answers, "" where only the address tells that a model does; `address` is "" where the library knows it."""

    span: Span
    text: str
    service: str
    address: str


def elsewhere(evaluator: Evaluator, pipelines: tuple[Pipeline, ...]) -> tuple[tuple[Elsewhere, tuple[str, ...]], ...]:
    """Each such call with the entries that come to it."""
    found: dict[Elsewhere, dict[str, None]] = {}
    for pipeline in pipelines:
        for asked in _asked(evaluator, pipeline):
            found.setdefault(asked, {})[pipeline.entry.id] = None
    return tuple((asked, tuple(entries)) for asked, entries in sorted(found.items()))


def _asked(evaluator: Evaluator, pipeline: Pipeline) -> Iterator[Elsewhere]:
    for step in pipeline.steps:
        for made in step.calls:
            rule = next((r for r in made.rules if isinstance(r, Effect) and r.remote), None)
            place = evaluator.program.call_at(Site(step.scope.file, made.at)) if rule is not None else None
            if rule is None or place is None:
                continue
            span, text = Span(step.scope.file, *made.at), callee_text(place.call.func)
            if rule.remote == "always":
                library = evaluator.rulebook.library_of(made.api.path)
                yield Elsewhere(span, text, library.name if library is not None else "", "")
            elif (url := port(place.call, rule.remote)) is not None:
                known = _Address(evaluator)
                address = known.text(url, evaluator.program.generic(place.scope))
                if (service := _service(evaluator.rulebook, address, "".join(known.names))) is not None:
                    yield Elsewhere(span, text, service, address)


def _service(book: Rulebook, address: str, names: str) -> str | None:
    """Who answers there; "" where that is only called like a model's address, None where it is not."""
    said = (address.lower(), names.lower())
    named = [x for x in book.libraries if any(fnmatchcase(text, pattern) for text in said for pattern in x.served)]
    known = (x.name for x in named if not any(isinstance(r, Effect) and r.remote not in ("", "always") for r in x.rules))
    return next(known, "" if named else None)


class _Address:
    """What an expression says of an address; `names` gathers the names on the way, which tell where the text does not."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.names = evaluator, list[str]()

    def text(self, expr: ir.Expr, frame: Frame, depth: int = 0) -> str:
        if depth > DEPTH:
            return ""
        match expr:
            case ir.Constant(_, str() as text):
                return text
            case ir.Joined(_, parts) | ir.Operation(_, "Add" | "Mod" | "Div", parts):
                return "".join(self.text(part, frame, depth + 1) for part in parts)
            case ir.Subscript(_, _, ir.Constant(_, str() as key)):
                return self._named(key)
            case ir.Call(_, func, (ir.Constant(_, str() as key), *rest)) if ENVIRONMENT & {
                a.path for a in self.evaluator.apis(func, frame)
            }:
                return self._named(key, "".join(self.text(part, frame, depth + 1) for part in rest))
            case ir.Call(_, func, args):
                foreign = any(not a.path.startswith("builtins.") for a in self.evaluator.apis(func, frame))
                parts = (func.value, *args) if isinstance(func, ir.Attribute) and not foreign else args
                return self._named(last_name(func), "".join(self.text(part, frame, depth + 1) for part in parts))
            case ir.Name(_, name):
                return self._named(name, self._bound(name, frame, depth))
            case ir.Attribute(_, _, name):
                return self._named(name, self._constants(self.evaluator.values(expr, frame)))
        return ""

    def _named(self, name: str, text: str = "") -> str:
        self.names.append(f"{{{name}}}")
        return text or f"{{{name}}}"

    def _bound(self, name: str, frame: Frame, depth: int) -> str:
        """What a name stands for, as far as its assignments or its callers say."""
        at: Frame | None = frame
        while at is not None and name not in at.scope.bindings:
            at = at.parent
        if at is None:
            return ""
        made = [b.expr for b in at.scope.bindings[name] if b.how == "value" and not b.unpacked and b.expr is not None]
        return self._constants(self.evaluator.name(name, at)) or "".join(self.text(e, at, depth + 1) for e in made)

    def _constants(self, values: Values) -> str:
        return " ".join(sorted(v.value for v in values if isinstance(v, Literal) and isinstance(v.value, str)))
