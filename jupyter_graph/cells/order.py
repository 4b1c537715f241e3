"""Put the pieces of a slice in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_graph.cells.items import Item
from jupyter_graph.cells.source import place
from jupyter_graph.errors import CellError


def ordered(items: Iterable[Item]) -> list[Item]:
    """Give the pieces in the order they ran, each one below what it needs.

    Raises:
        CellError: two pieces need each other while they are set up.
    """
    waiting = sorted(items, key=_key)
    done: dict[Item, None] = {}
    for item in waiting:
        _put(item, done, [])
    return list(done)


def _key(item: Item) -> tuple[float, int, str]:
    return (*item.at, item.text or min(item.binds, default=""))


def _put(item: Item, done: dict[Item, None], path: list[Item]) -> None:
    if item in done:
        return
    if item in path:
        _refuse(path[path.index(item) :])
    for need in sorted(item.needs, key=_key):
        _put(need, done, [*path, item])
    done[item] = None


def _refuse(circle: list[Item]) -> None:
    names = [min(item.binds, default="?") for item in circle]
    places = [
        f"{n!r} ({place(i.cell, i.line)})" for n, i in zip(names, circle, strict=True)
    ]
    raise CellError(
        f"{', '.join(places)} need each other while they are set up; no order of these "
        "lines can run",
        cell=circle[0].cell,
        line=circle[0].line,
    )
