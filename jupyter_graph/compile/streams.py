"""Streams: the items of a generator step, sent on one by one."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_graph.compile.blame import is_interrupt, tag
from jupyter_graph.compile.cycles import landed, landed_async
from jupyter_graph.types import NOTHING, Nothing


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
    """Give a generator for the body of a step that streams, even where it did not."""
    if hasattr(body, "__anext__") or hasattr(body, "gi_running"):
        return body
    return (item for item in (body,))


def each(items: Any, place: Any, keeps: bool, event: Any, *more: Any) -> Iterator[Any]:
    """Send each item of a stream on; give what comes out at the end."""
    try:
        for item in items:
            found = landed(place(_item(event, item), *more), *more)
            if keeps:
                yield item
            elif getattr(found, "gi_code", None) in STREAMS:
                yield from found  # a step further on gave several for this one
            elif found is not NOTHING:
                yield found
    finally:
        items.close()


async def each_async(
    items: Any, place: Any, keeps: bool, event: Any, *more: Any
) -> AsyncIterator[Any]:
    """As ``each``, for asynchronous graphs."""
    try:
        async for item in items:
            found = await place(_item(event, item), *more)
            found = await landed_async(found, *more)
            if keeps:
                yield item
            elif getattr(found, "ag_code", None) in STREAMS:
                async for inner in found:
                    yield inner
            elif found is not NOTHING:
                yield found
    finally:
        await items.aclose()


STREAMS = (
    stream.__code__,
    each.__code__,
    stream_async.__code__,
    each_async.__code__,
)
"""What a stream of ours is made by; any other generator is a body like another."""


# -- streams that become one body again -----------------------------------------


COLLECTED = "\0collected"


@contextmanager
def collection(parts: dict[Any, Any], collectors: tuple[Any, ...]) -> Iterator[None]:
    """Let these steps keep what comes to them, until the stream has ended."""
    kept: dict[Any, list[Any]] = {id(one): [] for one in collectors}
    parts[COLLECTED] = kept
    try:
        yield
    except Exception as error:
        if is_interrupt(error):
            raise
        for one in collectors:
            kept[id(one)] = [_Failed(one.failed(error))]


class _Failed:
    """Stands for a stream that broke off."""

    def __init__(self, body: Any) -> None:
        self.body = body


def collecting(collector: Any, it: Any, parts: dict[Any, Any]) -> bool:
    """Keep an item of a stream that is being collected; False for other bodies."""
    kept = parts.get(COLLECTED)
    if kept is None:
        return False
    kept[id(collector)].append(it)
    return True


def collected(collector: Any, event: Any, parts: dict[Any, Any]) -> Any:
    """Give the body (or event) that stands for all items of a stream."""
    kept = parts[COLLECTED].pop(id(collector))
    if not parts[COLLECTED]:
        del parts[COLLECTED]
    if kept and type(kept[0]) is _Failed:
        body = kept[0].body
    else:
        body = collector.collect(
            kept if event is None else [item.body for item in kept]
        )
    return body if event is None else _item(event, body)


# -- several events at once -----------------------------------------------------


class Several:
    """The events that a storey step sent on for one event; never just one."""

    __slots__ = ("events",)

    def __init__(self, events: list[Any]) -> None:
        self.events = events

    @property
    def first(self) -> Any:
        return self.events[0].body if self.events else NOTHING


def several(found: Several, place: Any, *more: Any) -> Any:
    """Send each event on; the first answer is the answer, as in MLRun."""
    answer: Any = NOTHING
    for event in found.events:
        given = landed(place(event, *more), *more)
        answer = given if answer is NOTHING else answer
    return answer


async def several_async(found: Several, place: Any, *more: Any) -> Any:
    """As ``several``, for asynchronous graphs."""
    answer: Any = NOTHING
    for event in found.events:
        given = await landed_async(await place(event, *more), *more)
        answer = given if answer is NOTHING else answer
    return answer


def _close(items: Any) -> None:
    """Let a generator clean up, unless a thread that was left behind is inside it."""
    if not items.gi_running:
        items.close()


def _item(event: Any, item: Any) -> Any:
    if event is None:
        return item
    twin = copy.copy(event)
    twin.body = item
    return twin


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
