"""Takes a name that removed text reads, gives whether more could be deleted: what binds it, where nothing else reads it."""

from __future__ import annotations

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api
from triton_migrate.rewrite.leftovers.arguments import parameter_read
from triton_migrate.rewrite.leftovers.record import Leftovers
from triton_migrate.rewrite.mentions import Mention, asks_keys, binds, free_names_of, guards, is_parameter, presence, within
from triton_migrate.rewrite.operations import ReplaceExpression
from triton_migrate.rulebook.vocabulary import Cache, Effect, ModelConfigure, WebApp


def name_read(left: Leftovers, file: str, name: str) -> bool:
    """A name that removed text reads: delete what binds it when nothing else reads it."""
    program = left.evaluator.program
    module = program.files[file].module
    changed = False
    readers = {m.scope for m in left.mentions.names[file].get(name, ()) if not left.alive(file, m.expr.at)}
    for scope in readers:
        if (scope, name) in left.passed:
            continue
        if scope.kind == "function" and name in scope.bindings and not is_parameter(scope, name):
            changed |= _local(left, file, scope, name)
        elif scope.kind == "function" and is_parameter(scope, name):
            changed |= parameter_read(left, file, scope, name)
    if name not in module.bindings and not program.global_bindings(file, name):
        return changed
    if (module, name) in left.passed or (readers and all(_own_name(scope, name) for scope in readers)):
        return changed
    if left.is_import(file, name):
        return changed | _configures_library(left, file, name) | _imported(left, file, name)
    return changed | _global(left, file, name)


def _imported(left: Leftovers, file: str, name: str) -> bool:
    """An imported name that is no longer used here may be unused where it was defined."""
    if left.live(file, name):
        return False
    program = left.evaluator.program
    for binding in program.files[file].module.bindings.get(name, ()):
        if binding.how == "from":
            stmt, original = binding.imported
            path = program.module_path(file, stmt.module, stmt.level)
            if path and path != file and original in program.files[path].module.bindings and not left.is_import(path, original):
                return _global(left, path, original)
    return False


def _configures_library(left: Leftovers, file: str, name: str) -> bool:
    """Statements like `torch.set_num_threads(1)` that are all that is left of a library."""
    live = left.live(file, name)
    if not live or not all(left.prepares(m) for m in live):
        return False
    for mention in live:
        left.delete(file, mention.stmt)
    return True


def _global(left: Leftovers, file: str, name: str) -> bool:
    if (
        (left.evaluator.program.files[file].module, name) in left.passed
        or name in left.mentions.strings[file]
        or left.used_elsewhere(file, name)
        or _is_application(left, file, name)
    ):
        return False
    body = list(flow.module_body(left.evaluator.program.files[file].facts.body))
    own = [s for s in body if binds(s, name) and left.alive(file, s.at)]
    makers = [b.node for _, b in left.evaluator.program.global_bindings(file, name)]
    own += [s for s in makers if isinstance(s, ir.Assign) and left.alive(file, s.at)]
    if not own or any(_stays(left, file, s) for s in own):
        return False
    others = {n for s in own for n in flow.binds((s,)) if n != name} if not isinstance(own[0], (ir.Define, ir.DefineClass)) else set()
    if any(left.used_elsewhere(file, o, unread=True) for o in others):
        return False
    if _keys_only(left, file, name, own):
        return True
    spent: list[ir.Stmt] = []
    asks: list[tuple[Mention, str]] = []
    for each in (name, *sorted(others)):
        outside = [m for m in left.live_global(file, each) if not within(m.expr.at, own)]
        guarded = [m for m in outside if guards(m, each) and _on_the_way(left, file, m)]
        asking = [m for m in outside if m not in guarded and (file, each) in left.ready and presence(m, each) is not None]
        attached = [m for m in outside if m not in guarded and m not in asking]
        if not all(each == name and (left.prepares(m) or left.only_stores(m, name)) for m in attached):
            return False
        spent += [m.stmt for m in (*attached, *guarded)]
        asks += [(m, each) for m in asking]
    for stmt in (*own, *spent):
        left.delete(file, stmt)
    for mention, each in asks:
        left.ask(file, presence(mention, each), left.ready[(file, each)])
    return True


def _keys_only(left: Leftovers, file: str, name: str, own: list[ir.Stmt]) -> bool:
    """A dict of models of which the app goes on to read the keys keeps these: `MODELS = dict.fromkeys(("a", "b"))`."""
    value = own[0].value if len(own) == 1 and isinstance(own[0], ir.Assign) and len(own[0].targets) == 1 else None
    names = _spelled_keys(left, file, value) if isinstance(own[0], ir.Assign) and isinstance(own[0].targets[0], ir.Name) else ""
    outside = [m for m in left.live_global(file, name) if not within(m.expr.at, own)]
    asking = [m for m in outside if asks_keys(m)]
    aliases = [m.stmt for m in outside if m not in asking and _unread_alias(left, file, m)]
    if not names or value is None or not left.alive(file, value.at) or not asking or len(asking) + len(aliases) != len(outside):
        return False
    for stmt in aliases:
        left.delete(file, stmt)
    left.operations.setdefault(file, []).append(ReplaceExpression(Span(file, *value.at), f"dict.fromkeys({names})"))
    left.remove(file, value.at)
    return True


