"""Time limits that hold even for a step that never gives control back.

A watchdog thread looks at a mark now and then; the events themselves never read a
clock. In the main thread the step is interrupted by a signal. Anywhere else the work
runs in a thread of its own: its caller is let go at once, the thread is left behind.
"""

from __future__ import annotations

import _weakrefset
import logging
import os
import queue
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any, ClassVar, Protocol

from jupyter_graph.compile.failing_step import DeadlineInterrupt, is_in_a_step
from jupyter_graph.threads.frames import frame_of
from jupyter_graph.threads.interrupts import postponed, uninterrupted
from jupyter_graph.threads.start import start_thread

logger = logging.getLogger("jupyter_graph")

SIGNAL: Any = getattr(signal, "SIGVTALRM", None) or getattr(signal, "SIGBREAK", None)
"""Windows has no SIGVTALRM; its SIGBREAK is only simulated, and wakes no sleep."""
LONGEST_NAP_S = 0.5
SHORTEST_NAP_S = 0.005
LOOKS = 25  # within the time of an event
CALLBACKS = frozenset((weakref.__file__, _weakrefset.__file__))


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
        self._watched: dict[int, _Sight] = {}
        self._lock = threading.Lock()
        # Not an Event: an interrupt may leave that locked, and no deadline would hold.
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        self._watched[id(watched)] = _Sight(watched)
        self._run_if_wanted()
        self.wake()

    def remove(self, watched: Watched) -> None:
        self._watched.pop(id(watched), None)
        self.wake()

    def forked(self) -> None:
        """Begin anew in a child process, which has none of its parent's threads."""
        sights = list(self._watched.values())
        self.__init__()  # type: ignore[misc]
        MainThreadInterrupter._lock = threading.RLock()
        for sight in sights:
            one = sight.watched()
            if one is not None and hasattr(one, "forked"):
                one.forked()  # it is watched again when it has work

    def is_here(self) -> bool:
        """Tell whether the calling thread is the watchdog's."""
        return threading.current_thread() is self._thread

    def _run_if_wanted(self) -> None:
        """See to it that there is a thread while there is something to watch.

        Nobody waits for the lock: a finalizer of the user's that opens or closes a
        runner may come while this very thread holds it. Who holds it looks again.
        """
        while self._watched and not self._runs and self._lock.acquire(blocking=False):
            try:
                if self._watched and not self._runs:
                    with uninterrupted():
                        thread = start_thread(self._run, "jupyter_graph-watchdog")
                        self._thread = thread
            finally:
                self._lock.release()

    @property
    def _runs(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive()

    def wake(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while True:
            while not self._calls.empty():
                self._calls.get()
            sights = list(self._watched.copy().items())
            for number, sight in sights:
                if sight.watched() is None:
                    self._watched.pop(number, None)
            if not self._watched:
                self._thread = None
                self._run_if_wanted()  # something may have come in this moment
                return
            nap = min((self._look(sight) for _, sight in sights), default=0.0)
            with suppress(queue.Empty):
                self._calls.get(timeout=max(SHORTEST_NAP_S, min(LONGEST_NAP_S, nap)))

    def _look(self, sight: _Sight) -> float:
        """Look at a mark; return the seconds until it wants to be looked at again."""
        one = sight.watched()
        if one is None:
            return LONGEST_NAP_S
        try:
            mark, now = one.mark(), time.monotonic()
            if mark != sight.mark or not mark:
                sight.mark, sight.since = mark, now
            elif now - sight.since >= one.timeout_s:
                one.expire(mark)
        except Exception:  # the others' deadlines are kept all the same
            logger.exception("a deadline could not be kept")
        return float(getattr(one, "pace_s", one.timeout_s / LOOKS))


class _Sight:
    """Something that is watched, and since when it has shown this mark."""

    __slots__ = ("mark", "since", "watched")

    def __init__(self, watched: Watched) -> None:
        self.watched = weakref.ref(watched)
        self.mark, self.since = 0, 0.0


_watchdog = _Watchdog()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watchdog.forked)


def watch(watched: Watched) -> None:
    """Let the watchdog look at this mark from now on."""
    _watchdog.add(watched)


def look_now() -> None:
    """Wake the watchdog: something that rested has work."""
    _watchdog.wake()


def is_watchdog() -> bool:
    """Tell whether the calling thread is the watchdog's, which must not wait."""
    return _watchdog.is_here()


def unwatch(watched: Watched) -> None:
    """Take a mark away from the watchdog."""
    _watchdog.remove(watched)


class RunningCall:
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
        """Return a number for the outermost call on ``owner``, 0 when there is none."""
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
        found = None
        with frame_of(threading.main_thread().ident) as frame:
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

    _users: ClassVar[dict[int, weakref.ref[Any]]] = {}
    _previous: ClassVar[Any] = None
    _pending: ClassVar[deque[tuple[Callable[[], bool], Any]]] = deque()
    _lock: ClassVar[Any] = threading.RLock()

    @classmethod
    def install(cls, user: Any) -> bool:
        """Take the signal; False where that cannot be done (not the main thread)."""
        if not is_main_thread():
            return False
        with uninterrupted():
            if not cls._stands():
                cls._previous = signal.signal(SIGNAL, cls._on_signal)
            cls._users[id(user)] = weakref.ref(user)
        return True

    @classmethod
    def uninstall(cls, user: Any) -> None:
        """Give the signal back once nobody needs it.

        Another thread cannot; then it is given back with the next one.
        """
        cls._users.pop(id(user), None)
        is_wanted = any(one() is not None for one in list(cls._users.values()))
        if not is_wanted and is_main_thread() and cls._stands():
            with uninterrupted(), cls._lock:
                cls._users.clear()
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
        with cls._lock:  # without the handler the signal would end the process
            if not cls._stands():
                return
            cls._pending.append((still, owner))
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)
            else:
                import _thread

                _thread.interrupt_main(SIGNAL)

    @classmethod
    def _on_signal(cls, number: int, frame: Any) -> None:
        if postponed(lambda: signal.raise_signal(number)):
            return
        is_ours = bool(cls._pending)
        while cls._pending:
            still, owner = cls._pending.popleft()
            # In a callback of a weak reference it would be lost; it comes once more.
            is_callback = frame is not None and frame.f_code.co_filename in CALLBACKS
            if still() and is_in_a_step(frame) and not is_callback:
                raise DeadlineInterrupt(owner)
        if not is_ours and callable(cls._previous):
            cls._previous(number, frame)


def is_main_thread() -> bool:
    """Tell whether this is the thread that signals reach."""
    return threading.current_thread() is threading.main_thread()
