"""How many may be inside at once."""

from __future__ import annotations

import threading
from collections import deque
from typing import Self

from jupyter_graph.errors import NoSeatError
from jupyter_graph.threads.interrupts import uninterrupted


class Place:
    """Something made before it is taken, and left at the end of ``with it, it:``.

    Twice, since an interrupt may cut one of the two ends, before it begins or in its
    midst: then the other one leaves the place.
    """

    __slots__ = ()

    def leave(self) -> None:
        """Leave it; harmless twice, and where it was never taken."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class Slot(Place):
    """A place among ``Slots`` that one caller has, or waits for."""

    __slots__ = ("gate", "slots")

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.gate = threading.Lock()
        self.gate.acquire()

    def take(self, seconds: float | None = None) -> None:
        """Wait for it, for ever by default.

        Raises:
            NoSeatError: it did not come within so many seconds.
        """
        if not self.slots.take(self, seconds):
            raise NoSeatError(seconds or 0.0)

    def leave(self) -> None:
        """Pass it to who waits longest; harmless twice, and where it was not taken."""
        self.slots.leave(self)


class Slots:
    """At most ``limit`` callers inside at once; the others wait for their turn.

    Unlike ``threading.Semaphore`` it stays whole when an interrupt comes in between:
    the caller makes the slot before he takes it, so that ``leave`` can be called
    whatever happened, and twice.

    >>> slots = Slots(1)
    >>> slot = slots.slot()
    >>> with slot, slot:
    ...     slots.take(slot), slots.take(slots.slot(), 0.01)
    (True, False)
    >>> slots.take(slots.slot())
    True
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.RLock()  # a handler of the user's may run an event
        self._taken: set[Slot] = set()
        self._waiting: deque[Slot] = deque()

    def slot(self) -> Slot:
        """Return a slot that is not taken yet."""
        return Slot(self)

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
        """Pass the place to who waits longest; harmless without one."""
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
