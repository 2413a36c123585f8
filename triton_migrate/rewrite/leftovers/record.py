"""What has left the app and what is written there still: the record that deleting grows, and the questions asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.index.flow import walk
from triton_migrate.plan.copied.topmost import root
from triton_migrate.plan.cutting.liveness import imported_names
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Module, Unknown
from triton_migrate.rewrite.mentions import Mention, Mentions, owner_of, presence
from triton_migrate.rewrite.operations import Operation, ReplaceExpression
from triton_migrate.rulebook.vocabulary import Effect, ModelConfigure

CLEARING = frozenset({"clear", "pop", "popitem"})


@dataclass(slots=True)
class Leftovers:
    """A name counts as used wherever it is written, in any scope, and in every other file that could reach it."""

    evaluator: Evaluator
    mentions: Mentions = field(init=False)
    gone: dict[str, set[ir.At]] = field(default_factory=dict)  # places whose text is no longer in the app
    deleted: dict[str, set[ir.At]] = field(default_factory=dict)  # whole statements to delete
    whole: dict[str, set[ir.At]] = field(default_factory=dict)  # the same with their decorators
    parameters: set[tuple[Scope, str]] = field(default_factory=set)  # those that go
    operations: dict[str, list[Operation]] = field(default_factory=dict)
    kept: set[tuple[str, ir.At]] = field(default_factory=set)  # functions that call the client now
    passed: set[tuple[Scope, str]] = field(default_factory=set)  # locals that the calls of the client read
    ready: dict[tuple[str, str], str] = field(default_factory=dict)  # (file, global) -> the model that is served in its place
    ready_parts: dict[str, str] = field(default_factory=dict)  # the same by the name of an attribute or the key of an element
    handlers: set[tuple[str, ir.At]] = field(default_factory=set)  # functions of entries that lead to a client
    spared: dict[str, set[ir.At]] = field(default_factory=dict)  # places inside text that goes, which the client's calls repeat

    def __post_init__(self) -> None:
        self.mentions = Mentions(self.evaluator)

    def remove(self, file: str, at: ir.At) -> None:
        """Text that another edit takes away."""
        self.gone.setdefault(file, set()).add(at)

    def spare(self, file: str, places: tuple[ir.At, ...]) -> None:
        """Expressions that another edit writes anew."""
        self.spared.setdefault(file, set()).update(places)

    def delete(self, file: str, stmt: ir.Stmt) -> None:
        at = stmt.at
        if isinstance(stmt, (ir.Define, ir.DefineClass)):
            node = stmt.function if isinstance(stmt, ir.Define) else stmt.definition
            at = (*min([node.at, *(d.at for d in node.decorators)])[:2], *node.at[2:])
        self.remove(file, at)
        self.deleted.setdefault(file, set()).add(stmt.at)
        self.whole.setdefault(file, set()).add(at)

    def alive(self, file: str, at: ir.At) -> bool:
        if any(ir.holds(s, at) for s in self.spared.get(file, ())):
            return True
        return not any(ir.holds(g, at) for g in self.gone.get(file, ()))

    def live(self, file: str, name: str) -> list[Mention]:
        return [m for m in self.mentions.names[file].get(name, ()) if self.alive(file, m.expr.at)]

    def live_global(self, file: str, name: str) -> list[Mention]:
        """Mentions that may mean the module's name: not those in functions that bind the name themselves."""
        return [m for m in self.live(file, name) if not (m.scope.kind == "function" and name in m.scope.bindings)]

    def alias(self, file: str) -> str:
        """What the client is called in a file."""
        taken = any("triton" in s.bindings for s in self.evaluator.program.files[file].scopes)
        return "triton_client" if taken else "triton"

    def is_import(self, file: str, name: str) -> bool:
        bindings = self.evaluator.program.files[file].module.bindings.get(name, [])
        return any(b.how in ("import", "from") for b in bindings)

    def used_elsewhere(self, file: str, name: str, *, unread: bool = False) -> bool:
        """Imported, or read as an attribute, in another file; with `unread` also by an import that nothing ever read, and that stays."""
        program = self.evaluator.program
        for path, scopes in program.files.items():
            if path == file:
                continue
            imported = any(
                b.how == "from" and b.imported[1] == name and (self.live(path, bound) or (unread and self._never_read(path, bound)))
                for scope in (scopes.module, *scopes.scopes)
                for bound, bs in scope.bindings.items()
                for b in bs
            )
            if imported or name in self.mentions.strings[path]:
                return True
        return any(f != file and self.alive(f, m.expr.at) and self.of_module(m, file) for f, m in self.mentions.attributes.get(name, ()))

    def _never_read(self, file: str, name: str) -> bool:
        return not self.mentions.names[file].get(name)

    def of_module(self, mention: Mention, file: str) -> bool:
        """Whether `x.name` may be an attribute of that module."""
        values = self.evaluator.values(owner_of(mention.expr), self.evaluator.program.generic(mention.scope))
        return Module(file) in values or not values or any(isinstance(v, Unknown) for v in values)

    def ask(self, file: str, test: tuple[ir.Expr, bool] | None, model: str) -> None:
        """`model is not None` outside the predict path (a health check) becomes a question to Triton."""
        if test is None or not self.alive(file, test[0].at):
            return
        code = f'{self.alias(file)}.ready("{model}")'
        span = Span(file, *test[0].at)
        self.operations.setdefault(file, []).append(ReplaceExpression(span, code if test[1] else f"not {code}"))
        self.remove(file, test[0].at)

    def prepares(self, mention: Mention) -> bool:
        """Whether the statement only prepares a model (`net.eval()`), or logs."""
        stmt = mention.stmt
        if not isinstance(stmt, ir.Evaluate) or not isinstance(stmt.value, ir.Call):
            return False
        frame = self.evaluator.program.generic(mention.scope)
        called = any(mention.expr is p for p in walk(stmt.value.func))
        for api in self.evaluator.apis(stmt.value.func, frame):
            effect = self.evaluator.rulebook.find(api.called, Effect)
            if effect is not None and effect.kind == "log" and not called:
                return True
            if self.evaluator.rulebook.find(api.called, ModelConfigure):  # `net.load_state_dict(torch.load(path))` prepares no `torch`
                return called or self._of_library(stmt.value.func, mention.scope)
        return False

    def _of_library(self, func: ir.Expr, scope: Scope) -> bool:
        """Whether a name that is imported leads to it (`torch.set_num_threads`), and no object of the application's."""
        return all(self.is_import(scope.file, name) or name in imported_names(scope) for name in root(func))

    def only_loads(self, mention: Mention, name: str) -> bool:
        """`if self.model is None: self.model = load()`, which may log about it."""
        stmt, found = mention.stmt, presence(mention, name)
        if not isinstance(stmt, ir.If) or stmt.orelse or found is None or found[0] is not stmt.test or found[1]:
            return False
        stored = (s for s in stmt.body if isinstance(s, ir.Assign))
        others = [s for s in stmt.body if not isinstance(s, ir.Assign)]
        only = all(isinstance(t, ir.Attribute) and t.attr == name for s in stored for t in s.targets)
        return only and all(isinstance(s, ir.Evaluate) and self.prepares(Mention(s.value, s, mention.scope)) for s in others)

    def only_stores(self, mention: Mention, name: str) -> bool:
        """`models["x"] = ...` and `models.clear()` keep nothing alive."""
        stmt = mention.stmt
        if isinstance(stmt, ir.Assign):
            return any(isinstance(t, ir.Subscript) and isinstance(t.value, ir.Name) and t.value.id == name for t in stmt.targets)
        if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) and isinstance(stmt.value.func, ir.Attribute):
            func = stmt.value.func
            return isinstance(func.value, ir.Name) and func.value.id == name and func.attr in CLEARING
        return isinstance(stmt, ir.Delete)
