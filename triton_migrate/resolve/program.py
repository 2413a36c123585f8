"""Takes the facts of all files, gives the `Program`: modules by path, imports, frames, and the backward indexes of the whole tree."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from triton_migrate.base import Span, nest_deeply
from triton_migrate.index import flow, ir
from triton_migrate.index.observed import Observed
from triton_migrate.resolve.reaching import Reaching
from triton_migrate.resolve.scopes import Binding, CallPlace, FileScopes, Frame, Scope, last_name
from triton_migrate.resolve.tested import tests
from triton_migrate.resolve.values import Site


class Program:
    """Everything that was read, ready to be asked. Nothing here is evaluated yet. `observed` is what a recording saw of it at run time."""

    def __init__(
        self,
        facts: tuple[ir.ModuleFacts, ...],
        libraries: frozenset[str] = frozenset(),
        observed: Observed | None = None,
        web: frozenset[str] = frozenset(),
    ) -> None:
        self.observed = observed or Observed()
        self._libraries = libraries | sys.stdlib_module_names  # import roots that are none of the program's own
        self._web = web  # those of web frameworks
        nest_deeply()
        self.files: dict[str, FileScopes] = {f.path: FileScopes(f) for f in facts}
        self.frames: dict[str, Frame] = {path: Frame(f.module, None) for path, f in self.files.items()}
        self._generic: dict[int, Frame] = {}  # by the identity of the scope, as nothing is asked for more often
        self._by_site: dict[tuple[str, ir.At], CallPlace] | None = None
        self._calls: dict[str, list[CallPlace]] = {}
        self._subclasses: dict[str, list[Scope]] = {}
        self._paths: dict[tuple[str, str, int], str | None] = {}
        self._imported: dict[str, frozenset[str]] = {}
        self._texts_with: dict[str, int] = {}
        self._reaching: dict[tuple[int, str], Reaching] = {}
        self._named: dict[Scope, dict[str, list[tuple[ir.Stmt, ir.Expr]]]] = {}
        self._folders = {folder for path in self.files for folder in _above(path)}
        self._roots = sorted({path.split("/", 1)[0] for path in self.files if "/" in path})
        for file in self.files.values():
            for name, places in file.calls.items():
                self._calls.setdefault(name, []).extend(places)
            for scope in file.scopes:
                if isinstance(scope.node, ir.Class):
                    for base in scope.node.bases:
                        self._subclasses.setdefault(last_name(base), []).append(scope)

    # ------------------------------------------------------------ places

    def span(self, scope: Scope, at: ir.At) -> Span:
        return Span(scope.file, *at)

    def generic(self, scope: Scope) -> Frame:
        """The frame of a scope for any caller."""
        if scope.parent is None:
            return self.frames[scope.file]
        if (frame := self._generic.get(id(scope))) is None:
            frame = self._generic[id(scope)] = Frame(scope, self.generic(scope.parent))
        return frame

    def call_at(self, site: Site | None) -> CallPlace | None:
        """The call that made the object at `site`."""
        if self._by_site is None:
            places = (p for f in self.files.values() for calls in f.calls.values() for p in calls)
            self._by_site = {(p.scope.file, p.call.at): p for p in places}
        return None if site is None else self._by_site.get((site.file, site.at))

    def reaching(self, scope: Scope, name: str) -> Reaching:
        """Which bindings of one of a function's names its value may come from, by place."""
        if (found := self._reaching.get((id(scope), name))) is None:
            found = self._reaching[id(scope), name] = Reaching(scope.function, scope.bindings[name])
        return found

    def named(self, scope: Scope) -> dict[str, list[tuple[ir.Stmt, ir.Expr]]]:
        """Where each name, and each attribute by its last name, stands in a scope's own body."""
        if scope not in self._named:
            found: dict[str, list[tuple[ir.Stmt, ir.Expr]]] = {}
            for stmt, part in ((s, p) for s in flow.flatten(scope.body) for e in flow.expressions(s) for p in flow.walk(e)):
                if isinstance(part, ir.Name):
                    found.setdefault(part.id, []).append((stmt, part))
                elif isinstance(part, ir.Attribute):
                    found.setdefault(part.attr, []).append((stmt, part))
            self._named[scope] = found
        return self._named[scope]

    # ------------------------------------------------------------ backward indexes

    def calls(self, name: str) -> Sequence[CallPlace]:
        """Calls of something whose last name is `name`."""
        return self._calls.get(name, ())

    @property
    def called(self) -> Iterable[str]:
        """The last names of everything that is called."""
        return self._calls.keys()

    def class_calls(self, cls: Scope) -> Sequence[CallPlace]:
        """`cls(...)` in the methods of a class."""
        return self._class_calls.get(cls, ())

    @cached_property
    def _class_calls(self) -> dict[Scope, list[CallPlace]]:
        found: dict[Scope, list[CallPlace]] = {}
        for place in self.calls("cls"):
            if place.scope.owner is not None:
                found.setdefault(place.scope.owner, []).append(place)
        return found

    def subclasses(self, name: str) -> Sequence[Scope]:
        """Classes that name `name` among their bases."""
        return self._subclasses.get(name, ())

    def global_bindings(self, file: str, name: str) -> tuple[tuple[Scope, Binding], ...]:
        """`global name` assignments in functions of that file."""
        return tuple(self.files[file].global_bindings.get(name, ()))

    def texts_with(self, part: str) -> int:
        """How many text constants of the program hold this one."""
        if part not in self._texts_with:
            self._texts_with[part] = sum(part in text for text in self._texts)
        return self._texts_with[part]

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        exprs = ((path, e) for path, f in self.files.items() for s in f.facts.body for e in flow.every(s))
        constants = {(path, e.at): e.value for path, e in exprs if isinstance(e, ir.Constant)}
        return tuple(text for text in constants.values() if isinstance(text, str))

    # ------------------------------------------------------------ imports

    def module_path(self, importer: str, module: str, level: int = 0) -> str | None:
        """The file a module name means when `importer` imports it; None when it is not in the program.

        An absolute name is looked for from the importer's own folder upwards (scripts run from their folder, packages from theirs),
        then, unless a library has its name, under `src`-like folders at the root, then, where the program adds to `sys.path`, anywhere
        if it is found once.
        """
        folder = posixpath.dirname(importer)
        key = (folder, module, level)
        if key not in self._paths:
            self._paths[key] = self._find(folder, module.replace(".", "/"), level)
        return self._paths[key]

    def _find(self, folder: str, tail: str, level: int) -> str | None:
        if level:
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            return self._file(posixpath.join(folder, tail) if tail else folder)
        inside = folder + "/"  # a package does not import itself by the name of a library: the library is meant
        bare = None
        while True:
            own = tail in self._libraries and inside.startswith(posixpath.join(folder, tail, ""))
            if not own and (found := self._file(posixpath.join(folder, tail))):
                if self.files[found].facts.body:
                    return found
                bare = bare or found  # a package without a line of its own gives nothing: a module of its name further up is meant
            if not folder:
                break
            folder = posixpath.dirname(folder)
        if bare:
            return bare
        head, _, rest = tail.partition("/")
        if head in self._libraries:
            return None
        found_in = [f for root in self._roots if (f := self._file(f"{root}/{tail}"))]
        if not found_in and rest and "__init__.py" in self.files:  # the root is a package: its own name
            return self._file(rest)
        if not found_in and self._extends_path:
            named = self._by_name.get(tail.rpartition("/")[2], ())
            found_in = [path for path in named if path.endswith((f"/{tail}.py", f"/{tail}/__init__.py"))]
        return found_in[0] if len(found_in) == 1 else None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The files by the last part of the name under which they are imported."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            found.setdefault(path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2], []).append(path)
        return found

    @cached_property
    def _extends_path(self) -> bool:
        """`sys.path.append(folder)` somewhere: modules may be imported from any folder."""
        added = (p.call.func for name in ("append", "insert", "extend") for p in self.calls(name))
        return any(
            isinstance(f, ir.Attribute) and isinstance(f.value, ir.Attribute) and f.value.attr == "path" and _is_sys(f.value) for f in added
        )

    def _file(self, stem: str) -> str | None:
        stem = stem.strip("/")
        for path in (f"{stem}/__init__.py" if stem else "__init__.py", f"{stem}.py"):  # a package goes before a module of its name
            if path in self.files:
                return path
        return None

    def imports(self, path: str) -> frozenset[str]:
        """The files of the program that this one imports, anywhere in it."""
        if path in self._imported:
            return self._imported[path]
        found: set[str] = set()
        for scope in self.files[path].scopes:
            for bindings in scope.bindings.values():
                for bound in bindings:
                    if bound.how == "import":
                        found.add(self.module_path(path, str(bound.node)) or "")
                    elif bound.how == "from":
                        stmt, name = bound.imported
                        found.add(self.module_path(path, stmt.module, stmt.level) or "")
                        found.add(self.module_path(path, f"{stmt.module}.{name}" if stmt.module else name, stmt.level) or "")
        found |= {self.module_path(path, star.module, star.level) or "" for star in self.files[path].stars}
        self._imported[path] = frozenset(found - {"", path})
        return self._imported[path]

    def imported_by(self, path: str) -> frozenset[str]:
        """The file and all that importing it imports."""
        found: set[str] = set()
        waiting = [path]
        while waiting:
            if (file := waiting.pop()) not in found:
                found.add(file)
                waiting += self.imports(file)
        return frozenset(found)

    # ------------------------------------------------------------ tests

    @cached_property
    def _tests(self) -> frozenset[str]:
        return tests(self.files, self._web, self.imports)

    def is_test(self, file: str) -> bool:
        """Whether a file tests the application: what it makes, stores, passes and registers is there for tests only."""
        return file in self._tests

    def in_use(self, places: Iterable[CallPlace], file: str) -> tuple[CallPlace, ...]:
        """The calls of something in `file` that count: those of tests only where nothing else calls it, or where it is a test's own."""
        found = tuple(places)
        return found if self.is_test(file) else tuple(p for p in found if not self.is_test(p.scope.file)) or found

    # ------------------------------------------------------------ names of modules

    def is_package(self, module: str) -> bool:
        """A folder without `__init__.py` that holds modules (namespace package)."""
        return module.replace(".", "/") in self._folders

    def module_name(self, path: str) -> str:
        """The dotted name under which `path` is imported when the root is on `sys.path`."""
        stem = path.removesuffix(".py").removesuffix("/__init__")
        return "" if stem == "__init__" else stem.replace("/", ".")


def _is_sys(expr: ir.Attribute) -> bool:
    return isinstance(expr.value, ir.Name) and expr.value.id == "sys"


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
