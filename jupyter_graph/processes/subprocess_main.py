"""The other end: a process that works for the one that started it."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import queue
import signal
import sys
import threading
from collections import deque
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import connection
from typing import Any

from jupyter_graph.processes.transport import Place, Target, replied
from jupyter_graph.spec.named_graphs import hold_none
from jupyter_graph.threads.process_ends import die_with_parent


def serve(handle: int) -> None:
    """Work for the process at the other end of a pipe, until that is closed."""
    _guard_effects()
    kind = "PipeConnection" if sys.platform == "win32" else "Connection"
    hold_none()  # modules that say @step at their top are imported for their code
    here = Server(getattr(connection, kind)(handle))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other side says when it ends
    # The end of the pipe does the same, but not while the work keeps the interpreter.
    die_with_parent(getattr(signal, "SIGKILL", signal.SIGTERM))
    sys.stdout = ForwardedOutput(here, "stdout")
    sys.stderr = ForwardedOutput(here, "stderr")
    records = logging.getLogger("jupyter_graph")
    records.setLevel(logging.DEBUG)
    records.propagate = False
    records.addHandler(ForwardedRecords(here))
    here.serve()


def _guard_effects() -> None:
    """Refuse effects in here, too, where the process that started this one does.

    The check of a bundle says so by a variable; the guard is no part of the runtime.
    """
    order = os.environ.get("JUPYTER_GRAPH_EFFECT_GUARD")
    if order is None:
        return
    spec = spec_from_file_location("effect_guard", json.loads(order)[0])
    assert spec is not None
    assert spec.loader is not None
    guard = sys.modules["effect_guard"] = module_from_spec(spec)
    spec.loader.exec_module(guard)
    guard.install_from_environment()


class Server:
    """This end of the pipe, in the process that works."""

    def __init__(self, pipe: connection.Connection) -> None:
        self._pipe = pipe
        self._inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._targets: dict[str, Target] | None = None
        self._lock = threading.Lock()
        self._out: deque[bytes] = deque()

    def serve(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            self.send("reply", *self._answer(self._inbox.get()))

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)  # nobody is there any more, whatever the work is at

    def send(self, kind: str, about: Any, more: Any) -> None:
        """Send a message; whoever is sending now sends this one, too.

        Nobody waits here: a finalizer that prints may come while this very thread is
        sending.
        """
        self._out.append(pickle.dumps((kind, about, more)))
        while self._out and self._lock.acquire(blocking=False):
            try:
                while self._out:
                    self._pipe.send_bytes(self._out.popleft())
            finally:
                self._lock.release()

    def _answer(self, data: bytes) -> tuple[bytes, list[Place]]:
        value: Any = None
        error: BaseException | None = None
        try:
            received = pickle.loads(data)
            if self._targets is None:
                self._targets = received
            else:
                name, args = received
                value = self._targets[name](*args)
        except BaseException as raised:
            error = raised
        sys.stdout.flush()
        sys.stderr.flush()
        return replied(value, error)


class ForwardedOutput(io.TextIOBase):
    """What is printed here is forwarded to the parent, line by line."""

    def __init__(self, server: Server, name: str) -> None:
        self._server, self._name, self._rest = server, name, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        whole, newline, rest = (self._rest + text).rpartition("\n")
        self._rest = rest
        if newline:
            self._server.send("print", self._name, whole + newline)
        return len(text)

    def flush(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            self._server.send("print", self._name, rest)


class ForwardedRecords(logging.Handler):
    """What the package's loggers get here is forwarded to the parent."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        number = record.levelno
        level = "error" if number >= logging.ERROR else "warning"
        if number < logging.WARNING:
            level = "info" if number >= logging.INFO else "debug"
        self._server.send("log", level, self.format(record))
