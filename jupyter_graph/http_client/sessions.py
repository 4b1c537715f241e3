"""Connections kept open: one pool for each event loop, closed with the loop."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aiohttp import ClientSession

Holder: TypeAlias = "AsyncGenerator[ClientSession, None]"


class HttpPool:
    """One session for each event loop; a loop that ends closes its own.

    A session belongs to the loop it was opened on. It is held by an asynchronous
    generator, which every loop closes at its end, and ``close`` before that. Safe
    from several threads.

    Args:
        make: opens a session on the calling loop.
    """

    def __init__(self, make: Callable[[], ClientSession]) -> None:
        self._make = make
        self._open: dict[AbstractEventLoop, tuple[ClientSession, Holder]] = {}
        self._lock = threading.Lock()

    async def session(self) -> ClientSession:
        """Return the session of this loop, opened by its first request."""
        import asyncio

        from jupyter_graph.threads.on_loop import put_by_loop

        loop = asyncio.get_running_loop()
        known = self._open.get(loop)
        if known is not None and not known[0].closed:
            return known[0]
        # asyncio closes the asynchronous generators of a loop that ends, so this
        # session is closed on its own loop, even without a call of close()
        holder = _hold(self._make)
        session = await anext(holder)
        with self._lock:
            put_by_loop(self._open, loop, (session, holder))
        return session

    def close(self) -> None:
        """Close all connections; a loop that is at work now closes its own soon."""
        with self._lock:
            opened, self._open = self._open, {}
        for loop, (_, holder) in opened.items():
            if not loop.is_closed():
                _close_on(loop, holder)


async def _hold(make: Callable[[], ClientSession]) -> Holder:
    session = make()
    try:
        yield session
    finally:
        await session.close()


def _close_on(loop: AbstractEventLoop, holder: Holder) -> None:
    import asyncio

    async def close() -> None:
        await holder.aclose()

    if loop.is_running():
        asyncio.run_coroutine_threadsafe(close(), loop)
        return
    try:
        asyncio.get_running_loop()  # two loops cannot run in one thread
    except RuntimeError:
        loop.run_until_complete(close())
