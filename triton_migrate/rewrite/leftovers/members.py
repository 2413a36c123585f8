"""Takes an attribute or an element that removed text reads, gives whether more could be deleted: its stores, and a method nothing calls."""

from __future__ import annotations

from triton_migrate.index import flow, ir
from triton_migrate.plan.copied.commandline import effect, option
from triton_migrate.plan.copied.taskclasses import is_task_class
from triton_migrate.plan.cutting.liveness import local_names
from triton_migrate.resolve.scopes import Scope
from triton_migrate.resolve.values import Api, Instance, UserClass, Values
from triton_migrate.rewrite.leftovers.record import Leftovers
from triton_migrate.rewrite.mentions import Mention, binds, guards, holder_of, membership, owner_of, presence, stores, unpacks
from triton_migrate.rulebook.vocabulary import Effect, TaskDefine


def attribute_read(left: Leftovers, attr: str) -> bool:
    """An attribute that removed text reads: delete its stores when nothing else reads it."""
    owners = {c for f, m in left.mentions.attributes[attr] if not left.alive(f, m.expr.at) for c in _classes(left, m)}
    live = [(f, m) for f, m in left.mentions.attributes[attr] if left.alive(f, m.expr.at)]
    if owners:
        live = [(f, m) for f, m in live if (not (classes := _classes(left, m)) and not _of_library(left, m)) or classes & owners]
    if not live:
        return _method(left, attr, owners) or _option(left, attr)
    prepared = [(f, m) for f, m in live if not stores(m) and left.prepares(m)]
    made = [(f, m) for f, m in live if stores(m) or _unpacked_alone(left, m, owners)]
    guarded = [(f, m) for f, m in live if guards(m, attr) and (f, m.scope.function.at) in left.kept]
    guarded += [(f, m) for f, m in live if left.only_loads(m, attr)]
    others = [pair for pair in live if pair not in guarded and pair not in prepared and pair not in made]
    asks = [(f, m) for f, m in others if attr in left.ready_parts and presence(m, attr) is not None]
    if not made or len(asks) != len(others) or any(attr in s for s in left.mentions.strings.values()):
        return False
    if any(isinstance(m.stmt, ir.Assign) and len(m.stmt.targets) > 1 for _, m in made):
        return False
    for file, mention in (*made, *prepared, *guarded):
        left.delete(file, mention.stmt)
    for file, mention in asks:
        left.ask(file, presence(mention, attr), left.ready_parts[attr])
    return True


def _unpacked_alone(left: Leftovers, mention: Mention, owners: set[Scope]) -> bool:
    """Whether the statement stores it with other attributes, none of which anything reads any more."""
    others = unpacks(mention)
    read = ((f, m) for o in others for f, m in left.mentions.attributes[o.attr] if m.stmt is not mention.stmt and left.alive(f, m.expr.at))
    elsewhere = (_of_library(left, m) or ((classes := _classes(left, m)) and owners and not classes & owners) for _, m in read)
    return bool(others) and all(elsewhere)


def element_read(left: Leftovers, key: str) -> bool:
    """A setting or other element that removed text reads: delete its store when nothing else may read it."""
    live = [(f, m) for f, m in left.mentions.elements[key] if left.alive(f, m.expr.at)]
    taken = [m for f, m in left.mentions.elements[key] if not left.alive(f, m.expr.at) and not stores(m)]
    owners = {v for m in taken for v in _held(left, m)}
    related = [(f, m) for f, m in live if not (held := _held(left, m)) or held & owners]
    made = [(f, m) for f, m in related if isinstance(m.stmt, ir.Assign) and stores(m) and len(m.stmt.targets) == 1]
    if not owners or not made or len(made) != len(related) or any(_is_local(left, m) for _, m in made):
        return False
    whole = [pair for _, m in made for pair in _whole_reads(left, m)]
    if not all(key in left.ready_parts and membership(m, key) is not None for _, m in whole):
        return False
    for file, mention in made:
        left.delete(file, mention.stmt)
    for file, mention in whole:
        left.ask(file, membership(mention, key), left.ready_parts[key])
    return True


def _is_local(left: Leftovers, element: Mention) -> bool:
    """Whether the container is a local name: the function gives it to something as a whole, which may be what leaves."""
    container = holder_of(element.expr)
    local = element.scope.kind == "function" and isinstance(container, ir.Name) and container.id in local_names(element.scope)
    return local and not _of_worker(left, container, element.scope)


def _of_worker(left: Leftovers, expr: ir.Expr | None, scope: Scope) -> bool:
    """Whether it is what a worker hands to each of its jobs, to those that start and end it, too."""
    contexts = {rule.passes for rule in left.evaluator.rulebook.of_role(TaskDefine) if not rule.itself} - {""}
    values = left.evaluator.values(expr, left.evaluator.program.generic(scope)) if expr is not None else frozenset()
    return bool(values) and all(isinstance(v, Api) and v.path in contexts for v in values)


