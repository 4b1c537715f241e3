"""Lines that ran in the notebook and do not ship, beside code that does."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from jupyter_graph.cells.scope.program import Program, Statement
from jupyter_graph.cells.scope.usage import chain_of
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.syntax import ASSIGNMENT, DEFINITION, IMPORT, targets_of

_SHOWS: Final = frozenset({"print", "display", "help", "pprint", "get_ipython"})


def left_out(program: Program, fragments: Iterable[Fragment]) -> list[Statement]:
    """Return the lines of cells with shipped code that do something and stay here.

    A line that binds a name does nothing else as a rule: the name ships where it is
    used. One that shows something is for the reader of the notebook.
    """
    shipped = [one for one in fragments if one.statement is not None]
    taken = {one.at[0] for one in fragments}
    cells = {
        one.statement.number
        for one in shipped
        if one.statement is not None and one.kind == "code"
    }
    last = {statement.number: statement for statement in program.statements}
    return [
        statement
        for statement in program.statements
        if statement.number in cells
        and statement.index not in taken
        and _does_something(statement.node, is_last=last[statement.number] is statement)
        and not any(statement.shell_lines())
    ]


def _does_something(node: ast.AST, *, is_last: bool) -> bool:
    if isinstance(node, DEFINITION | IMPORT | ast.Pass | ast.Delete | ast.Global):
        return False
    if isinstance(node, ast.Expr):
        is_call = isinstance(node.value, ast.Call | ast.Await)
        return is_call and not is_last and not _shows(node.value)
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Attribute | ast.Subscript)
    if isinstance(node, ASSIGNMENT):
        kinds = ast.Attribute | ast.Subscript
        return any(isinstance(target, kinds) for target in targets_of(node))
    body = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)]
    return any(_does_something(part, is_last=False) for part in body)


def _shows(node: ast.expr) -> bool:
    """Tell whether a call is for the reader: a print, or a method of no arguments."""
    if not isinstance(node, ast.Call):
        return False
    root, chain = chain_of(node.func)
    name = (root, *chain)[-1]
    return name in _SHOWS or name in ("show", "head", "info", "describe")
