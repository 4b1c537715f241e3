"""What the events on one loop share: slots, and a limit of time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from jupyter_graph.errors import NoSeatError
from jupyter_graph.run.aio.asyncio_private import current_task
from jupyter_graph.run.aio.fair_lock import awaited_place

Bucket = dict[int, asyncio.Task[Any]]


class DeadlineWheel:
    """Cancels tasks whose time is up; one timer for all tasks of a loop.

    All have the same limit. Work goes into the bucket of what began since the timer's
    last tick, and out of it when it is done: nobody asks for the time. A bucket's time
    is up one limit after its last work can have begun, so each piece of work has its
    limit and at most two ticks more. A task that takes no notice is cancelled again.

    Args:
        limit_s: seconds a piece of work may take.
    """

    __slots__ = ("_expired", "_old", "is_ticking", "last", "limit_s", "tick_s", "young")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.tick_s = max(0.002, limit_s / 50)
        self.is_ticking = False
        self.last = 0
        self.young: Bucket = {}
        self._old: deque[tuple[float, Bucket]] = deque()
        self._expired: dict[int, _Late] = {}

    def add(self, task: asyncio.Task[Any]) -> tuple[Bucket, int]:
        """Begin: from now on the task has its time; return where that is noted."""
        if not self.is_ticking:
            self.tick()
        self.last += 1
        self.young[self.last] = task
        return self.young, self.last

    def discard(self, bucket: Bucket, number: int) -> bool:
        """End; tell whether the time was up and nobody else cancelled the task."""
        if bucket.pop(number, None) is not None or number not in self._expired:
            return False
        late = self._expired.pop(number)
        # Each of our cancels is taken back, so that what is left over in `cancelling`
        # is somebody else's: then the caller gets CancelledError, not a deadline.
        for _ in range(late.cancels):
            late.task.uncancel()
        return not late.task.cancelling()

    def tick(self) -> None:
        """Look again after a while."""
        self.is_ticking = True
        asyncio.get_running_loop().call_later(self.tick_s, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for late in self._expired.values():
            late.cancel()
        if self.young:
            self._old.append((now + self.limit_s, self.young))
            self.young = {}
        # Buckets are in the order of their ends, since all have the same limit.
        while self._old and self._old[0][0] <= now:
            _, bucket = self._old.popleft()
            for number, task in bucket.items():
                self._expired[number] = late = _Late(task)
                late.cancel()
            bucket.clear()
        self._old = deque(pair for pair in self._old if pair[1])
        self.is_ticking = False
        if self._old or self._expired:
            self.tick()


class _Late:
    """A task whose time is up, and how often it was cancelled."""

    __slots__ = ("cancels", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.cancels = 0

    def cancel(self) -> None:
        self.cancels += 1
        self.task.cancel()


class EventSlots(DeadlineWheel):
    """The slots and the deadlines of the events on one loop.

    A slot that is free is taken without waiting: ``free`` is counted down, and
    ``leave`` counts it up again or passes the slot on. First come, first served.

    Args:
        loop: the loop.
        limit_s: seconds an event may take.
        slots: how many events may be inside at once.
    """

    __slots__ = ("free", "loop", "waiting")

    get_loop = staticmethod(asyncio.get_running_loop)
    get_task = staticmethod(current_task)

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limit_s: float, slots: int
    ) -> None:
        super().__init__(limit_s)
        self.loop = loop
        self.free = slots
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Wait for a slot that somebody leaves.

        Raises:
            NoSeatError: nobody left one within the time of an event.
        """
        task = self.get_task(self.loop)
        # The wait has the time of an event; a slot that comes too late is passed on.
        place, future = self.add(task), self.loop.create_future()
        self.waiting.append(future)
        try:
            await awaited_place(future, self.leave)
        except asyncio.CancelledError:
            if self.discard(*place):
                raise NoSeatError(self.limit_s) from None
            raise
        finally:
            self.discard(*place)

    def leave(self) -> None:
        """Leave a slot; who waits longest gets it."""
        # `free` stays as it is where somebody waits: whoever comes just now must not
        # overtake him.
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self.free += 1
