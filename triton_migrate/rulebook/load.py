"""Takes the shipped rule files and the user's, gives the `Rulebook`; rules must not contradict or hide each other.

Reading and checking them takes longer than most scans, so what was read is kept in the cache.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from triton_migrate.base import TritonMigrateError
from triton_migrate.index.cache import FactsCache
from triton_migrate.rulebook import kept
from triton_migrate.rulebook.book import Rulebook
from triton_migrate.rulebook.rulefile import RuleFile, text_of
from triton_migrate.rulebook.vocabulary import Library
from triton_migrate.rulebook.where import rule_files

__all__ = ["Rulebook", "check_together", "load_rulebook"]


def load_rulebook(extra: Path | None = None, cache: FactsCache | None = None) -> Rulebook:
    """The shipped rules and those of the folder `extra`, whose files replace shipped ones of the same name; from `cache` if it has them.

    Raises `TritonMigrateError` with file and line for anything wrong in a rule file.
    """
    paths = {path.stem: (path, f"rules/{path.name}") for path in rule_files()}
    if extra is not None:
        paths |= {path.stem: (path, str(path)) for path in _own_files(extra)}
    if not paths:
        raise TritonMigrateError("no rule files found", hint="the installation is incomplete: reinstall triton-migrate")
    texts = {stem: (label, text_of(path, label)) for stem, (path, label) in sorted(paths.items())}
    digest = hashlib.sha256("\0".join(f"{stem}\0{text}" for stem, (_, text) in texts.items()).encode()).hexdigest()
    key = kept.key_of(texts.values()) if cache is not None else ""
    if cache is not None and (libraries := _kept(cache, key)) is not None:
        return Rulebook(libraries, digest)
    files = tuple(RuleFile.parse(text, stem, label) for stem, (label, text) in texts.items())
    book = Rulebook(tuple(file.library() for file in files), digest)
    if extra is not None:  # the shipped files among themselves are checked by the tests, not in every scan
        check_together(book, files)
    if cache is not None:
        cache.put({key: kept.packed(book.libraries)})
    return book


def _kept(cache: FactsCache, key: str) -> tuple[Library, ...] | None:
    data = cache.get([key]).get(key)
    return None if data is None else kept.unpacked(data)


def check_together(book: Rulebook, files: tuple[RuleFile, ...]) -> None:
    """Raises `TritonMigrateError` where rule files, each right for itself, contradict or hide each other."""
    _check_names(book)
    _check_aliases(book, {file.label: file for file in files})
    _check_rules(book)


def _own_files(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise TritonMigrateError(f"no folder of rule files at {folder}", hint="--rules takes a folder of LIBRARY.toml files")
    return tuple(sorted(folder.glob("*.toml")))


def _check_names(book: Rulebook) -> None:
    owners: dict[str, str] = {}
    for library in book.libraries:
        for root in library.imports:
            if root in owners:
                raise _at(library.origin, f"import root {root} already belongs to {owners[root]}")
            owners[root] = library.origin


def _check_aliases(book: Rulebook, files: dict[str, RuleFile]) -> None:
    owners: dict[str, str] = {}
    for library in book.libraries:
        label = library.origin.rpartition(":")[0]
        for path, target in library.alias:
            if path in owners:
                raise TritonMigrateError(
                    f"[alias] {path} already has an alias in {owners[path]}", file=label, line=files[label].alias_line(path)
                )
            owners[path] = label
            if not book.settles(path):
                raise TritonMigrateError(
                    f"[alias] {path} never settles: {target} leads back to it", file=label, line=files[label].alias_line(path)
                )


def _check_rules(book: Rulebook) -> None:
    owners: dict[tuple[str, str], str] = {}
    for library in book.libraries:
        for rule in library.rules:
            for path in rule.api:
                if (rule.role, path) in owners:
                    raise _at(rule.origin, f"[[{rule.role}]] {path} already has a row at {owners[rule.role, path]}")
                owners[rule.role, path] = rule.origin
                if not _reachable(book, path):
                    raise _at(
                        rule.origin,
                        f"[[{rule.role}]] {path} is an alias of {book.canonical(path)}, so this row would never be found",
                        hint="write the row on the canonical path",
                    )


def _reachable(book: Rulebook, path: str) -> bool:
    """Whether canonical paths can be `path`. `Type()()` stands for calling an instance here; its result may have another name."""
    found = path[:-2] if path.endswith(("()()", "[]()")) else path
    return book.canonical(found) == found


def _at(origin: str, message: str, hint: str | None = None) -> TritonMigrateError:
    file, _, line = origin.rpartition(":")
    return TritonMigrateError(message, file=file, line=int(line), hint=hint)
