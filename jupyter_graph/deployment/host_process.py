"""One embedded host: started, and waited for until it is ready."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from jupyter_graph.deployment.detached_processes import ours, start_apart, stop
from jupyter_graph.deployment.records import Record
from jupyter_graph.errors import HostError

POLL_S = 0.02
KERNEL_ONLY = ("JPY_", "PYTHON")  # the kernel was started with it; the host is not


def start_host(record: Record, wait_s: float) -> Record:
    """Start the host, wait until it is ready, and return the record with its URL.

    Raises:
        HostError: it ended, or was not ready in time; nothing of it is left.
    """
    state = Path(record.state)
    state.unlink(missing_ok=True)
    output = first_output(record)
    output.unlink(missing_ok=True)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(KERNEL_ONLY)},
        "PYTHONUNBUFFERED": "1",
        **record.env,
        "PYTHONPATH": record.place,
    }
    # A fresh file for each start, so that no state of an older host is read.
    command = [*record.command, "--state-file", str(state)]
    process = start_apart(command, log=output, cwd=record.cwd, env=env)
    try:
        state_of_host = _wait(record, process, wait_s)
    except BaseException:
        stop(process)
        state.unlink(missing_ok=True)
        raise
    return replace(
        record,
        pid=process.pid,
        created=process.create_time(),
        url=str(state_of_host["url"]).rstrip("/"),
    )


def _wait(record: Record, process: psutil.Process, wait_s: float) -> dict[str, Any]:
    """Wait for the state file that the host writes when it is ready."""
    deadline = time.monotonic() + wait_s
    while not (state := read_state(Path(record.state))).get("url"):
        if ours(process.pid, process.create_time()) is None:
            raise HostError(f"{record.name!r} did not start: {_cause(record)}")
        if time.monotonic() > deadline:
            raise HostError(
                f"{record.name!r} was not ready after {wait_s:g} s "
                f"(wait_s says how long to wait){_tail(record)}"
            )
        time.sleep(POLL_S)
    return state


def read_state(path: Path) -> dict[str, Any]:
    """Return the state file of a host, nothing before it is ready."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _cause(record: Record) -> str:
    """Return the cause in the host's last line of JSON, else what it wrote."""
    written = _written(record)
    for line in reversed(written.splitlines()):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and "error" in document:
            return str(document["error"])
    return written or "it wrote nothing"


def _tail(record: Record) -> str:
    written = _written(record)
    return f":\n{written}" if written else ""


def _written(record: Record) -> str:
    """Return the end of what the host wrote, what it wrote before its log included."""
    texts = []
    for path in (Path(record.log), first_output(record)):
        try:
            texts.append(path.read_bytes()[-2000:].decode("utf-8", "replace").strip())
        except OSError:
            continue
    return "\n".join(text for text in texts if text)


def first_output(record: Record) -> Path:
    """Return the file for what a host writes before its log is open."""
    return Path(record.log).with_name("start.log")
