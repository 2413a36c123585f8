"""Takes a `SourceFile`, gives its `ModuleFacts` (or `Failed`): the only room that sees `ast`."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable

from triton_migrate.base import Failed, SourceFile, nest_deeply
from triton_migrate.index import ir

NESTED = 250  # statements and expressions in each other; every room walks them by recursion
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))  # `except*` is new in Python 3.11


def lower(source: SourceFile) -> ir.ModuleFacts | Failed:
    """Parse and lower one file; whatever is wrong with it becomes a `Failed` with its line."""
    nest_deeply()
    try:
        tree, foreign = _parsed(source.text)
        body = _Lowering().block(tree.body)
    except SyntaxError as exc:
        return Failed(source.path, exc.lineno or 1, f"syntax error: {exc.msg}")
    except (RecursionError, MemoryError):
        return Failed(source.path, 1, "nested too deeply to parse")
    except ValueError as exc:  # a null byte, on Python < 3.12
        return Failed(source.path, source.text[: max(source.text.find("\0"), 0)].count("\n") + 1, str(exc))
    return ir.ModuleFacts(source.path, body, _exports(body), foreign)


def _parsed(text: str) -> tuple[ast.Module, int]:
    """And the line that is for another Python, 0 where none is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the user's strings are not our business
        try:
            return ast.parse(text), 0
        except SyntaxError as wrong:
            from triton_migrate.index.dialects import readable  # loads LibCST, which hardly a scan needs

            if (known := readable(text)) is None:
                raise
            return ast.parse(known), wrong.lineno or 1


def _exports(body: ir.Block) -> tuple[str, ...] | None:
    for stmt in body:
        if isinstance(stmt, ir.Assign) and any(isinstance(t, ir.Name) and t.id == "__all__" for t in stmt.targets):
            if isinstance(stmt.value, ir.Sequence):
                return tuple(i.value for i in stmt.value.items if isinstance(i, ir.Constant) and isinstance(i.value, str))
    return None


