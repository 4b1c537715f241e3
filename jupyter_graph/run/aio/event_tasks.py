"""The asynchronous side of a runner: a task per event, on the right loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_graph.compile.failing_step import (
    failed_step,
    is_cancelled,
    step_awaited,
    tasks_below,
)
from jupyter_graph.errors import RunError
from jupyter_graph.run.aio.asyncio_private import running_loop
from jupyter_graph.run.aio.event_slots import EventSlots
from jupyter_graph.run.aio.loop_thread import CallersLoop, LoopThread
from jupyter_graph.run.deadline.step_threads import step_in_thread
from jupyter_graph.run.event_errors import cancelled_itself, closed, fail, late
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.on_loop import BY_US, OnLoop, Work, put_by_loop
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.event import Event

LAST_S = 0.02
GRACE = 1.1  # a caller waits at most 1.1 times the limit
HOP_GRACE = 1.06  # the ticks of its deadline come on top


class EventTasks:
    """Runs the events of an asynchronous graph.

    Args:
        graph: the graph's name, for messages.
        limit_s: seconds an event may take.
        max_in_flight: events that may be inside at once; further ones wait.
        own_loop: a loop in a thread of its own, or the caller's.

    Attributes:
        lender: a loop of a caller's on which the events of its coroutines run.
        callers_slots: the slots of the caller's loop, once that is watched.
    """

    def __init__(
        self, *, graph: str, limit_s: float, max_in_flight: int, own_loop: bool
    ) -> None:
        self.graph = graph
        self.limit_s = limit_s
        self.max_in_flight = max_in_flight
        self.own_loop = own_loop
        self.lender: asyncio.AbstractEventLoop | None = None
        self._lock = threading.RLock()  # a handler of the user's may close it
        self._is_over = False
        self._thread: LoopThread | None = None
        self._callers: CallersLoop | None = None
        self._running: dict[Event, asyncio.Task[Any]] = {}
        self._slots_of: dict[asyncio.AbstractEventLoop, EventSlots] = {}
        self._slots: EventSlots | None = None
        self.callers_slots: EventSlots | None = None

    # -- on the loop ------------------------------------------------------------

    async def run(self, function: Callable[[Any], Any], it: Any, event: Event) -> Any:
        """Run one event on the loop this coroutine is on."""
        slots = self._slots
        if slots is None or slots.loop is not asyncio.get_running_loop():
            slots = self._slots_here()
        if slots.free:
            slots.free -= 1
        else:
            await slots.wait()
        task = asyncio.current_task()
        assert task is not None
        self._running[event] = task
        place = slots.add(task)
        try:
            return await function(it)
        except BaseException as error:
            was_late = slots.discard(*place)
            if not was_late and self.own_loop and slots.loop is not self.lender:
                take_back_own_cancels(task, error)
            self.failed(error, was_late, event)
        finally:
            slots.discard(*place)
            self._running.pop(event, None)
            slots.leave()

    def failed(
        self, error: BaseException, is_late: bool, event: Event | None = None
    ) -> NoReturn:
        """Raise what the caller gets for what ended an event."""
        event_id = event.id if event is not None else None
        if is_late:
            late(failed_step(error), event_id, self.graph, self.limit_s)
        fail(error, event_id, self.graph, self.limit_s)

    async def _next(self, items: AsyncIterator[Any], event: Event) -> Any:
        """Return the next item of a stream, within the time of an event."""
        task = asyncio.current_task()
        assert task is not None
        slots = self._slots_here()
        self._running[event] = task
        place = slots.add(task)
        try:
            return await anext(items, NOTHING)
        except BaseException as error:
            self.failed(error, slots.discard(*place), event)
        finally:
            slots.discard(*place)
            self._running.pop(event, None)

    def _slots_here(self) -> EventSlots:
        loop = asyncio.get_running_loop()
        slots = self._slots_of.get(loop)
        if slots is None:
            # Callers on the loops of several threads may come here at once.
            with uninterrupted(), self._lock:
                slots = EventSlots(loop, self.limit_s, self.max_in_flight)
                put_by_loop(self._slots_of, loop, slots)
        self._slots = slots
        return slots

    # -- from elsewhere ---------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that events run on, None before the first."""
        if self.own_loop:
            thread = self._thread  # asked for once: another thread may close it
            return thread.loop if thread is not None else None
        callers = self._callers
        return callers.loop if callers is not None else None

    def submit(self, work: Work, *, here: bool = False) -> OnLoop:
        """Run a coroutine on the loop that events run on, without waiting for it.

        Args:
            work: the coroutine.
            here: on the calling loop, where events of its coroutines run on that.
        """
        loop = running_loop() if here else None
        if loop is None or not self._runs_on(loop):
            if self.own_loop:
                return self.thread.start(work)
            loop = self.loop
        if loop is None or loop.is_closed():
            work.close()
            raise closed(self.graph)
        begun = OnLoop(loop, work)
        begun.start()
        return begun

    def is_here(self) -> bool:
        """Tell whether the calling thread is the one that runs the events' loop."""
        thread = self._thread
        if thread is not None and threading.current_thread() is thread.thread:
            return True
        loop = self.loop
        return loop is not None and running_loop() is loop

    @property
    def is_busy(self) -> bool:
        """Whether an event is on a loop of these."""
        all_slots = list(self._slots_of.values())
        return bool(self._running) or any(
            slots.free < self.max_in_flight for slots in all_slots
        )

    @property
    def has_thread(self) -> bool:
        """Whether there is a loop of its own so far."""
        return self._thread is not None

    @property
    def thread(self) -> LoopThread:
        """The loop's thread; a new one when a step keeps the old one."""
        with uninterrupted(), self._lock:
            if self._is_over:
                raise closed(self.graph)
            if self._thread is None or self._thread.is_stuck:
                self._thread = LoopThread(self.limit_s, self._load)
            return self._thread

    def wait(self, work: Work, event: Event) -> Any:
        """Run a coroutine on the loop's thread and wait for it."""
        begun = None
        try:
            thread = self.thread
            self.refuse_a_step_of_its_own(thread, "arun")
            begun = OnLoop(thread.loop, work)
            thread.begin(begun)
            begun.wait(self.limit_s * GRACE)
        except BaseException:  # the user's stop, or the deadline of an outer event
            if begun is None:
                work.close()
            elif not begun.is_done:
                thread.stop(self._running.get(event))
                begun.cancel()
            raise
        if begun.is_done:
            return self._result(begun)
        step = self._step_of(event, thread)
        # Where it has just ended, its result is on the way.
        if event not in self._running and begun.wait(LAST_S):
            return self._result(begun)
        begun.cancel()
        late(step, event.id, self.graph, self.limit_s)

    def refuse_a_step_of_its_own(self, thread: LoopThread, instead: str) -> None:
        """Raise RunError in the loop's thread, which would wait for itself."""
        if threading.current_thread() is thread.thread:
            raise RunError(
                f"graph {self.graph!r} is run by one of its own steps; "
                f"await runner.{instead}(...) there"
            )

    def _result(self, begun: OnLoop) -> Any:
        if begun.gave_up:
            raise cancelled_itself()
        if begun.is_cancelled:
            raise closed(self.graph)
        return begun.result()

    async def hop(self, work: Work, event: Event) -> Any:
        """Run a coroutine on the right loop and await it from this one."""
        here = asyncio.get_running_loop()
        if self._runs_on(here):
            self._watch_caller(here)
            return await work
        thread = self.thread
        if here is thread.loop:
            return await work
        limit_s = max(HOP_GRACE * self.limit_s, self.limit_s + LAST_S)
        bridge = thread.bridge(here, limit_s)
        task = asyncio.current_task()
        assert task is not None
        try:
            future = bridge.send(work)
        except RuntimeError:
            work.close()
            raise closed(self.graph) from None
        place = bridge.deadlines.add(task)
        try:
            return await future
        except asyncio.CancelledError as error:
            is_late = bridge.deadlines.discard(*place)
            if not is_late and future.cancelled() and not is_cancelled(error):
                raise closed(self.graph) from None
            if is_late and future.done() and not future.cancelled():  # just in time
                return future.result()
            step = self._step_of(event, thread) if is_late else ""
            bridge.cancel(future)
            if not is_late:
                raise
        finally:
            bridge.deadlines.discard(*place)
        late(step, event.id, self.graph, self.limit_s)

    def _runs_on(self, loop: asyncio.AbstractEventLoop) -> bool:
        return not self.own_loop or loop is self.lender

    def _step_of(self, event: Event, thread: LoopThread) -> str:
        """Return the step that this event waits in, or keeps the loop with."""
        task = self._running.get(event)
        if task is None:
            return ""
        if asyncio.current_task(thread.loop) in tasks_below(task):
            return step_in_thread(thread.thread)
        return step_awaited(task)

    def _load(self) -> tuple[int, int]:
        """Return how many events there were on the loop, and how many are inside."""
        slots = self._slots
        if slots is None:
            return 0, 0
        return slots.last, self.max_in_flight - slots.free

    def _watch_caller(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._callers is None or self.loop is not loop:
            with uninterrupted(), self._lock:
                before, self._callers = self._callers, None
                if before is not None:
                    before.close()
                if not self._is_over:
                    self._callers = CallersLoop(self.limit_s, self._load)
        self.callers_slots = self._slots_here()

    def iterated(self, items: AsyncIterator[Any], event: Event) -> Iterator[Any]:
        """Yield a stream of the loop's thread to a caller without a loop."""
        try:
            while (item := self.wait(self._next(items, event), event)) is not NOTHING:
                yield item
        finally:
            self._abandon(items)

    async def aiterated(
        self, items: AsyncIterator[Any], event: Event
    ) -> AsyncIterator[Any]:
        """Yield a stream of the loop's thread to a caller on another loop."""
        try:
            while True:
                item = await self.hop(self._next(items, event), event)
                if item is NOTHING:
                    return
                yield item
        finally:
            if self._runs_on(asyncio.get_running_loop()):
                await _close(items)
            else:
                self._abandon(items)

    def _abandon(self, items: Any) -> None:
        """Let a stream that nobody reads on clean up, where its steps run."""
        thread = self._thread
        if thread is not None and not thread.loop.is_closed():
            thread.start(_close(items))

    def bound(self, limit: int) -> None:
        """Let so many events be inside at once from now on."""
        with uninterrupted(), self._lock:
            self.max_in_flight = limit
            self._slots_of.clear()
            self._slots = self.callers_slots = None

    def close(self) -> None:
        """End the loop's thread, and wait for that."""
        thread = self._thread
        self.end()
        if thread is not None:
            thread.close()

    def end(self) -> None:
        """Release the loop, without waiting for its end; from any thread."""
        with uninterrupted(), self._lock:
            self._is_over = True
            thread, self._thread = self._thread, None
            callers, self._callers = self._callers, None
            if thread is not None:
                thread.end()
            if callers is not None:
                callers.close()
            self._slots_of.clear()
            self._slots = self.callers_slots = None


def take_back_own_cancels(task: asyncio.Task[Any], error: BaseException) -> None:
    """Make an error of a step out of a cancellation that none of us asked for.

    On a loop of ours nobody else knows the task, so it was one of its own steps.
    """
    if isinstance(error, asyncio.CancelledError) and BY_US not in error.args:
        while task.cancelling():
            task.uncancel()


async def _close(items: Any) -> None:
    await items.aclose()
