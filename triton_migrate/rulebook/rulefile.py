"""Takes one rule file, gives its `Library`; people write these by hand, so whatever is wrong is an error with the line it is on."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.rulebook.checks import trouble
from triton_migrate.rulebook.lines import TableLines
from triton_migrate.rulebook.paths import expand, import_prefixes, is_pattern
from triton_migrate.rulebook.vocabulary import ROLES, Library, Rule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # mypy may run where it is not needed

Fields = dict[str, "dataclasses.Field[object]"]

HEAD: Fields = {key.name: key for key in dataclasses.fields(Library) if key.name not in ("alias", "rules", "origin")}
ROWS: dict[str, Fields] = {
    name: {key.name: key for key in dataclasses.fields(role) if key.name != "origin"} for name, role in ROLES.items()
}


def text_of(path: Path, label: str) -> str:
    """Raises `TritonMigrateError` when the file is not readable UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TritonMigrateError(f"cannot be read: {error.strerror}", file=label) from error
    except UnicodeDecodeError as error:
        raise TritonMigrateError(f"is not UTF-8 text: {error.reason}", file=label) from error


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file, parsed but not validated. `label` is what messages and origins call it."""

    label: str
    stem: str
    text: str
    tables: dict[str, object]
    lines: TableLines

    @classmethod
    def parse(cls, text: str, stem: str, label: str) -> RuleFile:
        """Raises `TritonMigrateError` when the text is not TOML."""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line (\d+)", str(error))
            # "at end of document" comes without a number
            raise TritonMigrateError(f"is not TOML: {error}", file=label, line=int(place[1]) if place else text.count("\n") + 1) from error
        return cls(label=label, stem=stem, text=text, tables=tables, lines=TableLines(text))

    def library(self) -> Library:
        """The library with all its aliases and rules, each checked for itself."""
        head = self._checked("library", self.tables.get("library"), HEAD, nth=0)
        imports = head["imports"]
        assert isinstance(imports, tuple)
        if self.stem not in {spelling for root in imports for spelling in (root, root.replace(".", "_"))}:
            raise self._error("library", "imports", f"a rule file is named after one of its import roots; {self.stem} is none")
        more = {
            "alias": tuple(self._aliases(frozenset(imports))),
            "rules": tuple(self._rule(role, nth, row, frozenset(imports)) for role, nth, row in self._rows()),
            "origin": f"{self.label}:{self.lines.header('library')}",
        }
        return Library(**{**head, **more})  # type: ignore[arg-type]

    def alias_line(self, path: str) -> int:
        """The line of the alias whose key gives `path`."""
        spelled = self.tables.get("alias")
        keys = spelled if isinstance(spelled, dict) else {}
        return self.lines.key("alias", next((key for key in keys if path in expand(key)), path))

    def _aliases(self, roots: frozenset[str]) -> Iterator[tuple[str, str]]:
        table = self.tables.get("alias", {})
        if not isinstance(table, dict):
            raise self._error("alias", "", "must be one table of paths")
        for key, target in table.items():
            if not isinstance(target, str) or "*" in target or not is_pattern(target):
                raise self._error("alias", key, f"{target!r} is not a path without wildcards")
            for path in expand(key):
                self._check_path("alias", key, path, roots, nth=0)
                yield path, target

    def _rows(self) -> Iterator[tuple[str, int, object]]:
        for name, value in self.tables.items():
            if name in ("library", "alias"):
                continue
            nested = {f"{name}.{part}": rows for part, rows in value.items()} if isinstance(value, dict) else {name: value}
            for role, rows in nested.items():
                if role not in ROLES:
                    raise self._error(role, "", "no such role", hint=f"the roles are {', '.join(ROLES)}")
                if not isinstance(rows, list):
                    raise self._error(role, "", f"rows are written [[{role}]]")
                for nth, row in enumerate(rows):
                    yield role, nth, row

    def _rule(self, role: str, nth: int, row: object, roots: frozenset[str]) -> Rule:
        spelled = {**row, "api": [row["api"]]} if isinstance(row, dict) and isinstance(row.get("api"), str) else row
        values = self._checked(role, spelled, ROWS[role], nth)
        patterns = values["api"]
        assert isinstance(patterns, tuple)
        api = tuple(path for pattern in patterns for path in expand(pattern))
        for path in api:
            self._check_path(role, "api", path, roots, nth)
        if len(set(api)) < len(api):
            raise self._error(role, "api", f"{next(path for path in api if api.count(path) > 1)} is given twice", nth=nth)
        return ROLES[role](**{**values, "api": api, "origin": f"{self.label}:{self.lines.header(role, nth)}"})  # type: ignore[arg-type]

    def _checked(self, table: str, row: object, fields: Fields, nth: int) -> dict[str, object]:
        """The row's values with lists as tuples, after a look at every key and value."""
        if not isinstance(row, dict):
            raise self._error(table, "", "this table is missing or is not a table", nth=nth)
        for key, value in row.items():
            if key not in fields:
                raise self._error(table, key, f"no such key: {key}", nth=nth, hint=f"the keys are {', '.join(fields)}")
            wrong = trouble(table, key, str(fields[key].type), value)
            if wrong:
                raise self._error(table, key, wrong, nth=nth)
        for key, field in fields.items():
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and row.get(key) in (None, "", []):
                raise self._error(table, key, f"{key} is missing", nth=nth)
        return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}

    def _check_path(self, table: str, key: str, path: str, roots: frozenset[str], nth: int) -> None:
        if not is_pattern(path):
            raise self._error(table, key, f"{path!r} is not a path", nth=nth)
        if not any(name in roots for name in import_prefixes(path)):
            raise self._error(table, key, f"{path} does not begin with an import root of this library", nth=nth)

    def _error(self, table: str, key: str, message: str, *, nth: int = 0, hint: str | None = None) -> TritonMigrateError:
        return TritonMigrateError(f"[{table}] {message}", file=self.label, line=self.lines.key(table, key, nth), hint=hint)
