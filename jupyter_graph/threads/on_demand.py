"""A thread that runs only while there is something for it to do."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.start import start_thread


class ThreadOnDemand:
    """One daemon thread, started when it is wanted, ended by its own function.

    Args:
        run: the thread's function. Its last line before it returns is ``ended()``.
        name: the thread's name.
        is_wanted: tells whether there is anything to do.
    """

    def __init__(
        self, run: Callable[[], None], name: str, is_wanted: Callable[[], bool]
    ) -> None:
        self._target, self._name, self._is_wanted = run, name, is_wanted
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start_if_wanted(self) -> None:
        """See to it that there is a thread while it is wanted.

        Nobody waits for the lock: a finalizer of the user's that opens or closes a
        runner may come while this very thread holds it. Who holds it looks again.
        """
        while self._is_missing() and self._lock.acquire(blocking=False):
            try:
                if self._is_missing():
                    with uninterrupted():
                        self._thread = start_thread(self._run, self._name)
            finally:
                self._lock.release()

    def _run(self) -> None:
        self._thread = threading.current_thread()  # before who starts it has noted it
        self._target()

    def _is_missing(self) -> bool:
        return not self.is_running and self._is_wanted()

    @property
    def is_running(self) -> bool:
        """Whether the thread is there now."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_here(self) -> bool:
        """Whether it is the calling thread."""
        return threading.current_thread() is self._thread

    def ended(self) -> None:
        """Note that the thread returns now; another one starts if that is wanted."""
        self._thread = None
        self.start_if_wanted()  # something may have come in this moment
