"""Values that ship beside the code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_PARTS = 10_000


@dataclass(frozen=True)
class CapturedValue:
    """A value that ships beside the code.

    Args:
        name: the name it is loaded under.
        value: the live value.
        cell: number of the cell that set it; None when no cell did.
        line: the line that set it.
    """

    name: str
    value: Any
    cell: int | None
    line: int | None


def shippable(value: Any) -> Any:
    """Return a value as it ships: what ``files = !ls`` makes as a plain list."""
    owner = type(value)
    if owner.__name__ == "SList" and owner.__module__ == "IPython.utils.text":
        return list(value)
    return value


def size_of(value: Any) -> str:
    """Return about how much memory a value takes, in readable units.

    Large containers are measured by a part of their items.

    >>> size_of(b"x" * 4_000_000)
    '4.0 MB'
    """
    size: float = _bytes(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _bytes(value: Any) -> int:
    total, count = 0, 0
    seen: set[int] = set()
    waiting = [value]
    while waiting and count < MOST_PARTS:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, type):
            continue
        seen.add(id(part))
        count += 1
        total += _own_bytes(part)
        waiting += list(_parts(part))
    return total


def _own_bytes(part: Any) -> int:
    own = getattr(part, "nbytes", None)  # arrays of every library
    if isinstance(own, int):
        return own
    usage = getattr(part, "memory_usage", None)  # pandas
    try:
        if callable(usage):
            size = usage(deep=True)
            return int(size if isinstance(size, int) else size.sum())
        return sys.getsizeof(part)
    except Exception:  # a foreign object may do anything
        return 0


def _parts(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        yield from part.keys()
        yield from part.values()
    elif isinstance(part, list | tuple | set | frozenset):
        yield from part
    elif type(part).__module__.partition(".")[0] not in ("numpy", "pandas"):
        yield from getattr(part, "__dict__", {}).values()