def _at(node: ast.expr | ast.stmt | ast.excepthandler) -> ir.At:
    return (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


class _Lowering:
    """One walk over one file; keeps the qualified name of the place it is in and whether the function yields."""

    def __init__(self) -> None:
        self.path: tuple[str, ...] = ()
        self.yields = False
        self.depth = 0

    def block(self, body: Iterable[ast.stmt]) -> ir.Block:
        return tuple(self.statement(s) for s in body)

    def exprs(self, nodes: Iterable[ast.expr]) -> tuple[ir.Expr, ...]:
        return tuple(self.expr(n) for n in nodes)

    def optional(self, node: ast.expr | None) -> ir.Expr | None:
        return None if node is None else self.expr(node)

    # ------------------------------------------------------------ statements

    def statement(self, node: ast.stmt) -> ir.Stmt:
        self._deeper()
        found = self._statement(node)
        self.depth -= 1
        return found

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > NESTED:
            raise RecursionError

    def _statement(self, node: ast.stmt) -> ir.Stmt:
        at = _at(node)
        match node:
            case ast.Assign():
                return ir.Assign(at, self.exprs(node.targets), self.expr(node.value), None, False)
            case ast.AnnAssign():
                return ir.Assign(at, (self.expr(node.target),), self.optional(node.value), self.expr(node.annotation), False)
            case ast.AugAssign():
                return ir.Assign(at, (self.expr(node.target),), self.expr(node.value), None, True)
            case ast.Expr():
                return ir.Evaluate(at, self.expr(node.value))
            case ast.Return():
                return ir.Return(at, self.optional(node.value))
            case ast.Raise():
                return ir.Raise(at, self.optional(node.exc), self.optional(node.cause))
            case ast.If():
                return ir.If(at, self.expr(node.test), self.block(node.body), self.block(node.orelse))
            case ast.For() | ast.AsyncFor():
                rest = self.block(node.orelse)
                return ir.For(at, self.expr(node.target), self.expr(node.iter), self.block(node.body), rest, isinstance(node, ast.AsyncFor))
            case ast.While():
                return ir.While(at, self.expr(node.test), self.block(node.body), self.block(node.orelse))
            case ast.With() | ast.AsyncWith():
                items = tuple((self.expr(i.context_expr), self.optional(i.optional_vars)) for i in node.items)
                return ir.With(at, items, self.block(node.body), isinstance(node, ast.AsyncWith))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return ir.Define(at, self.function(node))
            case ast.ClassDef():
                return ir.DefineClass(at, self.class_(node))
            case ast.Import():
                return ir.Import(at, tuple((a.name, a.asname) for a in node.names))
            case ast.ImportFrom():
                return ir.ImportFrom(at, node.module or "", node.level, tuple((a.name, a.asname) for a in node.names))
            case ast.Global():
                return ir.Declare(at, "global", tuple(node.names))
            case ast.Nonlocal():
                return ir.Declare(at, "nonlocal", tuple(node.names))
            case ast.Delete():
                return ir.Delete(at, self.exprs(node.targets))
            case ast.Assert():
                return ir.Assert(at, self.expr(node.test), self.optional(node.msg))
            case ast.Match():
                return ir.Match(at, self.expr(node.subject), tuple(self.case(c) for c in node.cases))
            case ast.Pass():
                return ir.Jump(at, "pass")
            case ast.Break():
                return ir.Jump(at, "break")
            case ast.Continue():
                return ir.Jump(at, "continue")
        if isinstance(node, TRIES):
            return self.attempt(node)
        return ir.Jump(at, "pass")  # a `type X = ...` statement and whatever comes after it: nothing flows

    def attempt(self, node: ast.Try) -> ir.Try:
        handlers = tuple(ir.Handler(_at(h), self.optional(h.type), h.name, self.block(h.body)) for h in node.handlers)
        return ir.Try(_at(node), self.block(node.body), handlers, self.block(node.orelse), self.block(node.finalbody))

    def case(self, node: ast.match_case) -> ir.Case:
        captures = tuple(
            name for n in ast.walk(node.pattern) if isinstance(name := getattr(n, "name", None) or getattr(n, "rest", None), str)
        )
        return ir.Case(captures, self.optional(node.guard), self.block(node.body))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ir.Function:
        decorators = self.exprs(node.decorator_list)
        outer, outer_yields = self.path, self.yields
        parameters = self.parameters(node.args)
        returns = self.optional(node.returns)
        self.path, self.yields = (*outer, node.name), False
        body = self.block(node.body)
        made = ir.Function(
            _at(node), node.name, ".".join(self.path), parameters, decorators, returns, body,
            isinstance(node, ast.AsyncFunctionDef), self.yields, ast.get_docstring(node, clean=False) is not None,
        )  # fmt: skip
        self.path, self.yields = outer, outer_yields
        return made

    def lambda_(self, node: ast.Lambda) -> ir.Lambda:
        at, outer_yields = _at(node), self.yields
        parameters = self.parameters(node.args)
        body = (ir.Return(_at(node.body), self.expr(node.body)),)
        name = f"<lambda:{at[0]}:{at[1]}>"
        self.yields = outer_yields
        return ir.Lambda(at, ir.Function(at, name, ".".join((*self.path, name)), parameters, (), None, body, False, False, False))

    def parameters(self, args: ast.arguments) -> tuple[ir.Parameter, ...]:
        positional = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
        found = [
            ir.Parameter(a.arg, "positional", self.optional(a.annotation), self.optional(d))
            for a, d in zip(positional, defaults, strict=True)
        ]
        if args.vararg:
            found.append(ir.Parameter(args.vararg.arg, "*args", self.optional(args.vararg.annotation), None))
        found += [
            ir.Parameter(a.arg, "keyword", self.optional(a.annotation), self.optional(d))
            for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        ]
        if args.kwarg:
            found.append(ir.Parameter(args.kwarg.arg, "**kwargs", self.optional(args.kwarg.annotation), None))
        return tuple(found)

    def class_(self, node: ast.ClassDef) -> ir.Class:
        outer = self.path
        bases, decorators = self.exprs(node.bases), self.exprs(node.decorator_list)
        keywords = tuple((k.arg, self.expr(k.value)) for k in node.keywords)
        self.path = (*outer, node.name)
        made = ir.Class(_at(node), node.name, ".".join(self.path), bases, keywords, decorators, self.block(node.body))
        self.path = outer
        return made

    # ------------------------------------------------------------ expressions

    def expr(self, node: ast.expr) -> ir.Expr:
        self._deeper()
        found = self._expr(node)
        self.depth -= 1
        return found

    def _expr(self, node: ast.expr) -> ir.Expr:
        at = _at(node)
        match node:
            case ast.Name():
                return ir.Name(at, node.id)
            case ast.Attribute():
                return ir.Attribute(at, self.expr(node.value), node.attr)
            case ast.Call():
                keywords = tuple((k.arg, self.expr(k.value)) for k in node.keywords)
                return ir.Call(at, self.expr(node.func), self.exprs(node.args), keywords)
            case ast.Constant():
                return ir.Constant(at, node.value)
            case ast.Subscript():
                return ir.Subscript(at, self.expr(node.value), self.expr(node.slice))
            case ast.List() | ast.Tuple() | ast.Set():
                return ir.Sequence(at, type(node).__name__.lower(), self.exprs(node.elts))
            case ast.Dict():
                return ir.Mapping(at, tuple(self.optional(k) for k in node.keys), self.exprs(node.values))
            case ast.JoinedStr():
                return ir.Joined(at, self.exprs(node.values))
            case ast.FormattedValue():
                return self.expr(node.value)
            case ast.BinOp():
                return ir.Operation(at, type(node.op).__name__, (self.expr(node.left), self.expr(node.right)))
            case ast.UnaryOp():
                return ir.Operation(at, type(node.op).__name__, (self.expr(node.operand),))
            case ast.BoolOp():
                return ir.Operation(at, type(node.op).__name__, self.exprs(node.values))
            case ast.Compare():
                return ir.Operation(at, "+".join(type(o).__name__ for o in node.ops), self.exprs([node.left, *node.comparators]))
            case ast.IfExp():
                return ir.Conditional(at, self.expr(node.test), self.expr(node.body), self.expr(node.orelse))
            case ast.Lambda():
                return self.lambda_(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node, at)
            case ast.Starred():
                return ir.Starred(at, self.expr(node.value))
            case ast.Await():
                return ir.Await(at, self.expr(node.value))
            case ast.Yield() | ast.YieldFrom():
                self.yields = True
                return ir.Yield(at, self.optional(node.value), isinstance(node, ast.YieldFrom))
            case ast.NamedExpr():
                return ir.Walrus(at, ir.Name(_at(node.target), node.target.id), self.expr(node.value))
            case ast.Slice():
                return ir.Slice(at, self.exprs(p for p in (node.lower, node.upper, node.step) if p is not None))
        return ir.Joined(at, self.exprs(c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)))  # template strings (3.14)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, at: ir.At) -> ir.Comprehension:
        kind = {"ListComp": "list", "SetComp": "set", "DictComp": "dict"}.get(type(node).__name__, "generator")
        loops = tuple((self.expr(g.target), self.expr(g.iter), self.exprs(g.ifs)) for g in node.generators)
        if isinstance(node, ast.DictComp):
            return ir.Comprehension(at, kind, self.expr(node.key), self.expr(node.value), loops)
        return ir.Comprehension(at, kind, self.expr(node.elt), None, loops)
