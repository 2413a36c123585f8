"""Takes the operations on one file and the places of its nodes, gives `Edits`, or says which operation cannot be done and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import libcst as cst

from triton_migrate.base import Span
from triton_migrate.changes import NotDone
from triton_migrate.rewrite.blocks import StatementEdits
from triton_migrate.rewrite.editor import Edits
from triton_migrate.rewrite.fragments import Fragment, Style, expression, statements
from triton_migrate.rewrite.operations import (
    AddDecorator,
    DeleteStatements,
    DropAsync,
    InsertAfter,
    InsertBefore,
    InsertHandler,
    RemoveArgument,
    RemoveDecorator,
    RemoveParameter,
    ReplaceExpression,
    ReplaceStatements,
)
from triton_migrate.rewrite.parameters import parameter
from triton_migrate.rewrite.places import Area, Places, Statement, statements_of

# The operations that name their place; the others follow from the text these give.
Placed = (
    ReplaceExpression | ReplaceStatements | DeleteStatements | InsertBefore | InsertAfter | RemoveParameter | RemoveArgument
    | AddDecorator | RemoveDecorator | InsertHandler | DropAsync
)  # fmt: skip

_NO_STATEMENT = "no statement is exactly here"
_BRANCH = "an elif is a statement of no block"


def planned(operations: Iterable[Placed], places: Places, style: Style) -> Edits | NotDone:
    """Find the node of every operation. Operations that touch the same text are not done, in whatever order they come."""
    plan = _Plan(places, style)
    for operation in dict.fromkeys(operations):
        if trouble := plan.add(operation):
            return trouble
    return plan.overlap() or plan.edits()


def spans_of(operation: Placed) -> tuple[Span, ...]:
    """The places an operation names."""
    match operation:
        case ReplaceExpression(span) | InsertBefore(span) | InsertAfter(span) | RemoveParameter(span) | RemoveArgument(span):
            return (span,)
        case AddDecorator(span) | RemoveDecorator(span) | InsertHandler(span) | DropAsync(span):
            return (span,)
        case ReplaceStatements(first, last):
            return first, last
        case DeleteStatements(spans):
            return spans


@dataclass(slots=True)
class _Plan:
    places: Places
    style: Style
    claims: list[tuple[Area, Span]] = field(default_factory=list)
    points: list[tuple[tuple[int, int], Span]] = field(default_factory=list)
    gone: set[Statement] = field(default_factory=set)
    drops_block: set[Statement] = field(default_factory=set)
    instead: dict[Statement, Fragment] = field(default_factory=dict)
    before: defaultdict[Statement, list[Fragment]] = field(default_factory=lambda: defaultdict(list))
    after: defaultdict[Statement, list[Fragment]] = field(default_factory=lambda: defaultdict(list))
    expressions: dict[cst.BaseExpression, cst.BaseExpression] = field(default_factory=dict)
    parameters: defaultdict[cst.FunctionDef, set[str]] = field(default_factory=lambda: defaultdict(set))
    arguments: defaultdict[cst.Call, set[int]] = field(default_factory=lambda: defaultdict(set))
    decorators: set[cst.BaseExpression] = field(default_factory=set)
    decorated: defaultdict[cst.FunctionDef, list[cst.BaseExpression]] = field(default_factory=lambda: defaultdict(list))
    decorated_below: defaultdict[cst.FunctionDef, list[cst.BaseExpression]] = field(default_factory=lambda: defaultdict(list))
    handlers: defaultdict[cst.Try, list[cst.BaseExpression]] = field(default_factory=lambda: defaultdict(list))
    plain: set[cst.FunctionDef] = field(default_factory=set)

    def add(self, operation: Placed) -> NotDone | None:
        match operation:
            case ReplaceExpression(span, code):
                return self._replace_expression(span, code)
            case ReplaceStatements(first, last, code, drop_empty):
                return self._replace_statements(first, last, code, drop_empty)
            case DeleteStatements(spans, drop_empty):
                return next(filter(None, (self._replace_statements(span, span, "", drop_empty) for span in spans)), None)
            case InsertBefore(span, code):
                return self._insert(span, code, after=False)
            case InsertAfter(span, code):
                return self._insert(span, code, after=True)
            case RemoveParameter(function, name):
                return self._remove_parameter(function, name)
            case RemoveArgument(call, argument):
                return self._remove_argument(call, argument)
            case AddDecorator(span, code, inner):
                return self._add_decorator(span, code, inner)
            case RemoveDecorator(span):
                return self._remove_decorator(span)
            case InsertHandler(span, error):
                return self._insert_handler(span, error)
            case DropAsync(span):
                return self._drop_async(span)

    def edits(self) -> Edits:
        return Edits(
            StatementEdits(
                gone=frozenset(self.gone),
                drops_block=frozenset(self.drops_block),
                instead=self.instead,
                before={statement: tuple(fragments) for statement, fragments in self.before.items()},
                after={statement: tuple(fragments) for statement, fragments in self.after.items()},
            ),
            expressions=self.expressions,
            parameters={function: frozenset(names) for function, names in self.parameters.items()},
            arguments={call: frozenset(numbers) for call, numbers in self.arguments.items()},
            decorators=frozenset(self.decorators),
            decorated_below={function: tuple(added) for function, added in self.decorated_below.items()},
            decorated={function: tuple(added) for function, added in self.decorated.items()},
            handlers={statement: tuple(errors) for statement, errors in self.handlers.items()},
            plain=frozenset(self.plain),
        )

    def overlap(self) -> NotDone | None:
        claims = sorted(self.claims)
        for (one, _), (other, span) in pairwise(claims):
            if other[0] < one[1]:
                return NotDone(span, "another edit touches the same text")
        for point, span in self.points:
            if any(start < point < end for (start, end), _ in claims):
                return NotDone(span, "another edit replaces the text around this place")
        return None

    def _replace_expression(self, span: Span, code: str) -> NotDone | None:
        old = self.places.expression(span)
        if old is None or isinstance(old, cst.StarredElement):
            return NotDone(span, "no expression is exactly here")
        try:
            new = expression(code, self.style)
        except cst.ParserSyntaxError as error:
            return _unparsable(span, error)
        own = 1 if isinstance(old, cst.Tuple | cst.GeneratorExp) and old.lpar else 0  # `ast` counts these brackets to the expression
        self.claims.append((self.places.areas[old], span))
        self.expressions[old] = new.with_changes(
            lpar=[*old.lpar[: len(old.lpar) - own], *new.lpar],
            rpar=[*new.rpar, *old.rpar[own:]],
        )
        return None

    def _replace_statements(self, first: Span, last: Span, code: str, drop_empty: bool) -> NotDone | None:
        one, other = self.places.statement(first), self.places.statement(last)
        if one is None or other is None:
            return NotDone(last if one else first, _NO_STATEMENT)
        if one not in self.places.blocks or other not in self.places.blocks:
            return NotDone(last if one in self.places.blocks else first, _BRANCH)
        (block, start), (last_block, end) = self.places.blocks[one], self.places.blocks[other]
        if block is not last_block or end < start:
            return NotDone(first, f"the statements up to line {last.end_line} are not a run of one block")
        run = tuple(statements_of(block))[start : end + 1]
        self.claims.append(((self.places.areas[one][0], self.places.areas[other][1]), first))
        self.gone.update(run)
        if drop_empty:
            self.drops_block.update(run)
        try:
            fragment = statements(code, self.style)
        except cst.ParserSyntaxError as error:
            return _unparsable(first, error)
        if fragment.lines:
            self.instead[one] = fragment
        return None

    def _insert(self, span: Span, code: str, *, after: bool) -> NotDone | None:
        statement = self.places.statement(span)
        if statement is None or statement not in self.places.blocks:
            return NotDone(span, _BRANCH if statement else _NO_STATEMENT)
        try:
            fragment = statements(code, self.style)
        except cst.ParserSyntaxError as error:
            return _unparsable(span, error)
        start, end = self.places.areas[statement]
        self.points.append((end if after else start, span))
        (self.after if after else self.before)[statement].append(fragment)
        return None

    def _remove_parameter(self, span: Span, name: str) -> NotDone | None:
        function = self.places.statement(span)
        if not isinstance(function, cst.FunctionDef):
            return NotDone(span, "no function is exactly here")
        found = parameter(function, name)
        if found is None:
            return NotDone(span, f"{function.name.value}() has no parameter {name}")
        self.claims.append((self.places.areas[found], span))
        self.parameters[function].add(name)
        return None

    def _add_decorator(self, span: Span, code: str, inner: bool) -> NotDone | None:
        function = self.places.statement(span)
        if not isinstance(function, cst.FunctionDef):
            return NotDone(span, "no function is exactly here")
        (self.decorated_below if inner else self.decorated)[function].append(expression(code, self.style))
        return None

    def _remove_decorator(self, span: Span) -> NotDone | None:
        found = self.places.expression(span)
        if found is None:
            return NotDone(span, "no expression is exactly here")
        self.claims.append((self.places.areas[found], span))
        self.decorators.add(found)
        return None

    def _insert_handler(self, span: Span, error: str) -> NotDone | None:
        statement = self.places.statement(span)
        if not isinstance(statement, cst.Try) or not statement.handlers:
            return NotDone(span, "no try with handlers is exactly here")
        self.handlers[statement].append(expression(error, self.style))
        return None

    def _drop_async(self, span: Span) -> NotDone | None:
        function = self.places.statement(span)
        if not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
            return NotDone(span, "no coroutine is exactly here")
        self.plain.add(function)
        return None

    def _remove_argument(self, span: Span, argument: int | str) -> NotDone | None:
        call = self.places.expression(span)
        if not isinstance(call, cst.Call):
            return NotDone(span, "no call is exactly here")
        number = _argument(call, argument)
        if number is None:
            return NotDone(span, f"the call has no argument {argument}")
        self.claims.append((self.places.areas[call.args[number]], span))
        self.arguments[call].add(number)
        return None


def _argument(call: cst.Call, argument: int | str) -> int | None:
    if isinstance(argument, str):
        return next((number for number, arg in enumerate(call.args) if arg.keyword and arg.keyword.value == argument), None)
    plain = len(call.args) > argument >= 0 and all(not arg.star and not arg.keyword for arg in call.args[: argument + 1])
    return argument if plain else None


def _unparsable(span: Span, error: cst.ParserSyntaxError) -> NotDone:
    return NotDone(span, f"the new code does not parse: {error.message}")
