"""Takes an expression that names a URL, gives the texts it may be: constants put together in any way that Python has, defaults of settings.

A part that only the run knows stays visible in braces (`/{VERSION}/predict`): a route with an odd path is better than a route lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice, product
from string import Formatter

from triton_migrate.entries.loops import put
from triton_migrate.index import flow, ir
from triton_migrate.resolve.calls import argument_map, results
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api, Container, Literal
from triton_migrate.rulebook.vocabulary import DataConvert

MANY = 64  # alternatives of one path
UNNAMED = "var"  # how a group without a name is written
GROUP = re.compile(r"\(\?P<(\w+)>")
PERCENT = re.compile(r"(%%|%(?:\(\w+\))?[sdr])")
CHANGES = {"strip": (0, 1), "lstrip": (0, 1), "rstrip": (0, 1), "lower": (0,), "upper": (0,)}  # methods of text, with how many arguments
CHANGES |= {"removeprefix": (1,), "removesuffix": (1,), "replace": (2,)}
SETTINGS = ("os.getenv", "os.environ.get")


def texts(evaluator: Evaluator, expr: ir.Expr | None, frame: Frame) -> tuple[str, ...]:
    """The strings `expr` may be, sorted; none when it is no text at all."""
    if expr is None:
        return ()
    return tuple(sorted(set(_texts(evaluator, expr, frame))))[:MANY]


def url_texts(evaluator: Evaluator, expr: ir.Expr | None, frame: Frame, regex: bool) -> tuple[str, ...]:
    """The URLs `expr` may be; lists of them too. Regular expressions are written as Django shows them: `^x/(?P<id>\\d+)/$` is `x/<id>/`."""
    found = texts(evaluator, expr, frame)
    if not found and expr is not None:
        lists = [v for v in evaluator.values(expr, frame) if isinstance(v, Container) and isinstance(v.expr, ir.Sequence)]
        found = tuple(t for c in lists if isinstance(c.expr, ir.Sequence) for e in c.expr.items for t in texts(evaluator, e, c.frame))
    return tuple(dict.fromkeys(simplified(t) for t in found)) if regex else found


def simplified(regex: str) -> str:
    """A regular expression of a path without anchors and escapes, its groups named or `<var>`."""
    text = regex.removeprefix("^").removesuffix("$").removesuffix(r"\Z").removesuffix("?")
    found, depth, opened = "", 0, 0
    for at, letter in enumerate(text):
        escaped = at > 0 and text[at - 1] == "\\"
        if letter == "(" and not escaped:
            depth, opened = depth + 1, opened if depth else at
        elif letter == ")" and not escaped and depth:
            depth -= 1
            if not depth:
                named = GROUP.match(text[opened:])
                found += f"<{named[1] if named else UNNAMED}>"
        elif not depth and not (letter == "\\" and not escaped):
            found += letter
    return found


def _texts(evaluator: Evaluator, expr: ir.Expr, frame: Frame, within: frozenset[int] = frozenset()) -> list[str]:
    """`within`: ids of the expressions that lead here; a name that is made of itself (`path = "/v1" + path`) says nothing more."""
    if isinstance(expr, ir.Call) and (made := _made(evaluator, expr, frame, within)):
        return made
    said = [v.value for v in evaluator.values(expr, frame) if isinstance(v, Literal)]
    known = [text if isinstance(text, str) else text.decode(errors="replace") for text in said if isinstance(text, (str, bytes))]
    if known:
        return known
    match expr:
        case ir.Joined(_, parts) | ir.Operation(_, "Add", parts):
            return _put_together(evaluator, parts, frame, within)
        case ir.Operation(_, "Mod", (form, right)):
            given = right.items if isinstance(right, ir.Sequence) else (right,)
            rows = [_filled_by_percent(f, given) for f in _texts(evaluator, form, frame, within)]
            return [t for row in rows for t in _put_together(evaluator, row, frame, within)]
        case ir.Call(_, ir.Attribute(_, form, "format"), given, keywords):
            rows = [_filled_by_format(f, given, dict(keywords)) for f in _texts(evaluator, form, frame, within)]
            return [t for row in rows for t in _put_together(evaluator, row, frame, within)]
        case ir.Call(_, ir.Attribute(_, between, "join"), (ir.Sequence(_, _, given),)):
            rows = [[part for item in given for part in (b, item)][1:] for b in _texts(evaluator, between, frame, within)]
            return [t for row in rows for t in _put_together(evaluator, row, frame, within)]
        case ir.Call(_, ir.Attribute(_, text, method), given) if len(given) in CHANGES.get(method, ()):
            said = [a.value for a in given if isinstance(a, ir.Constant) and isinstance(a.value, str)]
            return [getattr(t, method)(*said) for t in _texts(evaluator, text, frame, within)] if len(said) == len(given) else []
        case ir.Conditional(_, _, then, orelse):
            return _texts(evaluator, then, frame, within) + _texts(evaluator, orelse, frame, within)
        case ir.Call(_, _, (_, default)) if any(a.path in SETTINGS for a in evaluator.apis(expr.func, frame)):
            return _texts(evaluator, default, frame, within)
        case ir.Call(_, _, (given, *_)) if any(_says(evaluator, a) for a in evaluator.apis(expr.func, frame)):
            return _texts(evaluator, given, frame, within)
        case ir.Name(_, name):
            return _assigned(evaluator, name, frame, within) or _elsewhere(evaluator, expr, frame, within)
        case ir.Attribute():
            return _elsewhere(evaluator, expr, frame, within)
    return []


def _made(evaluator: Evaluator, call: ir.Call, frame: Frame, within: frozenset[int]) -> list[str]:
    """What a function of the program makes of constants: `scoped("/ask")`, whatever its other callers pass."""
    given = [*call.args, *(value for _, value in call.keywords)]
    if not given or not all(isinstance(g, ir.Constant) for g in given):
        return []
    found: list[str] = []
    for function in (f for value in evaluator.values(call.func, frame) for f in evaluator.callables(value)):
        body, parameters = function.scope.function, function.scope.function.parameters[1 if function.receiver is not None else 0 :]
        passed = argument_map(parameters, call)
        if id(function.scope) not in within and passed.keys().isdisjoint(flow.binds(body.body)):
            inner = evaluator.program.generic(function.scope)
            given_back = (evaluator.kept(put(expr, passed)) for expr in results(body))
            found += [t for expr in given_back for t in _texts(evaluator, expr, inner, within | {id(function.scope)})]
    return found


def _says(evaluator: Evaluator, called: Api) -> bool:
    """Whether a call of it stands for the text it is given: a translation, or an object that is made of a path."""
    rule = evaluator.rulebook.find(called.path, DataConvert)
    return rule is not None and rule.result == "same"


def _put_together(evaluator: Evaluator, parts: Iterable[ir.Expr | str], frame: Frame, within: frozenset[int]) -> list[str]:
    """The texts that parts in a row may be: expressions, and text that is known."""
    choices = [[p] if isinstance(p, str) else _texts(evaluator, p, frame, within) or [_unknown(p)] for p in parts]
    return ["".join(c) for c in islice(product(*choices), MANY)]


def _filled_by_percent(form: str, given: tuple[ir.Expr, ...]) -> list[ir.Expr | str]:
    """`"/%s/x" % name` as parts in a row."""
    found: list[ir.Expr | str] = []
    values = iter(given)
    for at, text in enumerate(PERCENT.split(form)):
        found.append(next(values, text) if at % 2 and text != "%%" else text.replace("%%", "%"))
    return found


def _filled_by_format(form: str, args: tuple[ir.Expr, ...], named: Mapping[str | None, ir.Expr]) -> list[ir.Expr | str]:
    """`"/{}/{x}".format(name, x=y)` as parts in a row; a field that is looked up further (`{x.y}`) stays as it is written."""
    found: list[ir.Expr | str] = []
    try:
        fields = list(Formatter().parse(form))
    except ValueError:
        return [form]
    counted = iter(args)
    for text, field, *_ in fields:
        found.append(text)
        if field is not None:
            number = int(field) if field.isdecimal() else -1
            given = next(counted, None) if not field else args[number] if 0 <= number < len(args) else named.get(field)
            found.append(given if given is not None else f"{{{field}}}")
    return found


def _assigned(evaluator: Evaluator, name: str, frame: Frame, within: frozenset[int]) -> list[str]:
    at: Frame | None = frame
    while at is not None and name not in at.scope.bindings:
        at = at.parent
    bindings = at.scope.bindings[name] if at is not None else []
    made = (ir.Joined, ir.Operation, ir.Conditional, ir.Call)
    exprs = [b.expr for b in bindings if b.how == "value" and isinstance(b.expr, made) and id(b.expr) not in within]
    return [t for e in exprs if at for t in _texts(evaluator, e, at, within | {id(e)})]


def unsaid(expr: ir.Expr | None) -> str:
    """What stands for a path of which nothing is known: the name it has in the source."""
    return _unknown(expr) if expr is not None else "{?}"


def _unknown(expr: ir.Expr) -> str:
    match expr:
        case ir.Constant(_, value):
            return str(value)
        case ir.Name(_, name) | ir.Attribute(_, _, name):
            return f"{{{name}}}"
    return "{?}"


def _elsewhere(evaluator: Evaluator, expr: ir.Expr, frame: Frame, within: frozenset[int]) -> list[str]:
    """The default of a setting that another module or a class reads: `from config import PREFIX`, `Config.PREFIX`."""
    reads = [v for v in evaluator.values(expr, frame) if isinstance(v, Api) and v.path.removesuffix("()") in SETTINGS]
    places = [place for read in sorted(reads, key=str) if (place := evaluator.program.call_at(read.site)) is not None]
    return [
        t
        for p in places
        if id(p.call) not in within
        for t in _texts(evaluator, p.call, evaluator.program.generic(p.scope), within | {id(p.call)})
    ]
