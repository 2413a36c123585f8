"""Takes the calls that take from channels, gives each channel's workers: functions that take in a loop, themselves or through a helper."""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.match import Matcher
from triton_migrate.resolve.channels import Channel
from triton_migrate.resolve.scopes import CallPlace, Scope, last_name
from triton_migrate.resolve.values import Site, UserFunction

FURTHEST = 4  # calls between the loop and the call that takes


class Workers:
    """Found once, when first asked. `handlers` take in loops only to wait for an answer: they are nobody's workers."""

    def __init__(self, matcher: Matcher, handlers: frozenset[Scope]) -> None:
        self.matcher, self.handlers = matcher, handlers
        self._found: dict[Channel, dict[Scope, UserFunction]] | None = None

    def of(self, channel: Channel) -> tuple[UserFunction, ...]:
        """The functions whose loops get what is put onto the channel."""
        if self._found is None:
            self._found = {}
            for known, place, rule in self.matcher.evaluator.channels.takers():
                workers = self._found.setdefault(known, {})
                if not self.matcher.program.is_test(place.scope.file) and not (
                    rule.plain and (_made_there(known, place.scope) or _dropped(place))
                ):
                    workers |= {w.scope: w for w in self._driving(place, 0, _taken_from(place) if rule.plain else "")}
        return tuple(self._found.get(channel, {}).values())

    def _driving(self, place: CallPlace, depth: int, container: str) -> Iterator[UserFunction]:
        """The function with the innermost loop around the call; of a generator, the loop over what it gives (`async for job in jobs()`).

        From a plain `container` one takes that goes on whatever is in it, rather than until it is empty, or short enough.
        """
        scope = place.scope
        if scope.kind != "function" or scope in self.handlers or depth > FURTHEST:
            return
        loops = tuple(flow.loops_around(scope.body, place.call.at))
        if loops and not _yields(scope):
            if container and not any(isinstance(loop, ir.While) and not _asks(loop.test, container) for loop in loops):
                return
            assert scope.parent is not None
            yield UserFunction(scope, self.matcher.program.generic(scope.parent))
            return
        program, evaluator = self.matcher.program, self.matcher.evaluator
        for caller in (
            *program.calls(scope.name),
            *evaluator.handing.of(scope.name),
        ):  # or as what another calls (`asyncio.to_thread(take)`)
            for value in evaluator.values(caller.call.func, program.generic(caller.scope)):
                if any(f.scope is scope for f in evaluator.callables(value)):
                    yield from self._driving(caller, depth + 1, container)


def _yields(scope: Scope) -> bool:
    return any(flow.yields(expr) for stmt in flow.flatten(scope.body) for expr in flow.expressions(stmt))


def _made_there(channel: Channel, scope: Scope) -> bool:
    """Whether a container is a local of the function that takes from it."""
    made = channel.name
    return isinstance(made, Site) and scope.kind == "function" and made.file == scope.file and ir.holds(scope.function.at, made.at)


def _dropped(place: CallPlace) -> bool:
    return any(isinstance(stmt, ir.Evaluate) and stmt.value is place.call for stmt in flow.flatten(place.scope.body))


def _taken_from(place: CallPlace) -> str:
    """What the container is called where something is taken from it."""
    return last_name(place.call.func.value) if isinstance(place.call.func, ir.Attribute) else ""


def _asks(test: ir.Expr, container: str) -> bool:
    return any(isinstance(part, (ir.Name, ir.Attribute)) and last_name(part) == container for part in flow.walk(test))
