"""Takes a file that parses its command line at the top level, gives whether a model may take its part of it from the environment instead.

Triton starts the model without the arguments that a person gives the script: pipeline.py parses those in APP_ARGUMENTS, so all of them
must have defaults. What the model's side reads the application reads no more, and loses the option: given there, it would do nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from triton_migrate.base import Span
from triton_migrate.index import flow, ir
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import Api
from triton_migrate.rulebook.vocabulary import Effect

if TYPE_CHECKING:
    from triton_migrate.plan.copied.closure import Closure

GIVEN = "APP_ARGUMENTS"
NAME = "ARGUMENTS"
MADE = f'{NAME} = shlex.split(os.environ.get("{GIVEN}", ""))  # the options of the application that the model reads\n'
MANY = ("?", "*")


class CommandLine:
    """The command line as one pipeline.py has it."""

    def __init__(self, closure: Closure) -> None:
        self.closure, self.evaluator, self.program = closure, closure.evaluator, closure.evaluator.program
        self._parsing: dict[str, ir.Call | None] = {}
        self._made = ""

    def refuse(self, file: str, stmt: ir.Stmt, frame: Frame) -> None:
        """Stop at a statement that reads a command line whose every option has not its one reader."""
        kinds = {effect(self.evaluator, e, frame) for e in flow.every(stmt)}
        if "argv" in kinds or ("arguments" in kinds and self._parsed(file) is None):
            fix = "name the model's file in a constant or an environment variable"
            raise self.closure.stuck("the model is made from arguments of the command line", Span(file, *stmt.at), fix)

    def given(self, file: str, call: ir.Call) -> tuple[tuple[ir.At, str], ...]:
        """The edit that has a copied `parser.parse_args()` read what the environment says."""
        if self._parsing.get(file) is None or self._parsing[file] is not call:
            return ()
        if not self._made:
            self._made = self.closure.fresh(NAME)
            self.closure.imports.update(os="import os", shlex="import shlex")
            self.closure.definitions.append(MADE.replace(NAME, self._made, 1))
        end = call.at[2], call.at[3] - 1
        return (((*end, *end), self._made),)

    def _parsed(self, file: str) -> ir.Call | None:
        if file not in self._parsing:
            self._parsing[file] = self._parse(file)
        return self._parsing[file]

    def _parse(self, file: str) -> ir.Call | None:
        """`args = parser.parse_args()`, if each attribute of `args` is read once and the parser is only given options."""
        frame, scopes = self.program.frames[file], self.program.files[file].scopes
        top = [s for s in flow.module_body(self.program.files[file].facts.body) if isinstance(s, (ir.Assign, ir.Evaluate))]
        parsing = [s for s in top if isinstance(s, ir.Assign) and effect(self.evaluator, _called(s.value), frame) == "arguments"]
        match parsing:
            case [ir.Assign(_, (ir.Name(_, args),), ir.Call(_, ir.Attribute(_, ir.Name(_, parser), _), (), ()) as call)]:
                pass
            case _:
                return None
        parts = [e for s in scopes for stmt in flow.flatten(s.body) for e in flow.own(stmt)]
        options = [s.value for s in top if isinstance(s, ir.Evaluate) and effect(self.evaluator, _called(s.value), frame) == "option"]
        mentions = Counter(e.id for e in parts if isinstance(e, ir.Name))
        reads = Counter(e.attr for e in parts if isinstance(e, ir.Attribute) and isinstance(e.value, ir.Name) and e.value.id == args)
        own = sum(isinstance(o, ir.Call) and isinstance(o.func, ir.Attribute) and _name(o.func.value) == parser for o in options)
        known = mentions[parser] == own + 2 and mentions[args] == reads.total() + 1 and max(reads.values(), default=0) == 1
        bindings = (pair for f in self.program.frames.values() for pair in f.scope.bindings.items())
        imported = any(b.how == "from" for name, bound in bindings if name in (args, parser) for b in bound)
        return call if known and not imported and all(map(_optional, options)) else None


def effect(evaluator: Evaluator, expr: ir.Expr | None, frame: Frame) -> str:
    """What an expression has of a command line, as the rules call it; empty for anything else."""
    kinds = {"arguments", "argv", "option"}
    rules = (evaluator.rulebook.find(v.called, Effect) for v in evaluator.values(expr, frame) if isinstance(v, Api)) if expr else ()
    return next((rule.kind for rule in rules if rule is not None and rule.kind in kinds), "")


def option(call: ir.Call) -> str:
    """The attribute that an option's value has (`add_argument("--model-path", "-m")`); empty where it is not written."""
    named = dict(call.keywords).get("dest")
    if named is not None:
        return str(named.value) if isinstance(named, ir.Constant) else ""
    flags = [str(a.value) for a in call.args if isinstance(a, ir.Constant)]
    chosen = next((f for f in flags if f.startswith("--")), flags[0] if flags else "")
    return chosen.lstrip("-").replace("-", "_")


def _optional(call: ir.Expr) -> bool:
    """Whether a command line may do without it."""
    if not isinstance(call, ir.Call) or not option(call):
        return False
    keywords = dict(call.keywords)
    if any(str(a.value).startswith("-") for a in call.args if isinstance(a, ir.Constant)):
        return "required" not in keywords and None not in keywords
    return getattr(keywords.get("nargs"), "value", None) in MANY


def _called(expr: ir.Expr | None) -> ir.Expr | None:
    return expr.func if isinstance(expr, ir.Call) else None


def _name(expr: ir.Expr) -> str:
    return expr.id if isinstance(expr, ir.Name) else ""
