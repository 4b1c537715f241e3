"""Time limits that hold even for a step that never gives control back.

A watchdog thread looks at a mark now and then; the events themselves never read a
clock. In the main thread the step is interrupted by a signal. Anywhere else the work
runs in a thread of its own: its caller is let go at once, the thread is left behind.
"""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from jupyter_graph.compile.prelude import LINES, DeadlineInterrupt, tag
from jupyter_graph.errors import DeadlineError

if TYPE_CHECKING:
    from concurrent.futures import Future

logger = logging.getLogger("jupyter_graph")

SIGNAL = getattr(signal, "SIGVTALRM", None)  # Windows has none: see _interrupt_main
LONGEST_NAP_S = 0.5
SHORTEST_NAP_S = 0.005


class Watched(Protocol):
    """Something with a mark that stays the same while one event is being worked on."""

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

    def _run(self) -> None:
        while True:
            with self._lock:
                watched = list(self._watched)
                if not watched:
                    self._thread = None
                    return
            nap = min(one.timeout_s for one in watched) / 25
            for one in watched:
                self._look(one)
            del watched
            self._wake.clear()
            self._wake.wait(max(SHORTEST_NAP_S, min(LONGEST_NAP_S, nap)))

    def _look(self, one: Watched) -> None:
        mark = one.mark()
        now = time.monotonic()
        seen, since = self._seen.get(one, (0, now))
        if mark != seen or not mark:
            self._seen[one] = (mark, now)
        elif now - since >= one.timeout_s:
            one.expire(mark)


_watchdog = _Watchdog()


def watch(watched: Watched) -> None:
    """Let the watchdog look at this mark from now on."""
    _watchdog.add(watched)


def unwatch(watched: Watched) -> None:
    """Take a mark away from the watchdog."""
    _watchdog.remove(watched)


class MainThreadInterrupter:
    """Throws a DeadlineInterrupt into the main thread, whatever it is doing there.

    The signal's handler stands only while interrupters are installed; then the user's
    own is put back.
    """

    _installed: ClassVar[int] = 0
    _previous: ClassVar[Any] = None
    _pending: ClassVar[deque[Callable[[], bool]]] = deque()

    @classmethod
    def install(cls) -> bool:
        """Take the signal; False where that cannot be done (not the main thread)."""
        if not is_main_thread():
            return False
        if cls._installed == 0 and SIGNAL is not None:
            cls._previous = signal.signal(SIGNAL, cls._on_signal)
        cls._installed += 1
        return True

    @classmethod
    def uninstall(cls) -> None:
        """Give the signal back once nobody needs it."""
        cls._installed = max(0, cls._installed - 1)
        if cls._installed == 0 and SIGNAL is not None and is_main_thread():
            signal.signal(SIGNAL, cls._previous or signal.SIG_DFL)

    @classmethod
    def throw(cls, still: Callable[[], bool]) -> None:
        """Interrupt the main thread if ``still()`` is true when it gets there."""
        cls._pending.append(still)
        if SIGNAL is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)
        else:
            import _thread

            _thread.interrupt_main()

    @classmethod
    def _on_signal(cls, number: int, frame: Any) -> None:
        while cls._pending:
            if cls._pending.popleft()() and is_in_a_step(frame):
                raise DeadlineInterrupt
        if callable(cls._previous):
            cls._previous(number, frame)


def is_main_thread() -> bool:
    """Tell whether this is the thread that signals reach."""
    return threading.current_thread() is threading.main_thread()


def is_in_a_step(frame: FrameType | None) -> bool:
    """Tell whether generated code is being run in this frame or above it."""
    while frame is not None:
        if frame.f_code.co_filename in LINES:
            return True
        frame = frame.f_back
    return False


def step_in_thread(thread: threading.Thread) -> str:
    """Give the name of the step that a thread is in, "" when it is in none."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        lines = LINES.get(frame.f_code.co_filename)
        if lines is not None and frame.f_lineno in lines:
            return lines[frame.f_lineno]
        frame = frame.f_back
    return ""


def throw_into(thread_id: int) -> None:
    """Raise a DeadlineInterrupt in a thread as soon as it runs Python code again."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), ctypes.py_object(DeadlineInterrupt)
    )


class _Worker:
    """A daemon thread that runs one piece of work after the other."""

    def __init__(self, idle: deque[_Worker]) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.idle = idle
        self.is_left_behind = False
        self.thread = threading.Thread(
            target=self._run, name="jupyter_graph-step", daemon=True
        )
        self.thread.start()

    def _run(self) -> None:
        while True:
            try:
                work = self.inbox.get()
                if work is None:
                    return
                future, call, args = work
                try:
                    result = call(*args)
                except BaseException as error:
                    _settle(future, error=error)
                else:
                    _settle(future, result=result)
                del work, future, call, args
                if self.is_left_behind:
                    ThreadPool.left_behind -= 1
                    return
            except DeadlineInterrupt:
                return  # it came after the work had ended
            self.idle.append(self)


def _settle(future: Future[Any], *, result: Any = None, error: Any = None) -> None:
    if future.set_running_or_notify_cancel() if not future.done() else False:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


class ThreadPool:
    """Daemon threads, made when needed, kept for the next piece of work.

    Unlike the executor of the standard library it never waits at exit for a thread
    whose step hangs.
    """

    left_behind = 0

    def __init__(self) -> None:
        self._idle: deque[_Worker] = deque()

    def submit(
        self, call: Callable[..., Any], *args: Any
    ) -> tuple[Future[Any], _Worker]:
        """Start the work; give its future and the worker that does it."""
        from concurrent.futures import Future

        future: Future[Any] = Future()
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._idle)
        worker.inbox.put((future, call, args))
        return future, worker

    def run(self, seconds: float, call: Callable[..., Any], *args: Any) -> Any:
        """Run the work and wait for it.

        Raises:
            DeadlineError: it took longer than ``seconds``; its thread is left behind.
        """
        future, worker = self.submit(call, *args)
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.done():
                raise  # the work's own TimeoutError
        late = DeadlineError(f"took longer than {seconds:g} s")
        if step := step_in_thread(worker.thread):
            tag(late, step)
        self.leave(future, worker)
        raise late

    def leave(self, future: Future[Any], worker: _Worker) -> None:
        """Give up on a piece of work and its thread."""
        worker.is_left_behind = True
        ThreadPool.left_behind += 1
        future.cancel()
        logger.warning(
            "a step goes on past its deadline, its thread %r is left behind (%d so)",
            worker.thread.name,
            ThreadPool.left_behind,
        )
        throw_into(worker.thread.ident or 0)

    def close(self) -> None:
        """Let idle threads end."""
        while self._idle:
            self._idle.pop().inbox.put(None)


pool = ThreadPool()
"""The process's own pool: steps marked ``blocking``, and deadlines beside the main
thread."""
