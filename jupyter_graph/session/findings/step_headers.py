"""Which step each cell of a notebook would define, without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jupyter_graph.cells.source import Cell, parse_cell, step_definition
from jupyter_graph.cells.syntax import DEFINITION
from jupyter_graph.errors import CellError

_CHOOSES = re.compile(r"^[ \t]*%graph[ \t]+(?:new|use)[ \t]+(?P<name>[^\s-]\S*)", re.M)
_GRAPH = re.compile(r"(?:^|\s)--graph[= \t]+(?P<name>\S+)")


@dataclass(frozen=True)
class StepHeader:
    """A cell with a ``%%graph_step`` line.

    Attributes:
        cell: the cell.
        graph: the graph it goes into; None where nobody has named one.
        step: the name of its step.
    """

    cell: Cell
    graph: str | None
    step: str


def step_headers(cells: Iterable[Cell]) -> list[StepHeader]:
    r"""Return the step cells among these, in their order.

    ``%graph new`` and ``%graph use`` above a cell say which graph it goes into.

    >>> cells = [Cell("%graph new a"), Cell("%%graph_step f\ndef g(x): ...")]
    >>> [(header.graph, header.step) for header in step_headers(cells)]
    [('a', 'f')]
    """
    return list(_headers(cells))


def _headers(cells: Iterable[Cell]) -> Iterator[StepHeader]:
    current: str | None = None
    for cell in cells:
        words = words_of(cell)
        if words is None:
            for match in _CHOOSES.finditer(cell.source):
                current = match["name"]
            continue
        named = _GRAPH.search(words)
        step = _name_in(words) or _name_of_code(cell)
        if step is not None:
            yield StepHeader(cell, named["name"] if named else current, step)


def words_of(cell: Cell) -> str | None:
    """Return the words behind ``%%graph_step``; None for another cell."""
    if "%%graph_step" not in cell.source:
        return None
    try:
        magic = parse_cell(cell).magic
    except CellError:
        return None  # half written
    return magic[1] if magic is not None and magic[0] == "graph_step" else None


def defines(cell: Cell, name: str) -> bool:
    """Tell whether a cell defines a function or class of this name."""
    if name not in cell.source:
        return False
    try:
        body = parse_cell(cell).tree.body
    except CellError:
        return False
    return any(isinstance(node, DEFINITION) and node.name == name for node in body)


def _name_in(words: str) -> str | None:
    try:
        parts = shlex.split(words)
    except ValueError:
        parts = words.split()
    routes = [parts[at + 1] for at, part in enumerate(parts[:-1]) if part == "--route"]
    first = parts[0] if parts and not parts[0].startswith("-") else None
    return routes[0] if routes else first


def _name_of_code(cell: Cell) -> str | None:
    try:
        return step_definition(cell).name
    except CellError:
        return None
