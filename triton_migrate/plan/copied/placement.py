"""Takes a call that moves to Triton, gives what it says of the GPU it works on, and how pipeline.py says it of its instance's.

Only what the code settles counts: a device that `torch.cuda.is_available()` or a setting chooses is chosen the same way in Triton.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from triton_migrate.index import ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Frame, last_name
from triton_migrate.resolve.values import Container, Literal
from triton_migrate.rulebook.vocabulary import ModelPlace

DEVICE = "INSTANCE_DEVICE"  # of pipeline.py: "cpu", "cuda:1", or "" where the application's own word counts
DEFINED = f'{DEVICE} = os.environ.get("TRITON_DEVICE", "")  # "cpu", "cuda:1"; "": where the application would\n'
FIRST = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A call of the program that settles its device: the `gpu`, or None where the library spreads the model over those there are.

    `edits`: pieces of the call, and how pipeline.py writes each from the text that it has; None stands for no text.
    """

    gpu: int | None
    edits: tuple[tuple[ir.At, ir.Expr | None, str], ...] = ()


class Placement:
    """Answers for one program."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.program = evaluator, evaluator.program
        self._matcher = Matcher(evaluator)
        self._names = self._matcher.names(ModelPlace)
        self._methods = tuple(r for r in evaluator.rulebook.of_role(ModelPlace) if any("()." in api for api in r.api))

    def of(self, file: str, call: ir.Call) -> Placed | None:
        """What a call says; None for most, and where the code leaves it open."""
        if last_name(call.func) not in self._names:
            return None
        place = next((p for p in self.program.files[file].calls.get(last_name(call.func), ()) if p.call.at == call.at), None)
        said = (self._said(place, rule) for rule in self._rules(place)) if place is not None else ()
        return next((s for s in said if s is not None), None)

    def _said(self, place: CallPlace, rule: ModelPlace) -> Placed | None:
        call, frame = place.call, self.program.generic(place.scope)
        device = port(call, rule.device)
        if rule.listed:
            gpu = self._of_runtimes(device, rule, frame)
            return None if gpu is None else Placed(gpu)
        if device is None:
            return Placed(FIRST, _edits(rule, call, None)) if rule.instead else None
        if self._values(device, frame) & set(rule.spread):
            return Placed(None)
        number = port(call, rule.number) if rule.number else None
        gpu = self._gpu(device, rule, frame)
        if gpu is None:
            return None
        numbered = self.evaluator.constant(number, frame)
        return Placed(numbered if isinstance(numbered, int) else gpu, _edits(rule, call, device, number))

    def _rules(self, place: CallPlace) -> tuple[ModelPlace, ...]:
        """Of a call on something unknown: those of methods of this name, which then are told a GPU by name."""
        frame, func = self.program.generic(place.scope), place.call.func
        apis = self.evaluator.apis(func, frame)
        said = [r for a in apis for r in self.evaluator.rulebook.rules_for(a.called)]
        if said or not isinstance(func, ir.Attribute):
            return tuple(r for r in said if isinstance(r, ModelPlace))
        named = (r for r in self._methods if any(api.endswith(f".{func.attr}") for api in r.api))
        return tuple(r for r in named if {type(v) for v in self._values(port(place.call, r.device), frame)} == {str})

    def _values(self, device: ir.Expr | None, frame: Frame) -> set[object]:
        """The constants that a device may be; none where it may be anything else, too."""
        found = self.evaluator.values(device, frame)
        if not all(isinstance(v, Literal) for v in found):
            return set()
        return {v.value for v in found if isinstance(v, Literal)}

    def _gpu(self, device: ir.Expr, rule: ModelPlace, frame: Frame) -> int | None:
        if isinstance(device, ir.Mapping):  # `device_map={"": 0}`: all of it
            return self._gpu(device.values[0], rule, frame) if len(device.values) == 1 else None
        found = {_numbered(value, rule.written) for value in self._values(device, frame)}
        return found.pop() if len(found) == 1 else None

    def _of_runtimes(self, listed: ir.Expr | None, rule: ModelPlace, frame: Frame) -> int | None:
        """Of `providers=[("CUDAExecutionProvider", {"device_id": 1}), "CPUExecutionProvider"]`."""
        lists = [v for v in self.evaluator.values(listed, frame) if isinstance(v, Container) and isinstance(v.expr, ir.Sequence)]
        if len(lists) != 1 or not isinstance(lists[0].expr, ir.Sequence):
            return None
        for item in lists[0].expr.items:
            name, options = item, None
            if isinstance(item, ir.Sequence) and len(item.items) == 2:
                name, options = item.items
            if self.evaluator.constant(name, lists[0].frame) == rule.written:
                return self._option(options, rule.listed, lists[0].frame)
        return None

    def _option(self, options: ir.Expr | None, key: str, frame: Frame) -> int:
        for container in self.evaluator.values(options, frame):
            if isinstance(container, Container) and isinstance(container.expr, ir.Mapping):
                for name, value in zip(container.expr.keys, container.expr.values, strict=True):
                    number = self.evaluator.constant(value, container.frame)
                    if self.evaluator.constant(name, container.frame) == key and isinstance(number, (int, str)):
                        return int(number)
        return FIRST


def _numbered(value: object, written: str) -> int | None:
    """The number of the GPU that is meant."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if not isinstance(value, str):
        return None
    name = re.escape(written.partition(":")[0])
    match = re.fullmatch(rf"/?(?:device:)?{name}(?::(\d+))?", value, re.I)
    return int(match[1] or FIRST) if match is not None else None


def _edits(
    rule: ModelPlace, call: ir.Call, device: ir.Expr | None, number: ir.Expr | None = None
) -> tuple[tuple[ir.At, ir.Expr | None, str], ...]:
    """How pipeline.py writes it. `{}` is the application's own text."""
    name, _, numbered = rule.written.partition(":")
    whole = DEVICE if name == "cuda" else f'{DEVICE}.replace("cuda", "{name}")'
    if rule.instead and isinstance(call.func, ir.Attribute):
        tail = (*call.func.value.at[2:], *call.at[2:])
        own = f'"{rule.written.format(FIRST)}"' if device is None else "{}"
        return ((tail, device, f".{rule.instead}({whole} or {own})"),)
    if device is None:
        return ()
    if number is not None or not numbered:
        kind = f'{DEVICE}.partition(":")[0]'
        said = ((device.at, device, f"{kind} or {{}}"),)
        return said if number is None else (*said, (number.at, number, f'int({DEVICE}.partition(":")[2] or 0) if {DEVICE} else {{}}'))
    return ((device.at, device, f"{whole} or {{}}"),)


def edited(placed: Placed, text: Callable[[ir.Expr], str]) -> Iterator[tuple[ir.At, str]]:
    """The edits with the application's text in them."""
    for at, own, template in placed.edits:
        written = "" if own is None else text(own)
        if isinstance(own, (ir.Conditional, ir.Operation)):
            written = f"({written})"
        yield at, template.format(written) if own is not None else template
