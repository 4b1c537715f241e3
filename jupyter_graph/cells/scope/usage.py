"""The words for what a statement does with global names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Use:
    """A global name that a statement reads.

    Args:
        depth: 0 when the statement runs, 1 when the function it defines is called,
            2 in functions inside that function, and so on.
        called: how many calls the name takes part in at that moment: 1 in
            ``@timed`` and ``timed(f)``, 2 in ``@retry(3)``.
        soft: nothing fails when the name is missing (an annotation that is never
            evaluated, a ``try`` that catches NameError).
        chain: the attributes read from it, ``("path", "join")`` of ``os.path.join``.
    """

    name: str
    line: int
    depth: int = 0
    called: int = 0
    soft: bool = False
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change to what a global name stands for, other than binding it anew.

    ``how`` is ``rebind`` (``global x`` in a function), ``attribute``, ``item``, or
    ``method`` (a call of one of its methods); ``node`` is the whole statement.
    """

    name: str
    line: int
    depth: int
    how: Literal["rebind", "attribute", "item", "method"]
    chain: tuple[str, ...] = ()


@dataclass
class Names:
    """What one statement does with global names."""

    binds: dict[str, list[ast.stmt]] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)
    uses: list[Use] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def rebinds(self) -> set[str]:
        """Return the names that its functions declare ``global`` and set."""
        return {change.name for change in self.changes if change.how == "rebind"}


def chain_of(node: ast.AST) -> tuple[str | None, tuple[str, ...]]:
    """Return root name and attributes of ``a.b.c``; the root is None if it is no name.

    >>> chain_of(ast.parse("a.b[0].c", mode="eval").body)
    ('a', ('b', 'c'))
    """
    attributes: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            attributes.append(node.attr)
        node = node.value
    root = node.id if isinstance(node, ast.Name) else None
    return root, tuple(reversed(attributes))


def quoted(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what the strings in an annotation say; ``Literal["a"]`` says nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return
        yield ast.copy_location(inner, node)
        for child in ast.walk(inner):
            if hasattr(child, "lineno"):
                child.lineno = node.lineno
    inside = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Subscript):
        root, chain = chain_of(node.value)
        kind = (root, *chain)[-1]
        inside = [] if kind == "Literal" else [node.slice]
        if kind == "Annotated" and isinstance(node.slice, ast.Tuple):
            inside = list(node.slice.elts[:1])
    for child in inside:
        yield from quoted(child)
