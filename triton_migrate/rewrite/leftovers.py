"""Takes what leaves the app, gives what nothing in it needs any more: loads, helpers, attributes, parameters and their arguments.

Conservative: a name counts as used wherever it is written, in any scope, and in every other file that could reach it. Statements that
only prepare a model or log about it go with the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.copied.taskclasses import is_task_class
from triton_migrate.plan.liveness import imported_names
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import CallPlace, Scope
from triton_migrate.resolve.values import Api, Instance, Module, Unknown, UserClass, Values
from triton_migrate.rewrite.mentions import (
    Mention,
    Mentions,
    asks_keys,
    binds,
    free_names_of,
    guards,
    holder_of,
    is_bare_call,
    is_parameter,
    membership,
    owner_of,
    presence,
    stores,
    unpacks,
    within,
)
from triton_migrate.rewrite.operations import (
    DeleteStatements,
    Operation,
    RemoveArgument,
    RemoveParameter,
    RemoveUnusedImports,
    ReplaceExpression,
)
from triton_migrate.rulebook.vocabulary import Cache, Effect, ModelConfigure, WebApp, WebParameter

CLEARING = frozenset({"clear", "pop", "popitem"})


@dataclass(slots=True)
class Leftovers:
    """Grows the set of removed places until nothing more is left over."""

    evaluator: Evaluator
    gone: dict[str, set[ir.At]] = field(default_factory=dict)  # places whose text is no longer in the app
    deleted: dict[str, set[ir.At]] = field(default_factory=dict)  # whole statements to delete
    operations: dict[str, list[Operation]] = field(default_factory=dict)
    kept: set[tuple[str, ir.At]] = field(default_factory=set)  # functions that call the client now
    passed: set[tuple[Scope, str]] = field(default_factory=set)  # locals that the calls of the client read
    ready: dict[tuple[str, str], str] = field(default_factory=dict)  # (file, global) -> the model that is served in its place
    ready_parts: dict[str, str] = field(default_factory=dict)  # the same by the name of an attribute or the key of an element
    handlers: set[tuple[str, ir.At]] = field(default_factory=set)  # functions of entries that lead to a client
    spared: dict[str, set[ir.At]] = field(default_factory=dict)  # places inside text that goes, which the client's calls repeat
    _names: dict[str, dict[str, list[Mention]]] = field(default_factory=dict)
    _attributes: dict[str, list[tuple[str, Mention]]] = field(default_factory=dict)
    _elements: dict[str, list[tuple[str, Mention]]] = field(default_factory=dict)
    _strings: dict[str, set[str]] = field(default_factory=dict)
    _whole: dict[str, set[ir.At]] = field(default_factory=dict)  # deleted statements with their decorators
    _parameters: set[tuple[Scope, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        found = Mentions(self.evaluator)
        self._names, self._attributes, self._strings, self._elements = found.names, found.attributes, found.strings, found.elements

    # ------------------------------------------------------------ what is gone

    def remove(self, file: str, at: ir.At) -> None:
        """Text that another edit takes away."""
        self.gone.setdefault(file, set()).add(at)

    def spare(self, file: str, places: tuple[ir.At, ...]) -> None:
        """Expressions that another edit writes anew."""
        self.spared.setdefault(file, set()).update(places)

    def _delete(self, file: str, stmt: ir.Stmt) -> None:
        at = stmt.at
        if isinstance(stmt, (ir.Define, ir.DefineClass)):
            node = stmt.function if isinstance(stmt, ir.Define) else stmt.definition
            at = (*min([node.at, *(d.at for d in node.decorators)])[:2], *node.at[2:])
        self.remove(file, at)
        self.deleted.setdefault(file, set()).add(stmt.at)
        self._whole.setdefault(file, set()).add(at)

    def _alive(self, file: str, at: ir.At) -> bool:
        if any(ir.holds(s, at) for s in self.spared.get(file, ())):
            return True
        return not any(ir.holds(g, at) for g in self.gone.get(file, ()))

    def _live(self, file: str, name: str) -> list[Mention]:
        return [m for m in self._names[file].get(name, ()) if self._alive(file, m.expr.at)]

    def _live_global(self, file: str, name: str) -> list[Mention]:
        """Mentions that may mean the module's name: not those in functions that bind the name themselves."""
        return [m for m in self._live(file, name) if not (m.scope.kind == "function" and name in m.scope.bindings)]

    def alias(self, file: str) -> str:
        """What the client is called in a file."""
        taken = any("triton" in s.bindings for s in self.evaluator.program.files[file].scopes)
        return "triton_client" if taken else "triton"

    # ------------------------------------------------------------ the fixpoint

    def settle(self) -> dict[str, list[Operation]]:
        """Delete until nothing more is left over; gives the operations by file."""
        changed = True
        while changed:
            changed = False
            for file in list(self.gone):
                for name in sorted(self._taken_names(file)):
                    changed |= self._symbol(file, name)
                for attr in sorted(self._taken_attributes(file)):
                    changed |= self._attribute(attr)
                for key in sorted(self._taken_elements(file)):
                    changed |= self._element(key)
            changed |= self._hollow()
        for file, places in self.deleted.items():
            outer = [p for p in places if not any(p != q and ir.holds(q, p) for q in places)]
            spans = tuple(Span(file, *p) for p in sorted(outer) if not self._inside_other_edit(file, p))
            if spans:
                self.operations.setdefault(file, []).append(DeleteStatements(spans, drop_empty=True))
            self.operations[file] = [o for o in self.operations.get(file, []) if not self._in_deleted(file, o)]
        for file in self.gone:
            module = self.evaluator.program.files[file].module
            inner = {n for s in self.evaluator.program.files[file].scopes if s.kind == "function" for n in imported_names(s)}
            taken = (n for n in self._taken_names(file) if n in inner or self._is_import(file, n))
            names = tuple(sorted(n for n in taken if (module, n) not in self.passed))
            if names:
                self.operations.setdefault(file, []).append(RemoveUnusedImports(names))
        return self.operations

    def _in_deleted(self, file: str, operation: Operation) -> bool:
        """An argument or parameter of something that goes as a whole."""
        match operation:
            case RemoveArgument(span) | RemoveParameter(span) | ReplaceExpression(span):
                at = (span.line, span.column, span.end_line, span.end_column)
                return any(ir.holds(d, at) for d in self.deleted.get(file, ()))
        return False

    def _inside_other_edit(self, file: str, at: ir.At) -> bool:
        own = self.deleted.get(file, set()) | self._whole.get(file, set())
        return any(g not in own and ir.holds(g, at) for g in self.gone[file])

    def _taken_names(self, file: str) -> set[str]:
        return {n for n, mentions in self._names[file].items() if any(not self._alive(file, m.expr.at) for m in mentions)}

    def _taken_attributes(self, file: str) -> set[str]:
        return {a for a, mentions in self._attributes.items() if any(f == file and not self._alive(f, m.expr.at) for f, m in mentions)}

    def _taken_elements(self, file: str) -> set[str]:
        return {k for k, mentions in self._elements.items() if any(f == file and not self._alive(f, m.expr.at) for f, m in mentions)}

    def _is_import(self, file: str, name: str) -> bool:
        bindings = self.evaluator.program.files[file].module.bindings.get(name, [])
        return any(b.how in ("import", "from") for b in bindings)

    # ------------------------------------------------------------ names

    def _symbol(self, file: str, name: str) -> bool:
        """A name that removed text reads: delete what binds it when nothing else reads it."""
        program = self.evaluator.program
        module = program.files[file].module
        changed = False
        readers = {m.scope for m in self._names[file].get(name, ()) if not self._alive(file, m.expr.at)}
        for scope in readers:
            if (scope, name) in self.passed:
                continue
            if scope.kind == "function" and name in scope.bindings and not is_parameter(scope, name):
                changed |= self._local(file, scope, name)
            elif scope.kind == "function" and is_parameter(scope, name):
                changed |= self._argument(file, scope, name)
        if name not in module.bindings and not program.global_bindings(file, name):
            return changed
        if (module, name) in self.passed or (readers and all(_own_name(scope, name) for scope in readers)):
            return changed
        if self._is_import(file, name):
            return changed | self._configures_library(file, name) | self._imported(file, name)
        return changed | self._global(file, name)

    def _imported(self, file: str, name: str) -> bool:
        """An imported name that is no longer used here may be unused where it was defined."""
        if self._live(file, name):
            return False
        program = self.evaluator.program
        for binding in program.files[file].module.bindings.get(name, ()):
            if binding.how == "from":
                stmt, original = binding.imported
                path = program.module_path(file, stmt.module, stmt.level)
                if path and path != file and original in program.files[path].module.bindings and not self._is_import(path, original):
                    return self._global(path, original)
        return False

    def _configures_library(self, file: str, name: str) -> bool:
        """Statements like `torch.set_num_threads(1)` that are all that is left of a library."""
        live = self._live(file, name)
        if not live or not all(self._prepares(m) for m in live):
            return False
        for mention in live:
            self._delete(file, mention.stmt)
        return True

    def _global(self, file: str, name: str) -> bool:
        if (
            (self.evaluator.program.files[file].module, name) in self.passed
            or name in self._strings[file]
            or self._used_elsewhere(file, name)
            or self._is_application(file, name)
        ):
            return False
        body = list(flow.module_body(self.evaluator.program.files[file].facts.body))
        own = [s for s in body if binds(s, name) and self._alive(file, s.at)]
        makers = [b.node for _, b in self.evaluator.program.global_bindings(file, name)]
        own += [s for s in makers if isinstance(s, ir.Assign) and self._alive(file, s.at)]
        if not own or any(self._stays(file, s) for s in own):
            return False
        others = {n for s in own for n in flow.binds((s,)) if n != name} if not isinstance(own[0], (ir.Define, ir.DefineClass)) else set()
        if any(self._used_elsewhere(file, o) for o in others):
            return False
        if self._keys_only(file, name, own):
            return True
        spent: list[ir.Stmt] = []
        asks: list[tuple[Mention, str]] = []
        for each in (name, *sorted(others)):
            outside = [m for m in self._live_global(file, each) if not within(m.expr.at, own)]
            guarded = [m for m in outside if guards(m, each) and self._on_the_way(file, m)]
            asking = [m for m in outside if m not in guarded and (file, each) in self.ready and presence(m, each) is not None]
            attached = [m for m in outside if m not in guarded and m not in asking]
            if not all(each == name and (self._prepares(m) or self._only_stores(m, name)) for m in attached):
                return False
            spent += [m.stmt for m in (*attached, *guarded)]
            asks += [(m, each) for m in asking]
        for stmt in (*own, *spent):
            self._delete(file, stmt)
        for mention, each in asks:
            self._ask(file, presence(mention, each), self.ready[(file, each)])
        return True

    def _keys_only(self, file: str, name: str, own: list[ir.Stmt]) -> bool:
        """A dict of models of which the app goes on to read the keys keeps these: `MODELS = dict.fromkeys(("a", "b"))`."""
        value = own[0].value if len(own) == 1 and isinstance(own[0], ir.Assign) and len(own[0].targets) == 1 else None
        names = self._spelled_keys(file, value) if isinstance(own[0], ir.Assign) and isinstance(own[0].targets[0], ir.Name) else ""
        outside = [m for m in self._live_global(file, name) if not within(m.expr.at, own)]
        asking = [m for m in outside if asks_keys(m)]
        aliases = [m.stmt for m in outside if m not in asking and self._unread_alias(file, m)]
        if not names or value is None or not self._alive(file, value.at) or not asking or len(asking) + len(aliases) != len(outside):
            return False
        for stmt in aliases:
            self._delete(file, stmt)
        self.operations.setdefault(file, []).append(ReplaceExpression(Span(file, *value.at), f"dict.fromkeys({names})"))
        self.remove(file, value.at)
        return True

    def _spelled_keys(self, file: str, value: ir.Expr | None) -> str:
        """The keys of a dict as text, where making them loads nothing; "" for other values."""
        match value:
            case ir.Mapping(_, keys, _) if keys and all(isinstance(k, ir.Constant) for k in keys):
                return repr(tuple(k.value for k in keys if isinstance(k, ir.Constant)))
            case ir.Comprehension(_, "dict", ir.Name(_, key), _, ((ir.Name(_, target), ir.Name(_, over), ()),)) if key == target:
                return over if self._live(file, over) or over in self.evaluator.program.files[file].module.bindings else ""
        return ""

    def _unread_alias(self, file: str, mention: Mention) -> bool:
        """`best = MODELS["best"]` of the module, which nothing reads any more."""
        stmt = mention.stmt
        if not isinstance(stmt, ir.Assign) or not isinstance(stmt.targets[0], ir.Name) or mention.scope.kind != "module":
            return False
        alias = stmt.targets[0].id
        read = [m for m in self._live_global(file, alias) if not within(m.expr.at, [stmt])]
        plain = isinstance(stmt.value, ir.Subscript) and stmt.value.value is mention.expr
        return plain and not read and alias not in self._strings[file] and not self._used_elsewhere(file, alias)

    def _is_application(self, file: str, name: str) -> bool:
        """A server looks for it by its name."""
        values = self.evaluator.name(name, self.evaluator.program.frames[file])
        return any(isinstance(v, Api) and self.evaluator.rulebook.find(v.path.removesuffix("()"), WebApp) for v in values)

    def _on_the_way(self, file: str, mention: Mention) -> bool:
        """Whether a function is on the way to the model, so that the client says by itself that there is none; a health check is not."""
        function = mention.scope.function
        return not function.decorators or (file, function.at) in self.kept | self.handlers

    def _ask(self, file: str, test: tuple[ir.Expr, bool] | None, model: str) -> None:
        """`model is not None` outside the predict path (a health check) becomes a question to Triton."""
        if test is None or not self._alive(file, test[0].at):
            return
        code = f'{self.alias(file)}.ready("{model}")'
        span = Span(file, *test[0].at)
        self.operations.setdefault(file, []).append(ReplaceExpression(span, code if test[1] else f"not {code}"))
        self.remove(file, test[0].at)

    def _stays(self, file: str, stmt: ir.Stmt) -> bool:
        """Whether a statement that binds the name does more than that."""
        if isinstance(stmt, ir.DefineClass):  # pickles name model classes by their module, training scripts import them
            return file not in {f for f, _ in self.kept} or bool(stmt.definition.bases)
        if isinstance(stmt, ir.Define):
            return any(self._registers(file, d) for d in stmt.function.decorators) or (file, stmt.at) in self.kept
        if isinstance(stmt, (ir.If, ir.Try)):
            scope = self.evaluator.program.files[file].module
            inner = [s for s in flow.flatten((stmt,)) if not isinstance(s, (ir.If, ir.Try, ir.With))]
            plain = (ir.Assign, ir.Jump, ir.Raise)
            return not all(
                isinstance(s, plain) or (isinstance(s, ir.Evaluate) and self._prepares(Mention(s.value, s, scope))) for s in inner
            )
        return isinstance(stmt, (ir.For, ir.While, ir.Import, ir.ImportFrom))

    def _registers(self, file: str, decorator: ir.Expr) -> bool:
        """Decorators other than caches, no-grad ones and those that count calls may hand the function to somebody."""
        frame = self.evaluator.program.frames[file]
        apis = self.evaluator.apis(decorator.func if isinstance(decorator, ir.Call) else decorator, frame)
        said = [r for a in apis for r in self.evaluator.rulebook.rules_for(a.path)]
        return not any(isinstance(r, (Cache, ModelConfigure)) or (isinstance(r, Effect) and r.kind == "metric") for r in said)

    def _used_elsewhere(self, file: str, name: str) -> bool:
        """Imported, or read as an attribute, in another file."""
        program = self.evaluator.program
        for path, scopes in program.files.items():
            if path == file:
                continue
            imported = any(
                b.how == "from" and b.imported[1] == name and self._live(path, bound)
                for scope in (scopes.module, *scopes.scopes)
                for bound, bs in scope.bindings.items()
                for b in bs
            )
            if imported or name in self._strings[path]:
                return True
        return any(f != file and self._alive(f, m.expr.at) and self._of_module(m, file) for f, m in self._attributes.get(name, ()))

    def _of_module(self, mention: Mention, file: str) -> bool:
        """Whether `x.name` may be an attribute of that module."""
        values = self.evaluator.values(owner_of(mention.expr), self.evaluator.program.generic(mention.scope))
        return Module(file) in values or not values or any(isinstance(v, Unknown) for v in values)

    def _local(self, file: str, scope: Scope, name: str) -> bool:
        """A local of a function that still runs (a loader, a start-up hook)."""
        live = [m for m in self._live(file, name) if m.scope is scope]
        own: list[ir.Stmt] = [
            s for s in flow.flatten(scope.function.body) if isinstance(s, ir.Assign) and binds(s, name) and self._alive(file, s.at)
        ]
        others = {n for s in own for n in flow.binds((s,))} - {name}
        if not own or name in {n for s in scope.children.values() for n in free_names_of(s)}:
            return False
        if any(m.scope is scope and not within(m.expr.at, own) for o in others for m in self._live(file, o)):
            return False
        attached = [m for m in live if not within(m.expr.at, own)]
        if not all(self._prepares(m) for m in attached):
            return False
        for stmt in (*own, *(m.stmt for m in attached)):
            self._delete(file, stmt)
        return True

    def _prepares(self, mention: Mention) -> bool:
        """Whether the statement only prepares a model (`net.eval()`), or logs."""
        stmt = mention.stmt
        if not isinstance(stmt, ir.Evaluate) or not isinstance(stmt.value, ir.Call):
            return False
        frame = self.evaluator.program.generic(mention.scope)
        for api in self.evaluator.apis(stmt.value.func, frame):
            effect = self.evaluator.rulebook.find(api.called, Effect)
            told = effect is not None and effect.kind == "log" and not any(mention.expr is p for p in walk(stmt.value.func))
            if self.evaluator.rulebook.find(api.called, ModelConfigure) or told:
                return True
        return False

    def _only_loads(self, mention: Mention, name: str) -> bool:
        """`if self.model is None: self.model = load()`, which may log about it."""
        stmt, found = mention.stmt, presence(mention, name)
        if not isinstance(stmt, ir.If) or stmt.orelse or found is None or found[0] is not stmt.test or found[1]:
            return False
        stored = (s for s in stmt.body if isinstance(s, ir.Assign))
        others = [s for s in stmt.body if not isinstance(s, ir.Assign)]
        only = all(isinstance(t, ir.Attribute) and t.attr == name for s in stored for t in s.targets)
        return only and all(isinstance(s, ir.Evaluate) and self._prepares(Mention(s.value, s, mention.scope)) for s in others)

    def _only_stores(self, mention: Mention, name: str) -> bool:
        """`models["x"] = ...` and `models.clear()` keep nothing alive."""
        stmt = mention.stmt
        if isinstance(stmt, ir.Assign):
            return any(isinstance(t, ir.Subscript) and isinstance(t.value, ir.Name) and t.value.id == name for t in stmt.targets)
        if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) and isinstance(stmt.value.func, ir.Attribute):
            func = stmt.value.func
            return isinstance(func.value, ir.Name) and func.value.id == name and func.attr in CLEARING
        return isinstance(stmt, ir.Delete)

    # ------------------------------------------------------------ attributes, parameters, arguments

    def _attribute(self, attr: str) -> bool:
        """An attribute that removed text reads: delete its stores when nothing else reads it."""
        owners = {c for f, m in self._attributes[attr] if not self._alive(f, m.expr.at) for c in self._classes(m)}
        live = [(f, m) for f, m in self._attributes[attr] if self._alive(f, m.expr.at)]
        if owners:
            live = [(f, m) for f, m in live if not (classes := self._classes(m)) or classes & owners]
        if not live:
            return self._method(attr, owners)
        prepared = [(f, m) for f, m in live if not stores(m) and self._prepares(m)]
        made = [(f, m) for f, m in live if stores(m) or self._unpacked_alone(m, owners)]
        guarded = [(f, m) for f, m in live if guards(m, attr) and (f, m.scope.function.at) in self.kept]
        guarded += [(f, m) for f, m in live if self._only_loads(m, attr)]
        others = [pair for pair in live if pair not in guarded and pair not in prepared and pair not in made]
        asks = [(f, m) for f, m in others if attr in self.ready_parts and presence(m, attr) is not None]
        if not made or len(asks) != len(others) or any(attr in s for s in self._strings.values()):
            return False
        if any(isinstance(m.stmt, ir.Assign) and len(m.stmt.targets) > 1 for _, m in made):
            return False
        for file, mention in (*made, *prepared, *guarded):
            self._delete(file, mention.stmt)
        for file, mention in asks:
            self._ask(file, presence(mention, attr), self.ready_parts[attr])
        return True

    def _unpacked_alone(self, mention: Mention, owners: set[Scope]) -> bool:
        """Whether the statement stores it with other attributes, none of which anything reads any more."""
        others = unpacks(mention)
        read = ((f, m) for o in others for f, m in self._attributes[o.attr] if m.stmt is not mention.stmt and self._alive(f, m.expr.at))
        return bool(others) and all((classes := self._classes(m)) and owners and not classes & owners for _, m in read)

    def _element(self, key: str) -> bool:
        """A setting or other element that removed text reads: delete its store when nothing else may read it."""
        live = [(f, m) for f, m in self._elements[key] if self._alive(f, m.expr.at)]
        taken = [m for f, m in self._elements[key] if not self._alive(f, m.expr.at) and not stores(m)]
        owners = {v for m in taken for v in self._held(m)}
        related = [(f, m) for f, m in live if not (held := self._held(m)) or held & owners]
        made = [(f, m) for f, m in related if isinstance(m.stmt, ir.Assign) and stores(m) and len(m.stmt.targets) == 1]
        if not owners or not made or len(made) != len(related):
            return False
        whole = [pair for _, m in made for pair in self._whole_reads(m)]
        if not all(key in self.ready_parts and membership(m, key) is not None for _, m in whole):
            return False
        for file, mention in made:
            self._delete(file, mention.stmt)
        for file, mention in whole:
            self._ask(file, membership(mention, key), self.ready_parts[key])
        return True

    def _whole_reads(self, element: Mention) -> list[tuple[str, Mention]]:
        """Where the container of an element is read otherwise than by a key (`len(models)`), as `_only_stores` does not."""
        container = holder_of(element.expr)
        if isinstance(container, ir.Name):
            name = container.id
            found = [(f, m) for f, names in self._names.items() for m in names.get(name, ()) if self._alive(f, m.expr.at)]
            found = [(f, m) for f, m in found if not self._only_stores(m, name) and not binds(m.stmt, name)]
        elif isinstance(container, ir.Attribute):
            found = [(f, m) for f, m in self._attributes.get(container.attr, ()) if self._alive(f, m.expr.at) and not stores(m)]
            found = [(f, m) for f, m in found if not _only_told(m)]
        else:
            return []
        return [(f, m) for f, m in found if not any(holder_of(e.expr) is m.expr for e in self._elements_in(m))]

    def _elements_in(self, mention: Mention) -> list[Mention]:
        return [m for mentions in self._elements.values() for _, m in mentions if m.stmt is mention.stmt]

    def _held(self, mention: Mention) -> Values:
        """What the element is, or is made to be."""
        stored = mention.stmt.value if stores(mention) and isinstance(mention.stmt, ir.Assign) else None
        return self.evaluator.values(stored or mention.expr, self.evaluator.program.generic(mention.scope))

    def _method(self, name: str, owners: set[Scope]) -> bool:
        """A method that nothing calls any more, in a class that inherits nothing that could call it."""
        changed = False
        for owner in owners:
            frame = self.evaluator.program.generic(owner)
            cls = UserClass(owner, frame.parent or frame)
            inherits = len(self.evaluator.mro(cls)) > 1 and not is_task_class(self.evaluator, cls)
            for stmt in owner.definition.body:
                if isinstance(stmt, ir.Define) and stmt.function.name == name and self._alive(owner.file, stmt.at) and not inherits:
                    if (owner.file, stmt.at) not in self.kept and name not in self._strings[owner.file] and not name.startswith("__"):
                        self._delete(owner.file, stmt)
                        changed = True
        return changed

    def _classes(self, mention: Mention) -> set[Scope]:
        """The classes of the program whose attribute this is; empty when that is not known for sure."""
        values = self.evaluator.values(owner_of(mention.expr), self.evaluator.program.generic(mention.scope))
        known = {v.of.scope for v in values if isinstance(v, Instance)}
        return known if len(known) == len(values) else set()

    def _argument(self, file: str, scope: Scope, name: str) -> bool:
        """A parameter nothing reads any more, with the arguments of all calls."""
        if (
            (scope, name) in self._parameters
            or not self._alive(file, scope.function.at)
            or any(m.scope is scope for m in self._live(file, name))
        ):
            return False
        function = scope.function
        if (file, function.at) in self.kept and self._dependency(file, scope, name):
            return True
        if any(p.kind.startswith("*") for p in function.parameters):
            return False
        index = [p.name for p in function.parameters].index(name) - (scope.owner is not None)
        if index < 0:
            return function.name == "__init__" and self._empty_constructor(file, scope)
        calls = self._calls_of(file, scope)
        if calls is None:
            return False
        if any(isinstance(a, ir.Starred) for p in calls for a in p.call.args) or any(k is None for p in calls for k, _ in p.call.keywords):
            return False
        self._parameters.add((scope, name))
        self.operations.setdefault(file, []).append(RemoveParameter(Span(file, *function.at), name))
        for place in calls:
            given = port(place.call, f"{name}|{index}")
            if given is not None and self._alive(place.scope.file, place.call.at):
                where: int | str = index if index < len(place.call.args) else name
                self.operations.setdefault(place.scope.file, []).append(RemoveArgument(Span(place.scope.file, *place.call.at), where))
                self.remove(place.scope.file, given.at)
        for parameter in function.parameters:
            if parameter.name == name and parameter.annotation is not None:
                self.remove(file, parameter.annotation.at)
        return True

    def _calls_of(self, file: str, scope: Scope) -> list[CallPlace] | None:
        """All calls of a constructor or of a plain function; None when somebody else may call it."""
        function, program = scope.function, self.evaluator.program
        if scope.owner is not None:
            if function.name != "__init__":
                return None
            cls = UserClass(scope.owner, program.generic(scope.owner).parent or program.frames[file])
            if self._made_by_others(scope.owner):
                return None
            places = [p for n in (scope.owner.name, "cls") for p in program.calls(n)]
            return [p for p in places if cls in self.evaluator.values(p.call.func, program.generic(p.scope))]
        if scope.parent is None or scope.parent.kind != "module" or function.decorators:
            return None
        named = [m for m in self._live(file, function.name) if isinstance(m.expr, ir.Name)]
        calls = [p for p in program.calls(function.name) if p.scope.file == file]
        called = {id(p.call.func) for p in calls}
        if self._used_elsewhere(file, function.name) or function.name in self._strings[file]:
            return None
        return calls if all(id(m.expr) in called for m in named) else None

    def _made_by_others(self, owner: Scope) -> bool:
        """Whether a class is handed to something that may make objects of it (`View.as_view("view", model)`, `Depends(Service)`)."""
        for mention in (m for names in self._names.values() for m in names.get(owner.name, ()) if self._alive(m.scope.file, m.expr.at)):
            for part in flow.every(mention.stmt):
                asked = isinstance(part, ir.Attribute) and part.value is mention.expr and part.attr not in owner.bindings
                given = isinstance(part, ir.Call) and any(a is mention.expr for a in (*part.args, *(v for _, v in part.keywords)))
                if asked or given:
                    return True
        return False

    def _empty_constructor(self, file: str, scope: Scope) -> bool:
        """An `__init__` of which nothing is left but `self`."""
        function = scope.function
        others = {p.name for p in function.parameters[1:]} - {n for s, n in self._parameters if s is scope}
        if others or any(self._alive(file, s.at) for s in function.body):
            return False
        body = scope.owner.definition.body if scope.owner is not None else ()
        stmt = next((s for s in body if isinstance(s, ir.Define) and s.function is function), None)
        if stmt is None or len(body) == 1:
            return False
        self._delete(file, stmt)
        return True

    def _dependency(self, file: str, scope: Scope, name: str) -> bool:
        """`model=Depends(get_model)` of a handler that no longer uses it."""
        parameter = next(p for p in scope.function.parameters if p.name == name)
        frame = self.evaluator.program.generic(scope).parent or self.evaluator.program.frames[file]
        apis = self.evaluator.apis(parameter.default.func, frame) if isinstance(parameter.default, ir.Call) else ()
        if not any((r := self.evaluator.rulebook.find(a.path, WebParameter)) and r.source == "dependency" for a in apis):
            return False
        self._parameters.add((scope, name))
        self.operations.setdefault(file, []).append(RemoveParameter(Span(file, *scope.function.at), name))
        for expr in (parameter.default, parameter.annotation):
            if expr is not None:
                self.remove(file, expr.at)
        return True

    # ------------------------------------------------------------ functions left with nothing to do

    def _hollow(self) -> bool:
        """A loader whose every statement is gone, with the calls and hooks that ran it."""
        changed = False
        for file in list(self.deleted):
            for stmt in self.evaluator.program.files[file].facts.body:
                spare = isinstance(stmt, ir.Define) and self._alive(file, stmt.at) and (file, stmt.at) not in self.kept
                if isinstance(stmt, ir.Define) and spare and self._is_hollow(file, stmt.function):
                    calls = [m for m in self._live(file, stmt.function.name) if not within(m.expr.at, [stmt])]
                    if all(is_bare_call(m) for m in calls) and not self._used_elsewhere(file, stmt.function.name):
                        for other in (stmt, *(m.stmt for m in calls)):
                            self._delete(file, other)
                        changed = True
        return changed

    def _is_hollow(self, file: str, function: ir.Function) -> bool:
        rest = [s for s in function.body if self._alive(file, s.at) and not isinstance(s, (ir.Declare, ir.Jump))]
        rest = [s for s in rest if not (isinstance(s, ir.Evaluate) and isinstance(s.value, ir.Constant))]
        removed = any(not self._alive(file, s.at) for s in function.body)
        scope = self.evaluator.program.files[file].module.children.get(id(function))
        return (
            removed
            and scope is not None
            and all(self._prepares(Mention(s.value, s, scope)) for s in rest if isinstance(s, ir.Evaluate))
            and all(isinstance(s, ir.Evaluate) for s in rest)
        )


def _only_told(mention: Mention) -> bool:
    """`app.config.from_object(Config)`: a statement that calls a method of it and reads nothing."""
    call = mention.stmt.value if isinstance(mention.stmt, ir.Evaluate) else None
    return isinstance(call, ir.Call) and isinstance(call.func, ir.Attribute) and call.func.value is mention.expr


def _own_name(scope: Scope, name: str) -> bool:
    """Whether a name is one of a function, or of one around it, and not the module's."""
    at: Scope | None = scope
    while at is not None and at.kind == "function":
        if name in at.bindings:
            return True
        at = at.parent
    return False
