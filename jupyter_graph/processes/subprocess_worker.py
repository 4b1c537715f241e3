"""A call on its way to another process, and the thread that takes care of that."""

from __future__ import annotations

import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import DeadlineError, ProcessEndedError, said
from jupyter_graph.processes.transport import Reply, arrived, dumps
from jupyter_graph.threads.outcome import Outcome, Task
from jupyter_graph.threads.start import start_thread

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

logger = logging.getLogger("jupyter_graph")

LAST_S = 0.5
LONGEST_S = 1e6
"""Seconds beyond which a limit is none: the waits of the system end near there."""


class Call(Task):
    """A call of a target: on its way, or in the process that ``worker`` has."""

    def __init__(self, name: str, args: tuple[Any, ...], limit_s: float) -> None:
        super().__init__()
        self.limit_s = limit_s
        self.worker: WorkerProcess | None = None
        try:
            self.data = dumps((name, args))
        except Exception as error:
            raise TypeError(
                f"what it gets cannot go to another process: {said(error)}"
            ) from error


class CallQueue:
    """The calls that wait for a process of one pool, and what each process gets first.

    Args:
        payload: the pool's targets, pickled.
        logger: gets the records of the package's loggers in the processes.
    """

    def __init__(self, payload: bytes, logger: Any) -> None:
        self.payload, self.logger = payload, logger
        self.inbox: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self.is_over = False


class WorkerProcess:
    """A thread that takes care of one process, and passes it one call at a time.

    Attributes:
        ready: a ``Reply``, when the process has its targets, or could not make them.
    """

    def __init__(self, calls: CallQueue) -> None:
        self.ready = Outcome()
        self._calls = calls
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._call: Call | None = None
        self._is_killed = False  # though it may seem to run for a moment more
        self._lock = threading.Lock()  # so that no end comes to the next call
        start_thread(self._run, "jupyter_graph-process")

    def end(self, call: Call | None = None) -> None:
        """End the process now, if it still is at this call; from any thread."""
        with self._lock:
            if call in (None, self._call) and self._process is not None:
                self._process.kill()
                self._is_killed = True

    # -- in its thread ----------------------------------------------------------

    def _run(self) -> None:
        try:
            try:
                self.ready.settle(self._started())
            except BaseException as error:  # whatever happens, somebody waits
                self._end_process()
                self.ready.settle(Reply(error=error))
            while (call := self._calls.inbox.get()) is not None:
                if call.begin():
                    self._do(call)
                del call  # it holds what the caller got
            self._calls.inbox.put(None)  # for the next worker, noted or not
        finally:
            self._end_process()

    def _do(self, call: Call) -> None:
        call.worker = self
        with self._lock:
            self._call = call
        try:
            reply = self._restarted()
            if reply.error is None:
                reply = self._ask(call.data, call.limit_s)
        except BaseException as error:
            # Somebody waits; and what is left in the pipe answers no later call.
            self.end()
            self._end_process()
            reply = Reply(error=error)
        with self._lock:
            self._call = None
        call.settle(reply)

    def _restarted(self) -> Reply:
        process = self._process
        if process is not None and not self._is_killed and process.poll() is None:
            return Reply()
        self._end_process()
        return self._started()

    def _started(self) -> Reply:
        try:
            process, self._pipe = _spawned()
        except Exception as error:
            return Reply(error=error)
        with self._lock:
            self._process, self._is_killed = process, False
        if self._calls.is_over:
            self.end()
        reply = self._ask(self._calls.payload, LONGEST_S)
        if reply.error is not None:
            self._end_process()
        return reply

    def _ask(self, data: bytes, limit_s: float) -> Reply:
        pipe = self._pipe
        assert pipe is not None
        ends_at = None if limit_s >= LONGEST_S else time.monotonic() + limit_s
        try:
            pipe.send_bytes(data)
            while ends_at is None or pipe.poll(max(0.0, ends_at - time.monotonic())):
                kind, about, more = pickle.loads(pipe.recv_bytes())
                if kind == "reply":
                    return arrived(about, more)
                self._forward(kind, about, more)
        except (EOFError, OSError):
            return Reply(error=self._end_process())
        self.end()
        self._end_process()
        return Reply(error=DeadlineError(f"took longer than {limit_s:g} s"))

    def _forward(self, kind: str, about: str, text: str) -> None:
        """Forward what was printed or logged there."""
        try:
            if kind == "log":
                getattr(self._calls.logger, about)(text)
            elif (stream := getattr(sys, about)) is not None:
                stream.write(text)
        except BaseException:  # the logger and the output are others' code
            logger.exception("the output of a process could not be forwarded")

    def _end_process(self) -> ProcessEndedError:
        """End the process and the pipe; return an error that says how it ended."""
        with self._lock:
            process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        code = None
        if pipe is not None:
            pipe.close()  # a process that is not at work ends by that
        if process is not None:
            try:
                code = process.wait(LAST_S)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        return ProcessEndedError(f"its process {_how_ended(code)}")


def _how_ended(code: int | None) -> str:
    """Return how a process ended, in words.

    >>> _how_ended(3), _how_ended(-9)
    ('ended with exit code 3', 'was ended by SIGKILL')
    """
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _spawned() -> tuple[subprocess.Popen[bytes], Connection]:
    """Start a fresh interpreter; return it and our end of the pipe to it.

    multiprocessing's own start would run a script's module once more in there.
    """
    from multiprocessing.connection import Pipe

    ours, theirs = Pipe()
    handle = theirs.fileno()
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from jupyter_graph.processes.subprocess_main import serve; serve({handle})"
    )
    # Ctrl-C goes to the group of the terminal or kernel: to the parent, not to this.
    options: dict[str, Any] = {"pass_fds": (handle,), "process_group": 0}
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        info = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        options = {"startupinfo": info}
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.DEVNULL, **options
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours
