"""Processes that a step keeps, each with the same objects in it.

A process that hangs is ended without hurting another one, a process that dies takes
only its own work with it, and the next work gets a new one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import ClosedError
from jupyter_graph.processes.subprocess_worker import (
    LONGEST_S,
    Call,
    CallQueue,
    WorkerProcess,
)
from jupyter_graph.processes.transport import Reply, Target, packed
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.reaper import Unclosed
from jupyter_graph.threads.reopened import close_older
from jupyter_graph.threads.thread_pool import drained

CLOSED = "the processes of this step were closed"
PATIENCE = 1.05
"""A call may take so many times the time of an event: its caller waits no longer."""


class WorkerPool:
    """At most so many processes, each with the same targets in it.

    Each gets the targets once, when it starts; what a target remembers is its
    process's own. Code of the notebook or script travels by value where cloudpickle is
    there, code of modules by name. What is printed and logged there is forwarded here.

    Args:
        targets: what can be called, by name.
        most: how many processes, 1 or more.
        what: what the targets are, for messages.
        context: the step's surroundings, where there are some. A call that goes on for
            longer than an event may take (``timeout_s``) is not waited for any more,
            and its process is ended; the records of the package's loggers there go to
            its ``logger``.

    Raises:
        SpecError: a target cannot travel.

    >>> processes = WorkerPool({"abs": abs}, most=1, what="function")
    >>> processes.submit("abs", -7).result()
    Reply(value=7, error=None)
    >>> processes.close()
    """

    def __init__(
        self,
        targets: Mapping[str, Target],
        most: int,
        what: str,
        context: Any = None,
    ) -> None:
        self._limit_s = PATIENCE * getattr(context, "timeout_s", LONGEST_S)
        logger = getattr(context, "logger", None) or logging.getLogger("jupyter_graph")
        self._state = _PoolState(packed(targets, what), most, logger)
        # Who passes a context closes this with the rest, or gets the ResourceWarning.
        if context is None:
            close_older(type(self))
        name = "" if context is not None else f"processes of {what}s {sorted(targets)}"
        self._unclosed = Unclosed(self, self._state.end, what=name, at_exit=True)

    def start(self) -> None:
        """Start all processes now, and wait until they have the targets.

        Raises:
            BaseException: whatever a target raised while it was made there.
        """
        try:
            for worker in self._state.all_workers():
                worker.ready.result().result()
        except BaseException:
            with uninterrupted():
                self._unclosed.closed()
                self._state.end()
            raise

    def submit(self, name: str, *args: Any, limit_s: float | None = None) -> Call:
        """Call a target in one of the processes.

        Args:
            name: the target.
            *args: its arguments; they and the result must be able to travel.
            limit_s: seconds it may take, once begun; after them, or after the time of
                an event, its process is ended, and the reply's error is a
                DeadlineError.

        Returns:
            the outcome, a ``Reply``. Cancelled while it waits, it never begins.

        Raises:
            ClosedError: the processes are closed.
            TypeError: an argument cannot travel.
        """
        call = Call(name, args, min(limit_s or LONGEST_S, self._limit_s))
        self._state.take(call)
        return call

    def end(self, call: Call) -> None:
        """Abandon a call: its process, if it is in one, ends now."""
        if not call.cancel() and not call.is_done and call.worker is not None:
            call.worker.end(call)

    def kill(self) -> None:
        """End all processes now, and what they are at; wait for nothing."""
        self._state.end()

    def close(self) -> None:
        """End the processes after what they are at, and what waits by a ClosedError."""
        with uninterrupted():
            self._unclosed.closed()
            self._state.close()


class _PoolState(CallQueue):
    """The workers of one ``WorkerPool``, and the calls that wait for them."""

    def __init__(self, payload: bytes, most: int, logger: Any) -> None:
        super().__init__(payload, logger)
        self.most = most
        self._workers: list[WorkerProcess] = []
        self._busy = 0
        self._is_closed = False
        self._owner = os.getpid()
        self._lock = threading.RLock()  # a handler of the user's may close it

    def take(self, call: Call) -> None:
        """Take a call; a further worker joins when all have something to do."""
        with uninterrupted(), self._lock:
            if self._is_closed:
                raise ClosedError(CLOSED)
            if self._owner != os.getpid():
                raise ClosedError(
                    "the processes of this step belong to the process that was forked; "
                    "open a runner in this one"
                )
            self._busy += 1
            if len(self._workers) < min(self._busy, self.most):
                self._workers.append(WorkerProcess(self))
            self.inbox.put(call)
        call.on_done(self._done)

    def _done(self) -> None:
        with self._lock:
            self._busy -= 1

    def all_workers(self) -> list[WorkerProcess]:
        """Return all workers there may be."""
        with uninterrupted(), self._lock:
            missing = 0 if self._is_closed else self.most - len(self._workers)
            self._workers += [WorkerProcess(self) for _ in range(missing)]
            return list(self._workers)

    def close(self) -> None:
        """Take no more calls, end what waits; the workers end after theirs."""
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
        for call in drained(self.inbox) if is_first else ():
            if call is not None and call.begin():
                call.settle(Reply(error=ClosedError(f"{CLOSED} meanwhile")))
        if is_first:
            self.inbox.put(None)

    def end(self) -> None:
        """End all processes now."""
        self.is_over = True
        self.close()
        for worker in self._workers:
            worker.end()
