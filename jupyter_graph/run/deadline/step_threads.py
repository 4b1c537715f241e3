"""Threads for steps: made when needed, kept for the next one, left when they hang."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from jupyter_graph.compile.failing_step import DeadlineInterrupt, step_of, tag
from jupyter_graph.errors import DeadlineError
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.stack_frames import frame_of, postponed_in
from jupyter_graph.threads.start import start_thread

logger = logging.getLogger("jupyter_graph")

MOST_IDLE = 32
IDLE_S = 0.5
"""Seconds that a thread waits for its next piece of work before it ends."""


class Worker:
    """A daemon thread that runs one piece of work after the other."""

    def __init__(self, pool: StepThreads) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.current: Outcome | None = None
        self.is_left_behind = False
        self.lock = threading.Lock()
        self._pool = pool
        self.thread = start_thread(self._run, "jupyter_graph-step")

    def _run(self) -> None:
        try:
            while self._next() and self._pool.take_back(self):
                pass
        except DeadlineInterrupt:
            return  # it came after the work had ended
        finally:
            self._pool.forget(self)

    def _next(self) -> bool:
        """Do one piece of work; tell whether the thread can do another."""
        try:
            work = self.inbox.get(timeout=IDLE_S)
        except queue.Empty:
            if self._pool.dismiss(self):
                return False
            work = self.inbox.get()  # somebody has just taken this thread
        outcome, call, args = work
        value, error = None, None
        try:
            value = call(*args)
        except BaseException as raised:
            error = raised
        with self.lock:
            self.current = None  # from here on nobody can leave it behind
        outcome.settle(value, error)
        # An idle thread keeps nothing alive, and holds no error that holds this frame.
        del work, outcome, call, args, value, error
        return not self.is_left_behind

    def leave(self, outcome: Outcome) -> bool:
        """Leave the thread behind unless its work has ended; tell which."""
        with self.lock:
            if self.current is not outcome:
                return False
            self.is_left_behind = True
            throw_into(self.thread.ident or 0)
            return True


class StepThreads:
    """Daemon threads, made when needed, kept for the next piece of work.

    Unlike the executor of the standard library it never waits at exit for a thread
    whose step hangs.
    """

    def __init__(self) -> None:
        self._idle: deque[Worker] = deque()
        self._left: set[Worker] = set()

    @property
    def left_behind(self) -> int:
        """How many threads are still in a step that nobody waits for."""
        return len(self._left)

    def submit(self, call: Callable[..., Any], *args: Any) -> tuple[Outcome, Worker]:
        """Start the work, in the caller's context; return outcome and worker."""
        outcome = Outcome()
        with uninterrupted():  # a thread without work would wait for some for ever
            try:
                worker = self._idle.pop()
            except IndexError:
                worker = Worker(self)
            worker.current = outcome
            worker.inbox.put((outcome, copy_context().run, (call, *args)))
        return outcome, worker

    def run(self, seconds: float, call: Callable[..., Any], *args: Any) -> Any:
        """Run the work and wait for it.

        Raises:
            DeadlineError: it took longer than ``seconds``; its thread is left behind.
        """
        outcome, worker = self.submit(call, *args)
        step = self.wait(seconds, outcome, worker)
        if step is None:
            return outcome.result()
        late = DeadlineError(f"took longer than {seconds:g} s")
        if step:
            tag(late, step)
        raise late

    def wait(self, seconds: float, outcome: Outcome, worker: Worker) -> str | None:
        """Wait for work; None when it is done, else the step it was in at the end."""
        try:
            if outcome.wait(seconds):
                return None
        except BaseException:  # the user's stop, or the deadline of the event
            self.leave(outcome, worker)
            raise
        step = step_in_thread(worker.thread)
        self.leave(outcome, worker)
        return step

    def leave(self, outcome: Outcome, worker: Worker) -> None:
        """Leave a piece of work and its thread behind."""
        self._left.add(worker)
        if worker.leave(outcome):
            logger.warning(
                "a step goes on though nobody waits for it any more, its thread %r is "
                "left behind (%d so)",
                worker.thread.name,
                self.left_behind,
            )
        else:
            self._left.discard(worker)

    def take_back(self, worker: Worker) -> bool:
        """Keep an idle worker for the next piece of work; False when there are many."""
        if len(self._idle) >= MOST_IDLE:
            return False
        self._idle.append(worker)
        return True

    def dismiss(self, worker: Worker) -> bool:
        """Remove an idle worker; False when somebody has taken it meanwhile."""
        try:
            self._idle.remove(worker)
        except ValueError:
            return False
        return True

    def forget(self, worker: Worker) -> None:
        """A worker's thread has ended."""
        self._left.discard(worker)


def step_in_thread(thread: threading.Thread) -> str:
    """Return the name of the step that a thread is in, "" when it is in none."""
    with frame_of(thread.ident) as frame:
        return step_of(frame)


def throw_into(thread_id: int) -> None:
    """Raise a DeadlineInterrupt in a thread as soon as it runs Python code again."""
    if postponed_in(thread_id, _raise_deadline):
        return
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), ctypes.py_object(DeadlineInterrupt)
    )


def _raise_deadline() -> None:
    raise DeadlineInterrupt


pool = StepThreads()
"""The process's own pool: steps marked ``blocking``, and deadlines beside the main
thread."""
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=pool.__init__)  # type: ignore[misc]
