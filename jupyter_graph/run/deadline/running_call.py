"""Which call of a method runs in the main thread, seen from outside."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from jupyter_graph.threads.stack_frames import frame_of


class RunningCall:
    """Sees which call of a method is running in the main thread, at no cost to it.

    The call's frame is all there is to tell it from the next one, so the frame is held
    until the next look, and what it was called with as well.

    Args:
        codes: the code of the method, or of several, and the variable in which each
            has the object it works for.
    """

    def __init__(self, codes: Mapping[CodeType, str]) -> None:
        self._codes = codes
        self._frame: FrameType | None = None
        self._number = 0

    def number(self, owner: Any) -> int:
        """Return a number for the outermost call for ``owner``, 0 without one."""
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
        outermost = None
        with frame_of(threading.main_thread().ident) as frame:
            while frame is not None:
                variable = self._codes.get(frame.f_code)
                if variable and frame.f_locals.get(variable) is owner:
                    outermost = frame
                frame = frame.f_back
        return outermost
