"""Takes the program's queues, gives what must run beside the application: its workers by their commands, and the brokers of all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.match import Match, Matcher
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import TaskOption

BROKERS = {"redis": "redis:7-alpine", "amqp": "rabbitmq:3-alpine"}
URL = re.compile(r"(?P<scheme>redis|amqp)s?://(?P<user>[^@/]*@)?(?P<host>localhost|127\.0\.0\.1)(?P<rest>(?::\d+)?(?:/.*)?)")
LOCAL = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Beside:
    """`brokers` are services by name with their images; `settings` environment variables that lead to them; `fixed` the places that name
    a broker on this machine and read no variable."""

    workers: tuple[str, ...] = ()
    brokers: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    fixed: tuple[Span, ...] = ()


def beside(matcher: Matcher, looping: frozenset[Scope]) -> Beside:
    """`looping`: functions that take from a queue of the program's own making; the scripts that run them are workers, too."""
    workers = dict.fromkeys((*_workers(matcher), *_scripts(matcher, looping)))
    urls = tuple(_urls(matcher))
    hosts = tuple(_hosts(matcher))
    kinds = sorted({k for k, *_ in urls} | {k for k, _ in hosts})
    settings = {name: value for _, name, value, _ in urls if name} | {name: kind for kind, name in hosts}
    fixed = tuple(sorted({span for _, name, _, span in urls if not name}))
    if not workers and not kinds:
        return Beside()
    return Beside(tuple(workers), tuple((k, BROKERS[k]) for k in kinds), tuple(sorted(settings.items())), fixed)


def _workers(matcher: Matcher) -> Iterator[str]:
    for match in matcher.find(TaskOption):
        if match.rule.worker and not matcher.program.is_test(match.place.scope.file):
            module = matcher.program.module_name(match.place.scope.file)
            of_object = any(place in match.rule.worker for place in ("{object}", "{dotted}"))
            if of_object and (named := _held(matcher, match)) is not None:
                yield match.rule.worker.replace("{object}", named).replace("{dotted}", named.replace(":", "."))
            elif not of_object:
                name = matcher.constant(port(match.place.call, match.rule.named), match.place) if match.rule.named else None
                told = name if isinstance(name, str) else "default"
                yield match.rule.worker.replace("{module}", module).replace("{name}", told)


def _held(matcher: Matcher, match: Match[TaskOption]) -> str | None:
    """Where a module holds what the call makes: `pkg.module:name`."""
    files = sorted(matcher.program.frames, key=lambda file: file != match.place.scope.file)
    for file in files:
        frame = matcher.program.frames[file]
        for name, bindings in frame.scope.bindings.items():
            if any(b.how == "value" for b in bindings) and not matcher.program.is_test(file):
                if any(isinstance(v, Api) and v.made == match.site for v in matcher.evaluator.name(name, frame)):
                    return f"{matcher.program.module_name(file)}:{name}"
    return None


def _scripts(matcher: Matcher, looping: frozenset[Scope]) -> Iterator[str]:
    """Files that a person starts, which run such a function."""
    for scope in sorted(looping, key=lambda s: s.file):
        body = matcher.program.files[scope.file].facts.body
        called = (e for s in body if flow.is_main(s) for e in flow.every(s) if isinstance(e, ir.Call))
        frame = matcher.program.frames[scope.file]
        if any(f.scope is scope for c in called for v in matcher.evaluator.values(c.func, frame) for f in matcher.evaluator.callables(v)):
            yield f"python {scope.file}"


def _urls(matcher: Matcher) -> Iterator[tuple[str, str, str, Span]]:
    """Brokers by URL: kind, the environment variable that says another ("" for none), the URL inside the compose network, place."""
    for file, scopes in matcher.program.files.items():
        if matcher.program.is_test(file):
            continue
        read: set[int] = set()
        every = [e for s in flow.flatten(scopes.facts.body) for e in flow.every(s)]
        for call in (e for e in every if isinstance(e, ir.Call) and len(e.args) == 2):
            variable, default = call.args
            if isinstance(variable, ir.Constant) and isinstance(default, ir.Constant) and (found := _url(default)):
                read.add(id(default))
                yield found[0], str(variable.value), found[1], Span(file, *default.at)
        for expr in every:
            if isinstance(expr, ir.Constant) and id(expr) not in read and (found := _url(expr)):
                yield found[0], "", found[1], Span(file, *expr.at)


def _url(expr: ir.Constant) -> tuple[str, str] | None:
    match = URL.fullmatch(expr.value) if isinstance(expr.value, str) else None
    if match is None:
        return None
    kind = match["scheme"]
    return kind, f"{kind}://{match['user'] or ''}{kind}{match['rest']}"


def _hosts(matcher: Matcher) -> Iterator[tuple[str, str]]:
    """Brokers by a variable for the host alone: `os.environ.get("REDIS_HOST", "localhost")`."""
    for name in ("get", "getenv"):
        for place in matcher.program.calls(name):
            match place.call.args:
                case (ir.Constant(_, str() as variable), ir.Constant(_, str() as default)) if default in LOCAL:
                    kind = next((k for k in BROKERS if k.upper() in variable.upper()), None)
                    if kind is not None and not matcher.program.is_test(place.scope.file):
                        yield kind, variable
