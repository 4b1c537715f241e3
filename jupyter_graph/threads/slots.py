"""How many may be inside at once."""

from __future__ import annotations

import threading
from collections import deque

from jupyter_graph.threads.interrupts import uninterrupted


class Slot:
    """A place that one caller has, or waits for."""

    __slots__ = ("gate",)

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()


class Slots:
    """At most ``limit`` callers inside at once; the others wait for their turn.

    Unlike ``threading.Semaphore`` it stays whole when an interrupt comes in between:
    the caller makes the slot before he takes it, so that ``leave`` can be called
    whatever happened, and twice.

    >>> slots, slot = Slots(1), Slot()
    >>> slots.take(slot), slots.take(Slot(), 0.01)
    (True, False)
    >>> slots.leave(slot)
    >>> slots.take(Slot())
    True
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.RLock()  # a handler of the user's may run an event
        self._taken: set[Slot] = set()
        self._waiting: deque[Slot] = deque()

    @property
    def taken(self) -> int:
        """How many are inside."""
        return len(self._taken)

    def take(self, slot: Slot, seconds: float | None = None) -> bool:
        """Wait for a place, for ever by default; tell whether there was one."""
        with self._lock:
            if len(self._taken) < self._limit:
                self._taken.add(slot)
                return True
            self._waiting.append(slot)
        limit = -1 if seconds is None else min(seconds, threading.TIMEOUT_MAX)
        if slot.gate.acquire(timeout=limit):
            return True
        with self._lock:
            if slot in self._taken:  # it came at the last moment
                return True
            self._waiting.remove(slot)
        return False

    def leave(self, slot: Slot) -> None:
        """Give the place to who waits longest; harmless without one."""
        with self._lock:
            if slot in self._waiting:
                self._waiting.remove(slot)
            if slot not in self._taken:
                return
            if not self._waiting:
                self._taken.discard(slot)
                return
            with uninterrupted():
                after = self._waiting.popleft()
                self._taken.add(after)
                self._taken.discard(slot)
                after.gate.release()
