"""Takes a module and one import statement, gives the module with it: among the imports at the top, in the way the file groups them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from triton_migrate.rewrite.blocks import attached_cut, spaced
from triton_migrate.rewrite.fragments import Line

_WIDEST = 100  # a longer `from … import …` line gets no further names

Import = cst.Import | cst.ImportFrom


@dataclass(frozen=True, slots=True)
class Imported:
    """One imported name: `import module as name`, or `from module import item as name` (module with its leading dots)."""

    module: str
    item: str | None
    name: str | None


def with_import(module: cst.Module, code: str, own: tuple[str, ...]) -> cst.Module | None:
    """Add what the module does not import at its top level yet. None: `code` is not one import statement."""
    parsed = cst.parse_module(code.strip() + "\n").body
    statement = _only_import(parsed[0]) if len(parsed) == 1 else None
    if statement is None:
        return None
    present = {imported for line in module.body for old in _imports(line) for imported, _ in imported_by(old)}
    missing = [alias for imported, alias in imported_by(statement) if imported not in present]
    if not missing:
        return module
    names = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in missing]
    statement = statement.with_changes(names=names)
    body = list(module.body)
    start, end = _import_block(body)
    for number in range(start, end):
        old = _only_import(body[number])
        merged = _merged(old, statement) if isinstance(old, cst.ImportFrom) and isinstance(statement, cst.ImportFrom) else None
        if old and merged:
            return module.with_deep_changes(old, names=merged.names)
    line = cst.SimpleStatementLine([statement])
    if not body:
        module = module.with_changes(has_trailing_newline=True)
    return module.with_changes(body=_alone(body, start, line) if start == end else _in_block(body, start, end, line, own))


def with_import_from_above(module: cst.Module, code: str, own: tuple[str, ...], up: int) -> cst.Module | None:
    """For a script that is run by its path, `up` folders below the application's: that folder has to be on sys.path first."""
    for needed in ("import sys", "from pathlib import Path"):
        module = with_import(module, needed, own) or module
    if (done := with_import(module, code, own)) is None or done is module:
        return done
    body = list(module.body)
    _, end = _import_block(body)
    added = cst.parse_module(f"sys.path.append(str(Path(__file__).resolve().parents[{up}]))  # triton_serving is there\n{code}\n").body
    return module.with_changes(body=[*body[:end], spaced(added[0], 1), *added[1:], *body[end:]])


def imported_by(statement: Import) -> Iterator[tuple[Imported, cst.ImportAlias]]:
    """What a statement imports, name by name; nothing for `import *`."""
    module = _module(statement)
    for alias in () if isinstance(statement.names, cst.ImportStar) else statement.names:
        name = alias.evaluated_alias
        yield (Imported(alias.evaluated_name, None, name) if module is None else Imported(module, alias.evaluated_name, name)), alias


def _module(statement: Import) -> str | None:
    if isinstance(statement, cst.Import):
        return None
    return "." * len(statement.relative) + (cst.Module(()).code_for_node(statement.module) if statement.module else "")


def _imports(line: cst.CSTNode) -> Iterator[Import]:
    if isinstance(line, cst.SimpleStatementLine):
        yield from (small for small in line.body if isinstance(small, Import))


def _only_import(line: cst.CSTNode) -> Import | None:
    """The import that a line consists of."""
    found = tuple(_imports(line))
    return found[0] if isinstance(line, cst.SimpleStatementLine) and len(found) == len(line.body) == 1 else None


def _import_block(body: Sequence[Line]) -> tuple[int, int]:
    """Where the imports at the top start and end.

    Statements that act may stand between them (`sys.path.insert(…)`, `os.environ[…] = …`): what follows may depend on them.
    """
    start = int(bool(body) and _is_docstring(body[0]))
    end = start
    acts = False
    for number in range(start, len(body)):
        line = body[number]
        if _is_import_like(line):
            if number > end and not acts:
                break
            end = number + 1
        elif isinstance(line, cst.FunctionDef | cst.ClassDef):
            break
        else:
            acts = acts or _acts(line)
    return start, end


def _is_docstring(line: Line) -> bool:
    match line:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
        case _:
            return False


