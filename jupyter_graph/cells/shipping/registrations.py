"""Tables of functions that were filled line by line, or by a decorator."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType
from typing import Any

from jupyter_graph.cells.shipping.shipping_analysis import BUILTINS, ShippingAnalysis
from jupyter_graph.cells.shipping.stand_ins import NotPlain
from jupyter_graph.cells.shipping.unchanged import still
from jupyter_graph.cells.slice.program import Statement
from jupyter_graph.cells.source import awaits


def registrations(
    judge: ShippingAnalysis, name: str, statement: Statement
) -> list[Statement]:
    """Return the lines that fill a table of the notebook's functions and classes.

    Such a table cannot ship as a value; it ships as the line that makes it and all
    lines that put something into it. Empty where that would not give the same table.

    Args:
        judge: knows the namespace and the cells.
        name: the table.
        statement: the line that makes it.
    """
    live, node = judge.live(name), statement.node
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return []
    own = (judge.namespace or {}).get("__name__", "__main__")
    if type(live) not in (dict, list):
        return []
    if not any(thing.__module__ == own for thing in _code_in(live)):
        return []
    try:
        first = judge.assigned(name, statement, node)
    except NotPlain:
        return []
    filling = list(_filling(judge, name, statement))
    return [statement, *filling] if _accounts(judge, live, first, filling) else []


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    yield from value.items() if isinstance(value, dict) else enumerate(value)


def _code_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the functions and classes inside a value."""
    if isinstance(value, FunctionType | BuiltinFunctionType | type):
        yield value
    elif isinstance(value, dict) and depth < 5:
        for item in value.values():
            yield from _code_in(item, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset) and depth < 5:
        for item in value:
            yield from _code_in(item, depth + 1)


def _filling(
    judge: ShippingAnalysis, name: str, since: Statement
) -> Iterator[Statement]:
    program = judge.program
    writers = _writers(judge, name)
    for statement in program.statements[since.index + 1 :]:
        node = statement.node
        if program.before(name, statement.index) is not since or awaits(node):
            continue
        direct = any(
            change.name == name and change.depth == 0
            for change in statement.names.changes
        )
        called = {
            u.name for u in statement.names.uses if u.called and u.depth == 0
        } & writers
        is_final = all(judge.final(n) is statement for n in statement.names.binds)
        if is_final and ((direct and _is_simple(node)) or (called and _is_setup(node))):
            yield statement


def _writers(judge: ShippingAnalysis, name: str) -> set[str]:
    """Return the functions that change the table when they are called."""
    found: set[str] = set()
    growing = True
    while growing:
        size = len(found)
        for statement in judge.program.statements:
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef):
                changes = {c.name for c in statement.names.changes if c.depth}
                calls = {u.name for u in statement.names.uses if u.depth and u.called}
                if name in changes or calls & found:
                    found.add(statement.node.name)
        growing = len(found) > size
    return found


def _is_simple(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete)


def _is_setup(node: ast.stmt) -> bool:
    """Tell whether a line defines something, or is a bare call."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return isinstance(node, kinds) or is_call


def _accounts(
    judge: ShippingAnalysis, live: Any, first: Any, filling: list[Statement]
) -> bool:
    """Tell whether the lines explain all that is in the table."""
    defined = {name for s in filling for name in s.names.binds}
    defined |= {use.name for s in filling for use in s.names.uses if use.depth == 0}
    known = [judge.live(name) for name in defined if judge.has_live(name)]
    known += [getattr(builtins, name) for name in defined & BUILTINS]
    begun = dict(_entries(first))
    for key, entry in _entries(live):
        if key in begun and still(entry, begun[key]):
            continue
        code = list(_code_in(entry))
        if not code or not all(any(c is k for k in known) for c in code):
            return False
    return True
