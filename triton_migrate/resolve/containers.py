"""Takes a container and a key, gives what may be inside: displays, comprehensions, stores from elsewhere, `__getitem__`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_migrate.index import ir
from triton_migrate.resolve import enums, fielded
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import (
    NOTHING,
    Api,
    Container,
    Instance,
    Literal,
    Site,
    Tuples,
    Unknown,
    UserClass,
    UserFunction,
    Value,
    Values,
)

if TYPE_CHECKING:
    from triton_migrate.resolve.evaluate import Evaluator

EMPTY = {
    "builtins.list": "list",
    "builtins.set": "set",
    "builtins.dict": "dict",
    "collections.deque": "deque",
    "collections.OrderedDict": "dict",
}
ENTERING = frozenset({"contextlib.ExitStack().enter_context", "contextlib.AsyncExitStack().enter_async_context"})
VIEWS = frozenset({"types.MappingProxyType", "collections.ChainMap", "itertools.cycle", "itertools.chain"})  # elements of their arguments
CHOOSING = frozenset({"random.choice", "random.Random().choice", "secrets.choice"})
TAKING = frozenset({("builtins.list()", "pop"), ("collections.deque()", "pop"), ("collections.deque()", "popleft")})
LOOKING = frozenset({"get", "pop", "setdefault", "values", "items"})
SAME_ELEMENTS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset", "dict", "copy"})


def element(ev: Evaluator, value: Value, key: object) -> Values:
    """`value[key]`; key None = any element (iteration, unknown index)."""
    match value:
        case Container(_, expr, frame):
            return _inside(ev, expr, key, frame) | _put_into(ev, value, key)
        case Tuples(parts):
            if isinstance(key, int) and -len(parts) <= key < len(parts):
                return parts[key]
            return frozenset().union(*parts)
        case Api("builtins.globals()", Site(file)) if isinstance(key, str):
            return ev.name(key, ev.program.frames[file])
        case Api(path, site, of):
            stored = (_put_into(ev, value, key) if key is not None else NOTHING) or fielded.given(ev, value, key)
            position = f"{path}[{key}]" if isinstance(key, int) and key >= 0 else path  # of a tuple whose parts the rules tell apart
            told = ev.rulebook.canonical(position)
            return stored or frozenset({Api(told if told != position else ev.rulebook.canonical(path + "[]"), site, of)})
        case UserClass():
            return enums.members(ev, value) or _class_element(ev, value) or frozenset({value})
        case Instance():
            return _instance_element(ev, value, key)
    return frozenset({Unknown("element of something unknown")})


def _class_element(ev: Evaluator, cls: UserClass) -> Values:
    """What the class's own `__class_getitem__` gives for `Models["main"]`."""
    if "__class_getitem__" not in cls.scope.bindings:
        return NOTHING
    methods = (f for f in ev.class_attribute(cls, "__class_getitem__", None) if isinstance(f, UserFunction))
    return frozenset().union(*(ev.returned(UserFunction(f.scope, f.frame, cls), {}) for f in methods))


def _instance_element(ev: Evaluator, value: Instance, key: object) -> Values:
    methods = [f for n in ("__getitem__", "__iter__") for f in ev.class_attribute(value.of, n, value) if isinstance(f, UserFunction)]
    if methods:
        wanted = [f for f in methods if f.scope.name == ("__getitem__" if key is not None else "__iter__")] or methods
        return frozenset().union(*(ev.returned(f, {}) for f in wanted))
    put = frozenset().union(*(ev.values(s.value, ev.program.generic(s.scope)) for s in ev.stores.element(value, key)))
    return put or fielded.element(ev, value, key)


def _inside(ev: Evaluator, expr: ir.Sequence | ir.Mapping | ir.Comprehension, key: object, frame: Frame) -> Values:
    if isinstance(expr, ir.Comprehension):
        return ev.values(expr.value or expr.element, frame)
    if isinstance(expr, ir.Sequence):
        starred = any(isinstance(i, ir.Starred) for i in expr.items)
        if isinstance(key, int) and -len(expr.items) <= key < len(expr.items) and not starred:
            return ev.values(expr.items[key], frame)
        return frozenset().union(*(_item(ev, i, frame) for i in expr.items))
    if key is not None:
        exact = [v for k, v in zip(expr.keys, expr.values, strict=True) if k is not None and ev.constant(k, frame) == key]
        if exact:
            return ev.values(exact[-1], frame)
    pairs = zip(expr.keys, expr.values, strict=True)
    return frozenset().union(*(ev.values(v, frame) if k is not None else _unpacked(ev, v, key, frame) for k, v in pairs))


def _item(ev: Evaluator, item: ir.Expr, frame: Frame) -> Values:
    return _unpacked(ev, item.value, None, frame) if isinstance(item, ir.Starred) else ev.values(item, frame)


