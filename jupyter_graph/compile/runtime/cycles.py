"""Cycles in generated code: loops, not calls inside calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Leap", "counted", "landed", "landed_async"]

COUNTS: Final = "\0iterations"
WHOLE: Final = "\0whole"


def whole(parts: dict[Any, Any]) -> dict[Any, Any]:
    """Return the parts of the whole event, where these are of a stream inside it."""
    of_event: dict[Any, Any] = parts.get(WHOLE, parts)
    return of_event


class Leap:
    """An event on its way back to an earlier step.

    A function returns it instead of calling the earlier function, and ``landed`` goes
    round in a loop: ten thousand rounds are no ten thousand calls inside calls.
    """

    __slots__ = ("it", "place")

    def __init__(self, place: Callable[..., Any], it: Any) -> None:
        self.place = place
        self.it = it

    @staticmethod
    def to(place: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
        """Return the function that leads back to a place."""

        def leap(it: Any, *_: Any) -> Leap:
            return Leap(place, it)

        async def leap_async(it: Any, *_: Any) -> Leap:
            return Leap(place, it)

        return leap_async if is_async else leap


def landed(given: Any, *more: Any) -> Any:
    """Go round until there is an answer, and return it."""
    while type(given) is Leap:
        given = given.place(given.it, *more)
    return given


async def landed_async(given: Any, *more: Any) -> Any:
    """``landed`` in an asynchronous graph."""
    while type(given) is Leap:
        given = await given.place(given.it, *more)
    return given


def counted(parts: dict[Any, Any], name: str, limit: int, event: Any = None) -> None:
    """Count that an event comes to a step of a cycle.

    Args:
        parts: what the event has left so far.
        name: the step.
        limit: how often it may come there.
        event: the event, where the graph's code has it.

    Raises:
        RuntimeError: it came there more often than it may; in MLRun's words where the
            event is known.
    """
    counts = whole(parts).setdefault(COUNTS, {})
    counts[name] = count = counts.get(name, 0) + 1
    if count <= limit:
        return
    what = f"Max iterations exceeded in step {name!r} for event"
    if event is not None:
        raise RuntimeError(f"{what} {event.id}")
    raise RuntimeError(f"{what}: it may come there {limit} times (max_iterations)")
