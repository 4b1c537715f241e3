"""Items of one stream that overlap: in steps that let several calls in at once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_graph.compile.runtime.collect import gathers, own_parts
from jupyter_graph.compile.runtime.cycles import landed_async
from jupyter_graph.compile.runtime.streams import STREAMS, is_stream, item_of
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    import asyncio

__all__ = ["each_ahead_async"]


class Turn:
    """The place of an item among those of its stream.

    It is alone in the steps that let nobody else in: it begins when the one before is
    in a step that does, and goes on behind such a step when the one before is in the
    next of them, or has ended. So all but these steps see the items in their order.
    """

    __slots__ = ("_before", "_entered", "_has_ended", "_waiting")

    def __init__(self, before: Turn | None) -> None:
        self._before = before
        self._entered = 0
        self._has_ended = False
        self._waiting: list[asyncio.Future[None]] = []

    def enter(self) -> None:
        """Come to a step that lets several in."""
        self._entered += 1
        self._wake()

    def end(self) -> None:
        """Come to the end of the flow, or fail."""
        self._has_ended = True
        self._before = None
        self._wake()

    async def leave(self) -> None:
        """Wait, behind such a step, for the item before."""
        if self._before is not None:
            await self._before.passed(self._entered + 1)

    async def passed(self, count: int) -> None:
        """Wait until this one has come to that many steps which let several in."""
        import asyncio

        while not self._has_ended and self._entered < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


TURN: ContextVar[Turn | None] = ContextVar("jupyter_graph_turn", default=None)
"""The turn of the item that is under way in this task; None for others."""


def in_turn(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of a step that lets several items of a stream in at once."""

    async def in_its_turn(*args: Any) -> Any:
        turn = TURN.get()
        if turn is None:
            return await call(*args)
        turn.enter()
        result = await call(*args)
        await turn.leave()
        return result

    return in_its_turn


async def each_ahead_async(
    items: Any, place: Any, keeps: Any, event: Any, ahead: int, *more: Any
) -> AsyncIterator[Any]:
    """As ``each_async``, with so many items under way; what comes of them in order."""
    import asyncio

    under_way: deque[_Item] = deque()
    pulled: asyncio.Task[Any] | None = None
    last: Turn | None = None
    has_more, broken = True, None
    try:
        while True:
            if pulled is None and len(under_way) < ahead and has_more:
                pulled = asyncio.ensure_future(_next(items, last))
            waited = [task for task in (_first(under_way), pulled) if task is not None]
            if not waited:
                break
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if (first := _first(under_way)) is not None and first.done():
                item = under_way.popleft()
                async for one in _come_of(item, keeps):
                    yield one
                item.gather()
            elif pulled is not None:
                found, broken = _found(pulled)
                pulled, has_more = None, found is not NOTHING
                if has_more:
                    last = Turn(last)
                    under_way.append(_begun(last, found, place, keeps, event, *more))
    finally:
        for item in under_way:
            item.task.cancel()
        if pulled is not None:
            pulled.cancel()
            await asyncio.wait([pulled])  # it may be inside of ``items``
        await items.aclose()
    if broken is not None:
        raise broken  # in its place, behind the items before it


class _Item(NamedTuple):
    """An item under way: its task, what is the answer of it, and what ends it."""

    task: asyncio.Task[Any]
    kept: Any
    gather: Callable[[], None]


def _first(under_way: deque[_Item]) -> asyncio.Task[Any] | None:
    return under_way[0].task if under_way else None


def _begun(
    turn: Turn, item: Any, place: Any, keeps: Any, event: Any, *more: Any
) -> _Item:
    """Let an item begin its way, with its own copy of what items leave behind."""
    kept = None if keeps is None else keeps[0](item)
    parts = own_parts(more)
    work = _through(turn, place, item_of(event, item), *parts)
    return _Item(_started(turn, work), kept, gathers(more, parts))


def _found(pulled: asyncio.Task[Any]) -> tuple[Any, BaseException | None]:
    """Return the item that was pulled, or ``NOTHING`` and what broke the stream off."""
    try:
        return pulled.result(), None
    except BaseException as error:
        return NOTHING, error


async def _next(items: Any, last: Turn | None) -> Any:
    """Return the next item once the last one lets it come, ``NOTHING`` at the end."""
    if last is not None:
        await last.passed(1)
    return await anext(items, NOTHING)


def _started(turn: Turn, work: Any) -> asyncio.Task[Any]:
    import asyncio

    context = copy_context()
    context.run(TURN.set, turn)
    task = asyncio.get_running_loop().create_task(work, context=context)
    task.add_done_callback(_look_at)
    return task


def _look_at(task: asyncio.Task[Any]) -> None:
    """Read a failure that an earlier item's hides, so that nobody misses it."""
    if not task.cancelled():
        task.exception()


async def _through(turn: Turn, place: Any, it: Any, *more: Any) -> Any:
    try:
        return await landed_async(await place(it, *more), *more)
    finally:
        turn.end()


async def _come_of(item: _Item, keeps: Any) -> AsyncIterator[Any]:
    """Yield what came of an item; a failure behind an answer is noted."""
    try:
        given = item.task.result()
        if keeps is not None and is_stream(given):
            async for _ in given:
                pass
    except BaseException as error:
        if keeps is None:
            raise
        keeps[1](error)
    if keeps is not None:
        yield item.kept
    elif is_stream(given):
        async for inner in given:
            yield inner
    elif given is not NOTHING:
        yield given


STREAMS.add(each_ahead_async.__code__)
