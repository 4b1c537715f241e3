"""Interrupting the main thread by a signal, when a step's time is up."""

from __future__ import annotations

import _weakrefset
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from jupyter_graph.compile.failing_step import DeadlineInterrupt, is_in_a_step
from jupyter_graph.threads.interrupts import (
    is_main_thread,
    postponed,
    uninterrupted,
)
from jupyter_graph.threads.module_lock import module_lock

SIGNAL: Any = getattr(signal, "SIGVTALRM", None) or getattr(signal, "SIGBREAK", None)
"""Windows has no SIGVTALRM; its SIGBREAK is only simulated, and wakes no sleep."""
CALLBACKS = frozenset((weakref.__file__, _weakrefset.__file__))


class MainThreadInterrupter:
    """Throws a DeadlineInterrupt into the main thread, whatever it is doing there.

    The signal's handler stands only while interrupters are installed; then the user's
    own is put back.
    """

    _users: ClassVar[dict[int, weakref.ref[Any]]] = {}
    _previous: ClassVar[Any] = None
    _pending: ClassVar[deque[tuple[Callable[[], bool], Any]]] = deque()
    _lock: ClassVar[Any] = module_lock()

    @classmethod
    def install(cls, user: Any) -> bool:
        """Set the signal's handler; return False outside of the main thread."""
        if not is_main_thread():
            return False
        with uninterrupted():
            if not cls._stands():
                cls._previous = signal.signal(SIGNAL, cls._on_signal)
            cls._users[id(user)] = weakref.ref(user)
        return True

    @classmethod
    def uninstall(cls, user: Any) -> None:
        """Put the user's handler back once nobody needs ours.

        Only the main thread can; from another one it is left to the next ``uninstall``.
        """
        cls._users.pop(id(user), None)
        is_wanted = any(one() is not None for one in list(cls._users.values()))
        if not is_wanted and is_main_thread() and cls._stands():
            with uninterrupted(), cls._lock:
                cls._users.clear()
                cls._pending.clear()  # they know runners
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
    def _raise_again(cls, number: int, *, is_ours: bool) -> None:
        """Raise a signal that came in a stretch without interrupts, at its end."""
        # The stretch may have put the user's handler back: nobody is left whom ours was
        # for, and where there was none the signal would end the process.
        if not is_ours or cls._stands():
            signal.raise_signal(number)

    @classmethod
    def _on_signal(cls, number: int, frame: Any) -> None:
        if postponed(partial(cls._raise_again, number, is_ours=bool(cls._pending))):
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
