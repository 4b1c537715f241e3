"""Processes apart from the kernel, and the proof that a process id is still ours."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

DRAIN_S = 35.0  # a host lets its events end for at most 32 s
SAME_START_S = 2.0  # psutil counts from the boot time, which moves with the clock


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
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # else a port whose last connections linger is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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
