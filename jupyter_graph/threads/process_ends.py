"""What happens when the process ends, or the one that started it."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jupyter_graph.threads.start import join, start_thread

LAST_S = 5.0
"""Seconds that the end of the process waits for something to close."""


def die_with_parent(number: int) -> None:
    """Ask Linux for this signal when the thread that started this process ends."""
    if sys.platform.startswith("linux"):
        import ctypes

        with_death_signal = 1
        ctypes.CDLL(None).prctl(with_death_signal, number, 0, 0, 0)


class AtExit:
    """Calls something at the end of the process, and waits some seconds for it.

    It runs in a thread: what it closes may want a lock that a thread holds which hangs,
    and the process shall end all the same.

    Args:
        call: what is called.
        limit_s: how long the end of the process waits for it.
    """

    def __init__(self, call: Callable[[], Any], limit_s: float = LAST_S) -> None:
        self._call = call
        self._limit_s = limit_s
        atexit.register(self._run)

    def cancel(self) -> None:
        """Call it no more."""
        atexit.unregister(self._run)

    def _run(self) -> None:
        with suppress(RuntimeError):  # the interpreter starts no threads any more
            join(start_thread(self._call, "jupyter_graph-exit"), self._limit_s)
