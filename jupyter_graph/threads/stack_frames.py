"""Looking at the frames of threads that go on meanwhile."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from jupyter_graph.threads.interrupts import has_stretch, is_postponed, uninterrupted
from jupyter_graph.threads.module_lock import module_lock

_lock = module_lock()
_users = 0
_was_enabled = False
IS_NEEDED = sys.version_info < (3, 12)


class frame_of:
    """The innermost frame of a thread, None where it has none, in a ``with`` block.

    Frames may be looked at inside the block only. CPython 3.11 makes the object of a
    frame when somebody asks for it (``f_back``, ``f_locals``). A collection in that
    moment may let the thread go on and leave the frame, whose memory is then read all
    the same; so there is none meanwhile. From 3.12 on collections come between
    instructions only.

    Args:
        ident: the thread.

    >>> from threading import get_ident
    >>> with frame_of(get_ident()) as frame:
    ...     frame.f_code.co_name
    '__enter__'
    """

    def __init__(self, ident: int | None) -> None:
        self._ident = ident or 0

    def __enter__(self) -> FrameType | None:
        # An interrupt in between would leave the collector off for good.
        self._stretch = uninterrupted(sys._getframe(1))
        self._stretch.__enter__()
        _pause()
        return sys._current_frames().get(self._ident)

    def __exit__(self, *_: object) -> None:
        _go_on()
        self._stretch.__exit__()


def _pause() -> None:
    global _users, _was_enabled
    if not IS_NEEDED:
        return
    with _lock:
        if not _users:
            _was_enabled = gc.isenabled()
            gc.disable()
        _users += 1


def _go_on() -> None:
    global _users
    if not IS_NEEDED:
        return
    with _lock:
        _users -= 1
        if not _users and _was_enabled:
            gc.enable()


def postponed_in(ident: int, call: Callable[[], Any]) -> bool:
    """Do what ``postponed`` does, for another thread, in which ``call`` is called."""
    if not has_stretch(ident):
        return False
    with frame_of(ident) as frame:
        return is_postponed(call, ident, frame)
