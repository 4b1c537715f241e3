"""Put the pieces of a slice in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.source import place
from jupyter_graph.errors import CellError


def ordered(
    fragments: Iterable[Fragment], finals: Mapping[str, Fragment]
) -> list[Fragment]:
    """Return the pieces in the order they ran, each one below what it needs.

    Args:
        fragments: the pieces.
        finals: name → the piece whose binding must be the last.

    Raises:
        CellError: two pieces need each other while they are set up, or no order gives
            each piece the names as they were when it ran.
    """
    done: dict[Fragment, None] = {}
    for fragment in sorted(fragments, key=_key):
        _put(fragment, done, [])
    _check(list(done), finals)
    return list(done)


def _check(fragments: Iterable[Fragment], finals: Mapping[str, Fragment]) -> None:
    now: dict[str, Fragment] = {}
    for fragment in fragments:
        for name, wanted in fragment.reads.items():
            _check_one(name, wanted, now.get(name), fragment)
        now.update(dict.fromkeys(fragment.binds, fragment))
    for name, wanted in finals.items():
        _check_one(name, wanted, now.get(name), wanted)


def _check_one(
    name: str, wanted: Fragment, current: Fragment | None, user: Fragment
) -> None:
    both = {wanted.kind, current.kind if current else None}
    if current is wanted or both == {"import"}:
        return
    raise CellError(
        f"{place(user.cell, user.line)} needs {name!r} as "
        f"{place(wanted.cell, wanted.line)} sets it, but the cells ran in an order "
        "that cannot be repeated; restart the kernel and run all cells",
        cell=user.cell,
        line=user.line,
    )


def _key(fragment: Fragment) -> tuple[float, int, str]:
    return (*fragment.at, fragment.text or min(fragment.binds, default=""))


def _put(fragment: Fragment, done: dict[Fragment, None], path: list[Fragment]) -> None:
    if fragment in done:
        return
    if fragment in path:
        _refuse(path[path.index(fragment) :])
    for need in sorted(fragment.needs, key=_key):
        _put(need, done, [*path, fragment])
    done[fragment] = None


def _refuse(circle: list[Fragment]) -> None:
    names = [min(fragment.binds, default="?") for fragment in circle]
    places = [
        f"{n!r} ({place(i.cell, i.line)})" for n, i in zip(names, circle, strict=True)
    ]
    raise CellError(
        f"{', '.join(places)} need each other while they are set up; no order of these "
        "lines can run",
        cell=circle[0].cell,
        line=circle[0].line,
    )
