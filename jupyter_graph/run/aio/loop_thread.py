"""The event loop of an asynchronous graph: a thread of its own, and its deadlines."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jupyter_graph.compile.failing_step import is_in_a_step
from jupyter_graph.errors import ClosedError
from jupyter_graph.run.aio.loop_bridge import LoopBridge
from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter
from jupyter_graph.run.deadline.step_threads import step_in_thread, throw_into
from jupyter_graph.run.deadline.watchdog import LOOKS, look_now, unwatch, watch
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.on_loop import BY_US, OnLoop, Work, put_by_loop
from jupyter_graph.threads.stack_frames import frame_of
from jupyter_graph.threads.start import join, start_thread

logger = logging.getLogger("jupyter_graph")

THROW_AGAIN_S = 0.1
"""A step that takes no notice of its deadline is interrupted again after this time."""


SLOW_S = 0.05
"""A step that keeps the loop for longer is named in a warning."""
LOOKS_TO_REST = 40
"""So many looks at a loop without work, and it is looked at as seldom as may be."""


class Heartbeat:
    """Notices when a loop stands still because a step keeps it.

    Args:
        loop: the loop.
        thread: what it runs in; a step that keeps it for 50 ms is named in a warning.
        timeout_s: seconds after which it is stuck.
        load: returns how many events there were so far, and how many are inside.
        on_stuck: called when it has kept it for ``timeout_s``.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread: threading.Thread,
        timeout_s: float,
        *,
        load: Callable[[], tuple[int, int]],
        on_stuck: Callable[[], None],
    ) -> None:
        self.loop = loop
        self.timeout_s = timeout_s
        self.asked = 0
        self._answered = 0
        self._load = load
        self._count = 0
        self._looks = 0
        self._task: Any = None
        self._since = 0.0
        self._thread = thread
        self._slow: set[str] = set()
        self._on_stuck = on_stuck
        self._on_back: Callable[[], None] | None = None

    @property
    def rests(self) -> bool:
        """Whether the loop has had no work for a while."""
        return self._looks >= LOOKS_TO_REST

    @property
    def pace_s(self) -> float:
        pace = self.timeout_s / LOOKS
        return pace if self.rests else min(pace, SLOW_S / 2)

    def wake(self) -> None:
        """Let a loop that rested be looked at often again."""
        if self.rests:
            self._looks = 0
            look_now()

    def when_back(self, call: Callable[[], None]) -> None:
        """Let it be called once the loop, stuck now, goes on."""
        self._on_back = call

    def mark(self) -> int:
        if self.asked != self._answered:
            self._look_at_task()
            return self.asked
        self._task = None
        count, inside = self._load()
        has_work = inside > 0 or count != self._count
        self._count, self._looks = count, 0 if has_work else self._looks + 1
        self.asked += 1
        try:
            self.loop.call_soon_threadsafe(self._beat)
        except RuntimeError:  # the loop is closed
            self._answered = self.asked
        return self.asked

    def _look_at_task(self) -> None:
        """Warn where one task keeps the loop, not many after each other."""
        task, now = asyncio.current_task(self.loop), time.monotonic()
        if task is None or task is not self._task:
            self._task, self._since = task, now
        elif now - self._since >= SLOW_S:
            self._warn_of(step_in_thread(self._thread))

    def _warn_of(self, step: str) -> None:
        """Warn of a step, once; "" is none."""
        if step and step not in self._slow:
            self._slow.add(step)
            logger.warning(
                "step %r keeps the loop to itself; mark it blocking if it waits, give "
                "it processes if it computes, and other events go on meanwhile",
                step,
            )

    def _beat(self) -> None:
        self._answered = self.asked
        if (on_back := self._on_back) is not None:
            self._on_back = None
            on_back()

    def expire(self, mark: int) -> None:
        if self.mark_is(mark):
            self._on_stuck()

    def mark_is(self, mark: int) -> bool:
        return self.asked == mark and self._answered != mark