def _unpacked(ev: Evaluator, inner: ir.Expr, key: object, frame: Frame) -> Values:
    return frozenset().union(*(ev.element(v, key) for v in ev.values(inner, frame)))


def _put_into(ev: Evaluator, container: Container | Api, key: object) -> Values:
    return frozenset().union(*(ev.stored(s) for s in ev.stores.element(container, key)))


def put_under(ev: Evaluator, container: Api, index: ir.Expr, frame: Frame) -> Values:
    """What `app[MODEL] = load()` put into an object of a library under an object of one (`MODEL = web.AppKey("model", Model)`)."""
    wanted = {a.site for a in ev.apis(index, frame)} - {None} if isinstance(index, (ir.Name, ir.Attribute)) else set()
    stores = [s for s in ev.stores.element(container, None) if s.key is not None] if wanted else []
    under = (s for s in stores if any(a.site in wanted for a in ev.apis(s.key, ev.program.generic(s.scope))))
    return frozenset().union(*(ev.stored(s) for s in under))


def copied(made: ir.Comprehension) -> ir.Expr | None:
    """The mapping that is copied, or a part of it: `{k: v for k, v in data.items() if k != "url"}`."""
    match made.element, made.value, made.loops:
        case (
            ir.Name(_, key),
            ir.Name(_, value),
            ((ir.Sequence(_, _, (ir.Name(_, first), ir.Name(_, second))), ir.Call(_, ir.Attribute(_, base, "items"), ()), _),),
        ) if (key, value) == (first, second):
            return base
    return None


def is_bundle(ev: Evaluator, value: Value) -> bool:
    return isinstance(value, Api) and _holds(ev, value.path)


def _holds(ev: Evaluator, path: str) -> bool:
    """Whether a library's object may hold others by name, as the dict in a pickle does: its elements are such objects, too."""
    return ev.rulebook.canonical(f"{path}[]") == path


def keys(ev: Evaluator, container: Value) -> Values:
    """The keys of a dict display."""
    if isinstance(container, Container) and isinstance(container.expr, ir.Mapping):
        return frozenset().union(*(ev.values(k, container.frame) for k in container.expr.keys if k is not None))
    return NOTHING


def entered(ev: Evaluator, value: Value) -> Values:
    """What `with value as x` binds: the yielded value of a generator context manager, `__enter__`'s result, or the value itself."""
    if isinstance(value, Instance):
        enters = [f for n in ("__enter__", "__aenter__") for f in ev.class_attribute(value.of, n, value) if isinstance(f, UserFunction)]
        return frozenset().union(*(ev.returned(f, {}) for f in enters)) or frozenset({value})
    return frozenset({value})


def rearranged(ev: Evaluator, path: str, call: ir.Call, frame: Frame) -> Values | None:
    """Library calls that only hand elements on: `d.get(k)`, `d.items()`, `enumerate(xs)`, `zip(a, b)`, `gather(a, b)`; None for others."""
    root, _, name = path.rpartition(".")
    if path in EMPTY and not call.args:  # made empty, to be filled: `models = list()`, or with `dict(a=x)`
        given = [(ir.Constant(call.at, key), value) for key, value in call.keywords if key is not None]
        pairs = ir.Mapping(call.at, tuple(k for k, _ in given), tuple(v for _, v in given))
        made = pairs if EMPTY[path] == "dict" else ir.Sequence(call.at, EMPTY[path], ())
        return frozenset({Container(Site(frame.scope.file, call.at), made, frame)})
    if isinstance(call.func, ir.Attribute) and (root == "builtins.dict()" or (name in LOOKING and _holds(ev, root))):
        containers = ev.values(call.func.value, frame)
        if name in {"get", "pop", "setdefault"}:
            key = ev.key(call.args[0], frame) if call.args else None
            found = frozenset().union(*(ev.element(c, key) for c in containers))
            return found | (ev.values(call.args[1], frame) if len(call.args) > 1 else NOTHING)
        if name == "values":
            return frozenset({Tuples((frozenset().union(*(ev.element(c, None) for c in containers)),))})
        if name == "items":
            return _tuples(
                frozenset().union(*(keys(ev, c) for c in containers)),
                frozenset().union(*(ev.element(c, None) for c in containers)),
            )
        return frozenset(containers) if name == "copy" else None
    if root in ("builtins.list()", "collections.deque()") and name == "copy" and isinstance(call.func, ir.Attribute):
        return ev.values(call.func.value, frame)
    if (root, name) in TAKING and isinstance(call.func, ir.Attribute):
        return frozenset().union(*(ev.element(c, None) for c in ev.values(call.func.value, frame)))
    if path == "collections.defaultdict" and call.args:  # any key gives what the factory makes
        display = ir.Mapping(call.at, (ir.Constant(call.at, None),), (ir.Call(call.at, call.args[0], (), ()),))
        return frozenset({Container(Site(frame.scope.file, call.at), display, frame)})
    if path in VIEWS:
        return frozenset().union(*(ev.values(a, frame) for a in call.args))
    if path in CHOOSING:
        return frozenset().union(*(ev.element(v, None) for a in call.args[:1] for v in ev.values(a, frame)))
    if path in ENTERING:
        return frozenset().union(*(entered(ev, v) for a in call.args[:1] for v in ev.values(a, frame)))
    if (paired := _paired(path, call)) is not None:
        return frozenset({Container(Site(frame.scope.file, call.at), ev.handing.shown(call, paired), frame)})
    if path == "asyncio.gather":
        tasks = [_unpacked(ev, a.value, None, frame) if isinstance(a, ir.Starred) else ev.values(a, frame) for a in call.args]
        return frozenset({Tuples(tuple(tasks))})
    if root != "builtins" or not call.args:
        return None
    if name == "iter" and len(call.args) == 2:  # `iter(queue.get, None)`: what each call gives
        each_call = ir.Call(call.at, call.args[0], (), ())
        ev.kept(each_call)
        each = (ev.call(v, each_call, frame) for v in ev.values(call.args[0], frame))
        return frozenset({Tuples((frozenset().union(*each),))})
    if name in SAME_ELEMENTS:
        same = ev.values(call.args[0], frame)
        if name == "list" and all(isinstance(v, Unknown) for v in same):  # of its own, which may be filled
            return frozenset({Container(Site(frame.scope.file, call.at), ev.handing.listed(call), frame)})
        return same
    elements = [_unpacked(ev, a, None, frame) for a in call.args]
    if name == "enumerate":
        return _tuples(NOTHING, elements[0])
    if name == "zip":
        return _tuples(*elements)
    if name == "next":
        return elements[0]
    return None


