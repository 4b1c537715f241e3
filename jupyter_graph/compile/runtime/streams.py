"""Streams: the items of a generator step, sent on one by one."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from jupyter_graph.compile.failing_step import NAMING, tag
from jupyter_graph.compile.runtime.cycles import landed, landed_async
from jupyter_graph.compile.runtime.event_paths import put_path, same_event
from jupyter_graph.types import NOTHING, Nothing

__all__ = [
    "Several", "bodies", "bodies_async", "drain", "drain_async", "each", "each_async",
    "first_body", "is_stream", "items_of", "one_of", "placed", "placed_async",
    "several", "several_async", "stream", "stream_async",
]  # fmt: skip


def stream(items: Any, name: str) -> Iterator[Any]:
    """Pass a step's items through; a failure in their midst is that step's."""
    try:
        while True:
            try:
                item = next(items, NOTHING)
            except BaseException as error:
                tag(error, name)
                raise
            if item is NOTHING:
                return
            yield item
    finally:
        _close(items)


async def stream_async(items: Any, name: str) -> AsyncIterator[Any]:
    """As ``stream``, for generators and asynchronous generators."""
    is_async = hasattr(items, "__anext__")
    try:
        while True:
            try:
                if is_async:
                    item = await anext(items, NOTHING)
                else:
                    item = next(items, NOTHING)
            except BaseException as error:
                tag(error, name)
                raise
            if item is NOTHING:
                return
            yield item
    finally:
        if is_async:
            await items.aclose()
        else:
            _close(items)


def items_of(body: Any) -> Any:
    """Return a generator for the body of a step that streams, even where it did not."""
    if hasattr(body, "__anext__") or hasattr(body, "gi_running"):
        return body
    return (item for item in (body,))


def each(items: Any, place: Any, keeps: Any, event: Any, *more: Any) -> Iterator[Any]:
    """Send each item of a stream on; yield what comes of it at the end.

    Args:
        items: the stream.
        place: the generated function that an item goes on in.
        keeps: where the items themselves are the answer what copies one, and what notes
            a failure of the steps behind; else None.
        event: what the items belong to, in graphs that take events.
        *more: what else ``place`` takes.
    """
    try:
        for item in items:
            it = item_of(event, item)
            if keeps is not None:
                kept = keeps[0](item)
                _behind(place, it, keeps[1], *more)
                yield kept
                continue
            given = landed(place(it, *more), *more)
            if is_stream(given):
                yield from given  # a step further on gave several for this one
            elif given is not NOTHING:
                yield given
    finally:
        items.close()


async def each_async(
    items: Any, place: Any, keeps: Any, event: Any, *more: Any
) -> AsyncIterator[Any]:
    """As ``each``, for asynchronous graphs."""
    try:
        async for item in items:
            it = item_of(event, item)
            if keeps is not None:
                kept = keeps[0](item)
                await _behind_async(place, it, keeps[1], *more)
                yield kept
                continue
            given = await landed_async(await place(it, *more), *more)
            if is_stream(given):
                async for inner in given:
                    yield inner
            elif given is not NOTHING:
                yield given
    finally:
        await items.aclose()


def _behind(place: Any, it: Any, noted: Any, *more: Any) -> None:
    """Go on behind an item that is an answer already; a failure is noted."""
    try:
        given = landed(place(it, *more), *more)
        if is_stream(given):
            drain(given)
    except BaseException as error:
        noted(error)


async def _behind_async(place: Any, it: Any, noted: Any, *more: Any) -> None:
    """As ``_behind``, in an asynchronous graph."""
    try:
        given = await landed_async(await place(it, *more), *more)
        if is_stream(given):
            await drain_async(given)
    except BaseException as error:
        noted(error)


def placed(
    items: Any, body: Any, path: str, name: str, copy_body: Callable[[Any], Any]
) -> Iterator[Any]:
    """Put each item into a body of its own, at a path."""
    try:
        for item in items:
            yield _placed(item, body, path, name, copy_body)
    finally:
        items.close()


async def placed_async(
    items: Any, body: Any, path: str, name: str, copy_body: Callable[[Any], Any]
) -> AsyncIterator[Any]:
    """As ``placed``, for asynchronous graphs."""
    try:
        async for item in items:
            yield _placed(item, body, path, name, copy_body)
    finally:
        await items.aclose()


def _placed(
    item: Any, body: Any, path: str, name: str, copy_body: Callable[[Any], Any]
) -> Any:
    try:
        return put_path(copy_body(body), path, item)
    except TypeError as error:
        tag(error, name)
        raise


def bodies(events: Any, name: str) -> Iterator[Any]:
    """Yield the bodies of the events that a full-event generator gives."""
    for event in events:
        yield same_event(event, name).body


async def bodies_async(events: Any, name: str) -> AsyncIterator[Any]:
    """As ``bodies``, for generators and asynchronous generators."""
    if not hasattr(events, "__anext__"):
        for event in events:
            yield same_event(event, name).body
        return
    async for event in events:
        yield same_event(event, name).body


NAMING |= {stream.__code__, stream_async.__code__}
STREAMS = {
    function.__code__
    for function in (
        stream, each, placed,
        stream_async, each_async, placed_async,
    )
}  # fmt: skip
"""What a stream of ours is made by; any other generator is a body like others."""


def is_stream(value: Any) -> bool:
    """Tell whether something is a stream of ours."""
    kind = type(value)
    if kind is GeneratorType:
        return value.gi_code in STREAMS
    return kind is AsyncGeneratorType and value.ag_code in STREAMS


# -- several events at once -----------------------------------------------------


class Several:
    """The events that a storey step sent on for one event; never just one."""

    __slots__ = ("events",)

    def __init__(self, events: list[Any]) -> None:
        self.events = events

    @property
    def first(self) -> Any:
        return self.events[0].body if self.events else NOTHING


def one_of(given: Any) -> Any:
    """Return the one event that goes on, of several the first."""
    return given.events[0] if type(given) is Several else given


def events_of(found: Any) -> list[Any]:
    """Return the events that a storey step gave, which may be none, one or several.

    >>> events_of(NOTHING), events_of(Several([1, 2])), events_of(3)
    ([], [1, 2], [3])
    """
    if found is NOTHING:
        return []
    return found.events if type(found) is Several else [found]


def first_body(found: Any) -> Any:
    """Return the body of the first event that a storey step gave, if any."""
    return next((event.body for event in events_of(found)), NOTHING)


def several(events: Several, place: Any, *more: Any) -> Any:
    """Send each event on; the first answer is the answer, as in MLRun."""
    answer: Any = NOTHING
    for event in events.events:
        given = landed(place(event, *more), *more)
        answer = given if answer is NOTHING else answer
    return answer


async def several_async(events: Several, place: Any, *more: Any) -> Any:
    """As ``several``, for asynchronous graphs."""
    answer: Any = NOTHING
    for event in events.events:
        given = await landed_async(await place(event, *more), *more)
        answer = given if answer is NOTHING else answer
    return answer


def _close(items: Any) -> None:
    """Let a generator clean up, unless a thread that was left behind is inside it."""
    if not items.gi_running:
        items.close()


def item_of(event: Any, item: Any) -> Any:
    """Return what goes on for an item: itself, or an event of its own."""
    if event is None:
        return item
    own = copy.copy(event)
    own.body = item
    return own


def drain(items: Iterator[Any]) -> Nothing:
    """Run a stream to its end for its effects alone."""
    for _ in items:
        pass
    return NOTHING


async def drain_async(items: AsyncIterator[Any]) -> Nothing:
    """As ``drain``, for asynchronous graphs."""
    async for _ in items:
        pass
    return NOTHING