class LoopThread:
    """A loop in a daemon thread; a step that keeps it to itself loses it.

    Args:
        timeout_s: seconds that a step may keep it.
        load: see ``Heartbeat``.
    """

    def __init__(self, timeout_s: float, load: Callable[[], tuple[int, int]]) -> None:
        self.is_stuck = False
        self._next_throw = 0.0
        self._begun: set[OnLoop] = set()
        self._bridges: dict[asyncio.AbstractEventLoop, LoopBridge] = {}
        self._last: asyncio.Task[None] | None = None
        self._is_ending = False
        self._lock = threading.RLock()  # a handler of the user's may close it
        with uninterrupted():
            self.loop = asyncio.new_event_loop()
            self._stop = keep_running(self.loop)
            self.thread = start_thread(
                _run_loop, "jupyter_graph-loop", self.loop, self._begun, self._bridges
            )
            self._heartbeat = Heartbeat(
                self.loop, self.thread, timeout_s, load=load, on_stuck=self._is_kept
            )
            watch(self._heartbeat)

    def start(self, work: Work) -> OnLoop:
        """Start a coroutine on the loop; return its outcome.

        Raises:
            ClosedError: the loop is closed.
        """
        begun = OnLoop(self.loop, work)
        self.begin(begun)
        return begun

    def begin(self, begun: OnLoop) -> None:
        """Start what has been made before: who is interrupted here can cancel it.

        Raises:
            ClosedError: the loop is closed.
        """
        self._heartbeat.wake()
        self._begun.add(begun)  # so that it is settled, should the loop end before it
        begun.on_done(lambda: self._begun.discard(begun))
        try:
            begun.start()
        except RuntimeError:
            raise ClosedError("the runner was closed meanwhile") from None

    def bridge(self, here: asyncio.AbstractEventLoop, limit_s: float) -> LoopBridge:
        """Return the bridge from a loop to this one."""
        bridge = self._bridges.get(here)
        if bridge is None:
            # Callers on the loops of several threads may come here at once.
            with uninterrupted(), self._lock:
                bridge = LoopBridge(here, self.loop, limit_s)
                put_by_loop(self._bridges, here, bridge)
        self._heartbeat.wake()
        return bridge

    def stop(self, task: asyncio.Task[Any] | None) -> None:
        """Cancel a task, and interrupt its step if that keeps the loop right now."""
        if task is None:
            return
        self.loop.call_soon_threadsafe(task.cancel, BY_US)
        if asyncio.current_task(self.loop) is task:
            self._throw()

    def _is_kept(self) -> None:
        now = time.monotonic()
        if now < self._next_throw:  # the last one may just be on its way
            return
        self._next_throw = now + THROW_AGAIN_S
        if self._throw() and not self.is_stuck:
            self.is_stuck = True
            logger.warning(
                "a step keeps the loop past its deadline; its thread %r is left behind",
                self.thread.name,
            )
            self._heartbeat.when_back(self._retire)

    def _retire(self) -> None:
        """Let what is still under way here end, then end the loop."""
        self._last = self.loop.create_task(self._end_after_all())

    async def _end_after_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)
        self.end()

    def _throw(self) -> bool:
        with frame_of(self.thread.ident) as frame:
            if not is_in_a_step(frame):
                return False
        throw_into(self.thread.ident or 0)
        return True

    def end(self) -> None:
        """Let the loop end soon, without waiting for it; from any thread."""
        with uninterrupted():
            unwatch(self._heartbeat)
            with self._lock:
                was_ending, self._is_ending = self._is_ending, True
            if not was_ending and not self.loop.is_closed():
                self.loop.call_soon_threadsafe(self._stop)

    def close(self) -> None:
        """End the loop; what is still under way on it is cancelled, or interrupted."""
        self.end()
        is_here = threading.current_thread() is self.thread
        if self.is_stuck or is_here or sys.is_finalizing():
            return
        for _ in range(5):
            join(self.thread, 0.3)
            if not self.thread.is_alive():
                return
            self._throw()


def keep_running(loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Let no step stop a loop, which all events share; return what stops it.

    A step that tries to gets a RuntimeError, and so fails its own event.
    """
    stop = loop.stop

    def refuse_a_step() -> None:
        if is_in_a_step(sys._getframe(1)):
            raise RuntimeError(
                "a step may not stop the event loop, on which other events run, too"
            )
        stop()

    with suppress(AttributeError):  # not every loop lets its methods be replaced
        loop.stop = refuse_a_step  # type: ignore[method-assign]
    return stop


def _run_loop(
    loop: asyncio.AbstractEventLoop,
    begun: set[OnLoop],
    bridges: dict[asyncio.AbstractEventLoop, LoopBridge],
) -> None:
    asyncio.set_event_loop(loop)
    try:
        while not _runs_to_its_end(loop):
            pass
        _cancel_all(loop)
    finally:
        loop.close()
        # What came after the loop's last turn would wait for it for ever.
        for one in begun.copy():
            one.abandon()
        for bridge in list(bridges.values()):
            bridge.end()


def _runs_to_its_end(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        loop.run_forever()
    except BaseException:  # a deadline that came too late, or a task's own SystemExit
        return False
    return True


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(asyncio.sleep(0))  # what was put there at the last moment
    for _ in range(3):
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel(BY_US)
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=0.1))
    loop.run_until_complete(loop.shutdown_asyncgens())


class CallersLoop:
    """Watches a loop that belongs to somebody else: the host's, Nuclio's."""

    def __init__(self, timeout_s: float, load: Callable[[], tuple[int, int]]) -> None:
        self.loop = asyncio.get_running_loop()
        here = threading.current_thread()
        self._heartbeat = Heartbeat(
            self.loop, here, timeout_s, load=load, on_stuck=self._is_kept
        )
        self._stop = keep_running(self.loop)
        self._interrupts = MainThreadInterrupter.install(self)
        if self._interrupts:
            watch(self._heartbeat)

    def _is_kept(self) -> None:
        mark = self._heartbeat.asked
        MainThreadInterrupter.throw(lambda: self._heartbeat.mark_is(mark), None)

    def close(self) -> None:
        if self.loop.stop is not self._stop:
            with suppress(AttributeError):
                del self.loop.stop
        if self._interrupts:
            unwatch(self._heartbeat)
            MainThreadInterrupter.uninstall(self)
            self._interrupts = False
