"""Lists that a ``FlatMap`` of storey's gives: sent on, and gathered again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from jupyter_graph.compile.runtime.collect import break_off
from jupyter_graph.compile.runtime.cycles import landed, landed_async
from jupyter_graph.compile.runtime.overlap import each_ahead_async
from jupyter_graph.compile.runtime.streams import each_async, events_of, is_stream
from jupyter_graph.types import NOTHING

__all__ = ["gather_list", "gather_list_async", "several_ahead_async"]


def gather_list(
    found: Any, place: Any, collectors: Any, end: Any, it: Any, parts: Any
) -> Any:
    """As ``collect``, for the events that a storey step gave at once.

    The first answer that one of them gives is the answer.
    """
    answer: Any = NOTHING
    try:
        for event in events_of(found):
            given = landed(place(event, parts), parts)
            if is_stream(given):  # of a generator in between
                given = next(iter(list(given)), NOTHING)
            answer = given if answer is NOTHING else answer
    except Exception as error:
        break_off(error, parts, collectors)
    given = end(it, parts)
    if answer is NOTHING:
        return given
    landed(given, parts)
    return answer


async def gather_list_async(
    found: Any, place: Any, collectors: Any, end: Any, it: Any, ahead: int, parts: Any
) -> Any:
    """As ``gather_list``, for asynchronous graphs; so many events overlap."""
    answer: Any = NOTHING
    try:
        answer = await several_ahead_async(found, place, ahead, parts)
    except Exception as error:
        break_off(error, parts, collectors)
    given = await end(it, parts)
    if answer is NOTHING:
        return given
    await landed_async(given, parts)
    return answer


async def several_ahead_async(found: Any, place: Any, ahead: int, *more: Any) -> Any:
    """Send each event on, so many at once; the first answer is the answer."""
    answer: Any = NOTHING
    events = _one_by_one(found)
    if ahead > 1:
        given = each_ahead_async(events, place, None, None, ahead, *more)
    else:
        given = each_async(events, place, None, None, *more)
    async for one in given:
        answer = one if answer is NOTHING else answer
    return answer


async def _one_by_one(found: Any) -> AsyncIterator[Any]:
    for event in events_of(found):
        yield event
