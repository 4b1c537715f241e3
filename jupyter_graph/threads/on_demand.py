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

    Attributes:
        is_running: whether the thread is there, and will look once more for work.
    """

    def __init__(
        self, run: Callable[[], None], name: str, is_wanted: Callable[[], bool]
    ) -> None:
        self._target, self._name, self._is_wanted = run, name, is_wanted
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        # Set by who starts the thread, taken back by the thread. Whether it is alive
        # says too little: one that has found nothing more to do is, for a moment.
        self.is_running = False

    def start_if_wanted(self) -> None:
        """See to it that there is a thread while it is wanted.

        Nobody waits for the lock: a finalizer of the user's that opens or closes a
        runner may come while this very thread holds it. Who holds it looks again.
        """
        while self._is_missing() and self._lock.acquire(blocking=False):
            try:
                if self._is_missing():
                    with uninterrupted():
                        self._start()
            finally:
                self._lock.release()

    def _is_missing(self) -> bool:
        return not self.is_running and self._is_wanted()

    def _start(self) -> None:
        self.is_running = True
        try:
            start_thread(self._run, self._name)
        except BaseException:  # there may be no more threads
            self.is_running = False
            raise

    def _run(self) -> None:
        self._thread = threading.current_thread()
        try:
            self._target()
        except BaseException:
            self.is_running = False
            raise

    @property
    def is_here(self) -> bool:
        """Whether it is the calling thread."""
        return threading.current_thread() is self._thread

    def ended(self) -> None:
        """Note that the thread returns now; another one starts if that is wanted."""
        self._thread = None
        self.is_running = False
        self.start_if_wanted()  # something may have come in this moment
