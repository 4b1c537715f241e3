"""Put the pieces of a slice in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jupyter_graph.cells.slice.fragments import Fragment
from jupyter_graph.cells.source import place
from jupyter_graph.errors import CellError


def ordered(
    items: Iterable[Fragment], finals: Mapping[str, Fragment]
) -> list[Fragment]:
    """Return the pieces in the order they ran, each one below what it needs.

    Args:
        items: the pieces.
        finals: name → the piece whose binding must be the last.

    Raises:
        CellError: two pieces need each other while they are set up, or no order gives
            each piece the names as it found them when it ran.
    """
    waiting = sorted(items, key=_key)
    done: dict[Fragment, None] = {}
    for item in waiting:
        _put(item, done, [])
    _check(list(done), finals)
    return list(done)


def _check(items: Iterable[Fragment], finals: Mapping[str, Fragment]) -> None:
    now: dict[str, Fragment] = {}
    for item in items:
        for name, wanted in item.reads.items():
            _check_one(name, wanted, now.get(name), item)
        now.update(dict.fromkeys(item.binds, item))
    for name, wanted in finals.items():
        _check_one(name, wanted, now.get(name), wanted)


def _check_one(
    name: str, wanted: Fragment, found: Fragment | None, user: Fragment
) -> None:
    both = {wanted.kind, found.kind if found else None}
    if found is wanted or both == {"import"}:
        return
    raise CellError(
        f"{place(user.cell, user.line)} needs {name!r} as "
        f"{place(wanted.cell, wanted.line)} sets it, but the cells ran in an order "
        "that cannot be repeated; restart the kernel and run all cells",
        cell=user.cell,
        line=user.line,
    )


def _key(item: Fragment) -> tuple[float, int, str]:
    return (*item.at, item.text or min(item.binds, default=""))


def _put(item: Fragment, done: dict[Fragment, None], path: list[Fragment]) -> None:
    if item in done:
        return
    if item in path:
        _refuse(path[path.index(item) :])
    for need in sorted(item.needs, key=_key):
        _put(need, done, [*path, item])
    done[item] = None


def _refuse(circle: list[Fragment]) -> None:
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
