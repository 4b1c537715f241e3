"""Tables of functions that were filled line by line, or by a decorator."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType
from typing import Any

from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.shipping.live_names import LiveNames
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.shipping.unchanged import UNSURE, is_unchanged, tried
from jupyter_graph.cells.source import awaits
from jupyter_graph.cells.syntax import ASSIGNMENT, DEFINITION


def registrations(
    analysis: ShippingAnalysis, name: str, statement: Statement
) -> list[Statement]:
    """Return the lines that fill a table of the notebook's functions and classes.

    Such a table cannot ship as a value; it ships as the line that makes it and all
    lines that put something into it. Empty where that would not give the same table.

    Args:
        analysis: knows the namespace and the cells.
        name: the table.
        statement: the line that makes it.
    """
    names, node = analysis.names, statement.node
    live = names.values[name]
    if not isinstance(node, ASSIGNMENT) or type(live) not in (dict, list):
        return []
    if not any(thing.__module__ == names.own_module for thing in _code_in(live)):
        return []
    first = tried(analysis.assigned, name, statement, node)
    filling = list(_filling(names, name, statement))
    is_whole = first is not UNSURE and _accounts(names, live, first, filling)
    return [statement, *filling] if is_whole else []


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    yield from value.items() if isinstance(value, dict) else enumerate(value)


def _code_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the functions and classes inside a value."""
    if isinstance(value, FunctionType | BuiltinFunctionType | type):
        yield value
    elif isinstance(value, dict | list | tuple | set | frozenset) and depth < 5:
        for part in value.values() if isinstance(value, dict) else value:
            yield from _code_in(part, depth + 1)


def _filling(names: LiveNames, name: str, since: Statement) -> Iterator[Statement]:
    """Yield the lines after ``since`` that put something into the table."""
    program = names.program
    writers = _writers(names, name)
    for statement in program.statements[since.index + 1 :]:
        node = statement.node
        if program.before(name, statement.index) is not since or awaits(node):
            continue
        direct = any(
            change.name == name and change.depth == 0
            for change in statement.names.changes
        )
        called = {
            use.name
            for use in statement.names.uses
            if use.called and use.depth == 0 and use.name in writers
        }
        # A line whose names were bound again would bring back older definitions.
        is_final = all(names.final(n) is statement for n in statement.names.binds)
        if is_final and ((direct and _is_simple(node)) or (called and _is_setup(node))):
            yield statement


def _writers(names: LiveNames, name: str) -> set[str]:
    """Return the functions that change the table when they are called."""
    writers: set[str] = set()
    growing = True  # a function that calls a writer writes as well
    while growing:
        size = len(writers)
        for statement in names.program.statements:
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef):
                changes = {c.name for c in statement.names.changes if c.depth}
                calls = {u.name for u in statement.names.uses if u.depth and u.called}
                if name in changes or calls & writers:
                    writers.add(statement.node.name)
        growing = len(writers) > size
    return writers


def _is_simple(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete)


def _is_setup(node: ast.stmt) -> bool:
    """Tell whether a line defines something, or is a bare call."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return isinstance(node, DEFINITION) or is_call


def _accounts(
    names: LiveNames, live: Any, first: Any, filling: list[Statement]
) -> bool:
    """Tell whether the lines explain all that is in the table."""
    defined = {name for s in filling for name in s.names.binds}
    defined |= {use.name for s in filling for use in s.names.uses if use.depth == 0}
    known = [names.values[name] for name in defined if name in names.values]
    known += [vars(builtins)[name] for name in defined & vars(builtins).keys()]
    begun = dict(_entries(first))
    for key, entry in _entries(live):
        if key in begun and is_unchanged(entry, begun[key]):
            continue
        code = list(_code_in(entry))
        if not code or not all(any(c is k for k in known) for c in code):
            return False
    return True
