"""Time limits that hold even for a step that never gives control back.

A watchdog thread looks at a mark now and then; the events themselves never read a
clock. In the main thread the step is interrupted by a signal. Anywhere else the work
runs in a thread of its own: its caller goes on at once, the thread is left behind.
"""

from __future__ import annotations

import logging
import os
import queue
import time
import weakref
from contextlib import suppress
from typing import Protocol

from jupyter_graph.threads.on_demand import ThreadOnDemand

logger = logging.getLogger("jupyter_graph")

LONGEST_NAP_S = 0.5
SHORTEST_NAP_S = 0.005
LOOKS = 25  # within the time of an event


class Watched(Protocol):
    """Something with a mark that stays the same while one event is being worked on.

    ``pace_s``, where it has one, says how often it wants to be looked at.
    """

    timeout_s: float

    def mark(self) -> int:
        """Return a number that is 0 while idle and differs from event to event."""

    def expire(self, mark: int) -> None:
        """Called in the watchdog's thread while the mark has stood too long."""


class _Watchdog:
    """One thread for all runners of the process; it runs only while there are some."""

    def __init__(self) -> None:
        # Not a WeakSet: its callbacks are Python code that runs in any thread, where an
        # interrupt would be lost. What was collected goes with the next look.
        self._watched: dict[int, _LastMark] = {}
        # Not an Event: an interrupt may leave that locked, and no deadline would hold.
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.thread = ThreadOnDemand(
            self._run, "jupyter_graph-watchdog", lambda: bool(self._watched)
        )

    def add(self, watched: Watched) -> None:
        """Let the watchdog look at this mark from now on."""
        self._watched[id(watched)] = _LastMark(watched)
        self.thread.start_if_wanted()
        self.wake()

    def remove(self, watched: Watched) -> None:
        """Take a mark away from the watchdog."""
        self._watched.pop(id(watched), None)
        self.wake()

    def forked(self) -> None:
        """Begin anew in a child process, which has none of its parent's threads."""
        watched = list(self._watched.values())
        self.__init__()  # type: ignore[misc]
        for last in watched:
            one = last.watched()
            if one is not None and hasattr(one, "forked"):
                one.forked()  # it is watched again when it has work

    def wake(self) -> None:
        """Look now: something that rested has work."""
        self._calls.put(None)

    def _run(self) -> None:
        while True:
            while not self._calls.empty():
                self._calls.get()
            marks = list(self._watched.copy().items())
            for number, last in marks:
                if last.watched() is None:
                    self._watched.pop(number, None)
            if not self._watched:
                self.thread.ended()
                return
            nap = min((self._look(last) for _, last in marks), default=0.0)
            with suppress(queue.Empty):
                self._calls.get(timeout=max(SHORTEST_NAP_S, min(LONGEST_NAP_S, nap)))

    def _look(self, last: _LastMark) -> float:
        """Look at a mark; return the seconds until it wants to be looked at again."""
        one = last.watched()
        if one is None:
            return LONGEST_NAP_S
        try:
            mark, now = one.mark(), time.monotonic()
            if mark != last.mark or not mark:
                last.mark, last.since = mark, now
            elif now - last.since >= one.timeout_s:
                one.expire(mark)
        except Exception:  # the others' deadlines are kept all the same
            logger.exception("a deadline could not be kept")
        return float(getattr(one, "pace_s", one.timeout_s / LOOKS))


class _LastMark:
    """Something that is watched, and since when it has shown this mark."""

    __slots__ = ("mark", "since", "watched")

    def __init__(self, watched: Watched) -> None:
        self.watched = weakref.ref(watched)
        self.mark, self.since = 0, 0.0


_watchdog = _Watchdog()
watch, unwatch, look_now = _watchdog.add, _watchdog.remove, _watchdog.wake
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watchdog.forked)


def is_watchdog() -> bool:
    """Tell whether the calling thread is the watchdog's, which must not wait."""
    return _watchdog.thread.is_here