def _spelled_keys(left: Leftovers, file: str, value: ir.Expr | None) -> str:
    """The keys of a dict as text, where making them loads nothing; "" for other values."""
    match value:
        case ir.Mapping(_, keys, _) if keys and all(isinstance(k, ir.Constant) for k in keys):
            return repr(tuple(k.value for k in keys if isinstance(k, ir.Constant)))
        case ir.Comprehension(_, "dict", ir.Name(_, key), _, ((ir.Name(_, target), ir.Name(_, over), ()),)) if key == target:
            return over if left.live(file, over) or over in left.evaluator.program.files[file].module.bindings else ""
    return ""


def _unread_alias(left: Leftovers, file: str, mention: Mention) -> bool:
    """`best = MODELS["best"]` of the module, which nothing reads any more."""
    stmt = mention.stmt
    if not isinstance(stmt, ir.Assign) or not isinstance(stmt.targets[0], ir.Name) or mention.scope.kind != "module":
        return False
    alias = stmt.targets[0].id
    read = [m for m in left.live_global(file, alias) if not within(m.expr.at, [stmt])]
    plain = isinstance(stmt.value, ir.Subscript) and stmt.value.value is mention.expr
    return plain and not read and alias not in left.mentions.strings[file] and not left.used_elsewhere(file, alias)


def _is_application(left: Leftovers, file: str, name: str) -> bool:
    """A server looks for it by its name."""
    values = left.evaluator.name(name, left.evaluator.program.frames[file])
    return any(isinstance(v, Api) and left.evaluator.rulebook.find(v.path.removesuffix("()"), WebApp) for v in values)


def _on_the_way(left: Leftovers, file: str, mention: Mention) -> bool:
    """Whether a function is on the way to the model, so that the client says by itself that there is none; a health check is not."""
    function = mention.scope.function
    return not function.decorators or (file, function.at) in left.kept | left.handlers


def _stays(left: Leftovers, file: str, stmt: ir.Stmt) -> bool:
    """Whether a statement that binds the name does more than that."""
    if isinstance(stmt, ir.DefineClass):  # pickles name model classes by their module, training scripts import them
        return file not in {f for f, _ in left.kept} or bool(stmt.definition.bases)
    if isinstance(stmt, ir.Define):
        return any(_registers(left, file, d) for d in stmt.function.decorators) or (file, stmt.at) in left.kept
    if isinstance(stmt, (ir.If, ir.Try)):
        scope = left.evaluator.program.files[file].module
        inner = [s for s in flow.flatten((stmt,)) if not isinstance(s, (ir.If, ir.Try, ir.With))]
        plain = (ir.Assign, ir.Jump, ir.Raise)
        return not all(isinstance(s, plain) or (isinstance(s, ir.Evaluate) and left.prepares(Mention(s.value, s, scope))) for s in inner)
    return isinstance(stmt, (ir.For, ir.While, ir.Import, ir.ImportFrom))


def _registers(left: Leftovers, file: str, decorator: ir.Expr) -> bool:
    """Decorators other than caches, no-grad ones and those that count calls may hand the function to somebody."""
    frame = left.evaluator.program.frames[file]
    apis = left.evaluator.apis(decorator.func if isinstance(decorator, ir.Call) else decorator, frame)
    said = [r for a in apis for r in left.evaluator.rulebook.rules_for(a.path)]
    return not any(isinstance(r, (Cache, ModelConfigure)) or (isinstance(r, Effect) and r.kind == "metric") for r in said)


def _local(left: Leftovers, file: str, scope: Scope, name: str) -> bool:
    """A local of a function that still runs (a loader, a start-up hook)."""
    live = [m for m in left.live(file, name) if m.scope is scope]
    own: list[ir.Stmt] = [
        s for s in flow.flatten(scope.function.body) if isinstance(s, ir.Assign) and binds(s, name) and left.alive(file, s.at)
    ]
    others = {n for s in own for n in flow.binds((s,))} - {name}
    if not own or name in {n for s in scope.children.values() for n in free_names_of(s)}:
        return False
    if any(m.scope is scope and not within(m.expr.at, own) for o in others for m in left.live(file, o)):
        return False
    attached = [m for m in live if not within(m.expr.at, own)]
    if not all(left.prepares(m) for m in attached):
        return False
    for stmt in (*own, *(m.stmt for m in attached)):
        left.delete(file, stmt)
    return True


def _own_name(scope: Scope, name: str) -> bool:
    """Whether a name is one of a function, or of one around it, and not the module's."""
    at: Scope | None = scope
    while at is not None and at.kind == "function":
        if name in at.bindings:
            return True
        at = at.parent
    return False
