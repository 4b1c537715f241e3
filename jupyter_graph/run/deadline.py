"""Time limits that hold even for a step that never gives control back.

A watchdog thread looks at a mark now and then; the events themselves never read a
clock. In the main thread the step is interrupted by a signal. Anywhere else the work
runs in a thread of its own: its caller is let go at once, the thread is left behind.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, ClassVar, Protocol

from jupyter_graph.compile.blame import DeadlineInterrupt, is_in_a_step

logger = logging.getLogger("jupyter_graph")

SIGNAL: Any = getattr(signal, "SIGVTALRM", None) or getattr(signal, "SIGBREAK", None)
"""Windows has no SIGVTALRM; its SIGBREAK is only simulated, and wakes no sleep."""
LONGEST_NAP_S = 0.5
SHORTEST_NAP_S = 0.005
LOOKS = 25  # within the time of an event


class Watched(Protocol):
    """Something with a mark that stays the same while one event is being worked on.

    ``pace_s``, where it has one, says how often it wants to be looked at.
    """

    timeout_s: float

    def mark(self) -> int:
        """Give a number that is 0 while idle and differs from event to event."""

    def expire(self, mark: int) -> None:
        """Called in the watchdog's thread while the mark has stood too long."""


class _Watchdog:
    """One thread for all runners of the process; it runs only while there are some."""

    def __init__(self) -> None:
        self._watched: weakref.WeakSet[Any] = weakref.WeakSet()
        self._seen: weakref.WeakKeyDictionary[Any, tuple[int, float]] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        with self._lock:
            self._watched.add(watched)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="jupyter_graph-watchdog", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def remove(self, watched: Watched) -> None:
        with self._lock:
            self._watched.discard(watched)
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            with self._lock:
                watched = list(self._watched)
                if not watched:
                    self._thread = None
                    return
            for one in watched:
                self._look(one)
            nap = min(_pace_s(one) for one in watched)
            del watched, one
            self._wake.wait(max(SHORTEST_NAP_S, min(LONGEST_NAP_S, nap)))

    def _look(self, one: Watched) -> None:
        mark = one.mark()
        now = time.monotonic()
        seen, since = self._seen.get(one, (0, now))
        if mark != seen or not mark:
            self._seen[one] = (mark, now)
        elif now - since >= one.timeout_s:
            try:
                one.expire(mark)
            except Exception:
                logger.exception("a deadline could not be kept")


def _pace_s(one: Any) -> float:
    return float(getattr(one, "pace_s", one.timeout_s / LOOKS))


_watchdog = _Watchdog()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_watchdog.__init__)  # type: ignore[misc]


def watch(watched: Watched) -> None:
    """Let the watchdog look at this mark from now on."""
    _watchdog.add(watched)


def look_now() -> None:
    """Wake the watchdog: something that rested has work."""
    _watchdog.wake()


def unwatch(watched: Watched) -> None:
    """Take a mark away from the watchdog."""
    _watchdog.remove(watched)


class Sighting:
    """Sees which call of a method is running in the main thread, at no cost to it.

    The call's frame is all there is to tell it from the next one, so the frame is held
    until the next look, and what it was called with as well.

    Args:
        *codes: the code of the method, or of several.
    """

    def __init__(self, *codes: CodeType) -> None:
        self._codes = frozenset(codes)
        self._frame: FrameType | None = None
        self._number = 0

    def number(self, owner: Any) -> int:
        """Give a number for the outermost call on ``owner``, 0 when there is none."""
        if not self._is_running():
            self._number += 1
            self._frame = self._outermost(owner)
        return self._number if self._frame is not None else 0

    def is_still(self, number: int) -> bool:
        """Tell whether the call with that number is running."""
        return self._number == number and self._is_running()

    def forget(self) -> None:
        self._frame = None

    def _is_running(self) -> bool:
        if self._frame is not None:
            try:
                self._frame.clear()
            except RuntimeError:  # only a frame that has ended can be cleared
                return True
        return False

    def _outermost(self, owner: Any) -> FrameType | None:
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        found = None
        while frame is not None:
            if frame.f_code in self._codes and frame.f_locals.get("self") is owner:
                found = frame
            frame = frame.f_back
        return found


class MainThreadInterrupter:
    """Throws a DeadlineInterrupt into the main thread, whatever it is doing there.

    The signal's handler stands only while interrupters are installed; then the user's
    own is put back.
    """

    _installed: ClassVar[int] = 0
    _previous: ClassVar[Any] = None
    _pending: ClassVar[deque[tuple[Callable[[], bool], Any]]] = deque()

    @classmethod
    def install(cls) -> bool:
        """Take the signal; False where that cannot be done (not the main thread)."""
        if not is_main_thread():
            return False
        if not cls._stands():
            cls._previous = signal.signal(SIGNAL, cls._on_signal)
        cls._installed += 1
        return True

    @classmethod
    def uninstall(cls) -> None:
        """Give the signal back once nobody needs it.

        Another thread cannot; then it is given back with the next one.
        """
        cls._installed = max(0, cls._installed - 1)
        if cls._installed == 0 and is_main_thread() and cls._stands():
            signal.signal(SIGNAL, cls._previous or signal.SIG_DFL)

    @classmethod
    def _stands(cls) -> bool:
        return bool(signal.getsignal(SIGNAL) == cls._on_signal)

    @classmethod
    def throw(cls, still: Callable[[], bool], owner: Any) -> None:
        """Interrupt the main thread if ``still()`` is true when it gets there.

        Args:
            still: whether the event that ran too long is still being worked on.
            owner: the runner it belongs to.
        """
        cls._pending.append((still, owner))
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)
        else:
            import _thread

            _thread.interrupt_main(SIGNAL)

    @classmethod
    def _on_signal(cls, number: int, frame: Any) -> None:
        is_ours = bool(cls._pending)
        while cls._pending:
            still, owner = cls._pending.popleft()
            if still() and is_in_a_step(frame):
                raise DeadlineInterrupt(owner)
        if not is_ours and callable(cls._previous):
            cls._previous(number, frame)


def is_main_thread() -> bool:
    """Tell whether this is the thread that signals reach."""
    return threading.current_thread() is threading.main_thread()