def _whole_contexts(left: Leftovers) -> list[tuple[str, Mention]]:
    """Where a job reads its context otherwise than by a key; a function of the program that it hands it to reads for itself."""
    found = []
    for file, names in left.mentions.names.items():
        for mention in (m for mentions in names.values() for m in mentions if left.alive(file, m.expr.at)):
            if _of_worker(left, mention.expr, mention.scope) and not _handed_on(left, mention):
                found.append((file, mention))
    return found


def _handed_on(left: Leftovers, mention: Mention) -> bool:
    frame = left.evaluator.program.generic(mention.scope)
    calls = (e for e in flow.every(mention.stmt) if isinstance(e, ir.Call) and any(a is mention.expr for a in e.args))
    return any(left.evaluator.callables(v) for call in calls for v in left.evaluator.values(call.func, frame))


def _whole_reads(left: Leftovers, element: Mention) -> list[tuple[str, Mention]]:
    """Where the container of an element is read otherwise than by a key (`len(models)`), as `_only_stores` does not."""
    container = holder_of(element.expr)
    if _of_worker(left, container, element.scope):
        found = _whole_contexts(left)
    elif isinstance(container, ir.Name):
        name = container.id
        found = [(f, m) for f, names in left.mentions.names.items() for m in names.get(name, ()) if left.alive(f, m.expr.at)]
        found = [(f, m) for f, m in found if not left.only_stores(m, name) and not binds(m.stmt, name)]
    elif isinstance(container, ir.Attribute):
        found = [(f, m) for f, m in left.mentions.attributes.get(container.attr, ()) if left.alive(f, m.expr.at) and not stores(m)]
        found = [(f, m) for f, m in found if not _only_told(m)]
    else:
        return []
    return [(f, m) for f, m in found if not any(holder_of(e.expr) is m.expr for e in _elements_in(left, m))]


def _elements_in(left: Leftovers, mention: Mention) -> list[Mention]:
    return [m for mentions in left.mentions.elements.values() for _, m in mentions if m.stmt is mention.stmt]


def _held(left: Leftovers, mention: Mention) -> Values:
    """What the element is, or is made to be."""
    stored = mention.stmt.value if stores(mention) and isinstance(mention.stmt, ir.Assign) else None
    return left.evaluator.values(stored or mention.expr, left.evaluator.program.generic(mention.scope))


def _method(left: Leftovers, name: str, owners: set[Scope]) -> bool:
    """A method that nothing calls any more, in a class that inherits nothing that could call it."""
    changed = False
    for owner in owners:
        frame = left.evaluator.program.generic(owner)
        cls = UserClass(owner, frame.parent or frame)
        inherits = len(left.evaluator.mro(cls)) > 1 and not is_task_class(left.evaluator, cls)
        for stmt in owner.definition.body:
            if isinstance(stmt, ir.Define) and stmt.function.name == name and left.alive(owner.file, stmt.at) and not inherits:
                if (owner.file, stmt.at) not in left.kept and name not in left.mentions.strings[owner.file] and not name.startswith("__"):
                    left.delete(owner.file, stmt)
                    changed = True
    return changed


def _option(left: Leftovers, name: str) -> bool:
    """An option of the command line that only the model's side reads: given to the application, it would do nothing."""
    frames = left.evaluator.program.frames
    taken = {f for f, m in left.mentions.attributes[name] if _of_command_line(left, f, m)}
    found = [
        (file, stmt)
        for file in taken
        for stmt in flow.module_body(left.evaluator.program.files[file].facts.body)
        if isinstance(stmt, ir.Evaluate) and isinstance(stmt.value, ir.Call) and left.alive(file, stmt.at)
        if effect(left.evaluator, stmt.value.func, frames[file]) == "option" and option(stmt.value) == name
    ]
    for file, stmt in found:
        left.delete(file, stmt)
    return bool(found)


def _of_command_line(left: Leftovers, file: str, mention: Mention) -> bool:
    held = left.evaluator.values(owner_of(mention.expr), left.evaluator.program.frames[file])
    rules = (left.evaluator.rulebook.find(v.path.removesuffix("()"), Effect) for v in held if isinstance(v, Api))
    return any(rule is not None and rule.kind == "arguments" for rule in rules)


def _classes(left: Leftovers, mention: Mention) -> set[Scope]:
    """The classes of the program whose attribute this is; empty when that is not known for sure."""
    values = left.evaluator.values(owner_of(mention.expr), left.evaluator.program.generic(mention.scope))
    known = {v.of.scope for v in values if isinstance(v, Instance)}
    return known if len(known) == len(values) else set()


def _of_library(left: Leftovers, mention: Mention) -> bool:
    """Whether it is surely an attribute of what a library makes, and of no object of the program (`counter.labels`)."""
    values = left.evaluator.values(owner_of(mention.expr), left.evaluator.program.generic(mention.scope))
    return bool(values) and all(isinstance(v, Api) and v.of is None for v in values)


def _only_told(mention: Mention) -> bool:
    """`app.config.from_object(Config)`: a statement that calls a method of it and reads nothing."""
    call = mention.stmt.value if isinstance(mention.stmt, ir.Evaluate) else None
    return isinstance(call, ir.Call) and isinstance(call.func, ir.Attribute) and call.func.value is mention.expr
