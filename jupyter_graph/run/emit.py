"""Events that are sent without waiting for their answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from jupyter_graph.errors import ClosedError, blamed, said
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.slots import Slot, Slots
from jupyter_graph.threads.thread_pool import Threads

EMIT_THREADS = 8
EMIT_NAME = "jupyter_graph-emit"


class BackgroundEvents:
    """The events of one runner that are on their way with nobody waiting for them.

    Promise: at most ``limit`` are on their way at once, a further one waits for a slot.
    A failure goes to the log and to ``context.push_error``. In order for one caller in
    a synchronous graph of one thread only, and by key where the graph has
    ``order_by``; else in any order.

    Args:
        start: sends an event; returns the outcome, its answer.
        limit: how many may be on their way.
        context: where failures are reported.
        timeout_s: seconds to wait for a slot.
        ended: called with each event that has its answer.
        threads: what ``start`` runs it in, None = the loop of the events.
    """

    def __init__(
        self,
        start: Callable[[Event], Outcome],
        *,
        limit: int,
        context: Context,
        timeout_s: float,
        ended: Callable[[Event], None],
        threads: Threads | None = None,
    ) -> None:
        self._start = start
        self._report_end = ended
        self._slots = Slots(limit)
        self._limit = limit
        self._context = context
        self._timeout_s = timeout_s
        self._pending: set[Outcome] = set()
        self._threads = threads

    def send(
        self,
        event: Event,
        start: Callable[[], Outcome] | None = None,
        *,
        waits: bool = True,
    ) -> str:
        """Send an event; return its id.

        Args:
            event: the event.
            start: begins what is left to be done for an event that has its answer;
                by default the event is sent.
            waits: wait for a slot, so that no more than ``limit`` are on their way.

        Raises:
            NoSeatError: no slot was free within the time of an event.
        """
        slot = self._slots.slot()
        try:
            if waits:
                slot.take(self._timeout_s)
            with uninterrupted():
                outcome = self._started(event, start)
                self._pending.add(outcome)
            # Not in there: it may have failed already, and the report is others' code.
            outcome.on_done(lambda: self._ended(outcome, event, slot))
        except BaseException:
            slot.leave()
            raise
        return event.id

    def _started(
        self, event: Event, start: Callable[[], Outcome] | None = None
    ) -> Outcome:
        try:
            return self._start(event) if start is None else start()
        except RuntimeError as error:  # the threads, or the loop, have ended
            raise ClosedError(f"the event cannot be sent: {error}") from None

    def _ended(self, outcome: Outcome, event: Event, slot: Slot) -> None:
        self._report_end(event)
        # In this order: who gets the slot may not find more on their way than allowed.
        self._pending.discard(outcome)
        slot.leave()
        if getattr(outcome, "is_cancelled", False):
            return
        error = outcome.error or getattr(outcome.value, "error", None)
        if error is not None:
            step, cause = blamed(error)
            self._context.named(step).push_error(event, said(cause), step or None)

    def in_thread(self, call: Callable[..., object], *args: object) -> Outcome:
        """Run a call in one of the threads that events are sent in."""
        if self._threads is None:
            self._threads = Threads(EMIT_THREADS, EMIT_NAME)
        return self._threads.submit(call, *args)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is on its way; False when the time was up before."""
        ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        while pending := self._pending.copy():
            for outcome in pending:
                left_s = None if ends_at is None else ends_at - time.monotonic()
                if not outcome.wait(None if left_s is None else max(0.0, left_s)):
                    return False
                self._pending.discard(outcome)
        return True

    async def wait_on_loop(self, timeout_s: float) -> bool:
        """``wait``, without keeping the loop, on which they may be on their way."""
        import asyncio

        try:
            async with asyncio.timeout(timeout_s):
                while pending := self._pending.copy():
                    for outcome in pending:
                        await outcome.waited()
                        self._pending.discard(outcome)
        except TimeoutError:
            return False
        return True

    async def room(self) -> None:
        """Wait on a loop until no more than ``limit`` are on their way.

        Each of them has the time of an event, so it is no longer than that.
        """
        while len(self._pending) > self._limit:
            await next(iter(self._pending.copy())).waited()

    def close(self) -> None:
        """End the threads that events were sent in."""
        if self._threads is not None:
            self._threads.close()

    def __len__(self) -> int:
        return len(self._pending)
