"""Kinds of syntax nodes that the rules for cells ask for."""

from __future__ import annotations

import ast

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITION = FUNCTION | ast.ClassDef
ASSIGNMENT = ast.Assign | ast.AnnAssign
IMPORT = ast.Import | ast.ImportFrom


def bound_by(alias: ast.alias) -> str:
    """Return the name that one alias of an import binds.

    >>> [bound_by(a) for a in ast.parse("import a.b, c as d").body[0].names]
    ['a', 'd']
    """
    return alias.asname or alias.name.partition(".")[0]


def targets_of(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """Return what an assignment assigns to."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def defaults_of(arguments: ast.arguments) -> list[ast.expr]:
    """Return the default values of a function, which are made with it."""
    return [*arguments.defaults, *filter(None, arguments.kw_defaults)]


def is_docstring(node: ast.stmt) -> bool:
    """Tell whether a statement is a bare constant, which does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
