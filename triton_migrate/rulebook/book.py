"""Takes the loaded libraries, gives the answers other rooms ask for: the rules of a path, its canonical form, its library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from triton_migrate.rulebook.paths import PathTable, import_prefixes, prefixes
from triton_migrate.rulebook.vocabulary import Library, Rule, WebApp, WebRoute, WebView

R = TypeVar("R", bound=Rule)
SERVING = (WebApp, WebRoute, WebView)

# An alias chain longer than this is a cycle or grows for ever; the loader refuses such rule files, user code can still spell one out.
CHAIN = 32


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything the rule files say. `digest` changes with any of their texts, so caches of what was derived can be keyed by it."""

    libraries: tuple[Library, ...]
    digest: str
    import_roots: frozenset[str] = field(init=False, repr=False, compare=False)
    web_roots: frozenset[str] = field(init=False, repr=False, compare=False)  # of frameworks that serve routes
    _rules: PathTable[Rule] = field(init=False, repr=False, compare=False)
    _aliases: PathTable[str] = field(init=False, repr=False, compare=False)
    _by_import: dict[str, Library] = field(init=False, repr=False, compare=False)
    _by_package: dict[str, Library] = field(init=False, repr=False, compare=False)
    _found: dict[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _picked: dict[tuple[str, type[Rule]], Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    _canonical: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)
    _roles: dict[type[Rule], tuple[Rule, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_import = {root: library for library in self.libraries for root in library.imports}
        derived: dict[str, object] = {
            "import_roots": frozenset(by_import),
            "web_roots": frozenset(root for root, library in by_import.items() if any(isinstance(r, SERVING) for r in library.rules)),
            "_rules": PathTable((path, rule) for library in self.libraries for rule in library.rules for path in rule.api),
            "_aliases": PathTable(pair for library in self.libraries for pair in library.alias),
            "_by_import": by_import,
            "_by_package": {normalised(package): library for library in self.libraries for package in library.packages},
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[type[Rulebook], tuple[tuple[Library, ...], str]]:
        """Pickles what was read; tables and memos are rebuilt."""
        return Rulebook, (self.libraries, self.digest)

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """All rules about an access path, of every role, the most particular pattern first. `path` should be canonical."""
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = self._rules.find(path)
        return found

    def find(self, path: str, role: type[R]) -> R | None:
        """The most particular rule of one role about a canonical access path."""
        key = path, role
        if key not in self._picked:
            self._picked[key] = next((rule for rule in self.rules_for(path) if isinstance(rule, role)), None)
        found: R | None = self._picked[key]
        return found

    def canonical(self, path: str) -> str:
        """`path` after all aliases: again and again, the alias of the longest prefix at a border of names."""
        known = self._canonical.get(path)
        if known is None:
            known = path
            for _ in range(CHAIN):
                renamed = self._renamed(known)
                if renamed is None:
                    break
                known = renamed
            self._canonical[path] = known
        return known

    def settles(self, path: str) -> bool:
        """Whether the aliases of `path` come to an end."""
        return self._renamed(self.canonical(path)) is None

    def of_role(self, role: type[R]) -> Iterator[R]:
        """All rows of a role, in the order of the libraries."""
        if role not in self._roles:
            self._roles[role] = tuple(rule for library in self.libraries for rule in library.rules if isinstance(rule, role))
        return iter(cast("tuple[R, ...]", self._roles[role]))

    def library_of(self, path: str) -> Library | None:
        """The library whose import root begins `path`; the longest root wins (`google.cloud` before `google`)."""
        return next((self._by_import[name] for name in import_prefixes(path) if name in self._by_import), None)

    def by_package(self, distribution: str) -> Library | None:
        """The library of a distribution name as requirements spell it, in any case, with `-`, `_` or `.`."""
        return self._by_package.get(normalised(distribution))

    def _renamed(self, path: str) -> str | None:
        for head, rest in prefixes(path):
            targets = self._aliases.find(head)
            if targets and targets[0] != head:
                return targets[0] + rest
        return None


def normalised(distribution: str) -> str:
    """PEP 503: `Flask_RESTful` -> `flask-restful`."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
