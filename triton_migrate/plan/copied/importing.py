"""Takes names that files of the app import, gives the imports of `pipeline.py` that bring the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting.cut import NoCut
from triton_migrate.plan.cutting.liveness import imported_names
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Binding, Frame, Scope, last_name
from triton_migrate.resolve.values import Module
from triton_migrate.rulebook.vocabulary import Metric

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure

METRICS = "triton_metrics"  # see its template
MISSING = frozenset({"ImportError", "ModuleNotFoundError"})  # caught, they are a choice between modules
IMPORTS = ("import_module", "__import__")
IMPORTED = "import it at the top of the file, by an import statement"
COUNTED = ("counter", "gauge", "histogram")


class Importing:
    """The imports of one pipeline.py; `closure` holds its text."""

    def __init__(self, closure: Closure, reserved: frozenset[str]) -> None:
        """`reserved`: names that pipeline.py has for itself."""
        self.closure, self.evaluator, self.reserved = closure, closure.evaluator, reserved

    def of(self, file: str, name: str, binding: Binding, where: Span) -> str:
        """What pipeline.py calls an imported name: it imports a library's, and copies what comes from another module of the app."""
        program = self.evaluator.program
        if binding.how == "import":
            module = str(binding.node)
            if program.module_path(file, module) or program.is_package(module):
                return name  # its attributes are replaced one by one
            text = f"import {module}" if module.split(".")[0] == name and "." not in module else f"import {module} as {name}"
            known = self.evaluator.rulebook.library_of(module)
            if known is not None and any(isinstance(r, Metric) and r.kind in COUNTED for r in known.rules):
                text, module = f"import {METRICS} as {name}", METRICS
            elif module == name:
                text = self._whole_import(file, name)
            return self._library(file, name, text, module)
        stmt, original = binding.imported
        path = program.module_path(file, stmt.module, stmt.level)
        whole = f"{stmt.module}.{original}" if stmt.module else original
        if path and path != file and self.evaluator.member(path, original):
            made = self.closure.require(path, original, where)
            self.closure.names[(file, name)] = made
            return made
        if program.module_path(file, whole, stmt.level):
            return name
        if stmt.level or (path and self.evaluator.rulebook.library_of(stmt.module.split(".")[0]) is None):
            raise self.closure.stuck(f"cannot find {whole}", where, "check the import")
        module, original = self._standard(stmt.module, original)
        text = f"from {module} import {original}" + (f" as {name}" if name != original else "")
        return self._library(file, name, text, module)

    def starred(self, frame: Frame, name: str, where: Span) -> str:
        """A name that a file does not bind itself: a star import has it, or nothing has."""
        program, libraries = self.evaluator.program, []
        for star in program.files[frame.scope.file].stars:
            path = program.module_path(frame.scope.file, star.module, star.level)
            if path is None:
                libraries.append(star.module)
            elif self.evaluator.member(path, name):
                return self.closure.require(path, name, where)
        for module in libraries:  # whichever has it; the order decides as in the app
            self._import(f"from {module} import *", "*" + module, module)
        if libraries:
            return name
        if not self.evaluator.member(frame.scope.file, name) and self._nowhere(frame.scope.file, name):
            self.closure.nowhere[name] = None
            return name
        reason = f"the moved code reads {name}, which is not defined in {frame.scope.file}"
        raise self.closure.stuck(reason, where, f"define {name} or pass it in")

    def _nowhere(self, file: str, name: str) -> bool:
        """Whether nothing in a file can bind a name: the application, too, fails where it reads it."""
        scopes = self.evaluator.program.files[file].scopes
        by_name = {e.id for s in scopes[0].body for e in flow.every(s) if isinstance(e, ir.Name)} & {"globals", "exec", "setattr", "vars"}
        return not by_name and not any(name in scope.bindings for scope in scopes)

    def _standard(self, module: str, name: str) -> tuple[str, str]:
        """Python's own function where a library's gives the same (`get_task_logger` of a queue): then the library stays behind.

        A metric of the application is counted where the code runs: in Triton, among its own.
        """
        made = self.evaluator.rulebook.find(self.evaluator.rulebook.canonical(f"{module}.{name}"), Metric)
        if made is not None and made.kind in COUNTED:
            return METRICS, name
        same, _, called = self.evaluator.rulebook.canonical(f"{module}.{name}()").rpartition("()")[0].rpartition(".")
        return (same, called) if same != module and same in sys.stdlib_module_names else (module, name)

    def _whole_import(self, file: str, name: str) -> str:
        """`import a.b` binds a: all such imports of that root."""
        modules = [
            m
            for s in self.evaluator.program.files[file].facts.body
            if isinstance(s, ir.Import)
            for m, alias in s.names
            if not alias and m.split(".")[0] == name
        ]
        return "\n".join(f"import {m}" for m in dict.fromkeys(modules)) or f"import {name}"

    def _library(self, file: str, name: str, text: str, module: str) -> str:
        known, whole = self.closure.imports.get(name), _is_whole(text)
        if known is not None and whole and _is_whole(known):
            text = known = "\n".join(dict.fromkeys((*known.splitlines(), *text.splitlines())))
        taken = name in self.reserved or (known is not None and known != text) or (known is None and name in self.closure.names.values())
        made = name
        if taken:
            made = self.closure.fresh(name)
            text = f"import {name} as {made}\n{text}" if whole else re.sub(r"( as \w+)?$", f" as {made}", text, count=1)
        self._import(text, made, module)
        self.closure.names[(file, name)] = made
        return made

    def _import(self, text: str, name: str, module: str) -> None:
        self.closure.imports[name] = text
        self.closure.libraries[module.split(".")[0]] = None

    def inside(self, file: str, body: ir.Block) -> None:
        """Note the libraries that statements of a function import."""
        for stmt in flow.flatten(body):
            if self._own(file, stmt):
                continue
            modules = (
                [stmt.module] if isinstance(stmt, ir.ImportFrom) else [m for m, _ in stmt.names] if isinstance(stmt, ir.Import) else []
            )
            modules += [name for part in flow.own(stmt) if (name := _by_name(part))]
            self.closure.libraries.update(dict.fromkeys(m.split(".")[0] for m in modules))

    def by_call(self, file: str, call: ir.Call) -> str:
        """The app's own module that `importlib.import_module("engines.fast")` imports."""
        if last_name(call.func) not in IMPORTS:
            return ""
        frame = self.evaluator.program.generic(self._around(file, call.at))
        modules = sorted(v.path for v in self.evaluator.values(call, frame) if isinstance(v, Module))
        if modules and self.evaluator.key(port(call, "name|0"), frame) is None:
            raise self.closure.stuck(
                f"which module this imports is known only when it runs ({modules[0]} by default)", Span(file, *call.at), IMPORTED
            )
        return modules[0] if modules else ""

    def taken(self, file: str, body: ir.Block) -> tuple[tuple[ir.At, str], ...]:
        """The edits that statements of a function need which import from the app itself: what they import is copied beside them."""
        return tuple(e for s in flow.flatten(body) if isinstance(s, ir.ImportFrom) and self._own(file, s) for e in self._taken(file, s))

    def given(self, file: str, stmt: ir.ImportFrom) -> str | None:
        """What stands for an import from the app itself; None for a library's."""
        return self._assigned(file, stmt) if self._own(file, stmt) else None

    def _own(self, file: str, stmt: ir.Stmt) -> bool:
        return isinstance(stmt, ir.ImportFrom) and self.evaluator.program.module_path(file, stmt.module, stmt.level) is not None

    def _taken(self, file: str, stmt: ir.ImportFrom) -> Iterator[tuple[ir.At, str]]:
        line, column, end_line, end_column = stmt.at
        lines, text = self.closure.texts[file].lines, self._assigned(file, stmt)
        alone = not lines[line - 1][:column].strip() and not lines[end_line - 1][end_column:].strip()
        followed = any(stmt in b[:-1] for s in flow.around(self._around(file, stmt.at).body, stmt.at) for b in flow.blocks(s))
        if not text and alone and (followed or stmt in self._around(file, stmt.at).body[:-1]):
            end = next(i for i in range(end_line, len(lines)) if lines[i].strip())
            yield (line, 0, end + 1, 0), ""
        else:
            yield stmt.at, text or "pass"

    def _assigned(self, file: str, stmt: ir.ImportFrom) -> str:
        """`local = copied` for each name that pipeline.py calls otherwise than the function does."""
        program, where, pairs = self.evaluator.program, Span(file, *stmt.at), []
        path, scope = program.module_path(file, stmt.module, stmt.level), self._around(file, stmt.at)
        only = imported_names(scope) if scope.kind == "function" else set()
        tries = (s for s in flow.around(scope.body, stmt.at) if isinstance(s, ir.Try) and any(ir.holds(b.at, stmt.at) for b in s.body))
        caught = {n.id for s in tries for h in s.handlers if h.type is not None for n in flow.names(h.type)}
        for original, alias in stmt.names:
            local = alias or original
            if path is None or local not in only or caught & MISSING or not self.evaluator.member(path, original):
                reason = f"an import of {stmt.module or 'the package'} inside a function"
                raise self.closure.stuck(reason, where, "import it at the top of the file")
            pairs.append((local, self.closure.require(path, original, where)))
        return "; ".join(f"{local} = {made}" for local, made in pairs if local != made)

    def _around(self, file: str, at: ir.At) -> Scope:
        """The innermost function around a place, else the module."""
        scopes = [s for s in self.evaluator.program.files[file].scopes if s.kind == "function" and ir.holds(s.function.at, at)]
        return max(scopes, key=lambda s: s.function.at[:2], default=self.evaluator.program.files[file].module)


def changed(called: dict[Span, str], edited: frozenset[str], evaluator: Evaluator) -> NoCut | None:
    """Why `pipeline.py` cannot run as it is: what its calls import is, after the port, what asks Triton."""
    for place, module in called.items():
        if lost := sorted(evaluator.program.imported_by(module) & edited):
            return NoCut(f"{lost[0]} is imported by a call, and changed by the port", place, IMPORTED)
    return None


def _by_name(part: ir.Expr) -> str:
    """The module that `importlib.import_module("pandas")` imports; empty for anything else."""
    match part:
        case ir.Call(_, func, (ir.Constant(_, str() as name), *_)) if last_name(func) in IMPORTS:
            return name
    return ""


def _is_whole(text: str) -> bool:
    """Whether an import binds the root of what it names: `import a.b`."""
    return all(line.startswith("import ") and " as " not in line for line in text.splitlines())
