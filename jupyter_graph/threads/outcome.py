"""The result of a piece of work, for those who wait for it.

``concurrent.futures.Future``, and what ``threading`` has beside locks, is written in
Python: an interrupt (Ctrl-C, a deadline) in the moment that ``Future.result`` has its
condition's lock leaves that locked for ever, and the thread that does the work blocks
when it wants to set the result. Here nobody holds anything that another one waits for.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from jupyter_graph.errors import ClosedError

logger = logging.getLogger("jupyter_graph")


class Outcome:
    """A value or an error, once the work is done.

    Unlike a ``Future`` it takes StopIteration and CancelledError like any other error.
    One side settles it, any number of others wait.

    Attributes:
        is_done: whether it is settled.
        value: what the work returned.
        error: what it raised, None while it raised nothing.

    >>> outcome = Outcome()
    >>> outcome.settle(3)
    >>> outcome.result()
    3
    """

    __slots__ = ("__weakref__", "_then", "error", "is_done", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.is_done = False
        self._then: deque[Callable[[], Any]] = deque()

    def settle(self, value: Any, error: BaseException | None = None) -> None:
        """Set value or error, and let those who wait go on."""
        self.value, self.error, self.is_done = value, error, True
        self._go_on()

    def on_done(self, call: Callable[[], Any]) -> None:
        """Call this when the work is done: in the thread that settles, or now."""
        self._then.append(call)
        if self.is_done:
            self._go_on()

    def _go_on(self) -> None:
        while True:
            try:
                call = self._then.popleft()  # whoever takes it out calls it
            except IndexError:
                return
            try:
                call()
            except BaseException:  # the others wait all the same
                logger.exception("a call at the end of some work failed")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait in a thread, for ever by default; tell whether the work is done.

        At the very end of the process no other thread runs, so it waits for none.
        """
        if not self.is_done and not sys.is_finalizing():
            gate = threading.Lock()
            gate.acquire()
            self.on_done(gate.release)
            limit = -1 if seconds is None else min(seconds, threading.TIMEOUT_MAX)
            gate.acquire(timeout=limit)
        return self.is_done

    async def waited(self) -> None:
        """Wait on a loop."""
        if self.is_done:
            return
        import asyncio

        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def set_ready() -> None:
            if not ready.done():
                ready.set_result(None)

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(set_ready)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        self.on_done(wake)
        await ready

    def result(self, seconds: float | None = None) -> Any:
        """Wait, and return the value or raise the error.

        Raises:
            TimeoutError: the work is not done after so many seconds.
        """
        if not self.wait(seconds):
            raise TimeoutError
        try:
            if self.error is not None:
                raise self.error
            return self.value
        finally:
            self.error = None  # it holds this frame, which holds it


class Task(Outcome):
    """The outcome of work that waits for its turn, and may be cancelled until then.

    >>> task = Task()
    >>> task.cancel(), task.begin(), task.is_cancelled
    (True, False, True)
    """

    __slots__ = ("_turn", "is_cancelled")

    def __init__(self) -> None:
        super().__init__()
        self.is_cancelled = False
        self._turn = [None]  # who takes this out decides: list.pop is one step

    def begin(self) -> bool:
        """Tell whether the work may begin; it is cancelled, or under way, else."""
        try:
            self._turn.pop()
        except IndexError:
            return False
        return True

    def cancel(self) -> bool:
        """Cancel the work unless it has begun; tell whether it is cancelled."""
        if self.begin():  # nobody else can begin it any more
            self.is_cancelled = True
            self.settle(None, ClosedError("it was closed before it began"))
        return self.is_cancelled

    async def awaited(self) -> Any:
        """Return the value, or raise the error; a waiter that is cancelled cancels."""
        try:
            await self.waited()
        except BaseException:
            self.cancel()
            raise
        return self.result()