def _paired(path: str, call: ir.Call) -> tuple[ir.Expr, ir.Expr] | None:
    """Keys and value of a dict made of others: `dict.fromkeys(names, net)` and `dict(zip(names, nets))`, whose keys are not told apart."""
    match path, call.args:
        case "builtins.dict.fromkeys", (names, value):
            return names, value
        case "builtins.dict", (ir.Call(_, ir.Name(_, "zip"), (names, values)),):
            return names, ir.Subscript(call.at, values, ir.Constant(call.at, None))
    return None


def _tuples(*parts: Values) -> Values:
    return frozenset({Tuples((frozenset({Tuples(parts)}),))})


def gathered(ev: Evaluator, star: ir.Parameter, parameters: tuple[ir.Parameter, ...], call: ir.Call, caller: Frame) -> Values:
    """What `*members` or `**models` gets of a call; nothing where these are constants only."""
    if star.kind == "*args":
        rest = call.args[sum(p.kind == "positional" for p in parameters) :]
        if len(rest) == 1 and isinstance(rest[0], ir.Starred):
            return frozenset(v for v in ev.values(rest[0], caller) if isinstance(v, Tuples))
        parts = tuple(ev.values(a, caller) for a in rest) if not any(isinstance(a, ir.Starred) for a in call.args) else ()
        return frozenset({Tuples(parts)}) if any(map(_is_object, parts)) else NOTHING
    names = {p.name for p in parameters}
    further = tuple((k, v) for k, v in call.keywords if k is not None and k not in names)
    spread = (v for k, e in call.keywords if k is None for v in ev.values(e, caller))
    same = frozenset(v for v in spread if isinstance(v, Container) or is_bundle(ev, v))
    if not any(_is_object(ev.values(v, caller)) for _, v in further):
        return same
    return same | {Container(Site(caller.scope.file, call.at), ev.handing.mapped(call, further), caller)}


def handed_on(ev: Evaluator, parameters: tuple[ir.Parameter, ...], call: ir.Call, caller: Frame) -> dict[str, Values]:
    """What `f(*args, **kwargs)` hands on, by parameter: the elements that `args` and `kwargs` are known to have."""
    found: dict[str, Values] = {}
    positional = [p.name for p in parameters if p.kind == "positional"]
    first = next((i for i, a in enumerate(call.args) if isinstance(a, ir.Starred)), None)
    for several in (v for a in call.args[first : None if first is None else first + 1] if first is not None for v in ev.values(a, caller)):
        if isinstance(several, Tuples) and first is not None:
            found |= dict(zip(positional[first:], several.parts, strict=False))
    for several in (v for key, value in call.keywords if key is None for v in ev.values(value, caller)):
        if isinstance(several, Container) and isinstance(several.expr, ir.Mapping):
            texts = {k.value for k in several.expr.keys if isinstance(k, ir.Constant)}
            found |= {p.name: ev.element(several, p.name) for p in parameters if p.name in texts}
        elif is_bundle(ev, several):
            found |= {p.name: ev.element(several, p.name) for p in parameters if not p.kind.startswith("*")}
    return found


def _is_object(values: Values) -> bool:
    return any(not isinstance(v, (Literal, Unknown)) for v in values)
