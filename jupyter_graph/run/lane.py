"""What the events on one loop share: seats, and a limit of time."""

from __future__ import annotations

import asyncio
from collections import deque

from jupyter_graph.run.loop import Deadlines


class Lane:
    """The seats and the deadlines of the events on one loop.

    A seat that is free is taken without waiting: ``free`` is counted down, and
    ``leave`` counts it up again or hands the seat on. First come, first served.

    Args:
        loop: the loop.
        limit_s: seconds an event may take.
        seats: how many events may be inside at once.
    """

    __slots__ = ("_waiting", "deadlines", "free", "loop")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limit_s: float, seats: int
    ) -> None:
        self.loop = loop
        self.deadlines = Deadlines(limit_s)
        self.free = seats
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Wait for a seat that somebody leaves."""
        future = self.loop.create_future()
        self._waiting.append(future)
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled():
                self.leave()  # the seat came at the moment this caller gave up
            raise

    def leave(self) -> None:
        """Give a seat back."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self.free += 1
