"""Takes the objects that moved code uses (a loaded model, `self`), gives the statements of load() that make them.

An object is made as the app makes it: by a global of a module, by an assignment to an attribute or element, by a function that returns
it, or by the call it came from, with the statements that this needs.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.making import Making, Needed
from triton_migrate.plan.taskclasses import TaskClasses
from triton_migrate.resolve.calls import argument_map, results
from triton_migrate.resolve.program import is_test
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, Store
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Value, Values

if TYPE_CHECKING:
    from triton_migrate.plan.closure import Closure


CHOOSE = "choose it in the function that calls it, from what the request says: `MODELS[version].predict(x)`"


class Objects:
    """The objects of one pipeline.py; `closure` holds its text."""

    def __init__(self, closure: Closure) -> None:
        self.closure, self.evaluator, self.program = closure, closure.evaluator, closure.evaluator.program
        self._provided: dict[object, str] = {}
        self.tasks = TaskClasses(self)

    def provide(self, values: Values, wanted: str, where: Span) -> str:
        """Make the object that a receiver (`self`, a local `model`) holds in load(), for the code at `where`; gives its global name."""
        values = frozenset(v for v in values if not isinstance(v, Literal))  # `None` until loaded
        for path, frame in self.program.frames.items():
            for name, bindings in frame.scope.bindings.items():
                if any(b.how in ("value", "enter") for b in bindings) and (held := self.evaluator.name(name, frame)) & values:
                    self._refuse_choice(values - held, wanted, where)
                    return self.closure.require(path, name, where)
        for store, name in self.stores():
            if self.evaluator.stored(store) & values and store.scope.owner is None:
                same = (self.evaluator.stored(s) for s, n in self.stores() if n == name)
                self._refuse_choice(values - frozenset().union(*same), wanted, where)
                return self._made_in(store, _identifier(name, wanted), where)
        if (made_by_queue := self.tasks.provide(values, where)) is not None:
            return made_by_queue
        if (maker := self._getter(values)) is not None:
            return self.bound(maker, wanted, f"{self.closure.require(maker.file, maker.name, where)}()\n")
        if (place := self._place(values)) is not None:
            return self._made_at(place, wanted, where)
        raise self.closure.stuck(f"cannot tell how {wanted} is made", where, "make it at module level or in the start-up hook")

    def _refuse_choice(self, others: Values, wanted: str, where: Span) -> None:
        """load() makes one object; which of several is meant may be known only when a request comes."""
        if any(isinstance(v, Instance) or (isinstance(v, Api) and v.made is not None) for v in others):
            raise self.closure.stuck(f"{wanted} is one of several objects, chosen while a request is answered", where, CHOOSE)

    def looked_up(self, name: str, frame: Frame, where: Span) -> str | None:
        """A local that one call of an object's method gives for constants (`model = self.registry.get("iris")`): load() makes that call."""
        assigned = [s for s in flow.flatten(frame.scope.body) if name in flow.binds((s,))]
        value = assigned[0].value if len(assigned) == 1 and isinstance(assigned[0], ir.Assign) else None
        if not isinstance(value, ir.Call) or not isinstance(value.func, ir.Attribute) or value.keywords:
            return None
        holders = self.evaluator.values(value.func.value, frame)
        given = [tuple(v for v in self.evaluator.values(a, frame) if not _inherited(v)) for a in value.args]
        constants = [v[0].value for v in given if len(v) == 1 and isinstance(v[0], Literal)]
        if not holders or not all(isinstance(h, Instance) for h in holders) or len(constants) < len(given) or not given:
            return None
        wanted = value.func.value.attr if isinstance(value.func.value, ir.Attribute) else name
        held = self.provide(holders, wanted, where)
        return self.bound((held, value.func.attr, tuple(constants)), name, f"{held}.{value.func.attr}({', '.join(map(repr, constants))})\n")

    def bound(self, key: object, wanted: str, expression: str) -> str:
        """A global of pipeline.py that load() sets, once."""
        if key not in self._provided:
            made = self.closure.fresh(wanted)
            self._provided[key] = made
            if expression.strip() != made:
                self.closure.load.append(f"{made} = {expression}")
            self.closure.globals[made] = None
        return self._provided[key]

    # ------------------------------------------------------------ where it is made

    def _getter(self, values: Values) -> Scope | None:
        """A function without arguments that returns the object (`get_model()`)."""
        for scope in (s for f in self.program.files.values() for s in f.scopes):
            if scope.kind != "function" or scope.parent is None or scope.parent.kind != "module" or not isinstance(scope.node, ir.Function):
                continue
            required = [p for p in scope.function.parameters if p.default is None and not p.kind.startswith("*")]
            frame = self.program.generic(scope)
            if not required and any(self.evaluator.values(e, frame) & values for e in results(scope.function)):
                return scope
        return None

    def stores(self) -> list[tuple[Store, str]]:
        """Assignments to attributes and elements, with the attribute's name or the key."""
        found = [(s, name) for f in self.program.files.values() for name, stores in f.attribute_stores.items() for s in stores]
        return found + [(s, str(key)) for f in self.program.files.values() for key, stores in f.element_stores.items() for s in stores]

    def _place(self, values: Values) -> CallPlace | None:
        """The one call that makes it."""
        sites = {v.site if isinstance(v, Instance) else v.made if isinstance(v, Api) else None for v in values}
        place = self.program.call_at(sites.pop()) if len(sites) == 1 else None
        return place if place is not None and place.scope.kind in ("function", "module") else None

    # ------------------------------------------------------------ how

    def _made_in(self, store: Store, name: str, where: Span) -> str:
        """`app.state.x = EXPR` or `models["x"] = EXPR`: the statements EXPR needs, then `x = EXPR`, in load()."""
        if store in self._provided:
            return self._provided[store]
        span = Span(store.scope.file, *store.at)
        local = self.prepared(store)
        value = self.piece(store.value, store.scope, local, span)
        opened = _opened(store.scope, store.value)
        if not opened:
            return self.bound(store, name, f"{value}\n")
        self._provided[store] = made = self.closure.fresh(name)
        self.closure.globals[made] = None
        inside = tuple(s for s in self._needed(store.value, store.scope, store.at).statements if ir.holds(opened[0].at, s.at))
        self.closure.load.append(self._within(opened, inside, f"{made} = {value}\n", store.scope, local))
        return made

    def _within(self, opened: tuple[ir.With, ...], inside: ir.Block, last: str, scope: Scope, local: set[str]) -> str:
        """What is done while files are open."""
        text = "".join(self._copied(scope, s, local) for s in inside) + last
        for stmt in reversed(opened):
            items = ((self.piece(e, scope, local, Span(scope.file, *e.at)), t) for e, t in stmt.items)
            heads = ", ".join(f"{given} as {t.id}" if isinstance(t, ir.Name) else given for given, t in items)
            text = f"with {heads}:\n{textwrap.indent(text, '    ')}"
        return text

    def _needed(self, expr: ir.Expr, scope: Scope, at: ir.At) -> Needed:
        """What a value needs, and what is opened for it."""
        opened = tuple(e for s in _opened(scope, expr) for e, _ in s.items)
        found = self._making(scope).needed(ir.Sequence(at, "tuple", (expr, *opened)), at)
        return replace(found, result=expr)

    def provided(self, key: object) -> str | None:
        """The global that `bound` set under this key already."""
        return self._provided.get(key)

    def piece(self, expr: ir.Expr, scope: Scope, local: set[str], where: Span, renamed: dict[str, str] | None = None) -> str:
        """An expression's text, after everything it reads was required; `renamed`: local names with what stands for them."""
        exprs, frame = list(walk(expr)), self.program.generic(scope)
        self.closure.require_all(scope.file, {n.id for n in flow.names(expr)} - local - self.closure.settings.only(exprs, frame), where)
        given = tuple((e.at, renamed[e.id]) for e in exprs if renamed and isinstance(e, ir.Name) and e.id in renamed)
        return self.closure.texts[scope.file].piece(expr.at, (*given, *self.closure.replacements(scope.file, exprs, local, frame)))

    def prepared(self, store: Store, without: str = "") -> set[str]:
        """Put the statements that a store's value needs into load(); gives the names that are local there.

        `without`: a parameter that stands for something which load() has.
        """
        file, scope = store.scope.file, store.scope
        if scope.kind != "function":
            return set()
        needed, opened = self._needed(store.value, scope, store.at), _opened(scope, store.value)
        needed = replace(needed, arguments=needed.arguments - {without})
        if given := self._given(needed, scope, Span(file, *store.at)):
            self.closure.load.append(given)
        local = {p.name for p in scope.function.parameters} | flow.binds(scope.function.body)
        for stmt in needed.statements:
            if opened and ir.holds(opened[0].at, stmt.at):
                continue  # it goes with them
            if not self.closure.enqueues(stmt, self.program.generic(scope)):
                self.closure.load.append(self._copied(scope, stmt, local))
        return local

    def _made_at(self, place: CallPlace, wanted: str, where: Span) -> str:
        """An object that a function makes for itself: a function of pipeline.py makes it once."""
        file, scope = place.scope.file, place.scope
        key = (file, place.call.at)
        if key in self._provided:
            return self._provided[key]
        local: set[str] = set()
        body = ""
        result: ir.Expr = place.call
        if scope.kind == "function":
            local = {p.name for p in scope.function.parameters} | flow.binds(scope.function.body)
            inside = where.file == file and ir.holds(scope.function.at, _at(where))
            needed = self._making(scope).made(place.call, _at(where) if inside else None)
            opened = _opened(scope, place.call) if needed.result is place.call else ()
            needed = self._needed(place.call, scope, place.call.at) if opened else needed
            body = self._given(needed, scope, where)
            kept = [s for s in needed.statements if not self.closure.enqueues(s, self.program.generic(scope))]
            body += "".join(self._copied(scope, s, local) for s in kept if not opened or not ir.holds(opened[0].at, s.at))
            result = needed.result
            if opened:
                last = f"return {self.piece(result, scope, local, where)}\n"
                body += self._within(opened, tuple(s for s in kept if ir.holds(opened[0].at, s.at)), last, scope, local)
                maker = self.closure.fresh(f"make_{wanted}")
                self.closure.definitions.append(f"def {maker}():\n{textwrap.indent(body, '    ')}\n")
                return self.bound(key, wanted, f"{maker}()\n")
        text = result.id if isinstance(result, ir.Name) and result.id in local else self.piece(result, scope, local, where)
        if body:
            maker = self.closure.fresh(f"make_{wanted}")
            self.closure.definitions.append(f"def {maker}():\n{textwrap.indent(f'{body}return {text}', '    ')}\n")
            text = f"{maker}()"
        return self.bound(key, wanted, f"{text}\n")

    def started(self, scope: Scope, name: str, where: Span) -> None:
        """What a start-up hook (`lifespan(app)`, up to its `yield`) does to set a global: a function of pipeline.py that load() calls."""
        file, declared = scope.file, {n for s in scope.function.body if isinstance(s, ir.Declare) for n in s.names}
        needed = self._making(scope).bound(name)
        key = (scope, tuple(s.at for s in needed.statements))
        if key in self._provided:
            return
        self._provided[key] = maker = self.closure.fresh(scope.name)
        local = ({p.name for p in scope.function.parameters} | flow.binds(scope.function.body)) - declared
        body = self._given(needed, scope, where) + "".join(self._copied(scope, s, local) for s in needed.statements)
        made = sorted({self.closure.require(file, n, where) for n in flow.binds(needed.statements) & declared})
        bindings = self.program.frames[file].scope.bindings
        self.closure.globals.update({self.closure.names[(file, n)]: None for n in flow.binds(needed.statements) & declared - set(bindings)})
        self.closure.ran |= {(file, s.at) for s in flow.flatten(needed.statements)}
        waits = any(isinstance(e, ir.Await) for s in needed.statements for e in flow.every(s))
        head = f"global {', '.join(made)}\n" if made else ""
        definition = f"{'async ' if waits else ''}def {maker}():\n{textwrap.indent(head + body, '    ')}"
        if waits:
            self.closure.imports["asyncio"] = "import asyncio"
        self.closure.definitions.append(definition)
        self.closure.load.append(f"asyncio.run({maker}())\n" if waits else f"{maker}()\n")

    def _making(self, scope: Scope) -> Making:
        return Making(scope.function, self.closure.settings.plain(scope.function, self.program.generic(scope)))

    def _copied(self, scope: Scope, stmt: ir.Stmt, local: set[str]) -> str:
        frame, file = self.program.generic(scope), scope.file
        self.closure.refuse_command_line(file, stmt, frame)
        settled = self.closure.settings.only(list(flow.every(stmt)), frame)
        self.closure.require_all(file, flow.reads((stmt,)) - local - settled, Span(file, *stmt.at))
        self.closure.inner_imports(file, (stmt,))
        return self.closure.copy(file, stmt, frozenset(local), frame)

    def _argument(self, scope: Scope, name: str, where: Span) -> str:
        """A parameter that every call leaves at the same constant, or what the one call that the program makes passes for it."""
        values = self.evaluator.name(name, self.program.generic(scope))
        value = next(iter(values)) if len(values) == 1 else None
        if isinstance(value, Literal):
            return f"{name} = {value.value!r}\n"
        if (owner := self._class_given(scope, name)) is not None:
            return f"{name} = {self.closure.require(scope.file, owner, where)}\n"
        places = self._calls(scope)
        if len(places) == 1 and places[0].scope.kind == "module":
            return f"{name} = {self._passed(scope, name, places[0], where)}\n"
        parameter = next((p for p in scope.function.parameters if p.name == name), None)
        if not places and parameter is not None and isinstance(parameter.default, ir.Constant):
            return f"{name} = {parameter.default.value!r}\n"
        reason = f"the model is made from {name}, an argument of {scope.name}"
        raise self.closure.stuck(reason, where, "make it from constants or settings")

    def _class_given(self, scope: Scope, name: str) -> str | None:
        """The class that a class method is given as `cls`; one inside another class or function has no name of its own."""
        function, owner = scope.function, scope.owner
        if owner is None or owner.parent is None or owner.parent.kind != "module" or function.parameters[0].name != name:
            return None
        bound = self.evaluator.decorated(function, self.program.generic(scope), "builtins.classmethod")
        return owner.name if bound else None

    def _calls(self, scope: Scope) -> list[CallPlace]:
        """Where the program calls a function, tests aside."""
        name = scope.owner.name if scope.name == "__init__" and scope.owner is not None else scope.name
        return [
            place
            for place in self.program.calls(name)
            if not is_test(place.scope.file)
            for value in self.evaluator.values(place.call.func, self.program.generic(place.scope))
            if any(f.scope is scope for f in self.evaluator.callables(value))
        ]

    def _passed(self, scope: Scope, name: str, place: CallPlace, where: Span) -> str:
        """The text of what a call gives for a parameter, or of its default."""
        parameters = scope.function.parameters
        given = argument_map(parameters[1:] if scope.owner is not None else parameters, place.call).get(name)
        if given is not None:
            return self.piece(given, place.scope, set(), Span(place.scope.file, *place.call.at))
        default = next((p.default for p in parameters if p.name == name), None)
        if not isinstance(default, ir.Constant):
            raise self.closure.stuck(f"cannot tell what {scope.name} gets as {name}", where, "make the model from constants or settings")
        return repr(default.value)

    def _given(self, needed: Needed, scope: Scope, where: Span) -> str:
        """What parameters stand for."""
        if needed.leaves is not None:
            raise self.closure.stuck(f"{scope.name} may return before the model is made", Span(scope.file, *needed.leaves.at),
                                     "make the model in a function of its own")  # fmt: skip
        return "".join(self._argument(scope, n, where) for n in sorted(needed.arguments))

    # ------------------------------------------------------------ containers that are filled

    def filled(self, file: str, name: str) -> Iterator[Store]:
        """The assignments in functions that put loaded things into a container of the module (`models["x"] = load()`)."""
        held = {v for v in self.evaluator.name(name, self.program.frames[file]) if isinstance(v, Container)}
        for store, _ in self.stores() if held else ():
            frame = self.program.generic(store.scope)
            if store.scope.kind == "function" and held & self.evaluator.values(store.target, frame) and self._loaded(store):
                yield store

    def _loaded(self, store: Store) -> bool:
        calls = (e for e in walk(store.value) if isinstance(e, ir.Call))
        frame = self.program.generic(store.scope)
        names = {n.id for n in flow.names(store.value)} & set(store.scope.bindings)
        return bool(names) or any(self.closure.loads(c, frame, 0) for c in calls)


def _inherited(value: Value) -> bool:
    """What an attribute of the program's own object would be if a library's class, of which it is one, had it, too."""
    return isinstance(value, Api) and isinstance(value.of, Instance)


def _opened(scope: Scope, expr: ir.Expr) -> tuple[ir.With, ...]:
    """The `with` statements around an expression that open what it reads."""
    around = flow.around(scope.function.body, expr.at) if scope.kind == "function" else ()
    reads = {n.id for n in flow.names(expr)}
    return tuple(s for s in around if isinstance(s, ir.With) and not s.is_async and flow.binds((s._replace(body=()),)) & reads)


def _at(span: Span) -> ir.At:
    return (span.line, span.column, span.end_line, span.end_column)


def _identifier(name: str, wanted: str) -> str:
    clean = re.sub(r"\W", "_", name)
    return clean if clean.isidentifier() and not keyword.iskeyword(clean) else wanted
