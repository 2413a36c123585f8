"""Takes the objects that moved code uses (a loaded model, `self`), gives the statements of load() that make them.

An object is made as the app makes it: by a global of a module, by an assignment to an attribute or element, by a function that returns
it, or by the call it came from, with the statements that this needs.
"""

from __future__ import annotations

import json
import keyword
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.around.registries import Chosen
from triton_migrate.plan.copied import factories, topmost, waiting
from triton_migrate.plan.copied.dependencies import provided
from triton_migrate.plan.copied.making import Making, Needed
from triton_migrate.plan.copied.origins import Origins
from triton_migrate.plan.copied.parts import Parts
from triton_migrate.plan.copied.settled import Settled
from triton_migrate.plan.copied.taskclasses import TaskClasses
from triton_migrate.plan.leaving.reaching import loads, reaches
from triton_migrate.plan.leaving.remembered import managed
from triton_migrate.resolve.calls import results
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, Store
from triton_migrate.resolve.values import Api, Container, Instance, Literal, UserClass, Value, Values
from triton_migrate.rulebook.vocabulary import Effect, WebRequest

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure


CHOOSE = "choose it in the function that calls it, from what the request says: `MODELS[version].predict(x)`"


class Objects:
    """The objects of one pipeline.py; `closure` holds its text."""

    def __init__(self, closure: Closure) -> None:
        self.closure, self.evaluator, self.program = closure, closure.evaluator, closure.evaluator.program
        self._provided: dict[object, str] = {}
        self.tasks, self.settled = TaskClasses(self), Settled(self.evaluator, closure.answering)
        self.origins, self.parts = Origins(self.evaluator, self.settled), Parts(self)

    def provide(self, values: Values, wanted: str, where: Span, within: tuple[str, Scope] | None = None) -> str:
        """Make the object that a receiver (`self`, a local `model`) holds in load(), for the code at `where`; gives its global name.

        `within`: what the function that it is for calls it.
        """
        values = frozenset(v for v in values if not isinstance(v, Literal))  # `None` until loaded
        if self.closure.chosen is not None and self.closure.chosen.registry.holds(values):
            return self._version(self.closure.chosen, wanted, where)
        if within is not None and (known := self._named(*within, where)) is not None:
            return known
        if (chosen := self._one_of_classes(values)) is not None:
            return self._begun(values, self._made_at(*chosen, wanted, where))
        made = [factories.ways(self.evaluator, self.closure.texts, v, self.stores()) for v in values if isinstance(v, Instance)]
        if any(len(ways) > 1 for ways in made):
            raise self.closure.stuck(f"{wanted} is one of several objects that one function makes", where, CHOOSE)
        for path, frame in self.program.frames.items():
            for name, bindings in frame.scope.bindings.items():
                if any(b.how in ("value", "enter") for b in bindings) and (held := self.evaluator.name(name, frame)) & values:
                    if not any(self.evaluator.binding(b, frame) & values for b in bindings) and topmost.set_elsewhere(
                        self.evaluator, path, name
                    ):
                        continue  # the assignment there says how it is made
                    self._refuse_choice(values - held, wanted, where)
                    return self.closure.require(path, name, where)
        for store, name in self.stores():
            if self.evaluator.stored(store) & values and store.scope.owner is None:
                same = (self.evaluator.stored(s) for s, n in self.stores() if n == name)
                again = values if any(flow.loops_around(store.scope.body, store.at)) else frozenset()  # each round makes another
                self._refuse_choice(again | (values - frozenset().union(*same)), wanted, where)
                return self._begun(values, self._made_in(store, _identifier(name, wanted), where))
        if (made_by_queue := self.tasks.provide(values, where)) is not None:
            return made_by_queue
        if (maker := self._getter(values)) is not None:
            return self._begun(values, self.bound(maker, wanted, f"{self.closure.require(maker.file, maker.name, where)}()\n"))
        if (place := self._place(values)) is not None:
            return self._begun(values, self._made_at(place, None, wanted, where))
        raise self.closure.stuck(f"cannot tell how {wanted} is made", where, "make it at module level or in the start-up hook")

    def _begun(self, values: Values, made: str) -> str:
        self.closure.begun.run(values, made)
        return made

    def _named(self, name: str, scope: Scope, where: Span) -> str | None:
        """The global that the name stands for, where the code says which."""
        found = self.origins.of(name, scope)
        if len(found) > 1:
            raise self.closure.stuck(f"{name} is one of several objects, chosen while a request is answered", where, CHOOSE)
        if not found and self.origins.part(name, scope):
            return self.parts.bound(name, scope, where)
        if parts := tuple(self.origins.handed(name, scope)):
            if len(parts) > 1:
                raise self.closure.stuck(f"{name} is one of several parts of something loaded", where, CHOOSE)
            return self.parts.passed(*parts[0], name, where)
        for file, held in found:
            return self.closure.require(file, held, where) if file else self._kept_as(held, name, scope, where)
        return None

    def _kept_as(self, key: str, name: str, scope: Scope, where: Span) -> str | None:
        """What the program keeps under an attribute or a key, where that tells more than the values do."""
        values = self.evaluator.name(name, self.program.generic(scope))
        return self.kept(values, key, name, where)

    def kept(self, values: Values, key: str, wanted: str, where: Span) -> str | None:
        """The one thing that is put under this attribute or key, if it is one of several that the evaluator cannot tell apart."""
        frames = self.program.generic
        found = [(s, n) for s, n in self.stores() if s.scope.owner is None and self.evaluator.stored(s) & values]
        if len({n for _, n in found}) < 2 or not any(self.origins.taken_out(s.value, frames(s.scope)) for s, _ in found):
            return None
        own = [s for s, n in found if n == key]
        if len(own) != 1:
            raise self.closure.stuck(
                f"cannot tell which part of something loaded {wanted} is", where, "load each part into a variable of its own"
            )
        return self._begun(values, self._made_in(own[0], _identifier(key, wanted), where))

    def _version(self, chosen: Chosen, wanted: str, where: Span) -> str:
        """The model that this version is, as the dict loads it."""
        if (made := self.provided(chosen.registry)) is not None:
            return made
        version = chosen.version
        opened = _opened(version.scope, version.expr)
        local = {name for name, _ in version.given} | flow.binds(tuple(s._replace(body=()) for s in opened))
        text = self.piece(version.expr, version.scope, local, where)
        self.closure.load += [f"{name} = {json.dumps(value) if isinstance(value, str) else repr(value)}\n" for name, value in version.given]
        if not opened:
            return self.bound(chosen.registry, wanted, f"{text}\n")
        self._provided[chosen.registry] = made = self.closure.fresh(wanted)
        self.closure.globals[made] = None
        self.closure.load.append(self._within(opened, (), f"{made} = {text}\n", version.scope, local))
        return made

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
        if not all(self.settled.expression(a, frame.scope) for a in value.args):
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

    def _one_of_classes(self, values: Values) -> tuple[CallPlace, UserClass] | None:
        """The call that makes an object of one of several classes, as a setting says (`ENGINES[name](path)`), and that of this object."""
        cls = next(iter({v.of for v in values if isinstance(v, Instance)}), None)
        if len(values) != 1 or cls is None or (place := self._place(values)) is None:
            return None
        others = self.evaluator.values(place.call.func, self.program.generic(place.scope))
        many = cls in others and len(others) > 1 and all(isinstance(v, UserClass) for v in others)
        return (place, cls) if many and cls.scope.parent is not None and cls.scope.parent.kind == "module" else None

    def _getter(self, values: Values) -> Scope | None:
        """A function without arguments that returns the object (`get_model()`)."""
        for scope in (s for f in self.program.files.values() for s in f.scopes):
            if scope.kind != "function" or scope.parent is None or scope.parent.kind != "module" or not isinstance(scope.node, ir.Function):
                continue
            required = [p for p in scope.function.parameters if p.default is None and not p.kind.startswith("*")]
            frame = self.program.generic(scope)
            if (
                not required
                and not scope.function.is_generator
                and any(self.evaluator.values(e, frame) & values for e in results(scope.function))
            ):
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
        plain = waiting.unwaited(self, store.value, store.scope, span)
        local = self.prepared_at(store.scope, plain, store.at)
        value = waiting.text(self, store.value, plain, store.scope, local, span)
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
        for stmt in (s for s in opened if any(flow.yields(e) for p in flow.flatten(s.body) for e in flow.expressions(p))):
            reason = f"{scope.name} closes again what it makes the model of, when the application ends"
            raise self.closure.stuck(reason, Span(scope.file, *stmt.at), "make it without `with`, and close it after the `yield`")
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

    def piece(self, expr: ir.Expr, scope: Scope, local: set[str], where: Span, renamed: tuple[tuple[str, str], ...] = ()) -> str:
        """An expression's text, after everything it reads was required; `renamed`: local names with what stands for them."""
        exprs, frame = list(walk(expr)), self.program.generic(scope)
        self.closure.begun.copied(scope, expr.at, exprs)
        self.closure.require_all(scope.file, {n.id for n in flow.names(expr)} - local - self.closure.settings.only(exprs, frame), where)
        given = tuple((e.at, new) for old, new in renamed for e in exprs if isinstance(e, ir.Name) and e.id == old)
        return self.closure.texts[scope.file].piece(expr.at, (*given, *self.closure.replacements(scope.file, exprs, local, frame)))

    def prepared(self, store: Store, renamed: tuple[tuple[str, str], ...] = ()) -> set[str]:
        """Put the statements that a store's value needs into load(); gives the names that are local there.

        `renamed`: parameters that stand for something which load() has, with what it calls that.
        """
        return self.prepared_at(store.scope, store.value, store.at, renamed)

    def prepared_at(self, scope: Scope, value: ir.Expr, at: ir.At, renamed: tuple[tuple[str, str], ...] = ()) -> set[str]:
        """The same of an expression of the statement at `at`."""
        if scope.kind != "function":
            return set()
        self._refuse_shared(scope)
        needed, opened = self._needed(value, scope, at), _opened(scope, value)
        needed = replace(needed, arguments=needed.arguments - dict(renamed).keys())
        if given := self._given(needed, scope, Span(scope.file, *at)):
            self.closure.load.append(given)
        local = {p.name for p in scope.function.parameters} | flow.binds(scope.function.body)
        for stmt in needed.statements:
            if opened and ir.holds(opened[0].at, stmt.at):
                continue  # it goes with them
            if any(isinstance(e, ir.Await) for e in flow.every(stmt)):
                reason, fix = "the model is made of something that is waited for", "load it in a function that waits for nothing"
                raise self.closure.stuck(reason, Span(scope.file, *stmt.at), fix)
            if not topmost.enqueues(self.evaluator, stmt, self.program.generic(scope)):
                text = self._copied(scope, stmt, local, renamed)
                if not self._holds_still(text, flow.binds((stmt,))):
                    self.closure.load.append(text)
        return local

    def _holds_still(self, text: str, names: set[str] | frozenset[str]) -> bool:
        """Whether load() has run this statement, and nothing has set its names since."""
        if not names or text not in self.closure.load:
            return False
        since = self.closure.load[len(self.closure.load) - self.closure.load[::-1].index(text) :]
        return not any(re.search(rf"^\s*{re.escape(name)}\b", later, re.MULTILINE) for later in since for name in names)

    def _made_at(self, place: CallPlace, cls: UserClass | None, wanted: str, where: Span) -> str:
        """An object that a function makes for itself, of `cls` where it may be of several: a function of pipeline.py makes it once."""
        file, scope = place.scope.file, place.scope
        self._refuse_entered(place, wanted)
        key = (file, place.call.at, cls)
        if key in self._provided:
            return self._provided[key]
        local: set[str] = set()
        body = ""
        result: ir.Expr = place.call
        opened: tuple[ir.With, ...] = ()
        while_open: ir.Block = ()
        if scope.kind == "function":
            local = {p.name for p in scope.function.parameters} | flow.binds(scope.function.body)
            inside = where.file == file and ir.holds(scope.function.at, where.at)
            needed = self._making(scope).made(place.call, where.at if inside else None)
            self._refuse_outer(scope, needed, wanted)
            opened = _opened(scope, place.call) if needed.result is place.call else ()
            needed = self._needed(place.call, scope, place.call.at) if opened else needed
            body = self._given(needed, scope, where)
            kept = [s for s in needed.statements if not topmost.enqueues(self.evaluator, s, self.program.generic(scope))]
            while_open = tuple(s for s in kept if opened and ir.holds(opened[0].at, s.at))
            body += "".join(self._copied(scope, s, local) for s in kept if s not in while_open)
            result = needed.result
            self._refuse_rounds(scope, result, flow.binds(needed.statements))
        if cls is not None and result is not place.call:
            raise self.closure.stuck(f"{wanted} is one of several objects, as a setting says", where, "return what the call makes at once")
        if cls is not None:  # written where the table was looked up
            own = self.closure.require(cls.scope.file, cls.scope.name, where)
            result = place.call._replace(func=ir.Name(place.call.func.at, own))
            text = self.piece(result, scope, local | {own}, where, ((own, own),))
        else:
            plain = waiting.called(self.evaluator, result, self.program.generic(scope)) if isinstance(result, ir.Call) else None
            written = isinstance(result, ir.Name) and result.id in local
            text = (
                result.id if written and isinstance(result, ir.Name) else waiting.text(self, result, plain or result, scope, local, where)
            )
        if body or opened:
            body += self._within(opened, while_open, f"return {text}\n", scope, local)
            maker = self.closure.fresh(f"make_{wanted}")
            self.closure.definitions.append(f"def {maker}():\n{textwrap.indent(body, '    ')}")
            text = f"{maker}()"
        return self.bound(key, wanted, f"{text}\n")

    def _refuse_outer(self, scope: Scope, needed: Needed, wanted: str) -> None:
        """What a function keeps in the function around it (`nonlocal`) has no place in one of the module."""
        if scope.nonlocals & flow.binds(needed.statements):
            where = Span(scope.file, *scope.function.at)
            raise self.closure.stuck(f"{wanted} is kept in the function around {scope.name}", where, "keep it in a global of the module")

    def _refuse_entered(self, place: CallPlace, wanted: str) -> None:
        """What a `with` binds is what the object's own `__enter__` gives, and it lasts as long as the block."""
        entered = (e for s in flow.flatten(place.scope.body) if isinstance(s, ir.With) for e, bound in s.items if bound is not None)
        made = self.evaluator.values(place.call, self.program.generic(place.scope))
        if any(e is place.call for e in entered) and any(isinstance(v, Instance) for v in made):
            where = Span(place.scope.file, *place.call.at)
            raise self.closure.stuck(f"{wanted} is open only inside a `with`", where, "open it once, when the application starts")

    def _refuse_rounds(self, scope: Scope, made: ir.Expr, bound: set[str]) -> None:
        """What each round of a loop makes anew is several objects."""
        targets = (t for s in flow.loops_around(scope.function.body, made.at) if isinstance(s, ir.For) for t in flow.names(s.target))
        if drawn := {t.id for t in targets} & {n.id for n in flow.names(made)} - bound:
            where, fix = Span(scope.file, *made.at), "look the model up and run it in one function"
            raise self.closure.stuck(f"it is one of several objects, each made with another {min(drawn)}", where, fix)

    def started(self, scope: Scope, name: str, where: Span) -> None:
        """What a start-up hook (`lifespan(app)`, up to its `yield`) does to set a global: a function of pipeline.py that load() calls."""
        file, declared = scope.file, {n for s in scope.function.body if isinstance(s, ir.Declare) for n in s.names}
        needed = self._making(scope).bound(name, lambda stmt: self._fetches(stmt, scope))
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

    def _fetches(self, stmt: ir.Stmt, scope: Scope) -> bool:
        """Whether a statement calls something that gets files from the network: models, for all that is known."""
        frame = self.program.generic(scope)

        def does(kind: str) -> bool:
            calls = (e for e in flow.every(stmt) if isinstance(e, ir.Call))
            return any(reaches(self.evaluator, c, frame, lambda _, rule: isinstance(rule, Effect) and rule.kind == kind) for c in calls)

        return does("network") and does("file-write")

    def _making(self, scope: Scope) -> Making:
        return Making(scope.function, self.closure.settings.plain(scope.function, self.program.generic(scope)))

    def _copied(self, scope: Scope, stmt: ir.Stmt, local: set[str], renamed: tuple[tuple[str, str], ...] = ()) -> str:
        frame, file = self.program.generic(scope), scope.file
        self.closure.begun.copied(scope, stmt.at, flow.every(stmt))
        self.closure.command_line.refuse(file, stmt, frame)
        settled = self.closure.settings.only(list(flow.every(stmt)), frame)
        self.closure.require_all(file, flow.reads((stmt,)) - local - settled, Span(file, *stmt.at))
        self.closure.importing.inside(file, (stmt,))
        return self.closure.copy(file, stmt, frozenset(local), frame, renamed=renamed)

    def _argument(self, scope: Scope, name: str, where: Span) -> str:
        """A parameter that every call leaves at the same constant, or what the one call that the program makes passes for it."""
        values = self.evaluator.name(name, self.program.generic(scope))
        value = next(iter(values)) if len(values) == 1 else None
        reason = f"the model is made from {name}, an argument of {scope.name}"
        if isinstance(value, Literal):
            if not self.settled.parameter(scope, name):
                self._refuse_shared(scope)
                raise self.closure.stuck(reason, where, "make it from constants or settings")
            return f"{name} = {value.value!r}\n"
        if (owner := self._class_given(scope, name)) is not None:
            return f"{name} = {self.closure.require(scope.file, owner, where)}\n"
        if (made := provided(self.closure, scope, name, where)) is not None:
            return f"{name} = {made}\n"
        places = self.settled.calls(scope)
        if len(places) == 1 and places[0].scope.kind == "module":
            return f"{name} = {self._passed(scope, name, places[0], where)}\n"
        parameter = next((p for p in scope.function.parameters if p.name == name), None)
        if not places and self.settled.parameter(scope, name) and parameter is not None and isinstance(parameter.default, ir.Constant):
            return f"{name} = {parameter.default.value!r}\n"
        self._refuse_shared(scope)
        raise self.closure.stuck(reason, where, "make it from constants or settings")

    def _refuse_shared(self, scope: Scope) -> None:
        """The better reason, where what a function makes is kept where something else looks at it."""
        if scope in self.closure.answering and (told := self.closure.watched.get(scope) or managed(self.evaluator, scope)) is not None:
            raise self.closure.stuck(told.reason, told.span, told.fix)

    def _class_given(self, scope: Scope, name: str) -> str | None:
        """The class that a class method is given as `cls`; one inside another class or function has no name of its own."""
        function, owner = scope.function, scope.owner
        if owner is None or owner.parent is None or owner.parent.kind != "module" or function.parameters[0].name != name:
            return None
        bound = self.evaluator.decorated(function, self.program.generic(scope), "builtins.classmethod")
        return owner.name if bound else None

    def _passed(self, scope: Scope, name: str, place: CallPlace, where: Span) -> str:
        """The text of what a call gives for a parameter, or of its default."""
        parameters = scope.function.parameters
        given = self.evaluator.passed(scope, place.call, self.program.generic(place.scope)).get(name)
        if given is not None:
            return self.piece(given, place.scope, set(), Span(place.scope.file, *place.call.at))
        default = next((p.default for p in parameters if p.name == name), None)
        if default is None:
            raise self.closure.stuck(f"cannot tell what {scope.name} gets as {name}", where, "make the model from constants or settings")
        return self.piece(default, self.program.frames[scope.file].scope, set(), Span(scope.file, *default.at))

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

    def asked_for(self, store: Store, stmt: ir.Stmt) -> bool:
        """Whether what is put there, and under which key, is known only when a request comes."""
        needed = [self._needed(e, store.scope, store.at) for e in flow.expressions(stmt)]
        if any(not self.settled.parameter(store.scope, name) for n in needed for name in n.arguments):
            return True
        exprs = (p for n in needed for s in (*n.statements, stmt) for p in flow.own(s) if isinstance(p, ir.Name))
        frame = self.program.generic(store.scope)
        values = (v for name in {e.id for e in exprs} for v in self.evaluator.name(name, frame))
        return any(isinstance(v, Api) and self.evaluator.rulebook.find(v.path, WebRequest) is not None for v in values)

    def _loaded(self, store: Store) -> bool:
        frame = self.program.generic(store.scope)
        calls = [
            c for e in walk(store.value) if isinstance(e, ir.Call) for c in (e, waiting.called(self.evaluator, e, frame)) if c is not None
        ]
        names = {n.id for n in flow.names(store.value)} & set(store.scope.bindings)
        return bool(names) or any(loads(self.evaluator, c, frame) for c in calls)


def _inherited(value: Value) -> bool:
    """What an attribute of the program's own object would be if a library's class, of which it is one, had it, too."""
    return isinstance(value, Api) and isinstance(value.of, Instance)


def _opened(scope: Scope, expr: ir.Expr) -> tuple[ir.With, ...]:
    """The `with` statements around an expression that open what it reads."""
    return flow.opened(scope.function.body, expr) if scope.kind == "function" else ()


def _identifier(name: str, wanted: str) -> str:
    clean = re.sub(r"\W", "_", name)
    return clean if clean.isidentifier() and not keyword.iskeyword(clean) else wanted
