"""Names that shipped code changes while it runs: state outside of any step."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from jupyter_graph.cells.scope.usage import chain_of
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.syntax import DEFINITION

_CHANGES: Final = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "extendleft",
        "insert", "pop", "popitem", "popleft", "put", "put_nowait", "get_nowait",
        "remove", "reverse", "rotate", "setdefault", "sort", "subtract", "update",
    }
)  # fmt: skip
"""Methods that change a container or a queue."""

_SEEDED: Final = ("random", "numpy", "itertools")
"""Modules of objects that go on to the next value with each use."""


def state_names(
    fragments: Iterable[Fragment], live: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names whose values differ from event to event.

    They are those that functions declare ``global``, containers that functions put
    something into, random generators and iterators. A function starts with their
    values of now.
    """
    pieces = [one for one in fragments if one.kind != "import"]
    binds = {name for one in pieces for name in one.binds}
    found: set[str] = set()
    for one in pieces:
        node = one.node
        if isinstance(node, DEFINITION):
            found |= binds.intersection(_changed(node))
    found |= {name for name in binds if _goes_on(live.get(name))}
    return tuple(sorted(found))


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the names of the module that a definition changes."""
    for part in ast.walk(node):
        if isinstance(part, ast.Global):
            yield from part.names
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            root, chain = chain_of(part.func)
            if root is not None and chain and chain[-1] in _CHANGES:
                yield root
        elif isinstance(part, ast.Subscript | ast.Attribute):
            root, _ = chain_of(part)
            if root is not None and not isinstance(part.ctx, ast.Load):
                yield root


def _goes_on(value: Any) -> bool:
    """Tell whether using a value changes what it gives the next time."""
    kind = type(value)
    is_iterator = hasattr(kind, "__next__")
    name, module = kind.__name__, kind.__module__.partition(".")[0]
    is_chance = name in ("Random", "RandomState", "Generator")
    return is_iterator or (is_chance and module in _SEEDED)
