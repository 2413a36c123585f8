"""Takes a name or an attribute, gives the cell it is: the place outside the function that keeps its value."""

from __future__ import annotations

from functools import cached_property

from triton_migrate.index import flow
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, Store
from triton_migrate.resolve.values import Api, Instance, Module, Site, UserClass, Value
from triton_migrate.trace.models import Models
from triton_migrate.trace.records import Cell


class Cells:
    """Answers for one program, each once."""

    def __init__(self, evaluator: Evaluator, models: Models) -> None:
        self.evaluator, self.program, self.models = evaluator, evaluator.program, models
        self._globals: dict[tuple[str, Frame], Cell | None] = {}
        self._attributes: dict[tuple[Value, str], Cell | None] = {}

    def of_global(self, name: str, frame: Frame) -> Cell | None:
        """The module global that `name` means here."""
        key = (name, frame.module)
        if key not in self._globals:
            self._globals[key] = self._found_global(*key)
        return self._globals[key]

    def _found_global(self, name: str, module: Frame) -> Cell | None:
        """Through imports from other modules of the program."""
        seen = 0
        while seen < 8:
            seen += 1
            bindings = module.scope.bindings.get(name, [])
            imported = next((b for b in bindings if b.how == "from"), None)
            if imported is None:
                held = any(b.how in ("value", "enter", "element", "unknown") for b in bindings)
                known = held or self.program.global_bindings(module.scope.file, name)
                return Cell("global", module.scope.file, name) if known else None
            stmt, name = imported.imported
            path = self.program.module_path(module.scope.file, stmt.module, stmt.level)
            if path is None:
                return None
            module = self.program.frames[path]
        return None

    def of_attribute(self, value: Value, attr: str) -> Cell | None:
        key = (value, attr)
        if key not in self._attributes:
            self._attributes[key] = self._made_cell(value, attr)
        return self._attributes[key]

    def _made_cell(self, value: Value, attr: str) -> Cell | None:
        if isinstance(value, Instance):
            return Cell("attribute", f"{value.of.scope.file}:{value.of.scope.qualname}", attr, self._lasts(value))
        if isinstance(value, Module):
            return Cell("global", value.path, attr)
        if isinstance(value, UserClass):
            return Cell("attribute", f"{value.scope.file}:{value.scope.qualname}", attr)
        if isinstance(value, Api) and value.path.endswith("().state"):
            return Cell("attribute", value.path, attr)
        return None

    def _lasts(self, instance: Instance) -> bool:
        """Whether the object outlives the request: it is not made by it or is kept, nor a row or record of a library's class."""
        place = self.models.matcher.program.call_at(instance.site)
        if place is None or place.decorates is not None:
            return not any(isinstance(base, Api) for base in self.evaluator.mro(instance.of))
        return self.models.moments.of(place) != "per-request" or instance.site in self._kept

    @cached_property
    def _kept(self) -> frozenset[Site]:
        """Where objects are made that a global, or an object made at start-up, has among its elements (`sessions[key] = Session()`)."""
        stores = (s for f in self.program.files.values() for stores in f.element_stores.values() for s in stores)
        kept = (v for s in stores if s.scope.kind == "function" and self._keeps(s) for v in self.evaluator.stored(s))
        return frozenset(v.site for v in kept if isinstance(v, Instance))

    def _keeps(self, store: Store) -> bool:
        """Whether what is put into outlives the request."""
        root, frame = next(flow.names(store.target), None), self.program.generic(store.scope)
        if root is None:
            return False
        if root.id not in store.scope.bindings:
            return self.of_global(root.id, frame) is not None
        held = (v for v in self.evaluator.name(root.id, frame) if isinstance(v, Instance))
        places = (self.models.matcher.program.call_at(v.site) for v in held)
        return any(p is not None and p.decorates is None and self.models.moments.of(p) != "per-request" for p in places)
