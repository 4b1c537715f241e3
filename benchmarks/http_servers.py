"""Servers that echo JSON: bare applications, the embedded host, and those of peers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.http_load import Load, send_load
from jupyter_graph import Graph
from jupyter_graph.spec.codec import graph_json

HERE = Path(__file__).parent
START_S = 90.0
PAUSE_S = 0.02
QUIET = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "RAY_USAGE_STATS_ENABLED": "0",
}

STEPS = """
def echo(body):
    return body
"""

MAIN = """
from pathlib import Path
from jupyter_graph.host.handler import serve
init_context, handler = serve(Path(__file__).parent)
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it answers, and its first process."""

    port: int
    process: psutil.Process
    path: str = "/"

    def processes(self) -> list[psutil.Process]:
        """Give the process and all that it started."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        """Give the CPU seconds of all its processes that are alive."""
        return sum(_cpu_s(process) for process in self.processes())

    def memory_mb(self) -> dict[str, float]:
        """Give the memory of all its processes: resident, and its fair share of it."""
        each = [memory_mb(process.pid) for process in self.processes()]
        return {key: round(sum(one[key] for one in each), 1) for key in each[0]}


def _cpu_s(process: psutil.Process) -> float:
    """Give a process's CPU seconds; psutil knows them to a hundredth only."""
    try:
        if sys.platform.startswith("linux"):
            clock = (~process.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
            return time.clock_gettime(clock)
        spent = process.cpu_times()
    except (psutil.NoSuchProcess, OSError):
        return 0.0
    return float(spent.user + spent.system)


def memory_mb(pid: int) -> dict[str, float]:
    """Give a process's resident memory, and its share where pages are shared.

    ``pss_mb`` counts a page that n processes share as a nth; where the system does not
    tell (it is Linux's) it is the resident memory.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        resident = psutil.Process(pid).memory_info().rss / 2**20
        return {"rss_mb": resident, "pss_mb": resident}
    found = dict(line.split(":", 1) for line in lines.splitlines()[1:])
    return {
        f"{name.lower()}_mb": int(found[name].split()[0]) / 1024
        for name in ("Rss", "Pss")
    }


# -- starting and ending -----------------------------------------------------------


def start_bare(stack: ExitStack, app: str) -> Server:
    """Start an application of ``bare_asgi`` on the host's own server."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_asgi", app],
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    return Server(port, psutil.Process(process.pid))


def start_host(stack: ExitStack, workers: int = 1) -> Server:
    """Start the embedded host with a graph of one step."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    bundle, state = folder / "echo", folder / "state.json"
    write_bundle(bundle)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter_graph.host", str(bundle),
            "--workers", str(workers), "--state-file", str(state),
            "--log-file", str(folder / "log"),
        ]
    )  # fmt: skip
    stack.callback(_end, process)
    _wait_until(process, state.is_file)
    document = json.loads(state.read_text(encoding="utf-8"))
    return Server(document["port"], psutil.Process(process.pid))


def start_peer(
    stack: ExitStack, python: Path, script: str, path: str, body: bytes
) -> Server:
    """Start a server of ``peer_servers`` in its environment.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    port, folder = _free_port(), stack.enter_context(tempfile.TemporaryDirectory())
    log = stack.enter_context((Path(folder) / "log").open("w+"))
    process = subprocess.Popen(
        [python, HERE / "peer_servers" / f"{script}.py", str(port)],
        cwd=folder,
        env=_without_us(python),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    stack.callback(_end, process)

    def answers() -> bool:
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            send_load(Load(port, body, 1, path), connections=1, limit_s=5)
            return True
        return False

    try:
        _wait_until(process, answers)
    except RuntimeError as error:
        log.seek(0)
        raise RuntimeError(f"{error}: {log.read()[-800:]}") from None
    return Server(port, psutil.Process(process.pid), path)


def _without_us(python: Path) -> dict[str, str]:
    """Give an environment of the peer's: its programs come first, nobody is told."""
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {key: text for key, text in os.environ.items() if key not in left_out}
    return {**kept, "PATH": path, **QUIET}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until(process: subprocess.Popen[Any], is_ready: Any) -> None:
    until = time.monotonic() + START_S
    while not is_ready():
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        if time.monotonic() > until:
            raise RuntimeError(f"it was not ready within {START_S:g} s")
        time.sleep(PAUSE_S)


def write_bundle(folder: Path) -> None:
    graph = Graph("echo", engine="sync")
    graph.to(name="echo", handler="echo").respond()
    folder.mkdir()
    (folder / "graph.json").write_text(graph_json(graph.spec), encoding="utf-8")
    (folder / "steps.py").write_text(STEPS, encoding="utf-8")
    (folder / "main.py").write_text(MAIN, encoding="utf-8")


def _end(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs(below, timeout=10)
        _kill(alive)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
