"""Embedded hosts: processes apart from the kernel, proved to be ours, with a port."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from jupyter_graph.deployment.function_environment import (
    secret_sources,
    system_environment,
)
from jupyter_graph.deployment.private_files import read_object
from jupyter_graph.deployment.records import Record
from jupyter_graph.errors import HostError
from jupyter_graph.host.platform import bind

POLL_S = 0.02
DRAIN_S = 35.0  # a host lets its events end for at most 32 s
SAME_START_S = 2.0  # psutil counts from the boot time, which moves with the clock


def start_host(record: Record, wait_s: float) -> Record:
    """Start the host, wait until it is ready, and return the record with its URL.

    Raises:
        HostError: it ended, or was not ready in time; nothing of it is left.
    """
    state = Path(record.state)
    state.unlink(missing_ok=True)
    output = first_output(record)
    output.unlink(missing_ok=True)
    config = read_object(Path(record.place, "config.json"))
    env = {
        **system_environment(),
        **secret_sources(config.get("secrets") or {}),
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
    while not (state := read_object(Path(record.state))).get("url"):
        if ours(process.pid, process.create_time()) is None:
            raise HostError(f"{record.name!r} did not start: {_cause(record)}")
        if time.monotonic() > deadline:
            raise HostError(
                f"{record.name!r} was not ready after {wait_s:g} s "
                f"(wait_s says how long to wait){_tail(record)}"
            )
        time.sleep(POLL_S)
    return state


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


def start_apart(
    command: Sequence[str], *, log: Path, cwd: str | None, env: Mapping[str, str]
) -> psutil.Process:
    """Start a process that outlives this one; both its outputs go to ``log``."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,  # Ctrl-C in the notebook's terminal is not its
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    finally:
        os.close(handle)
    started = psutil.Process(process.pid)
    started.create_time()  # read while it surely is the one
    # Somebody has to read the exit code, or a dead host stays behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return started


def ours(pid: int, created: float) -> psutil.Process | None:
    """Return the process when it lives and is the very one that we started."""
    if pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        # The system gives a process id to somebody else when its owner has ended.
        if abs(process.create_time() - created) > SAME_START_S:
            return None
        is_alive = process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if is_alive else None


def stop(process: psutil.Process) -> None:
    """Let a process end its work, then end it; its children go with it."""
    try:
        # Listed first: the children of a process that has ended are not known.
        children = process.children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([process], timeout=DRAIN_S)
    except psutil.NoSuchProcess:
        return
    _, orphans = psutil.wait_procs(children, timeout=1 if not alive else 0)
    for left in (*alive, *orphans):
        try:
            left.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs((*alive, *orphans), timeout=5)


def port_problem(port: int, host: str = "127.0.0.1") -> str | None:
    """Return why nobody could listen on this port now, None when one could."""
    try:
        bind(host, port).close()
    except PermissionError:
        return f"port {port} is not for you: ports below 1024 are the system's"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} is in use{port_holder(port)}"
        return f"port {port} cannot be used: {error.strerror}"
    return None


def port_holder(port: int) -> str:
    """Name the process that listens on a port, as far as one may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN
            at = connection.laddr[1] if connection.laddr else None
            if is_listening and at == port and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f" by process {connection.pid} ({name})"
    except (psutil.Error, OSError):
        pass
    return ""
