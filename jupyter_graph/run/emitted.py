"""Events that are sent without waiting for their answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import NoSeatError, blamed, said

if TYPE_CHECKING:
    from jupyter_graph.run.answer import Answer
    from jupyter_graph.run.context import Context
    from jupyter_graph.run.event import Event

THREADS = 8


class Emitted:
    """The events of one runner that are on their way with nobody waiting for them.

    Promise: at most ``limit`` are on their way at once, a further one waits for a seat.
    A failure goes to the log and to ``context.push_error``. In order for one caller in
    a synchronous graph of one thread only, and by key where the graph has
    ``order_by``; else in any order.

    Args:
        start: sends an event; gives the future of its answer.
        limit: how many may be on their way.
        context: where failures are reported.
        timeout_s: seconds to wait for a seat.
        ended: called with each event that has its answer.
    """

    def __init__(
        self,
        start: Callable[[Event], Future[Answer]],
        *,
        limit: int,
        context: Context,
        timeout_s: float,
        ended: Callable[[Event], None],
    ) -> None:
        self._start = start
        self._tell = ended
        self._seats = threading.BoundedSemaphore(limit)
        self._context = context
        self._timeout_s = timeout_s
        self._pending: set[Future[Answer]] = set()
        self._lock = threading.Lock()

    def send(self, event: Event) -> str:
        """Send an event; give its id.

        Raises:
            NoSeatError: no seat was free within the time of an event.
        """
        if not self._seats.acquire(timeout=min(self._timeout_s, threading.TIMEOUT_MAX)):
            raise NoSeatError(self._timeout_s)
        try:
            future = self._start(event)
        except BaseException:
            self._seats.release()
            raise
        with self._lock:
            self._pending.add(future)
        future.add_done_callback(lambda done: self._ended(done, event))
        return event.id

    def _ended(self, future: Future[Any], event: Event) -> None:
        with self._lock:
            self._pending.discard(future)
        self._tell(event)
        self._seats.release()
        if future.cancelled():
            return
        error = future.exception() or future.result().error
        if error is not None:
            step, cause = blamed(error)
            self._context.named(step).push_error(event, said(cause), step or None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is on its way; False when the time was up before."""
        while True:
            with self._lock:
                pending = set(self._pending)
            if not pending:
                return True
            if wait(pending, timeout_s).not_done:
                return False

    def __len__(self) -> int:
        return len(self._pending)


def thread_starter(
    handle: Callable[[Event], Answer], graph: str
) -> Callable[[Event], Future[Answer]]:
    """Give what starts events of a synchronous graph, in threads of their own."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"{graph} emit")

    def start(event: Event) -> Future[Answer]:
        return threads.submit(handle, event)

    return start
