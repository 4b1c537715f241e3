"""From a caller's loop to the loop that events run on, and back."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from jupyter_graph.run.aio.event_slots import DeadlineWheel
from jupyter_graph.run.event_errors import cancelled_itself
from jupyter_graph.threads.on_loop import BY_US, Work, is_by_us

Sent = tuple[Work, Context, asyncio.Future[Any]]


class LoopBridge:
    """Lets coroutines of one loop await work that runs on the loop of another thread.

    What is sent while the other side is busy goes over together, and comes back
    together: waking a loop of another thread costs more than an event.

    Args:
        here: the loop of those who wait.
        there: the loop on which their work runs.
        limit_s: seconds one of them waits at most.

    Attributes:
        deadlines: the limits of those who wait.
    """

    def __init__(
        self,
        here: asyncio.AbstractEventLoop,
        there: asyncio.AbstractEventLoop,
        limit_s: float,
    ) -> None:
        self.here, self.there = here, there
        self.deadlines = DeadlineWheel(limit_s)
        self._out: deque[Sent] = deque()
        self._back: deque[tuple[asyncio.Future[Any], asyncio.Task[Any]]] = deque()
        self._tasks: dict[asyncio.Future[Any], asyncio.Task[Any]] = {}
        self._has_called = self._is_called = self._is_over = False

    def send(self, work: Work) -> asyncio.Future[Any]:
        """Start the work over there; return what becomes of it over here.

        Raises:
            RuntimeError: the loop over there is closed.
        """
        future = self.here.create_future()
        self._out.append((work, copy_context(), future))
        if not self._has_called:
            self._has_called = True
            try:
                self.there.call_soon_threadsafe(self._begin)
            except RuntimeError:
                self._has_called = False
                self._out.clear()  # only this one, if `end` did not take it
                raise
        if self._is_over:  # asked last: it may have ended since the first line
            raise RuntimeError("Event loop is closed")
        return future

    def cancel(self, future: asyncio.Future[Any]) -> None:
        """Cancel work that nobody waits for any more."""
        future.cancel()
        with suppress(RuntimeError):  # that loop has ended, and the work with it
            self.there.call_soon_threadsafe(self._stop, future)

    def end(self) -> None:
        """The loop over there is closed: cancel what its last turn left undone."""
        self._is_over = True
        left = list(self._tasks)
        while self._out:  # the other thread may be adding to it
            work, _, future = self._out.popleft()
            work.close()
            left.append(future)
        if left:
            with suppress(RuntimeError):  # nobody is there any more
                self.here.call_soon_threadsafe(_cancel, left)

    # -- over there -------------------------------------------------------------

    def _begin(self) -> None:
        self._has_called = False
        while self._out:
            work, context, future = self._out.popleft()
            task = asyncio.Task(work, loop=self.there, context=context)
            self._tasks[future] = task
            task.add_done_callback(partial(self._end, future))

    def _stop(self, future: asyncio.Future[Any]) -> None:
        task = self._tasks.get(future)
        if task is not None:
            task.cancel(BY_US)

    def _end(self, future: asyncio.Future[Any], task: asyncio.Task[Any]) -> None:
        del self._tasks[future]
        self._back.append((future, task))
        if not self._is_called:
            self._is_called = True
            try:
                self.here.call_soon_threadsafe(self._settle)
            except RuntimeError:
                self._back.clear()  # nobody is there any more

    # -- over here --------------------------------------------------------------

    def _settle(self) -> None:
        self._is_called = False
        while self._back:
            future, task = self._back.popleft()
            if future.done():
                if not task.cancelled():
                    task.exception()  # so that nobody misses it
            elif task.cancelled() and is_by_us(task):
                future.cancel()
            elif task.cancelled():
                future.set_exception(cancelled_itself())
            elif (error := task.exception()) is not None:
                future.set_exception(error)
            else:
                future.set_result(task.result())


def _cancel(futures: list[asyncio.Future[Any]]) -> None:
    for future in futures:
        future.cancel()
