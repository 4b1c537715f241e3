"""Cycles in generated code: loops, not calls inside calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

COUNTS: Final = "\0iterations"


class Leap:
    """An event on its way back: whoever waits for the answer takes it there."""

    __slots__ = ("it", "place")

    def __init__(self, place: Callable[..., Any], it: Any) -> None:
        self.place = place
        self.it = it

    @staticmethod
    def to(place: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
        """Give the function that leads back to a place."""

        def leap(it: Any, *_: Any) -> Leap:
            return Leap(place, it)

        async def leap_async(it: Any, *_: Any) -> Leap:
            return Leap(place, it)

        return leap_async if is_async else leap


def landed(found: Any, *more: Any) -> Any:
    """Go round until an answer comes of it."""
    while type(found) is Leap:
        found = found.place(found.it, *more)
    return found


async def landed_async(found: Any, *more: Any) -> Any:
    """``landed`` in an asynchronous graph."""
    while type(found) is Leap:
        found = await found.place(found.it, *more)
    return found


def counted(parts: dict[Any, Any], name: str, limit: int) -> None:
    """Count that an event comes to a step of a cycle.

    Raises:
        RuntimeError: it came there more often than it may.
    """
    counts = parts.setdefault(COUNTS, {})
    counts[name] = count = counts.get(name, 0) + 1
    if count > limit:
        raise RuntimeError(
            f"Max iterations exceeded in step {name!r} for event: it may come there "
            f"{limit} times (max_iterations)"
        )
