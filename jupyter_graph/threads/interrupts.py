"""Stretches of code that no interrupt may cut in two.

Ctrl-C and our own deadlines raise an exception between any two instructions. Where that
would leave something half done (a thread that started but is noted nowhere, a runner
with half of its parts), the code stands in ``with uninterrupted():``. The stretch must
be short and must not call code of the user's: an interrupt waits for its end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Self

_get_ident = threading.get_ident
_get_frame = sys._getframe


class _Stretch:
    """What waits for the end of a stretch, and the function that the stretch is in."""

    __slots__ = ("calls", "frame")

    def __init__(self, frame: FrameType) -> None:
        self.calls: list[Callable[[], Any]] = []
        self.frame = frame

    def is_under(self, frame: FrameType | None) -> bool:
        """Tell whether the function runs, seen from the innermost frame of its thread.

        Where it does not, the stretch was cut off: only Ctrl-C and deadlines are held
        back, and a handler of another signal may raise anywhere.
        """
        while frame is not None:
            if frame is self.frame:
                return True
            frame = frame.f_back
        return False


_stretches: dict[int, _Stretch] = {}
"""Those that threads are in now, by the ident of the thread."""


def _forked() -> None:
    """In a child process: the threads that others were are not there."""
    ident = _get_ident()
    own = _stretches.get(ident)
    _stretches.clear()
    if own is not None:
        _stretches[ident] = own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class uninterrupted:
    """Hold back Ctrl-C and deadlines until the end of a ``with`` block.

    What came meanwhile comes then, in the same thread. Blocks may be nested.

    Args:
        frame: the function that the block is in, by default the one that enters it.

    >>> with uninterrupted():
    ...     two_lines = ["that belong", "together"]
    """

    __slots__ = ("_before", "_ident", "_of")

    def __init__(self, frame: FrameType | None = None) -> None:
        self._ident = 0
        self._of = frame

    def __enter__(self) -> Self:
        frame, self._of = self._of or _get_frame(1), None
        self._enter(frame)
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def let(self, call: Callable[[], Any]) -> None:
        """Call something, of the user's perhaps, that an interrupt may stop."""
        frame = _get_frame(1)
        self._leave()
        try:
            call()
        finally:
            self._enter(frame)

    def _enter(self, frame: FrameType) -> None:
        self._before: Any = None
        self._ident = 0
        ident = _get_ident()
        known = _stretches.get(ident)
        if known is not None and known.is_under(frame):
            return
        handler = _interrupt_handler()
        try:
            _stretches[ident] = _Stretch(frame)
            if handler is not None:
                # Python handles a pending signal before it changes the handler: one
                # that came until now is raised here, where nothing has begun yet.
                signal.signal(signal.SIGINT, _Held(handler))
                self._before = handler
        except BaseException:
            _stretches.pop(ident, None)
            raise
        self._ident = ident

    def _leave(self) -> None:
        ident, self._ident = self._ident, 0
        if not ident:
            return
        stretch: _Stretch | None = None
        try:
            if self._before is not None:
                signal.signal(signal.SIGINT, self._before)
        finally:  # from here on an interrupt is raised
            stretch = _stretches.pop(ident, None)
        for call in stretch.calls if stretch else ():
            call()


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


def postponed(call: Callable[[], Any]) -> bool:
    """Have ``call`` called at the end of the stretch that this thread is in.

    Args:
        call: raises the interrupt again.

    Returns:
        False where the thread is in no such stretch: nothing is postponed.
    """
    return is_postponed(call, _get_ident(), _get_frame(1))


def has_stretch(ident: int) -> bool:
    """Tell whether a thread entered a stretch, which may have been cut off since."""
    return ident in _stretches


def is_postponed(call: Callable[[], Any], ident: int, frame: FrameType | None) -> bool:
    """Do what ``postponed`` does, for a thread and its innermost frame."""
    stretch = _stretches.get(ident)
    if stretch is None:
        return False
    if not stretch.is_under(frame):
        _stretches.pop(ident, None)
        return False
    stretch.calls.append(call)
    return True


def is_main_thread() -> bool:
    """Tell whether this is the thread that signals reach."""
    # Not current_thread(): in a thread that just begins or ends, as when the collector
    # runs there, it makes an object for it, which takes locks and stays.
    return _get_ident() == threading.main_thread().ident


def _interrupt_handler() -> Any:
    """Return Python's handler of Ctrl-C; None where none would run in this thread."""
    if not is_main_thread():
        return None
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, _Held):  # of a stretch that was cut off
        handler = handler.handler
    return handler if callable(handler) else None


class _Held:
    """The handler of Ctrl-C in a stretch; it knows the one before it."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not is_postponed(lambda: signal.raise_signal(number), _get_ident(), frame):
            signal.signal(number, self.handler)
            self.handler(number, frame)
