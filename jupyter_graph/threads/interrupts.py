"""Stretches of code that no interrupt may cut in two.

Ctrl-C and our own deadlines raise an exception between any two instructions. Where that
would leave something half done (a thread that started but is noted nowhere, a runner
with half of its parts), the code stands in ``with uninterrupted():``. The stretch must
be short and must not call code of the user's: an interrupt waits for its end.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

_get_ident = threading.get_ident
_postponed: dict[int, list[Callable[[], Any]]] = {}
"""Threads in such a stretch, by ident, and what waits for its end there."""


class uninterrupted:  # reads as the statement that it is
    """Hold back Ctrl-C and deadlines until the end of a ``with`` block.

    What came meanwhile comes then, in the same thread. Blocks may be nested.

    >>> with uninterrupted():
    ...     two_lines = ["that belong", "together"]
    """

    __slots__ = ("_before", "_ident")

    def __enter__(self) -> Self:
        self._before: Any = None
        self._ident = 0
        ident = _get_ident()
        if ident in _postponed:
            return self
        handler = _interrupt_handler()
        try:
            _postponed[ident] = []
            if handler is not None:
                # Python handles a pending signal before it changes the handler: one
                # that came until now is raised here, where nothing has begun yet.
                signal.signal(signal.SIGINT, _note_interrupt)
                self._before = handler
        except BaseException:
            _postponed.pop(ident, None)
            raise
        self._ident = ident
        return self

    def __exit__(self, *_: object) -> None:
        ident, self._ident = self._ident, 0
        if not ident:
            return
        waiting: list[Callable[[], Any]] = []
        try:
            if self._before is not None:
                signal.signal(signal.SIGINT, self._before)
        finally:  # from here on an interrupt is raised
            waiting = _postponed.pop(ident, waiting)
        for call in waiting:
            call()

    def let(self, call: Callable[[], Any]) -> None:
        """Call something, of the user's perhaps, that an interrupt may stop."""
        self.__exit__()
        try:
            call()
        finally:
            self.__enter__()


def call_all(calls: Iterable[Callable[[], Any]]) -> None:
    """Call all of them, one after the other, whatever an interrupt does to one.

    Each may be interrupted itself.

    Raises:
        BaseException: the first thing that one of them raised, when all were called.

    >>> call_all([lambda: 1 / 0, lambda: print("called all the same")])
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """
    first: BaseException | None = None
    with uninterrupted() as stretch:
        for call in calls:
            try:
                stretch.let(call)
            except BaseException as error:
                first = first or error
    if first is not None:
        raise first


def postponed(call: Callable[[], Any], ident: int | None = None) -> bool:
    """Have ``call`` called at the end of the stretch that a thread is in.

    Args:
        call: raises the interrupt again; it is called in that thread.
        ident: the thread, by default the calling one.

    Returns:
        False where the thread is in no such stretch: nothing is postponed.
    """
    waiting = _postponed.get(_get_ident() if ident is None else ident)
    if waiting is None:
        return False
    waiting.append(call)
    return True


def _interrupt_handler() -> Any:
    """Return Python's handler of Ctrl-C; None where none would run in this thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    handler = signal.getsignal(signal.SIGINT)
    return handler if callable(handler) else None


def _note_interrupt(number: int, _: Any) -> None:
    if not postponed(lambda: signal.raise_signal(number)):
        raise KeyboardInterrupt
