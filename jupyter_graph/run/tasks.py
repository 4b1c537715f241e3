"""The asynchronous side of a runner: a task per event, on the right loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.prelude import NOTHING, said_by
from jupyter_graph.errors import RunError
from jupyter_graph.run.deadline import step_in_thread
from jupyter_graph.run.failure import fail, late
from jupyter_graph.run.loop import CallersLoop, Deadlines, LoopThread

if TYPE_CHECKING:
    from jupyter_graph.run.event import Event

GRACE = 1.1  # a caller is let go at the latest after 1.1 times the limit
Work = Coroutine[Any, Any, Any]


class Tasks:
    """Runs the events of an asynchronous graph.

    Args:
        graph: the graph's name, for messages.
        limit_s: seconds an event may take.
        max_in_flight: events that may be inside at once; further ones wait.
        own_loop: a loop in a thread of its own, or the caller's.
    """

    def __init__(
        self, *, graph: str, limit_s: float, max_in_flight: int, own_loop: bool
    ) -> None:
        self.graph = graph
        self.limit_s = limit_s
        self.max_in_flight = max_in_flight
        self.own_loop = own_loop
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._callers: CallersLoop | None = None
        self._limits: dict[
            asyncio.AbstractEventLoop, tuple[Deadlines, asyncio.Semaphore]
        ] = {}

    async def run(self, function: Callable[[Any], Any], it: Any, event: Event) -> Any:
        """Run one event on the loop this coroutine is on."""
        deadlines, slots = self._limits_here()
        task = asyncio.current_task()
        assert task is not None
        async with slots:
            deadlines.add(task)
            try:
                return await function(it)
            except BaseException as error:
                if deadlines.discard(task):
                    task.uncancel()
                    late(said_by(error), event.id, self.graph, self.limit_s)
                fail(error, event.id, self.graph, self.limit_s)
            finally:
                deadlines.discard(task)

    def _limits_here(self) -> tuple[Deadlines, asyncio.Semaphore]:
        loop = asyncio.get_running_loop()
        if loop not in self._limits:
            slots = asyncio.Semaphore(self.max_in_flight)
            self._limits[loop] = Deadlines(self.limit_s), slots
        return self._limits[loop]

    @property
    def thread(self) -> LoopThread:
        """The loop's thread; a new one when a step keeps the old one."""
        with self._lock:
            if self._thread is None or self._thread.is_stuck:
                self._thread = LoopThread(self.limit_s)
            return self._thread

    def wait(self, work: Work, event: Event) -> Any:
        """Run a coroutine on the loop's thread and wait for it."""
        thread = self.thread
        if threading.current_thread() is thread.thread:
            work.close()
            raise RunError(
                f"graph {self.graph!r} is run by one of its own steps; "
                "await runner.arun(...) there"
            )
        future = thread.start(work)
        try:
            return future.result(self.limit_s * GRACE)
        except KeyboardInterrupt:
            future.cancel()
            raise
        except TimeoutError:
            if future.done():
                raise
        step = step_in_thread(thread.thread)
        future.cancel()
        late(step, event.id, self.graph, self.limit_s)

    async def hop(self, work: Work, event: Event) -> Any:
        """Run a coroutine on the right loop and await it from this one."""
        if not self.own_loop:
            if self._callers is None:
                self._callers = CallersLoop(self.limit_s)
            return await work
        thread = self.thread
        if asyncio.get_running_loop() is thread.loop:
            return await work
        future = thread.start(work)
        try:
            async with asyncio.timeout(self.limit_s * GRACE):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise
        late(step_in_thread(thread.thread), event.id, self.graph, self.limit_s)

    def iterated(self, items: AsyncIterator[Any], event: Event) -> Iterator[Any]:
        """Give a stream of the loop's thread to a caller without a loop."""
        while True:
            item = self.wait(self._next(items, event), event)
            if item is NOTHING:
                return
            yield item

    async def _next(self, items: AsyncIterator[Any], event: Event) -> Any:
        try:
            return await anext(items, NOTHING)
        except BaseException as error:
            fail(error, event.id, self.graph, self.limit_s)

    def close(self, last: Callable[[LoopThread], None] | None = None) -> None:
        """End the loop's thread; ``last`` may use it once more."""
        if self._thread is not None:
            if last is not None:
                last(self._thread)
            self._thread.close()
            self._thread = None
        if self._callers is not None:
            self._callers.close()
            self._callers = None
        self._limits.clear()
