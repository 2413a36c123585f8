"""Takes a pipeline, gives which of the state it writes is a cache of what it loads by name (`if name not in MODELS: MODELS[name] = ...`).

Such a cache says nothing that its key does not: whoever fills it has the same in it. It may leave with the code that fills it, if that
is all of the code that looks at it, and the rest of the program only asks functions that fill it, too, and so has a cache of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.copied.making import Making
from triton_migrate.plan.copied.unloading import run_to_unload
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.leaving import slots
from triton_migrate.plan.leaving.slots import Kept, Slot
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, Container, Instance, Literal, Module, Tuples, UserClass, Value
from triton_migrate.trace.records import Cell, Pipeline, Step

BY_KEY = frozenset({"get", "pop", "setdefault", "move_to_end"})
BOUND = frozenset({"self", "cls"})
DEPTH = 3  # containers in each other, and functions above one that fills


class Filled:
    """Answers for one pipeline. `kept`: whether a value is a model or holds one; `come_to`: a function and all that it enters."""

    def __init__(
        self,
        evaluator: Evaluator,
        pipeline: Pipeline,
        kept: Callable[[Value], bool],
        of_the_web: Callable[[Value], bool],
        come_to: Callable[[Scope], frozenset[Scope]],
    ) -> None:
        self.come_to = come_to
        self.evaluator, self.program, self.pipeline, self.kept, self.of_the_web = evaluator, evaluator.program, pipeline, kept, of_the_web
        self._mentions: dict[Kept, dict[Scope, list[tuple[ir.Stmt, ir.Expr]]]] = {}
        self._called: dict[tuple[str, Kept], tuple[str, ...]] = {}
        self._own: dict[Kept, bool] = {}
        self._fillers: dict[Kept, frozenset[Scope]] = {}

    @cached_property
    def _writing(self) -> dict[Kept, list[Step]]:
        """The steps that write to each cell, or to a part of it."""
        found: dict[Kept, list[Step]] = {}
        for step in self.pipeline.steps:
            for cell in step.writes:
                for kept in self._written(step, cell):
                    found.setdefault(kept, []).append(step)
        return found

    def _written(self, step: Step, cell: Cell) -> tuple[Kept, ...]:
        """What of a cell a step writes: parts of the dict that it is, or the cell itself."""
        if cell.kind != "attribute":
            return (cell,)
        dicts = {id(p) for p in flow.own(step.stmt) if self._is(p, step.scope, cell)}
        return slots.filled(step.stmt, cell, dicts) or (cell,)

    @cached_property
    def caches(self) -> tuple[Kept, ...]:
        """Those that the pipeline fills."""
        return tuple(cell for cell in self._writing if self._is_cache(cell))

    def fills(self, step: Step, cell: Cell) -> bool:
        """Whether what a step does to a cell is to fill such a cache, and nothing looks at it that the model's side could not answer."""
        return all(map(self.own, self._written(step, cell)))

    def own(self, cell: Kept) -> bool:
        """Whether it is such a cache, and nothing looks at it that the model's side could not answer."""
        if cell not in self._own:
            self._own[cell] = self._is_own(cell)
        return self._own[cell]

    def told(self, step: Step) -> NoCut | None:
        """Why a cache that a step fills cannot leave: something that does not fill it looks at it."""
        return next((told for cell in step.writes for kept in self._written(step, cell) if (told := self._why(kept)) is not None), None)

    def _why(self, cell: Kept) -> NoCut | None:
        looking = self._looking(cell) if self._is_cache(cell) else iter(())
        if (found := next(looking, None)) is None:
            return None
        stmt, scope = found
        reason = f"{cell.name} is filled while the model runs, and it is read here, too, where its content would not be known"
        return NoCut(reason, Span(scope.file, *stmt.at), f"do without {cell.name} here, or ask the function that fills it")

    def _looking(self, cell: Kept) -> Iterator[tuple[ir.Stmt, Scope]]:
        """What looks at a cache and would not see the same, wherever the others are."""
        yield from ((found[0][0], scope) for scope, found in self.mentions(cell).items() if not self._answered(scope, cell))
        if isinstance(cell, Slot):
            yield from (
                (s, scope) for scope, found in self.mentions(cell.cell).items() for s, e in found if not self._beside(s, e, scope, cell)
            )

    @cached_property
    def watched(self) -> dict[Scope, NoCut]:
        """The functions that fill a cache which cannot leave, with the reason."""
        return {scope: told for cell in self.caches if (told := self._why(cell)) is not None for scope in self.fillers(cell)}

    def parted(self, scope: Scope, moved: ir.Block) -> bool:
        """Whether statements that leave look at a cache which statements that stay fill, or the other way round."""
        inside = {id(s) for s in flow.flatten(moved) if not liveness.lifted_name(s)}
        lifted = {id(p) for s in moved if liveness.lifted_name(s) for p in flow.own(s)}
        for cell in self.caches:
            leaving: set[Scope] = set()
            staying: set[Scope] = set()
            for stmt, about in self._looks(scope, cell):
                left = id(stmt) in inside or any(id(p) in lifted for p in flow.own(stmt))
                (leaving if left else staying).update(about)
            if leaving and (scope in staying or not staying <= self.fillers(cell) or not self._fills_in(scope, cell, inside, leaving)):
                return True
        return False

    # ------------------------------------------------------------ who looks at it

    def mentions(self, cell: Kept) -> dict[Scope, list[tuple[ir.Stmt, ir.Expr]]]:
        """The expressions that are the cell, by the function they stand in."""
        if cell not in self._mentions and isinstance(cell, Slot):
            whole = ((scope, s, e) for scope, found in self.mentions(cell.cell).items() for s, e in found)
            parts: dict[Scope, list[tuple[ir.Stmt, ir.Expr]]] = {}
            for scope, stmt, expr in whole:
                if (part := slots.around(stmt, expr)) is not None and self._is(part, scope, cell):
                    parts.setdefault(scope, []).append((stmt, part))
            self._mentions[cell] = parts
        elif cell not in self._mentions:
            found: dict[Scope, list[tuple[ir.Stmt, ir.Expr]]] = {}
            for scope in self._scopes:
                named = self.program.named(scope)
                here = [(s, p) for name in self._names_of(cell, scope.file) for s, p in named.get(name, ()) if self._is(p, scope, cell)]
                if here:
                    found[scope] = here
            self._mentions[cell] = found
        return self._mentions[cell]

    @cached_property
    def _scopes(self) -> tuple[Scope, ...]:
        return tuple(s for f in self.program.files.values() for s in f.scopes if not self.program.is_test(s.file) and s.kind != "class")

    def fillers(self, cell: Kept) -> frozenset[Scope]:
        """The functions that fill the cache."""
        if cell not in self._fillers:
            scopes = (s for s in self.mentions(cell) if s.kind == "function")
            self._fillers[cell] = frozenset(s for s in scopes if any(self._fill(s, stmt, cell) for stmt in flow.flatten(s.body)))
        return self._fillers[cell]

    def _names_of(self, cell: Kept, file: str) -> tuple[str, ...]:
        """What the cell may be called in a file: by its own name, or by the one that it is imported under."""
        if (file, cell) not in self._called:
            bound = self.program.frames[file].scope.bindings.items() if cell.kind == "global" else ()
            others = (name for name, found in bound if any(b.how == "from" for b in found))
            meant = (name for name in others if self._global(file, name) == (cell.owner, cell.name))
            self._called[file, cell] = tuple(dict.fromkeys((cell.name, *meant)))
        return self._called[file, cell]

    def _is(self, expr: ir.Expr, scope: Scope, cell: Kept) -> bool:
        if isinstance(cell, Slot):
            return slots.is_part(expr, cell.key) and self._is(expr.value, scope, cell.cell)
        match expr:
            case ir.Name(_, name) if cell.kind == "global":
                known = scope.kind == "module" or name not in scope.bindings
                return known and self._global(scope.file, name) == (cell.owner, cell.name)
            case ir.Attribute(_, base, attr) if attr == cell.name:
                values = self.evaluator.values(base, self.program.generic(scope))
                if cell.kind == "global":
                    return any(isinstance(v, Module) and v.path == cell.owner for v in values)
                known_owners = [v.of if isinstance(v, Instance) else v for v in values if isinstance(v, (Instance, UserClass))]
                libraries = any(isinstance(v, Api) for v in values)
                own = (cell.owner in self._names(c) or self._name(c) in self._bases(cell.owner) for c in known_owners)
                return (not known_owners and not libraries) or any(own)
        return False

    def _names(self, cls: UserClass) -> set[str]:
        return {self._name(b) for b in self.evaluator.mro(cls) if isinstance(b, UserClass)}

    def _name(self, cls: UserClass) -> str:
        return f"{cls.scope.file}:{cls.scope.qualname}"

    def _bases(self, owner: str) -> set[str]:
        """The class of that file and name, and the program's classes that it is made from: their methods may be about the same object."""
        file, _, name = owner.partition(".py:")
        scopes = self.program.files[f"{file}.py"].scopes if f"{file}.py" in self.program.files else ()
        found = (
            UserClass(s, self.program.generic(s.parent))
            for s in scopes
            if s.kind == "class" and s.qualname == name and s.parent is not None
        )
        return set().union(*map(self._names, found))

    def _global(self, file: str, name: str) -> tuple[str, str]:
        """The module that defines a global, and its name there."""
        for _ in range(DEPTH):
            bindings = self.program.frames[file].scope.bindings.get(name, [])
            imported = next((b for b in bindings if b.how == "from"), None)
            if imported is None:
                break
            stmt, name = imported.imported
            path = self.program.module_path(file, stmt.module, stmt.level)
            if path is None:
                break
            file = path
        return file, name

    # ------------------------------------------------------------ whether it is a cache

    def _is_own(self, cell: Kept) -> bool:
        return self._is_cache(cell) and next(self._looking(cell), None) is None

    def _is_cache(self, cell: Kept) -> bool:
        """Whether all that the pipeline does to the cell is to fill it."""
        if cell.kind == "attribute" and ".py:" not in cell.owner:
            return False
        if any(isinstance(other, Slot) and other.cell == cell for other in self._writing):
            return False
        writing = self._writing.get(cell, ())
        if not any(isinstance(s.stmt, ir.Assign) and any(isinstance(t, ir.Subscript) for t in s.stmt.targets) for s in writing):
            return False
        return all(s.scope in self.fillers(cell) for s in writing)

    def _answered(self, scope: Scope, cell: Kept) -> bool:
        """Whether a function that looks at the cache sees the same, wherever the others are."""
        if scope in self.fillers(cell):
            return all(self._fill(scope, s, cell) or not self._stores(s, scope, cell) for s in flow.flatten(scope.body))
        found = self.mentions(cell)[scope]
        if all(self._begins(stmt, scope, expr, cell) for stmt, expr in found):
            return True
        by_key = {id(b) for stmt, _ in found for p in flow.own(stmt) for b in _by_key(p)}
        if any(id(expr) not in by_key for _, expr in found) or any(self._stores(stmt, scope, cell) for stmt, _ in found):
            return False
        return self._covered(scope, cell, DEPTH)

    def _beside(self, stmt: ir.Stmt, expr: ir.Expr, scope: Scope, slot: Slot) -> bool:
        """Whether a statement that has to do with the dict has nothing to do with this part of it."""
        if slots.around(stmt, expr) is not None or slots.asks_for_it(stmt, expr):
            return True
        return slots.is_set(stmt, expr) and (scope.name == "__init__" or self._is_unloading(scope, expr))

    def _is_unloading(self, scope: Scope, expr: ir.Expr) -> bool:
        """Whether only threads that unload what an attribute of an object holds come to a function: the model's side keeps it loaded."""
        base = expr.value if isinstance(expr, ir.Attribute) else None
        held = self.evaluator.values(base, self.program.generic(scope)) if base is not None else frozenset()
        run = frozenset[Scope]().union(*(run_to_unload(self.evaluator, v.of) for v in held if isinstance(v, Instance)))
        return scope in run and run.issuperset(self._callers(scope))

    def _begins(self, stmt: ir.Stmt, scope: Scope, expr: ir.Expr, cell: Kept) -> bool:
        """`MODELS = {}` of a module, `self._models = {}` of a constructor; at the top level it may be filled, but given to nothing else."""
        if scope.kind == "module":
            targets = stmt.targets if isinstance(stmt, ir.Assign) else ()
            return any((t.value if isinstance(t, ir.Subscript) else t) is expr for t in targets)
        first = scope.name == "__init__" and cell.kind == "attribute"
        return first and isinstance(stmt, ir.Assign) and any(t is expr for t in stmt.targets)

    def _covered(self, scope: Scope, cell: Kept, depth: int) -> bool:
        """Whether what looks something up calls what fills the cache, or all its callers do."""
        frame = self.program.generic(scope)
        calls = [c for s in flow.flatten(scope.body) for c in flow.own(s) if isinstance(c, ir.Call)]
        entered = {f.scope for c in calls for v in self.evaluator.values(c.func, frame) for f in self.evaluator.callables(v)}
        if entered & self.fillers(cell):
            return True
        callers = set(self._callers(scope))
        return bool(depth and callers) and all(s in self.fillers(cell) or self._covered(s, cell, depth - 1) for s in callers)

    def _callers(self, scope: Scope) -> Iterator[Scope]:
        return (place.scope for place in self._places(scope))

    def _places(self, scope: Scope) -> Iterator[CallPlace]:
        """The calls of a function."""
        for place in self.program.calls(scope.name):
            values = self.evaluator.values(place.call.func, self.program.generic(place.scope))
            if not self.program.is_test(place.scope.file) and any(f.scope is scope for v in values for f in self.evaluator.callables(v)):
                yield place

    # ------------------------------------------------------------ what fills it

    def _stores(self, stmt: ir.Stmt, scope: Scope, cell: Kept) -> bool:
        """Whether a statement puts something in, or puts something else in the cache's place."""
        targets = stmt.targets if isinstance(stmt, ir.Assign) else ()
        return any(self._is(t.value if isinstance(t, ir.Subscript) else t, scope, cell) for t in targets) or any(
            isinstance(p, ir.Call) and isinstance(p.func, ir.Attribute) and p.func.attr == "update" and self._is(p.func.value, scope, cell)
            for e in flow.expressions(stmt)
            for p in walk(e)
        )

    def _fill(self, scope: Scope, stmt: ir.Stmt, cell: Kept) -> bool:
        """Whether a statement puts what it loads under a key, after a look whether it is there, and reads nothing else than the key."""
        pairs: list[tuple[ir.Expr, ir.Expr]] = []
        if isinstance(stmt, ir.Assign) and not stmt.augmented and stmt.value is not None:
            held = [t for t in stmt.targets if isinstance(t, ir.Subscript) and self._is(t.value, scope, cell)]
            pairs = [(t.key, stmt.value) for t in held]
        if not pairs or not all(self._same_for(key, value, stmt, scope) for key, value in pairs):
            return False
        return self._looked(scope, stmt, cell) or self._looked_before(scope, cell)

    def _same_for(self, key: ir.Expr, value: ir.Expr, stmt: ir.Stmt, scope: Scope) -> bool:
        """Whether the value is something loaded that the key settles."""
        found = self.evaluator.values(value, self.program.generic(scope))
        if not found or not all(self._holds(v, DEPTH) for v in found):
            return False
        making = Making(scope.function, {})
        own = {n.id for n in flow.names(key)} | flow.binds(making.needed(key, stmt.at).statements)
        wanted, made = {n.id for n in flow.names(value)}, set[str]()
        for above in reversed(making.needed(value, stmt.at).statements):
            if liveness.written((above,)) & (wanted - own):
                wanted |= flow.reads((above,))
                made |= flow.binds((above,))
        free = wanted - own - made - BOUND
        frame = self.program.generic(scope)
        return not free & making.local and not any(self.of_the_web(v) for n in free for v in self.evaluator.name(n, frame))

    def _holds(self, value: Value, depth: int) -> bool:
        if isinstance(value, (Container, Tuples)) and depth:
            inner = self.evaluator.element(value, None)
            return bool(inner) and all(isinstance(v, Literal) or self._holds(v, depth - 1) for v in inner)
        return self.kept(value)

    def _looked(self, scope: Scope, stmt: ir.Stmt, cell: Kept) -> bool:
        """Whether the function asks, before the statement, what there is under the key."""
        about = {
            n for s in flow.flatten(scope.body) if isinstance(s, ir.Assign) and s.value is not None and self._asks(s.value, scope, cell)
            for n in flow.binds((s,))
        }  # fmt: skip
        for other in flow.flatten(scope.body):
            if other.at[:2] >= stmt.at[:2] or other is stmt:
                continue
            inside = ir.holds(other.at, stmt.at)
            if isinstance(other, ir.If):
                tested = self._asks(other.test, scope, cell) or bool({n.id for n in flow.names(other.test)} & about)
                if tested and (inside or _leaves(other.body)):
                    return True
            if isinstance(other, ir.Try) and inside and any(ir.holds(s.at, stmt.at) for h in other.handlers for s in h.body):
                if any(self._asks(e, scope, cell) for s in flow.flatten(other.body) for e in flow.expressions(s)):
                    return True
        return False

    def _looked_before(self, scope: Scope, cell: Kept) -> bool:
        """Whether all that calls a function has looked first (`if name not in self.models: self.load(name)`)."""
        calls = [(place.scope, [*flow.around(place.scope.body, place.call.at)][-1:]) for place in self._places(scope)]
        return bool(calls) and all(
            caller.kind == "function" and caller is not scope and any(self._looked(caller, stmt, cell) for stmt in innermost)
            for caller, innermost in calls
        )

    def _asks(self, expr: ir.Expr, scope: Scope, cell: Kept) -> bool:
        return any(self._is(p, scope, cell) for p in walk(expr))

    # ------------------------------------------------------------ what leaves

    def _looks(self, scope: Scope, cell: Kept) -> Iterator[tuple[ir.Stmt, set[Scope]]]:
        """The statements of a function that look at the cache, each with the functions that do so for it."""
        mentioning = self.mentions(cell).keys()
        own = {id(stmt) for stmt, _ in self.mentions(cell).get(scope, ())}
        entered: dict[ir.At, set[Scope]] = {}
        for step in self.pipeline.steps:
            if step.scope is scope:
                entered.setdefault(step.stmt.at, set()).update(*map(self.come_to, step.enters))
        for stmt in flow.flatten(scope.body):
            about = (entered.get(stmt.at, set()) & mentioning) | ({scope} if id(stmt) in own else set())
            if about:
                yield stmt, about

    def _fills_in(self, scope: Scope, cell: Kept, inside: set[int], leaving: set[Scope]) -> bool:
        """Whether what leaves fills the cache itself: in the function that is cut, or in one that it calls."""
        own = any(id(s) in inside and self._fill(scope, s, cell) for s in flow.flatten(scope.body))
        return own or bool((leaving - {scope}) & self.fillers(cell))


def _leaves(block: ir.Block) -> bool:
    return bool(block) and isinstance(block[-1], (ir.Return, ir.Raise))


def _by_key(part: ir.Expr) -> Iterator[ir.Expr]:
    match part:
        case ir.Subscript(_, base, _):
            yield base
        case ir.Call(_, ir.Attribute(_, base, method), (_, *_)) if method in BY_KEY:
            yield base
        case ir.Operation(_, "In" | "NotIn", operands):
            yield operands[-1]
