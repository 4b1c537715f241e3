"""Threads that a step keeps; no exit waits for one that hangs."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.outcome import Task
from jupyter_graph.threads.reaper import Unclosed
from jupyter_graph.threads.start import start_thread

Item = TypeVar("Item")
Work = tuple[Task, Callable[[], Any]]


class Threads:
    """At most so many daemon threads, started when needed, ended by ``close``.

    Unlike the executor of the standard library it never waits at exit for a thread
    whose work hangs, and what waits for a thread may be bounded. Safe from several
    threads.

    Args:
        most: how many threads, 1 or more.
        name: what their names begin with.
        most_waiting: how many pieces of work may wait for a thread, 0 = any number.

    >>> threads = Threads(2, "doc")
    >>> threads.submit(divmod, 7, 2).result()
    (3, 1)
    >>> threads.close()
    0
    """

    def __init__(self, most: int, name: str, *, most_waiting: int = 0) -> None:
        self._state = _State(most, name, most_waiting)
        # The threads hold the state, not this: so it is collected when nobody has it.
        self._unclosed = Unclosed(self, self._state.close)

    def submit(self, call: Callable[..., Any], *args: Any) -> Task:
        """Run the call in a thread, in a copy of this context.

        Raises:
            queue.Full: as many pieces of work as may wait do wait.
            RuntimeError: the threads are closed.
        """
        return self._state.submit(call, *args)

    def close(self) -> int:
        """End the threads that are idle; return how much work is given up.

        Work that is under way goes on to its end; what waits is cancelled.
        """
        with uninterrupted():
            self._unclosed.closed()
            return self._state.close()


class _State:
    """The threads, and the work that waits for one."""

    def __init__(self, most: int, name: str, most_waiting: int) -> None:
        self._most = most
        self._name = name
        self._most_waiting = most_waiting
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._numbers = itertools.count(1)
        self._under_way = 0  # submitted and not ended
        self._is_closed = False
        self._owner = os.getpid()
        # Re-entrant: a signal handler or finalizer of the user's may close the runner
        # while this thread holds it.
        self._lock = threading.RLock()

    def submit(self, call: Callable[..., Any], *args: Any) -> Task:
        task, context = Task(), copy_context()
        if self._owner != os.getpid():  # a forked child has none of the threads
            self.__init__(self._most, self._name, self._most_waiting)  # type: ignore[misc]
        with uninterrupted(), self._lock:
            if self._is_closed:
                raise RuntimeError("the threads of this step are closed")
            if 0 < self._most_waiting <= self._waiting.qsize():
                raise queue.Full
            self._waiting.put((task, lambda: context.run(call, *args)))
            self._under_way += 1
            if len(self._threads) < min(self._under_way, self._most):
                self._start(task)
            if self._is_closed:  # by such a handler, just now
                task.cancel()
        return task

    def _start(self, task: Task) -> None:
        """Start a further thread, for this task at least."""
        name = f"{self._name}-{next(self._numbers)}"
        try:
            self._threads.append(start_thread(self._work, name))
        except RuntimeError:  # there may be no more threads
            if not self._threads and task.cancel():
                self._under_way -= 1
                raise

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            task, call = work
            value, error, is_run = None, None, task.begin()
            if is_run:
                try:
                    value = call()
                except BaseException as raised:
                    error = raised
            with self._lock:
                self._under_way -= 1
            if is_run:
                task.settle(value, error)
            del work, task, call, value, error  # an idle thread keeps nothing alive
        self._waiting.put(None)  # for the next thread, noted or not

    def close(self) -> int:
        with self._lock:
            if self._is_closed:
                return 0
            self._is_closed = True
            left = drained(self._waiting)
            given_up = sum(bool(work and work[0].cancel()) for work in left)
            self._waiting.put(None)
        return given_up


def drained(waiting: queue.SimpleQueue[Item]) -> Iterator[Item]:
    """Yield what waits in a queue, until nothing does."""
    with suppress(queue.Empty):
        while True:
            yield waiting.get_nowait()
