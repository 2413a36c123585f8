"""Takes the names that moved code reads, gives what `pipeline.py` must hold: imports, copied definitions, and the body of `load()`.

Definitions are copied, never imported from the app: modules of the app may create it, load models or read configuration when imported.
What loads models or files runs in `load()`; everything else stands at the top level in the order it is needed.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from dataclasses import dataclass, field

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.index.flow import walk
from triton_migrate.index.text import Text
from triton_migrate.plan.around.registries import Chosen, Registry
from triton_migrate.plan.copied import topmost, waiting
from triton_migrate.plan.copied.begun import Begun
from triton_migrate.plan.copied.commandline import CommandLine
from triton_migrate.plan.copied.importing import Importing
from triton_migrate.plan.copied.objects import Objects
from triton_migrate.plan.copied.placement import DEVICE, Placed, Placement, edited
from triton_migrate.plan.copied.settings import LOGGER, Setting, Settings
from triton_migrate.plan.copied.taskclasses import called_by_library, constructors, is_task_class
from triton_migrate.plan.copied.unloading import unloading
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.cutting.exits import CLASS as EARLY
from triton_migrate.plan.leaving.answers import answer_class
from triton_migrate.plan.leaving.remembered import managed
from triton_migrate.plan.records import OnGpu
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.parameters import heirs
from triton_migrate.resolve.scopes import CallPlace, Frame, Scope, Store
from triton_migrate.resolve.values import Api, Module, UserClass, Values
from triton_migrate.rulebook.vocabulary import (
    TaskDefine,
    WebApp,
    WebRequest,
    WebRoute,
    WebRouter,
)
from triton_migrate.trace.moments import Moments
from triton_migrate.trace.records import PredictSite

RESERVED = frozenset(
    {
        "load", "preprocess", "stack", "row_shape", "predict", "postprocess", "run", "prepare", "finish", "handle", "INVALID", "APP_ROOT",
        "inputs", "wanted", "rows", "carried", "batch", "batches", "stream", "piece", DEVICE, EARLY,
    }
)  # fmt: skip
SCRATCH = '''\
{folder} = tempfile.TemporaryDirectory()


def {made}(path):
    """Where a file that only one request needs is kept: each instance of the model has a folder of its own."""
    return type(path)(os.path.join({folder}.name, os.path.basename(path)))
'''
ANSWER = '''\
class {made}(Exception):
    """An error answer of the application: client.py raises the framework's own there."""

    def __init__(self, *args, **named):
        super().__init__(json.dumps({{"answer": [args, named]}}))
        self.__dict__.update(named)
