"""What differs between systems: sockets across processes, signals, private files."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

WINDOWS = sys.platform == "win32"


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket on the address; port 0 is any free one.

    Raises:
        OSError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if WINDOWS:  # there SO_REUSEADDR would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


def start_worker(
    command: list[str], listener: socket.socket, beats: int, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a worker that inherits the listening socket and the writing end of a pipe.

    On Windows the socket is duplicated into the process through its standard input.
    """
    if WINDOWS:
        import msvcrt

        handle = msvcrt.get_osfhandle(beats)  # type: ignore[attr-defined,unused-ignore]
        os.set_handle_inheritable(handle, True)  # type: ignore[attr-defined,unused-ignore]
        process = subprocess.Popen(
            [*command, "share", str(handle)],
            stdin=subprocess.PIPE,
            close_fds=False,
            **options,
        )
        shared = listener.share(process.pid)  # type: ignore[attr-defined,unused-ignore]
        assert process.stdin is not None
        process.stdin.write(len(shared).to_bytes(4, "big") + shared)
        process.stdin.flush()
        return process
    return subprocess.Popen(
        [*command, str(listener.fileno()), str(beats)],
        stdin=subprocess.PIPE,
        pass_fds=(listener.fileno(), beats),
        **options,
    )


def inherited(listener: str, beats: str) -> tuple[socket.socket, int]:
    """Return the socket and the pipe that ``start_worker`` passed on."""
    if listener == "share":
        import msvcrt

        size = int.from_bytes(sys.stdin.buffer.read(4), "big")
        shared = socket.fromshare(sys.stdin.buffer.read(size))  # type: ignore[attr-defined,unused-ignore]
        fd = msvcrt.open_osfhandle(int(beats), 0)  # type: ignore[attr-defined,unused-ignore]
        return shared, fd
    # What this worker starts itself (steps in processes) shall not keep the port.
    taken = socket.socket(fileno=int(listener))
    os.set_inheritable(int(listener), False)
    os.set_inheritable(int(beats), False)
    return taken, int(beats)


def loop_factory() -> Callable[[], Any] | None:
    """Return uvloop's loop where there is one, else None for the standard loop."""
    try:
        import uvloop  # not made for Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def on_stop(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGTERM and SIGINT (and Ctrl-Break)."""
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: stop())


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; readers see the old or the new text."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(fresh).replace(path)
