"""Streams that become one body again, at the steps that collect them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from jupyter_graph.compile.failing_step import failed_step, is_interrupt, tag
from jupyter_graph.compile.runtime.cycles import WHOLE, landed, landed_async
from jupyter_graph.compile.runtime.streams import (
    STREAMS,
    drain,
    drain_async,
    is_stream,
    item_of,
)
from jupyter_graph.types import NOTHING

__all__ = [
    "collect", "collect_async", "collected", "collecting", "collection", "is_collected",
    "until_collected", "until_collected_async",
]  # fmt: skip

COLLECTED: Final = "\0collected"


class _Kept:
    """What a collector has kept of the stream that is under way."""

    __slots__ = ("broken", "items")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.broken: list[Any] = []


def collection(parts: dict[Any, Any], collectors: tuple[Any, ...]) -> dict[Any, Any]:
    """Return the parts of the items of a stream that these steps collect.

    They are those of the whole event, with lists that no other event comes to.
    """
    own = parts if WHOLE in parts else {WHOLE: parts}
    return own | {(COLLECTED, id(one)): _Kept() for one in collectors}


def own_parts(more: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the parts of one item of a stream whose items overlap.

    What its steps keep for a collector is in lists of its own, since others may come to
    it meanwhile.
    """
    if not more:
        return more
    parts = more[0]
    own = {key: _Kept() for key in parts if type(key) is tuple and key[0] == COLLECTED}
    return ({**parts, **own},) if own else more


def gathers(more: tuple[Any, ...], own: tuple[Any, ...]) -> Callable[[], None]:
    """Return what adds the kept items of ``own`` parts to those of the stream."""

    def gather() -> None:
        for key in own[0] if own is not more else ():
            if type(key) is tuple and key[0] == COLLECTED and key in more[0]:
                more[0][key].items.extend(own[0][key].items)

    return gather


def break_off(error: Exception, parts: dict[Any, Any], collectors: Any) -> None:
    """Let the collectors decide what stands for a stream that breaks off, or raise."""
    if is_interrupt(error):
        raise error
    tag(error, failed_step(error), first=True)
    for one in collectors:
        parts[COLLECTED, id(one)].broken = [one.failed(error)]


def is_collected(collector: Any, parts: dict[Any, Any]) -> bool:
    """Tell whether these are the parts of a stream to a step that collects it."""
    return (COLLECTED, id(collector)) in parts


def collecting(collector: Any, it: Any, parts: dict[Any, Any]) -> bool:
    """Keep an item of a stream that is being collected; False for other bodies."""
    kept = parts.get((COLLECTED, id(collector)))
    if kept is None:
        return False
    kept.items.append(it)
    return True


def collected(collector: Any, event: Any, parts: dict[Any, Any]) -> Any:
    """Return the body (or event) that stands for all items of a stream."""
    kept = parts.pop((COLLECTED, id(collector)))
    if kept.broken:
        [body] = kept.broken
    else:
        items = kept.items
        body = collector.collect(
            items if event is None else [item.body for item in items]
        )
    return body if event is None else item_of(event, body)


def collect(items: Any, collectors: Any, end: Any, it: Any, parts: Any) -> Any:
    """Send all items on to the steps that collect them; then these go on.

    Args:
        items: what sends them on.
        collectors: the steps that keep what comes to them.
        end: sends on what they kept and gives the answer.
        it: the body (or event) whose stream it is.
        parts: what ``collection`` gave for it.
    """
    try:
        drain(items)
    except Exception as error:
        break_off(error, parts, collectors)
    return end(it, parts)


async def collect_async(
    items: Any, collectors: Any, end: Any, it: Any, parts: Any
) -> Any:
    """As ``collect``, for asynchronous graphs."""
    try:
        await drain_async(items)
    except Exception as error:
        break_off(error, parts, collectors)
    return await end(it, parts)


def until_collected(
    items: Any, collectors: Any, end: Any, it: Any, parts: Any
) -> Iterator[Any]:
    """As ``collect``, where the answer is what becomes of the items."""
    try:
        yield from items
    except Exception as error:
        break_off(error, parts, collectors)
    answer = landed(end(it, parts), parts)
    if is_stream(answer):
        yield from answer
    elif answer is not NOTHING:
        yield answer


async def until_collected_async(
    items: Any, collectors: Any, end: Any, it: Any, parts: Any
) -> AsyncIterator[Any]:
    """As ``until_collected``, for asynchronous graphs."""
    try:
        async for item in items:
            yield item
    except Exception as error:
        break_off(error, parts, collectors)
    answer = await landed_async(await end(it, parts), parts)
    if is_stream(answer):
        async for item in answer:
            yield item
    elif answer is not NOTHING:
        yield answer


STREAMS |= {until_collected.__code__, until_collected_async.__code__}
