"""Takes the text of one file and operations keyed by `Span`, gives the new text or `NotDone`: the only room that knows LibCST."""

from triton_migrate.rewrite.applying import apply_operations
from triton_migrate.rewrite.operations import (
    AddDecorator,
    AddImport,
    DeleteStatements,
    DropAsync,
    InsertAfter,
    InsertBefore,
    InsertHandler,
    Operation,
    RemoveArgument,
    RemoveDecorator,
    RemoveParameter,
    RemoveUnusedImports,
    ReplaceExpression,
    ReplaceStatements,
)
from triton_migrate.rewrite.requirements import edit_requirements

__all__ = [
    "AddDecorator",
    "AddImport",
    "DeleteStatements",
    "DropAsync",
    "InsertAfter",
    "InsertBefore",
    "InsertHandler",
    "Operation",
    "RemoveArgument",
    "RemoveDecorator",
    "RemoveParameter",
    "RemoveUnusedImports",
    "ReplaceExpression",
    "ReplaceStatements",
    "apply_operations",
    "edit_requirements",
]
