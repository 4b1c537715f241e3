"""A bundle in a clean process: what is not in it, or required by it, is not there."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Self

from jupyter_graph.deployment.function_environment import system_environment
from jupyter_graph.errors import BundleError

CHILD = Path(__file__).with_name("clean_child.py")
START_LIMIT_S = 60.0


@dataclass(eq=False)
class CleanProcess:
    """One clean process with one bundle in it; a context manager.

    Args:
        bundle: the bundle's folder.
        admitted: top-level modules it may import; None = all that are installed.
        python: the interpreter, this one by default.
        cwd: the folder it runs in, where paths without a root begin.
        env: environment variables, added to those of the system.
        paths: folders that modules may be imported from besides, behind all others.
        limit_s: seconds until the bundle must be open.
    """

    bundle: Path
    admitted: Sequence[str] | None
    _: KW_ONLY
    python: str = sys.executable
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[str] = ()
    limit_s: float = START_LIMIT_S
    failed: dict[str, Any] | None = field(default=None, init=False)
    effects: list[dict[str, Any]] = field(default_factory=list, init=False)
    tables: list[str] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        # A file, not a pipe: nobody reads it while the process runs, and a full pipe
        # would stop it.
        self._errors = tempfile.TemporaryFile()
        # All that it may write to; what it was refused is noted beside it.
        self._own = tempfile.TemporaryDirectory(
            prefix="jupyter-graph-", ignore_cleanup_errors=True
        )
        scratch = Path(self._own.name, "scratch")
        scratch.mkdir()
        self._process = subprocess.Popen(
            # Isolated: no PYTHONPATH, no folder of this process on its path.
            [self.python, "-I", "-B", "-X", "utf8", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self.cwd,
            env={**system_environment(), **self.env, "TMPDIR": str(scratch)},
            start_new_session=True,  # one group to kill, with what steps started
        )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin = self._process.stdin
        self._stdout = self._process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            order = {
                "bundle": str(self.bundle),
                "admitted": self.admitted,
                "guard": str(CHILD.with_name("effect_guard.py")),
                "paths": list(self.paths),
                "scratch": str(scratch),
                "notes": str(Path(self._own.name, "effects.jsonl")),
            }
            reply = self._ask(order, self.limit_s, "importing it")
            self.failed = reply.get("failed")
            self.effects = reply.get("effects", [])
            self.tables = reply.get("tables", [])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._process.wait()
        self._reader.join(timeout=5)
        self._errors.close()
        self._own.cleanup()
        with contextlib.suppress(BrokenPipeError):  # it died with a question unread
            self._stdin.close()
        # A grandchild may hold the other end; closing while it is read would block.
        if not self._reader.is_alive():
            self._stdout.close()

    def _kill(self) -> None:
        """End the process and what its steps started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def _read(self) -> None:
        for line in self._stdout:
            self._lines.put(line)
        self._lines.put(b"")  # the end: whoever waits for an answer wakes up

    def ask(self, event: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Send one event; return its answer, or what made the handler fail.

        Raises:
            BundleError: the process died, or did not answer in time.
        """
        return self._ask(event, limit_s, f"event {event['id']}")

    def _ask(
        self, message: Mapping[str, Any], limit_s: float, doing: str
    ) -> dict[str, Any]:
        try:
            self._stdin.write(json.dumps(message).encode() + b"\n")
            self._stdin.flush()
            line = self._lines.get(timeout=limit_s)
        except queue.Empty:
            raise BundleError(
                f"the bundle did not answer within {limit_s:g} s while {doing}"
                f"{self._stderr_end()}"
            ) from None
        except BrokenPipeError:
            line = b""
        if not line:
            code = self._process.wait()
            raise BundleError(
                f"the bundle's process ended (exit code {code}) while {doing}"
                f"{self._stderr_end()}"
            )
        return dict(json.loads(line))

    def _stderr_end(self) -> str:
        """Return the end of what the process wrote to stderr."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 2000))
        text = self._errors.read().decode("utf-8", "replace").strip()
        return f":\n{text}" if text else ""


def make_environment(folder: Path, requirements: Path) -> str:
    """Make a virtual environment with the requirements alone; return its Python.

    Raises:
        BundleError: pip could not install them; the text holds what pip said.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    commands = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "-r", str(requirements)],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            output = (done.stderr or done.stdout).strip()[-2000:]
            raise BundleError(f"the fresh environment cannot be made:\n{output}")
    return str(python)
