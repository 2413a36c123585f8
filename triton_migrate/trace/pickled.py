"""Takes the program and its manifests, gives the library of a model that a pickle holds: the load itself does not say it."""

from __future__ import annotations

import posixpath
import re

from triton_migrate.match import Matcher, last_of
from triton_migrate.resolve.calls import port
from triton_migrate.resolve.paths import file_of
from triton_migrate.resolve.scopes import CallPlace, Frame
from triton_migrate.rulebook.vocabulary import DataConvert, ModelLoad, ModelSave


class Pickled:
    """Asked for each load of anything; what is read from the whole program is read once."""

    def __init__(self, matcher: Matcher, distributions: frozenset[str]) -> None:
        self.matcher, self.rulebook, self.distributions = matcher, matcher.rulebook, distributions
        self._saved: dict[str, str] | None = None
        self._general: str | None = None

    def framework(self, artifact: str | None) -> str:
        """By the code that saved the file, else by words in its name, else by what the program needs; "" when nothing says it."""
        name = posixpath.basename(artifact) if artifact else ""
        return self._by_saving().get(name, "") or self.by_name(name) or self._by_program()

    def _by_saving(self) -> dict[str, str]:
        """Frameworks by the name of the file that a training script of the same program writes."""
        if self._saved is None:
            self._saved = {}
            for match in self.matcher.find(ModelSave):
                call, frame = match.place.call, self._frame(match.place)
                written = port(call, match.rule.artifact) if match.rule.artifact else None
                file = file_of(self.matcher.evaluator, written, frame) if written is not None else None
                apis = self.matcher.evaluator.apis(port(call, match.rule.model), frame) if match.rule.model else (match.receiver,)
                found = {lib.framework for a in apis if (lib := self.rulebook.library_of(a.path)) and lib.framework}
                if file and len(found) == 1:
                    self._saved[posixpath.basename(file)] = found.pop()
        return self._saved

    def by_name(self, name: str) -> str:
        """By a word in a file's or a repository's name."""
        words = set(re.split(r"[^a-z0-9]+", name.lower()))
        return next((lib.framework for lib in self.rulebook.libraries if words & set(lib.named)), "")

    def _by_program(self) -> str:
        """The only model library that the manifests mention; else the one whose objects transform as the loaded ones do."""
        if self._general is None:
            needed = {lib.framework for d in self.distributions if (lib := self.rulebook.by_package(d)) and lib.framework}
            self._general = needed.pop() if len(needed) == 1 else self._by_use()
        return self._general

    def _by_use(self) -> str:
        rules = [(lib, r) for lib in self.rulebook.libraries for r in lib.rules]
        opaque = {self.rulebook.canonical(f"{p}()") for _, r in rules if isinstance(r, ModelLoad) and r.opaque for p in r.api}
        fitted = {last_of(p): lib.framework for lib, r in rules if isinstance(r, DataConvert) and r.fitted and lib.heavy for p in r.api}
        for name in sorted(fitted):
            for place in self.matcher.program.calls(name):
                receivers = (a.path.rpartition(".")[0] for a in self.matcher.evaluator.apis(place.call.func, self._frame(place)))
                if opaque & set(receivers):
                    return fitted[name]
        return ""

    def _frame(self, place: CallPlace) -> Frame:
        return self.matcher.program.generic(place.scope)