'''


class UncopyableError(Exception):
    """Something the moved code needs cannot be copied; carries the `NoCut`."""

    def __init__(self, problem: NoCut) -> None:
        super().__init__(problem.reason)
        self.problem = problem


@dataclass(slots=True)
class Closure:
    """What one `pipeline.py` needs; filled by `require` and `provide`."""

    evaluator: Evaluator
    texts: dict[str, Text]
    moments: Moments
    imports: dict[str, str] = field(default_factory=dict)  # bound name -> import statement
    definitions: list[str] = field(default_factory=list)
    load: list[str] = field(default_factory=list)
    globals: dict[str, None] = field(default_factory=dict)  # names that load() binds
    nowhere: dict[str, None] = field(default_factory=dict)  # names that the application defines nowhere either: reading one fails as it did
    names: dict[tuple[str, str], str] = field(default_factory=dict)  # (file, name) -> name in pipeline.py
    copied: list[Span] = field(default_factory=list)
    dropped: frozenset[int] = frozenset()  # id() of the functions whose statements are moved: their classes are copied without them
    scratch: frozenset[tuple[str, ir.At]] = frozenset()  # paths of files that only the moved code needs, by file and place
    answering: frozenset[Scope] = frozenset()  # the functions that a request runs through
    watched: dict[Scope, NoCut] = field(default_factory=dict)  # functions that fill what cannot leave, with the reason
    moved: tuple[Span, ...] = ()  # the statements that leave the functions which are cut
    called: dict[Span, str] = field(
        default_factory=dict
    )  # the app's own modules that copied calls import (`import_module("engines.fast")`)
    fillers: dict[Scope, Span] = field(default_factory=dict)  # functions that put something into a container when a request asks for it
    waits: bool = False  # the moved code runs in an event loop, so coroutines are copied as they are
    libraries: dict[str, None] = field(default_factory=dict)  # import roots
    _raised: dict[str, str] = field(default_factory=dict)  # error answers by the library's name -> the classes that stand for them
    _fresh: set[str] = field(default_factory=set)  # names that were given to something
    _keeps: bool = False
    _folder: str = ""  # the function that moves a path to the folder of this process
    _late: dict[tuple[str, str], None] = field(default_factory=dict)  # bound by statements of load(), global once something reads them
    _after: dict[tuple[str, str], list[tuple[ir.At, str]]] = field(default_factory=dict)  # calls on a name at the top level, as copied
    _synchronous: set[int] = field(default_factory=set)  # id() of the async functions that wait for nothing and that load() calls
    objects: Objects = field(init=False)
    begun: Begun = field(init=False)
    importing: Importing = field(init=False)
    command_line: CommandLine = field(init=False)
    settings: Settings = field(init=False)
    placement: Placement = field(init=False)
    placed: dict[Span, Placed] = field(default_factory=dict)  # calls that settle their device, as they were copied
    ran: set[tuple[str, ir.At]] = field(default_factory=set)  # statements that pipeline.py has already
    chosen: Chosen | None = None  # the version that this pipeline.py is

    def __post_init__(self) -> None:
        self.objects, self.settings, self.placement = Objects(self), Settings(self.evaluator), Placement(self.evaluator)
        self.importing, self.command_line, self.begun = Importing(self, RESERVED), CommandLine(self), Begun(self)

    @property
    def told(self) -> str:
        """What the copy does otherwise, to go on a sentence with."""
        scratch = "; files that only one request needs are in a folder of each instance's own" if self._folder else ""
        return scratch + ("; the thread that unloads the model after a while stays behind: Triton keeps it loaded" if self._keeps else "")

    # ------------------------------------------------------------ text

    def replacements(
        self, file: str, exprs: list[ir.Expr], shadowed: set[str], frame: Frame | None = None
    ) -> tuple[tuple[ir.At, str], ...]:
        """The small edits a copied piece needs: `__file__`, renamed names, settings, attributes of the app's own modules."""
        frame = frame or self.evaluator.program.frames[file]
        found: list[tuple[ir.At, str]] = []
        wrapped = {e.at for e in exprs if (file, e.at) in self.scratch}
        found += [((*place, *place), new) for at in wrapped for place, new in ((at[:2], f"{self._scratch()}("), (at[2:], ")"))]
        quoted = {id(part) for e in exprs if isinstance(e, ir.Joined) for part in flow.walk(e)}  # before 3.12 an f-string ends at its quote
        for expr in exprs:
            if isinstance(expr, ir.Name) and expr.id not in shadowed:
                if expr.id == "__file__":
                    found.append((expr.at, self._own_file(file) if id(expr) in quoted else f'str(APP_ROOT / "{file}")'))
                elif (new := self.names.get((file, expr.id))) and new != expr.id:
                    found.append((expr.at, new))
            elif isinstance(expr, ir.Attribute) and self._asks(expr, frame):
                raise UncopyableError(_of_the_web(expr.attr, Span(file, *expr.at)))
            elif isinstance(expr, ir.Call) and (imported := self.importing.by_call(file, expr)):
                self.called[Span(file, *expr.at)] = imported
            elif (setting := self.settings.written(expr, frame)) is not None:
                found.append((expr.at, self._setting(setting, Span(file, *expr.at))))
            elif isinstance(expr, ir.Call) and (given := self.command_line.given(file, expr)):
                found += given
            elif isinstance(expr, ir.Call) and (placed := self.placement.of(file, expr)) is not None:
                found += edited(placed, lambda e: self.texts[file].piece(e.at, self.replacements(file, list(walk(e)), shadowed, frame)))
                self.placed[Span(file, *expr.at)] = placed
            elif isinstance(expr, ir.Attribute) and isinstance(expr.value, (ir.Name, ir.Attribute)):
                module = next((v for v in self.evaluator.values(expr.value, frame) if isinstance(v, Module)), None)
                if module is not None and not topmost.root(expr.value) & shadowed:
                    found.append((expr.at, self.member(module.path, expr.attr, Span(file, *expr.at))))
        return tuple(found)

    def _own_file(self, file: str) -> str:
        """A name for the path of one of the app's files."""
        if (file, "__file__") not in self.names:
            self.names[(file, "__file__")] = name = self.fresh("FILE")
            self.definitions.append(f'{name} = str(APP_ROOT / "{file}")\n')
        return self.names[(file, "__file__")]

    def _scratch(self) -> str:
        """A name for the function that moves a path to the folder of this process."""
        if not self._folder:
            self._folder = self.fresh("scratch")
            self.imports.update(os="import os", tempfile="import tempfile")
            self.definitions.append(SCRATCH.format(made=self._folder, folder=self.fresh("FOLDER")))
        return self._folder

    def _web_value(self, expr: ir.Expr, frame: Frame) -> bool:
        find = self.evaluator.rulebook.find
        paths = [v.path.split("()")[0] for v in self.evaluator.values(expr, frame) if isinstance(v, Api) and isinstance(expr, ir.Name)]
        return any(find(p, WebApp) or find(p, WebRouter) for p in paths)

    def _makes_task(self, decorator: ir.Expr, frame: Frame) -> bool:
        """`@queue.task`: it puts the function on a queue, and leaves its parameters as they are."""
        given = {k for k, _ in decorator.keywords} if isinstance(decorator, ir.Call) else set()
        apis = self.evaluator.apis(decorator.func if isinstance(decorator, ir.Call) else decorator, frame)
        rules = [rule for api in apis if (rule := self.evaluator.rulebook.find(api.called, TaskDefine)) is not None]
        return bool(rules) and not any({r.bound, r.base} & given or r.called or r.passes for r in rules)

    def _asks(self, expr: ir.Expr, frame: Frame) -> bool:
        """`flask.request`: the request, named through its module."""
        find = self.evaluator.rulebook.find
        return any(isinstance(v, Api) and "()" not in v.path and find(v.path, WebRequest) for v in self.evaluator.values(expr, frame))

    def _setting(self, setting: Setting, where: Span) -> str:
        if setting.text.startswith(f"{LOGGER}("):
            self.imports.setdefault("logging", "import logging")
        if setting.given is not None:
            expr, scope = setting.given
            return self.objects.piece(expr, scope, set(), where)
        return setting.text if setting.of is None else f"{self.require(setting.of.scope.file, setting.of.scope.name, where)}.{setting.text}"

    def copy(
        self,
        file: str,
        stmt: ir.Stmt,
        shadowed: frozenset[str] = frozenset(),
        frame: Frame | None = None,
        *,
        bare: bool = False,
        renamed: tuple[tuple[str, str], ...] = (),
    ) -> str:
        """A statement's text, ready for pipeline.py, after everything it reads was required.

        `bare`: without the annotations of assignments, which a name that load() declares global cannot have. `renamed`: local names with
        what stands for them.
        """
        if isinstance(stmt, ir.ImportFrom) and (text := self.importing.given(file, stmt)) is not None:
            return text and f"{text}\n"
        parts = list(flow.every(stmt))
        given = tuple((e.at, new) for old, new in renamed for e in parts if isinstance(e, ir.Name) and e.id == old)
        replace = (*given, *self.replacements(file, parts, set(shadowed), frame), *self.importing.taken(file, (stmt,)))
        if bare:
            replace = (
                *replace,
                *(_bare(one) for one in flow.flatten((stmt,)) if isinstance(one, ir.Assign) and one.annotation is not None),
            )
        return self.texts[file].statements(stmt.at, stmt.at, replace)

    # ------------------------------------------------------------ names

    def member(self, path: str, name: str, where: Span) -> str:
        """A name of a module of the app, as pipeline.py calls it."""
        return self.require(path, name, where)

    def require_all(self, file: str, names: set[str], where: Span) -> None:
        for name in sorted(names):
            self.require(file, name, where)

    def require(self, file: str, name: str, where: Span) -> str:
        """Make sure that what `name` means in `file` is in pipeline.py; gives its name there."""
        if (file, name) in self.names:
            if (file, name) in self._late:
                self.globals[self.names[(file, name)]] = None
            return self.names[(file, name)]
        frame = self.evaluator.program.frames[file]
        bindings = frame.scope.bindings.get(name, [])
        if not bindings and not self.evaluator.program.global_bindings(file, name):
            if hasattr(builtins, name) or name in ("__file__", "__name__"):
                return name
            return self.importing.starred(frame, name, where)
        if (answer := answer_class(self.evaluator, self.evaluator.name(name, frame))) is not None and self.moved:
            return self.names.setdefault((file, name), self._answer(answer))
        self._refuse_web(frame, name, where)
        if self.chosen is not None and self._chooses(self.chosen.registry, self.evaluator.name(name, frame)):
            raise self.stuck("the moved code chooses a version itself", where, "choose it in the route: `model = MODELS[version]`")
        imported = next((b for b in bindings if b.how in ("import", "from")), None)
        if imported is not None:
            return self.importing.of(file, name, imported, where)
        made = self.fresh(name)
        self.names[(file, name)] = made
        for binding in bindings:
            if binding.how == "function" and isinstance(binding.node, ir.Function):
                self._function(file, binding.node, made)
            elif binding.how == "class" and isinstance(binding.node, ir.Class):
                self._class(file, binding.node, made)
        self._values(file, name, made, where)
        return made

    @staticmethod
    def _chooses(registry: Registry, values: Values) -> bool:
        """Whether what a global of the app holds is for the app to choose from, or one of the models."""
        return registry.of(values) or registry.holds(values)

    def _answer(self, path: str) -> str:
        """The class that stands for an error answer of the application's."""
        if path not in self._raised:
            name = path.rpartition(".")[2]
            self.imports["json"] = "import json"
            self._raised[path] = made = self.fresh(name)
            self.definitions.append(ANSWER.format(made=made) + (f'\n\n{made}.__name__ = "{name}"\n' if made != name else ""))
        return self._raised[path]

    def import_of(self, scope: Scope, name: str, where: Span) -> str:
        """As `require`, of a name that a function imports for itself."""
        if (scope.file, name) in self.names:
            return self.names[(scope.file, name)]
        return self.importing.of(scope.file, name, scope.bindings[name][0], where)

    def fresh(self, name: str) -> str:
        """A name that pipeline.py does not have yet."""
        taken = set(self.names.values()) | self._fresh | set(self.imports) | RESERVED
        made = name
        while made in taken or keyword.iskeyword(made):
            made = f"app_{made}"
        self._fresh.add(made)
        return made

    def _refuse_web(self, frame: Frame, name: str, where: Span) -> None:
        for value in self.evaluator.name(name, frame):
            if isinstance(value, Api):
                find, root = self.evaluator.rulebook.find, value.path.split("()")[0]
                made = value.path.startswith(f"{root}()")
                if find(value.path, WebRequest) or (made and (find(root, WebApp) or find(root, WebRouter))):
                    raise UncopyableError(_of_the_web(name, where))

    # ------------------------------------------------------------ definitions

    def _function(self, file: str, function: ir.Function, made: str) -> None:
        where, original = Span(file, *function.at), function
        if any(self._web_value(e, self.evaluator.program.frames[file]) for d in function.decorators for e in walk(d)):
            function = function._replace(decorators=())  # a route or hook: here it is only a function
        if len(function.decorators) == 1 and self._makes_task(function.decorators[0], self.evaluator.program.frames[file]):
            function = function._replace(decorators=())  # no worker takes it up here
        self._refuse_text_as_code(file, function)
        self._refuse_managed(file, original)
        settled = self.settings.only(list(flow.every_of_function(function)), self.evaluator.program.frames[file])
        self.require_all(file, flow.free_names(function) - settled, where)
        self.importing.inside(file, function.body)
        self._annotations(file, function)
        text = self._renamed(file, function, made, "def")
        self.definitions.append(text.replace("async def", "def", 1) if id(original) in self._synchronous else text)
        self.copied.append(where)

    def _refuse_managed(self, file: str, function: ir.Function) -> None:
        """A route that clears what a function remembers would not reach the copy."""
        scope = self.evaluator.program.files[file].module.children.get(id(function))
        if scope is not None and function.decorators and (told := managed(self.evaluator, scope)) is not None:
            raise UncopyableError(told)

    def _refuse_text_as_code(self, file: str, function: ir.Function) -> None:
        """What `eval` reads is not known."""
        for part in flow.every_of_function(function):
            if isinstance(part, ir.Call) and isinstance(part.func, ir.Name) and part.func.id in ("eval", "exec"):
                raise self.stuck(f"{function.name} runs text as code", Span(file, *part.at), "look the value up by its key instead")

    def _annotations(self, file: str, function: ir.Function) -> None:
        """Libraries that only annotations name; web frameworks do not come along (annotations are never evaluated)."""
        bindings = self.evaluator.program.files[file].module.bindings
        for name in sorted(flow.free_names(function, annotations=True)):
            imported = next((b for b in bindings.get(name, ()) if b.how in ("import", "from")), None)
            if imported is None or (file, name) in self.names:
                continue
            values = self.evaluator.name(name, self.evaluator.program.frames[file])
            library = next((self.evaluator.rulebook.library_of(v.path) for v in values if isinstance(v, Api)), None)
            plain = any(isinstance(v, Api) and v.path.split(".")[0] in sys.stdlib_module_names for v in values)
            if plain or (library is not None and not any(isinstance(r, (WebApp, WebRouter)) for r in library.rules)):
                self.importing.of(file, name, imported, Span(file, *function.at))

    def _class(self, file: str, definition: ir.Class, made: str) -> None:
        where = Span(file, *definition.at)
        scope = self.evaluator.program.files[file].module.children.get(id(definition))
        cls = UserClass(scope, self.evaluator.program.frames[file]) if scope is not None else None
        bare = cls is not None and is_task_class(self.evaluator, cls)
        if cls is not None and bare:
            self.dropped |= {id(f) for f in called_by_library(self.evaluator, cls)}
            definition = definition._replace(bases=(), keywords=())
        owed = self._owed(cls) if cls is not None and not bare else frozenset()
        self.dropped -= {id(s.function) for s in definition.body if isinstance(s, ir.Define) and s.function.name in owed}
        body = tuple(s for s in definition.body if not (isinstance(s, ir.Define) and id(s.function) in self.dropped))
        gone = tuple((_start(s.function), "") for s in definition.body if isinstance(s, ir.Define) and id(s.function) in self.dropped)
        definition = definition._replace(body=body)
        gone = (*gone, *(constructors(definition) if bare else ()))
        threads = tuple((at, "pass") for at in unloading(self.evaluator, cls)) if cls is not None else ()
        self._keeps |= bool(threads)
        settled = self.settings.only(list(flow.every(ir.DefineClass(definition.at, definition))), self.evaluator.program.frames[file])
        self.require_all(file, flow.class_names(definition) - settled, where)
        for stmt in definition.body:
            if isinstance(stmt, ir.Define):
                self._annotations(file, stmt.function)
        text = re.sub(r"\n[ \t]*\n([ \t]*\n)+", "\n\n", self._renamed(file, definition, made, "class", (*gone, *threads)))
        self.definitions.append(re.sub(rf"(class\s+{made})\s*\([^()]*\)\s*:", r"\1:", text, count=1) if bare else text)
        self.copied.append(where)
        if cls is not None:
            self.begun.run(frozenset({cls}), made)  # `Engine.load()`, which fills the class itself
            self._heirs(cls, where)

    def _heirs(self, cls: UserClass, where: Span) -> None:
        """The classes that a class knows because they derive from it: by `__init_subclass__`, or asked for by `__subclasses__()`."""
        asked = (p for p in self.evaluator.program.calls("__subclasses__") if isinstance(p.call.func, ir.Attribute))
        frame = self.evaluator.program.generic
        if "__init_subclass__" in cls.scope.bindings or any(
            cls in self.evaluator.values(p.call.func.value, frame(p.scope)) for p in asked if isinstance(p.call.func, ir.Attribute)
        ):
            for heir in heirs(self.evaluator, cls):
                if (
                    heir.scope.parent is not None
                    and heir.scope.parent.kind == "module"
                    and not self.evaluator.program.is_test(heir.scope.file)
                ):
                    self.require(heir.scope.file, heir.scope.name, where)

    def _owed(self, cls: UserClass) -> frozenset[str]:
        """The methods without which no object of a class can be made: those that its bases leave to it."""
        bases = (base for base in self.evaluator.mro(cls) if isinstance(base, UserClass) and base != cls)
        left = ((base, s.function) for base in bases for s in base.scope.definition.body if isinstance(s, ir.Define))
        paths = ((f.name, a.path) for base, f in left for d in f.decorators for a in self.evaluator.apis(d, base.frame))
        return frozenset(name for name, path in paths if path.startswith("abc.abstract"))

    def _renamed(self, file: str, node: ir.Function | ir.Class, made: str, word: str, gone: tuple[tuple[ir.At, str], ...] = ()) -> str:
        stmt: ir.Stmt = ir.Define(node.at, node) if isinstance(node, ir.Function) else ir.DefineClass(node.at, node)
        exprs = list(flow.every(stmt))
        shadowed = {p.name for p in node.parameters} | flow.binds(node.body) if isinstance(node, ir.Function) else set()
        replace = (*self.replacements(file, exprs, shadowed), *gone)
        if isinstance(node, ir.Function):
            replace = (*replace, *self.importing.taken(file, node.body))
        text = self.texts[file].statements(_start(node), node.at, replace)
        return text if made == node.name else re.sub(rf"\b{word}\s+{node.name}\b", f"{word} {made}", text, count=1)

    # ------------------------------------------------------------ values

    def _values(self, file: str, name: str, made: str, where: Span) -> None:
        """The top-level statements that bind or prepare a name; those that load something go to load()."""
        chosen = topmost.preparing(self.evaluator, file, name)
        if (changed := topmost.changed_elsewhere(self.evaluator, file, name)) is not None:
            reason = f"{name} of {file} is changed by another file, when that is imported"
            raise self.stuck(reason, changed, f"say so where {name} is made")
        if (changed := topmost.set_elsewhere(self.evaluator, file, name)) is not None:
            raise self.stuck(f"{name} of {file} is set by a function of another file", changed, f"set it by a function of {file}")
        makers = [scope for scope, _ in self.evaluator.program.global_bindings(file, name)]
        first = [scope for scope in makers if not self.answers(scope)]
        makers = (
            first if first or any(topmost.runs(self.evaluator, file, s) for s in chosen) else makers
        )  # a route that loads it anew comes later
        chosen = [s for s in chosen if (file, s.at) not in self.ran]
        frame = self.evaluator.program.frames[file]
        for stmt in chosen:
            self.command_line.refuse(file, stmt, frame)
            self.ran.add((file, stmt.at))
            bound = flow.binds((stmt,))
            self.names.update({(file, b): self.fresh(b) for b in bound if (file, b) not in self.names})
            self.require_all(file, flow.reads((stmt,)) - bound - self.settings.only(list(flow.every(stmt)), frame), Span(file, *stmt.at))
            annotation = stmt.annotation if isinstance(stmt, ir.Assign) else None
            if annotation is not None:
                self.require_all(file, {n.id for n in flow.names(annotation)}, Span(file, *stmt.at))
        loads = any(topmost.runs(self.evaluator, file, s) or any((file, r) in self._late for r in flow.reads((s,))) for s in chosen)
        for stmt in chosen:  # together, in the user's order
            text = self.copy(file, stmt, bare=loads)
            (self.load if loads else self.definitions).append(text)
            self.copied.append(Span(file, *stmt.at))
            if loads:
                self._then(file, stmt)
            elif isinstance(stmt, ir.Evaluate):
                self._after.setdefault((file, name), []).append((stmt.at, text))
        if loads:
            self._late.update(dict.fromkeys((file, b) for s in chosen for b in flow.binds((s,))))
            if chosen:
                self.globals[made] = None
        for scope in makers:
            self._maker(file, scope, made, where)
        self._filled(file, name, where)

    def answers(self, scope: Scope) -> bool:
        """Whether a function is a route."""
        frame = self.evaluator.program.frames[scope.file]
        called = [d.func if isinstance(d, ir.Call) else d for d in scope.function.decorators]
        return any(self.evaluator.rulebook.find(a.path, WebRoute) for d in called for a in self.evaluator.apis(d, frame))

    def _then(self, file: str, stmt: ir.Stmt) -> None:
        """What the app does with an object only after this statement of load() (`loop.close()`) follows it there."""
        for name in flow.reads((stmt,)):
            for at, text in self._after.get((file, name), ()):
                if at > stmt.at and text in self.definitions:
                    self.definitions.remove(text)
                    self.load.append(text)

    def _filled(self, file: str, name: str, where: Span) -> None:
        """What fills a container of the module in a start-up hook goes to load()."""
        for store in self.objects.filled(file, name):
            stmt = next((s for s in flow.flatten(store.scope.function.body) if s.at == store.at), None)
            if stmt is None or (store.scope.file, store.at) in self.ran:
                continue
            if self.objects.asked_for(store, stmt):
                self.fillers[store.scope] = Span(store.scope.file, *store.at)
                continue
            self.ran.add((store.scope.file, store.at))
            if (called := self._called_to_fill(store)) is not None:
                line = f"{self.objects.piece(called.call, called.scope, set(), where)}\n"
                if line not in self.load:
                    self.load.append(line)
                continue
            self.load.append(self._fill(store, stmt, where))
        self.begun.run(self.evaluator.name(name, self.evaluator.program.frames[file]), self.names[(file, name)])

    def _fill(self, store: Store, stmt: ir.Stmt, where: Span) -> str:
        """The statement that puts something into a container, after what it needs; it waits for nothing."""
        plain = waiting.unwaited(self.objects, store.value, store.scope, Span(store.scope.file, *store.at))
        if plain is store.value and isinstance(plain, ir.Await):
            reason, fix = "what a container is filled with is waited for", "load it in a function that waits for nothing"
            raise self.stuck(reason, Span(store.scope.file, *store.at), fix)
        local = self.objects.prepared_at(store.scope, plain, store.at)
        if plain is not store.value and isinstance(stmt, ir.Assign):
            targets = (self.objects.piece(t, store.scope, local, where) for t in stmt.targets)
            return " = ".join((*targets, waiting.text(self.objects, store.value, plain, store.scope, local, where))) + "\n"
        self.require_all(store.scope.file, flow.reads((stmt,)) - local, where)
        return self.copy(store.scope.file, stmt, frozenset(local))

    def refuse_unfilled(self, sites: tuple[PredictSite, ...]) -> None:
        """A container that requests fill, and what the process shares, is filled by code that is here, too."""
        if (problem := topmost.left_behind(self.evaluator, sites, (*self.copied, *self.moved))) is not None:
            raise UncopyableError(problem)
        for scope, where in self.fillers.items():
            owner = scope.owner or scope
            copied = (owner.file, owner.name) in self.names and id(scope.function) not in self.dropped
            if not copied and not any(span.holds(where) for span in self.moved):
                reason = f"{scope.name} loads what a request names, and stays in the application"
                raise self.stuck(reason, where, "load it in the function that runs the model")

    def _called_to_fill(self, store: Store) -> CallPlace | None:
        """The one call of a function that fills a container in a loop (`for path in folder.glob("*.joblib"): MODELS[path.stem] = ...`)."""
        scope = store.scope
        if scope.parent is None or scope.parent.kind != "module" or not any(flow.loops_around(scope.function.body, store.at)):
            return None
        places = self.objects.settled.calls(scope)
        return places[0] if len(places) == 1 and not scope.function.is_async and not scope.function.is_generator else None

    def _maker(self, file: str, scope: Scope, made: str, where: Span) -> None:
        """A function that assigns the global: called by load(); of a start-up hook only what the global needs."""
        function = scope.function
        if scope.parent is None or scope.parent.kind != "module":
            raise self.stuck(f"{made} is set by {function.qualname}", Span(file, *function.at), "load it in a function of the module")
        if function.is_generator or any(p.default is None and not p.kind.startswith("*") for p in function.parameters):
            name = next(n for (f, n), m in self.names.items() if f == file and m == made)
            self.objects.started(scope, name, where)
            return
        self.importing.inside(file, function.body)
        waits = function.is_async and any(isinstance(e, ir.Await) for s in function.body for e in flow.every(s))
        if function.is_async and not waits:
            self._synchronous.add(id(function))
        call = f"{self.require(file, function.name, where)}()"
        if waits:
            self.imports["asyncio"] = "import asyncio"
        call = f"asyncio.run({call})\n" if waits else f"{call}\n"
        if call not in self.load:
            self.load.append(call)

    # ------------------------------------------------------------ objects

    def provide(self, values: Values, wanted: str, where: Span, within: tuple[str, Scope] | None = None) -> str:
        """Make the object that a receiver (`self`, a local `model`) holds in load(); gives its global name. `within`: as for `Objects`."""
        return self.objects.provide(values, wanted, where, within)

    def on_gpu(self) -> OnGpu | None:
        """Where what was copied puts the model."""
        if not self.placed:
            return None
        gpus = {p.gpu for p in self.placed.values() if p.gpu is not None}
        return OnGpu(tuple(sorted(gpus)), any(p.gpu is None for p in self.placed.values()), tuple(sorted(self.placed)))

    def stuck(self, reason: str, where: Span, fix: str) -> UncopyableError:
        return UncopyableError(NoCut(reason, where, fix))


def _start(node: ir.Function | ir.Class) -> ir.At:
    """The place of a definition with its decorators, from the "@"."""
    if not node.decorators:
        return node.at
    line, column, *_ = min(d.at for d in node.decorators)
    return (line, max(column - 1, 0), *node.at[2:])


def _of_the_web(name: str, where: Span) -> NoCut:
    return NoCut(f"the moved code reads {name}, an object of the web framework", where, f"pass what is needed of {name} as an argument")


def _bare(stmt: ir.Assign) -> tuple[ir.At, str]:
    """What becomes of `model: Net = Net()` without its annotation, and of `model: Net`."""
    if stmt.value is None or stmt.annotation is None:
        return stmt.at, "pass"
    return (*stmt.targets[0].at[2:], *stmt.annotation.at[2:]), ""
