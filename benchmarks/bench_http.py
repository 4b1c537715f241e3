"""What does the embedded host cost beside a bare application on the same server?

All servers have one worker, are up at the same time and get their loads in turn. The
load comes from this process, on the same cores: requests a second compare only within
one run, the CPU time of the servers says more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from benchmarks.http_load import Load, send_load
from benchmarks.measure import Row, answers_are_equal, summarize, turned
from benchmarks.report import parser, report
from jupyter_graph import Graph
from jupyter_graph.spec.codec import graph_json

PACKAGES = ("jupyter_graph", "uvicorn", "httptools", "uvloop")
BODY = {"user": "ann", "amount": 42.5, "tags": ["new", "paid"]}
START_S = 30.0
LOAD_S = 30.0

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
    """A server that runs: its port, and the processes whose time it takes."""

    port: int
    processes: tuple[psutil.Process, ...]

    def cpu_s(self) -> float:
        return sum(_cpu_s(process) for process in self.processes)

    def rss_mb(self) -> float:
        return sum(each.memory_info().rss for each in self.processes) / 2**20


def _cpu_s(process: psutil.Process) -> float:
    """Give a process's CPU seconds; psutil knows them to a hundredth only."""
    if sys.platform.startswith("linux"):
        clock = (~process.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
        return time.clock_gettime(clock)
    spent = process.cpu_times()
    return float(spent.user + spent.system)


# -- servers --------------------------------------------------------------------


def start_bare(stack: ExitStack, app: str) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_asgi", app],
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    return Server(port, (psutil.Process(process.pid),))


def start_host(stack: ExitStack) -> Server:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    bundle, state = folder / "echo", folder / "state.json"
    write_bundle(bundle)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter_graph.host", str(bundle), "--workers", "1",
            "--state-file", str(state), "--log-file", str(folder / "log"),
        ]
    )  # fmt: skip
    stack.callback(_end, process)
    until = time.monotonic() + START_S
    while not state.is_file():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the host did not start")
        time.sleep(0.02)
    document = json.loads(state.read_text(encoding="utf-8"))
    pids = (document["pid"], *document["workers"])
    return Server(document["port"], tuple(map(psutil.Process, pids)))


def write_bundle(folder: Path) -> None:
    graph = Graph("echo", engine="sync")
    graph.to(name="echo", handler="echo").respond()
    folder.mkdir()
    (folder / "graph.json").write_text(graph_json(graph.spec), encoding="utf-8")
    (folder / "steps.py").write_text(STEPS, encoding="utf-8")
    (folder / "main.py").write_text(MAIN, encoding="utf-8")


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


# -- loads ----------------------------------------------------------------------


def run(*, rounds: int, requests: int, connections: int) -> list[Row]:
    with ExitStack() as stack:
        servers = {
            "bare ASGI, bytes": start_bare(stack, "bytes"),
            "bare ASGI, JSON": start_bare(stack, "json"),
            "embedded host": start_host(stack),
        }
        answers = {}
        for name, server in servers.items():
            load = _load(server, max(1, requests // 4), connections)
            answers[name] = json.loads(load.answer)
        shape = f"echo, {connections} connections"
        answers_are_equal(shape, answers)
        return _rounds(shape, servers, rounds, requests, connections)


def _rounds(
    shape: str,
    servers: dict[str, Server],
    rounds: int,
    requests: int,
    connections: int,
) -> list[Row]:
    samples: dict[str, list[float]] = {name: [] for name in servers}
    loads: dict[str, list[Load]] = {name: [] for name in servers}
    for number in range(rounds):
        for name in turned(list(servers), number):
            before = servers[name].cpu_s()
            loads[name].append(_load(servers[name], requests, connections))
            spent = servers[name].cpu_s() - before
            samples[name].append(spent * 1e6 / requests)
    more = {name: _more(loads[name], servers[name]) for name in servers}
    return summarize(shape, samples, more)


def _load(server: Server, requests: int, connections: int) -> Load:
    load = Load(server.port, json.dumps(BODY).encode(), requests)
    return send_load(load, connections=connections, limit_s=LOAD_S)


def _more(loads: list[Load], server: Server) -> dict[str, Any]:
    centiles = [
        quantiles([*load.took_s, *load.took_s], n=100, method="inclusive")
        for load in loads
    ]
    return {
        "req_s": round(median(len(load.took_s) / load.wall_s for load in loads)),
        "p50_ms": round(median(each[49] for each in centiles) * 1000, 3),
        "p99_ms": round(median(each[98] for each in centiles) * 1000, 3),
        "rss_mb": round(server.rss_mb(), 1),
    }


def main(words: Sequence[str] | None = None) -> None:
    options = parser(__doc__, rounds=7)
    options.add_argument("--requests", type=int, default=4000, help="a turn")
    options.add_argument("--connections", type=int, default=16)
    found = options.parse_args(words)
    rows = run(
        rounds=found.rounds, requests=found.requests, connections=found.connections
    )
    report(rows, PACKAGES, found.json)


if __name__ == "__main__":
    main()
