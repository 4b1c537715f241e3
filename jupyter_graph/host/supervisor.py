"""The parent of the workers: binds the socket, starts them, replaces what dies."""

from __future__ import annotations

import json
import logging
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jupyter_graph.errors import HostError
from jupyter_graph.host.host_options import HostOptions
from jupyter_graph.host.logs import open_log, rotate, start_logging
from jupyter_graph.host.platform import (
    WINDOWS,
    bind,
    on_stop,
    start_worker,
    write_private,
)

GRACE_S: Final = 2.0
"""How long past its deadline a worker may be silent before it is replaced."""

_TICK_S: Final = 0.2
_MOST_FAILED_STARTS: Final = 5
_LONGEST_PAUSE_S: Final = 30.0

logger = logging.getLogger("jupyter_graph.host")


@dataclass(slots=True)
class Slot:
    """The place of one worker; the process in it may be replaced."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    is_ready: bool = False
    beat: float = 0.0
    started: float = 0.0
    timeout_s: float = 30.0
    failed_starts: int = 0
    quick_deaths: int = 0
    start_at: float = 0.0
    failure: str = ""  # what the worker reported last


@dataclass(slots=True)
class Supervisor:
    """Keeps ``options.workers`` workers alive until a signal stops it."""

    options: HostOptions
    slots: list[Slot] = field(default_factory=list)
    messages: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    listener: socket.socket | None = None
    folder: str = ""
    stops: int = 0
    was_ready: bool = False
    started: str = ""

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; returns when all workers have stopped.

        Raises:
            HostError: the address is taken, or the workers do not start.
        """
        options = self.options.check()
        self.listener = _listen(options)
        on_stop(self._stop)
        if options.log_file:
            rotate(options.log_file)
        start_logging(options.log_file, "supervisor")
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.folder = tempfile.mkdtemp(prefix="jupyter-graph-host-")
        self.slots = [Slot(number) for number in range(options.workers)]
        try:
            self._serve()
        finally:
            self._end()

    def _stop(self) -> None:
        # Called by a signal handler, perhaps within another put: SimpleQueue allows it.
        self.stops += 1
        self.messages.put(None)

    def _serve(self) -> None:
        until = time.monotonic() + self.options.start_s
        while not self.stops:
            now = time.monotonic()
            for slot in self.slots:
                self._check_worker(slot, now)
            if not self.was_ready and now > until:
                seconds = f"{self.options.start_s:g} s"
                raise HostError(f"the workers were not ready within {seconds}")
            self._listen_to_workers()

    def _listen_to_workers(self) -> None:
        try:
            message = self.messages.get(timeout=_TICK_S)
            while message is not None:
                self._handle(*message)
                message = self.messages.get_nowait()
        except queue.Empty:
            return

    # -- one worker -------------------------------------------------------------

    def _check_worker(self, slot: Slot, now: float) -> None:
        """Start, replace or leave alone the worker of a slot."""
        if slot.process is None:
            if now >= slot.start_at:
                self._start(slot, now)
        elif slot.process.poll() is not None:
            self._note_end(slot, now)
        # A worker beats from its event loop: silence means that a step blocks it for
        # longer than any event may take.
        elif slot.is_ready and now - slot.beat > slot.timeout_s + GRACE_S:
            logger.error(
                "worker %d is silent past its deadline; it is replaced", slot.number
            )
            slot.process.kill()
            slot.process.wait()
            self._note_end(slot, now)

    def _start(self, slot: Slot, now: float) -> None:
        assert self.listener is not None
        reader, writer = os.pipe()
        command = [
            sys.executable, "-P", "-m", "jupyter_graph.host.worker",
            self.options.to_json(), str(slot.number),
        ]  # fmt: skip
        log = self.options.log_file
        try:
            with open_log(log) if log else nullcontext(sys.stderr) as out:
                slot.process = start_worker(
                    command,
                    self.listener,
                    writer,
                    env=self._environment(),
                    stdout=out,
                    stderr=out,
                )
        finally:
            # Ours, too, has to be closed, or the end of the worker is never read.
            os.close(writer)
        slot.is_ready, slot.started, slot.beat, slot.failure = False, now, now, ""
        threading.Thread(
            target=self._read, args=(slot, slot.process, reader), daemon=True
        ).start()

    def _environment(self) -> dict[str, str]:
        """Return the workers' environment."""
        variables = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": self.folder}
        # A bundle that carries the package is served by it, not by ours.
        if Path(self.options.bundle, "jupyter_graph").is_dir():
            places = (self.options.bundle, os.environ.get("PYTHONPATH", ""))
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, places))
        return variables

    def _read(self, slot: Slot, process: subprocess.Popen[bytes], reader: int) -> None:
        """Queue a worker's messages, and its end (in a thread of its own)."""
        with os.fdopen(reader, "rb") as lines:
            for line in lines:
                self.messages.put((slot, process, json.loads(line)))
        process.wait()
        self.messages.put((slot, process, {}))

    def _handle(self, slot: Slot, process: Any, facts: dict[str, Any]) -> None:
        # The reader thread of a process that was replaced may still have lines.
        if process is not slot.process:
            return
        slot.beat = time.monotonic()
        slot.failure = facts.get("failed", slot.failure)
        if "ready" in facts:
            slot.is_ready, slot.failed_starts = True, 0
            slot.timeout_s = facts["timeout_s"]
            if all(each.is_ready for each in self.slots):
                self._ready()

    def _note_end(self, slot: Slot, now: float) -> None:
        """Note how a worker ended and when the next one starts."""
        assert slot.process is not None
        code = slot.process.returncode
        # One that never was ready is tried again ever more slowly; one that served is
        # replaced at once, unless it dies within seconds, again and again.
        if not slot.is_ready:
            slot.failed_starts += 1
            pause = 0.5 * 2**slot.failed_starts
        else:
            is_quick = now - slot.started < 10
            slot.quick_deaths = slot.quick_deaths + 1 if is_quick else 0
            pause = 0.05 * 2**slot.quick_deaths if is_quick else 0.0
        slot.start_at = now + min(pause, _LONGEST_PAUSE_S)
        logger.error("worker %d ended with code %s", slot.number, code)
        slot.process, slot.is_ready = None, False
        is_hopeless = slot.failed_starts >= _MOST_FAILED_STARTS
        if not self.was_ready:  # at the first start nobody waits for a second try
            raise HostError(
                slot.failure or f"a worker ended with code {code} at its start"
            )
        if is_hopeless and not any(each.is_ready for each in self.slots):
            cause = slot.failure or f"code {code}"
            raise HostError(f"workers do not start any more: {cause}")

    # -- the host as a whole ----------------------------------------------------

    @property
    def url(self) -> str:
        """Where the function is called."""
        assert self.listener is not None
        host = self.options.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.listener.getsockname()[1]}"

    def _ready(self) -> None:
        """Write the state file; again whenever a worker was replaced."""
        document = {
            "pid": os.getpid(),
            "port": int(self.url.rpartition(":")[2]),
            "url": self.url,
            "name": self.options.name,
            "started": self.started,
            "workers": [slot.process.pid for slot in self.slots if slot.process],
        }
        if self.options.state_file:
            write_private(Path(self.options.state_file), json.dumps(document) + "\n")
        if not self.was_ready:
            logger.info("function %s is ready at %s", self.options.name, self.url)
        self.was_ready = True

    def _end(self) -> None:
        """Close the door, let the workers finish, end those that do not."""
        if self.listener is not None:
            self.listener.close()
        running = [slot for slot in self.slots if slot.process is not None]
        for slot in running:
            _ask_to_stop(slot)
        # An event may take as long as its deadline; a second signal ends the wait.
        longest = max((slot.timeout_s for slot in running if slot.is_ready), default=1)
        until = time.monotonic() + min(longest, 30.0) + GRACE_S
        asked = self.stops
        while running and time.monotonic() < until and self.stops <= max(asked, 1):
            running = [slot for slot in running if _is_running(slot)]
            time.sleep(0.02 if running else 0)
        for slot in running:
            assert slot.process is not None
            slot.process.kill()
            slot.process.wait()
        if self.options.state_file and self.was_ready:
            Path(self.options.state_file).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _listen(options: HostOptions) -> socket.socket:
    try:
        return bind(options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise HostError(
            f"cannot listen on {where}: {error.strerror or error}"
        ) from None


def _is_running(slot: Slot) -> bool:
    return slot.process is not None and slot.process.poll() is None


def _ask_to_stop(slot: Slot) -> None:
    assert slot.process is not None
    if not slot.is_ready:
        slot.process.kill()
    elif not WINDOWS:
        slot.process.terminate()
    if slot.process.stdin is not None:  # the end of it stops a worker on Windows
        slot.process.stdin.close()