def _is_import_like(line: cst.CSTNode) -> bool:
    match line:
        case cst.SimpleStatementLine():
            return len(tuple(_imports(line))) == len(line.body)
        case cst.Try(body=cst.IndentedBlock(body=body)) | cst.If(body=cst.IndentedBlock(body=body)):
            return all(map(_is_import_like, body))
        case _:
            return False


def _acts(line: Line) -> bool:
    match line:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.Call())]):
            return True
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() | cst.Subscript())])]):
            return True
        case _:
            return isinstance(line, cst.If)


def _merged(old: cst.ImportFrom, new: cst.ImportFrom) -> cst.ImportFrom | None:
    """`old` with the names of `new`, where that is one short line of the same module."""
    if _module(old) != _module(new) or isinstance(old.names, cst.ImportStar) or isinstance(new.names, cst.ImportStar):
        return None
    names = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in (*old.names, *new.names)]
    if _is_sorted(_names(old.names)):
        names.sort(key=lambda alias: alias.evaluated_name.lower())
    merged = old.with_changes(names=names)
    code = cst.Module(()).code_for_node(merged)
    return merged if len(code) <= _WIDEST and "\n" not in cst.Module(()).code_for_node(old) else None


def _names(aliases: Iterable[cst.ImportAlias]) -> list[str]:
    return [alias.evaluated_name.lower() for alias in aliases]


def _is_sorted(names: Sequence[str]) -> bool:
    return list(names) == sorted(names)


def _alone(body: list[Line], at: int, line: Line) -> list[Line]:
    """The only import of the file: a paragraph of its own."""
    if at:
        line = spaced(line, 1)
    below = [spaced(body[at], 2 if isinstance(body[at], cst.FunctionDef | cst.ClassDef) else 1), *body[at + 1 :]] if body[at:] else []
    return [*body[:at], line, *below]


def _in_block(body: list[Line], start: int, end: int, line: Line, own: tuple[str, ...]) -> list[Line]:
    grouped = any(_is_import_like(other) and _starts_paragraph(other) for other in body[start + 1 : end])
    at = end
    while at > start and _is_relative(body[at - 1]):
        at -= 1
    if _root(line) not in own:
        kin = [number for number in range(start, at) if _root(body[number]) == _root(line)]
        if kin:  # below the library's other imports, in their paragraph
            return [*body[: kin[-1] + 1], line, *body[kin[-1] + 1 :]]
    if not grouped and at > start:
        return _inserted(body, at, line)
    group = at
    while group > start and _root(body[group - 1]) in own and (group == at or not _starts_paragraph(body[group])):
        group -= 1
    if group < at and (group == start or _starts_paragraph(body[group])):
        keys = [_sort_key(other) for other in body[group:at]]
        later = next((number for number, key in enumerate(keys) if key > _sort_key(line)), len(keys)) if _is_sorted(keys) else len(keys)
        return _inserted(body, group + later, line)
    if at > start:
        line = spaced(line, 1)
    return _inserted(body, at, line, blanks=1)


def _inserted(body: list[Line], at: int, line: Line, blanks: int = 0) -> list[Line]:
    """Put `line` before `body[at]`, above the comment attached to that; blank lines above go to whichever comes first."""
    if at == len(body):
        return [*body, line]
    below = body[at]
    if not _is_import_like(below):
        return [*body[:at], line, *body[at:]]
    cut = attached_cut(below.leading_lines)
    line = line.with_changes(leading_lines=below.leading_lines[:cut] or line.leading_lines)
    return [*body[:at], line, spaced(below.with_changes(leading_lines=below.leading_lines[cut:]), blanks), *body[at + 1 :]]


def _starts_paragraph(line: Line) -> bool:
    return any(above.comment is None for above in line.leading_lines)


def _is_relative(line: Line) -> bool:
    statement = _only_import(line)
    return isinstance(statement, cst.ImportFrom) and bool(statement.relative)


def _root(line: Line) -> str:
    return _sort_key(line).partition(".")[0]


def _sort_key(line: Line) -> str:
    statement = _only_import(line)
    return next((imported.module for imported, _ in imported_by(statement)), "") if statement else ""
