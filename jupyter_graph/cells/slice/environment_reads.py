"""Which environment variables some code reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.shipping.live_names import LiveNames, NamesInside

_CALLS: Final = frozenset(
    {"os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"}
)


def needed_keys(
    fragments: Iterable[Fragment], names: LiveNames
) -> dict[str, tuple[int | None, int]]:
    """Return the variables without which some code fails, with cell and line.

    Those that a line of the code sets, or that some code asks for before, are not
    among them.
    """
    needed: dict[str, tuple[int | None, int]] = {}
    spared: set[str] = set()
    for fragment in fragments:
        spared |= keys_set(fragment, names)
        for read in keys_read(fragment, names):
            if read.is_needed:
                needed.setdefault(read.key, (fragment.cell, read.line))
            else:
                spared.add(read.key)
    return {key: place for key, place in needed.items() if key not in spared}


def keys_set(fragment: Fragment, names: LiveNames) -> set[str]:
    """Return the variables that a piece of code sets when it runs."""
    if fragment.kind == "text":
        tree = ast.parse(fragment.text)
        subscripts = [n for n in ast.walk(tree) if isinstance(n, ast.Subscript)]
        is_ours = "environ" in fragment.text
        return {k for n in subscripts if is_ours and (k := _constant(n.slice))}
    node = fragment.node
    if fragment.kind != "code" or not isinstance(node, ast.Assign):
        return set()
    return {
        key
        for target in node.targets
        if isinstance(target, ast.Subscript)
        and names.dotted(target.value, None) == "os.environ"
        and (key := _constant(target.slice))
    }


def _constant(node: ast.expr | None) -> str | None:
    value = getattr(node, "value", None)
    return value if isinstance(node, ast.Constant) and isinstance(value, str) else None


class KeyRead(NamedTuple):
    """One place that reads a variable.

    Attributes:
        key: the variable.
        is_needed: nothing is said of what holds without it.
        line: the line in its cell.
    """

    key: str
    is_needed: bool
    line: int


def keys_read(fragment: Fragment, names: LiveNames) -> Iterator[KeyRead]:
    """Yield the variables that a piece of code reads by constant names."""
    node = fragment.node
    if node is None or fragment.kind != "code":
        return
    dotted = NamesInside(node, names).dotted
    tried = {id(n) for t in ast.walk(node) if isinstance(t, ast.Try) for n in _body(t)}
    for part in ast.walk(node):
        key: ast.expr | None = None
        is_needed = False
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load):
            if dotted(part.value) == "os.environ":
                key, is_needed = part.slice, id(part) not in tried
        elif isinstance(part, ast.Call) and part.args and dotted(part.func) in _CALLS:
            key = part.args[0]
        elif isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.In):
            key = part.left if dotted(part.comparators[0]) == "os.environ" else None
        if key is not None and (text := _constant(key)):
            yield KeyRead(text, is_needed, key.lineno)


def _body(node: ast.Try) -> Iterator[ast.AST]:
    """Yield what stands in the body of a ``try`` that catches something."""
    for statement in node.body if node.handlers else ():
        yield from ast.walk(statement)
