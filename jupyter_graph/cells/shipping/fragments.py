"""The pieces a slice is made of."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_graph.cells.scope.program import Statement, first_line
from jupyter_graph.cells.scope.usage import Use
from jupyter_graph.cells.source import place

Kind = Literal["code", "import", "value", "text"]
Place = tuple[int | None, int | None]
"""Cell and line."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps code from travelling, and where it stands."""

    message: str
    cell: int | None
    line: int | None

    def __str__(self) -> str:
        known = self.cell is not None or self.line is not None
        where = f"{place(self.cell, self.line)}: " if known else ""
        return f"{where}{self.message}"


@dataclass(eq=False)
class Fragment:
    """One piece of the slice.

    Args:
        kind: ``code``: ``node`` as it stands in its cell; ``import``, ``text``:
            ``text``; ``value``: a line that loads a value.
        at: (index of the statement, rank at that place).
        binds: the names it sets.
        uses: the names it needs.
        cell: number of the cell it comes from.
        line: line in that cell.
        statement: the statement it comes from, if any.
        node: the part of that statement that ships.
        text: what is written, for imports and texts.
        note: what the comment says beside the place.
        needs: pieces that must stand above it.
        reads: name → the piece whose binding it must find when it runs.
    """

    kind: Kind
    at: tuple[float, int]
    binds: frozenset[str]
    uses: tuple[Use, ...] = ()
    cell: int | None = None
    line: int | None = None
    statement: Statement | None = None
    node: ast.stmt | None = None
    text: str = ""
    note: str = ""
    needs: list[Fragment] = field(default_factory=list)
    reads: dict[str, Fragment] = field(default_factory=dict)

    @property
    def index(self) -> float:
        return self.at[0]


def code_fragment(
    statement: Statement, node: ast.stmt, uses: Iterable[Use]
) -> Fragment:
    """Make the piece for a statement, or for a part of it."""
    is_part = node is not statement.node
    binds = {
        name
        for name, nodes in statement.names.binds.items()
        if not is_part or any(n is node for n in nodes)
    }
    line = first_line(node)
    rank = line if is_part else 0
    return _piece("code", statement, node, rank, binds, line=line, uses=tuple(uses))


def _piece(
    kind: Kind, statement: Statement, node: Any, rank: int, binds: set[str], **more: Any
) -> Fragment:
    """Make a piece out of a statement, at its rank among those of the statement."""
    at, names, cell = (statement.index, rank), frozenset(binds), statement.number
    return Fragment(kind, at, names, cell=cell, statement=statement, node=node, **more)


def import_fragment(
    statement: Statement, node: Any, alias: ast.alias, name: str
) -> Fragment:
    """Make the piece for one name of an import statement."""
    if alias.name == "*":
        alias = ast.alias(name)
    one = ast.Import([alias])
    if isinstance(node, ast.ImportFrom):
        one = ast.ImportFrom(node.module, [alias], node.level)  # type: ignore[assignment]
    text = ast.unparse(one)
    return _piece("import", statement, one, 0, {name}, line=node.lineno, text=text)


def value_fragment(statement: Statement, name: str, node: ast.stmt) -> Fragment:
    """Make the piece that loads a value where it was set."""
    return _piece("value", statement, node, 10**6, {name}, line=node.lineno)
