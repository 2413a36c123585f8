"""Takes calls that put something onto a channel or take it from one, gives which channel it is and what is put there.

A queue object is known by where it was made, a list of a server (Redis) by its name: the same constant, the same environment variable
(which several programs read, each for itself), or something else that is read at one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.resolve.values import NOTHING, Api, Container, Literal, Site, Tuples, Value, Values
from triton_migrate.rulebook.vocabulary import ChannelPut, ChannelTake

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

SETTINGS = ("os.getenv", "os.environ.get")  # calls that read an environment variable


@dataclass(frozen=True, slots=True)
class Channel:
    """`carrier` is the library object's path, of a named channel its library; `name` the constant, or where it or the object was made."""

    carrier: str
    name: str | bytes | Site


class Channels:
    """Answers for one program."""

    def __init__(self, ev: Evaluator) -> None:
        self.ev = ev
        rules = [r for library in ev.rulebook.libraries for r in library.rules]
        self._putting = _names(tuple(r for r in rules if isinstance(r, ChannelPut)))
        self._taking = _names(tuple(r for r in rules if isinstance(r, ChannelTake)))

    def of(self, rule: ChannelPut | ChannelTake, api: Api, call: ir.Call, frame: Frame) -> frozenset[Channel]:
        """The channels that a call by this rule puts onto or takes from."""
        carrier = api.path.rpartition(".")[0]
        if rule.channel == "self":
            return frozenset({Channel(carrier, api.made)}) if api.made is not None else frozenset()
        server = carrier.partition(".")[0]  # what is put there by one of its clients is taken by another (`pipe.lrange(name, 0, 9)`)
        named = self.ev.values(port(call, rule.channel), frame)
        return frozenset(Channel(server, n) for value in named for n in self._named(value))

    def _named(self, value: Value) -> Iterator[str | bytes | Site]:
        match value:
            case Literal(str() | bytes() as name):
                yield name
            case Api(path, Site() as site):
                place = self.ev.program.call_at(site) if path.removesuffix("()") in SETTINGS else None
                variable = self.ev.constant(port(place.call, "key|0"), self.ev.program.generic(place.scope)) if place is not None else None
                yield f"${variable}" if isinstance(variable, str) else site
            case Container() | Tuples():  # `blpop([FIRST, SECOND])`
                yield from (n for inner in self.ev.element(value, None) if isinstance(inner, Literal) for n in self._named(inner))

    def taken(self, rule: ChannelTake, api: Api) -> Values:
        """What a call that takes from a queue object may give: what the program puts there."""
        if rule.channel != "self" or api.made is None:
            return NOTHING
        channel = Channel(api.path.rpartition(".")[0], api.made)
        return self.ev.once(channel, self.ev.program.frames[api.made.file], lambda: self._items(channel))

    def _items(self, channel: Channel) -> Values:
        found: Values = NOTHING
        for name in self._putting:
            for place in self.ev.program.calls(name):
                frame = self.ev.program.generic(place.scope)
                for api in self.ev.apis(place.call.func, frame):
                    rule = self.ev.rulebook.find(api.path, ChannelPut)
                    if rule is not None and channel in self.of(rule, api, place.call, frame):
                        found |= self.ev.values(port(place.call, rule.item), frame)
        return found

    def takers(self) -> Iterator[tuple[Channel, CallPlace, ChannelTake]]:
        """Every call of the program that takes from a known channel, in person or as what another calls (`iter(queue.get, None)`)."""
        for name in self._taking:
            for place in (*self.ev.program.calls(name), *self.ev.handing.of(name)):
                frame = self.ev.program.generic(place.scope)
                for api in self.ev.apis(place.call.func, frame):
                    if (rule := self.ev.rulebook.find(api.path, ChannelTake)) is not None:
                        yield from ((channel, place, rule) for channel in self.of(rule, api, place.call, frame))


def _names(rules: tuple[ChannelPut | ChannelTake, ...]) -> tuple[str, ...]:
    return tuple(sorted({path.rpartition(".")[2] for rule in rules for path in rule.api}))
