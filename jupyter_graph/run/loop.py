"""The event loop of an asynchronous graph: a thread of its own, and its deadlines."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from jupyter_graph.run.deadline import (
    MainThreadInterrupter,
    is_in_a_step,
    is_main_thread,
    throw_into,
    unwatch,
    watch,
)

logger = logging.getLogger("jupyter_graph")


class Heartbeat:
    """Notices when a loop stands still because a step keeps it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeout_s: float,
        on_stuck: Callable[[], None],
    ) -> None:
        self.loop = loop
        self.timeout_s = timeout_s
        self._on_stuck = on_stuck
        self._asked = 0
        self._answered = 0

    def mark(self) -> int:
        if self._asked != self._answered:
            return self._asked
        self._asked += 1
        try:
            self.loop.call_soon_threadsafe(self._beat)
        except RuntimeError:  # the loop is closed
            self._answered = self._asked
        return 0

    def _beat(self) -> None:
        self._answered = self._asked

    def expire(self, mark: int) -> None:
        if self.mark_is(mark):
            self._on_stuck()

    def mark_is(self, mark: int) -> bool:
        return self._asked == mark and self._answered != mark


class Deadlines:
    """Cancels tasks whose time is up; one timer for all tasks of a loop.

    All have the same limit, so the oldest is always the first.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, task: asyncio.Task[Any]) -> None:
        self._ends[task] = time.monotonic() + self.timeout_s
        if self._timer is None:
            self._arm()

    def discard(self, task: asyncio.Task[Any]) -> bool:
        """Forget a task; tell whether its time was up."""
        self._ends.pop(task, None)
        if task in self._expired:
            self._expired.discard(task)
            return True
        return False

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.005, self.timeout_s / 25), self._look)

    def _look(self) -> None:
        self._timer = None
        now = time.monotonic()
        for task, end in list(self._ends.items()):
            if end > now:
                break
            del self._ends[task]
            self._expired.add(task)
            task.cancel()
        if self._ends:
            self._arm()


class LoopThread:
    """A loop in a daemon thread; a step that never gives it back loses it."""

    def __init__(self, timeout_s: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(
            target=self._run, name="jupyter_graph-loop", daemon=True
        )
        self.is_stuck = False
        self.thread.start()
        self._heartbeat = Heartbeat(self.loop, timeout_s, self._stuck)
        watch(self._heartbeat)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            if not self.is_stuck:
                self._cancel_all()
            self.loop.close()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=1))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def _stuck(self) -> None:
        thread_id = self.thread.ident or 0
        frame = sys._current_frames().get(thread_id)
        if frame is None or not is_in_a_step(frame):
            return
        if not self.is_stuck:
            self.is_stuck = True
            logger.warning(
                "a step keeps the loop past its deadline; its thread %r is left "
                "behind. Mark the step blocking, or give it a timeout",
                self.thread.name,
            )
        throw_into(thread_id)

    def close(self) -> None:
        unwatch(self._heartbeat)
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
        if not self.is_stuck and threading.current_thread() is not self.thread:
            self.thread.join(2)


class CallersLoop:
    """Watches a loop that belongs to somebody else: the host's, Nuclio's."""

    def __init__(self, timeout_s: float) -> None:
        self.loop = asyncio.get_running_loop()
        self._heartbeat = Heartbeat(self.loop, timeout_s, self._stuck)
        self._interrupts = is_main_thread() and MainThreadInterrupter.install()
        if self._interrupts:
            watch(self._heartbeat)

    def _stuck(self) -> None:
        mark = self._heartbeat._asked
        MainThreadInterrupter.throw(lambda: self._heartbeat.mark_is(mark))

    def close(self) -> None:
        if self._interrupts:
            unwatch(self._heartbeat)
            MainThreadInterrupter.uninstall()
            self._interrupts = False
