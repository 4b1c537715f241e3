"""Does memory grow when much goes through? A child process of ``bench_memory``.

``python -m benchmarks.endurance WHAT COUNT`` does it so many times and prints, as one
line of JSON, what it took and how memory, threads and files of the process changed
after a tenth of it, which is the warming up.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.bench_chain import chain_of, composed, steps_of
from benchmarks.measure import in_turn
from jupyter_graph import Runner

STEPS = 6
BODY = {"x": 1}
PARTS = 4
LIMIT_S = 60.0
TICK_S = 0.01
STEP = """def add(body):
    return {"x": body["x"] + 1}
"""

Times = Callable[[int], Any]
"""Does the thing that many times; gives the last answer."""


@dataclass
class Load:
    """What is done again and again, and the process that does it."""

    times: Times
    pid: int
    tidy: Callable[[], Any] = gc.collect
    close: Callable[[], Any] = lambda: None

    def held(self) -> dict[str, int]:
        """Give what the process holds: bytes of memory, threads, open files."""
        self.tidy()
        process = psutil.Process(self.pid)
        return {
            "rss": process.memory_info().rss,
            "threads": process.num_threads(),
            "files": process.num_fds(),
        }

    def cpu_s(self) -> float:
        """Give the CPU time that the process has taken so far.

        That of another process is counted in hundredths of a second.
        """
        if self.pid == os.getpid():
            return time.process_time()
        spent = psutil.Process(self.pid).cpu_times()
        return float(spent.user + spent.system)


def plain_events() -> Load:
    return Load(in_turn(composed(steps_of(STEPS)), BODY), os.getpid())


def runner_events() -> Load:
    runner = Runner(chain_of(steps_of(STEPS))).open()
    return Load(in_turn(runner.run, BODY), os.getpid())


def plain_cells() -> Load:
    """Run a cell that defines a function, again and again, in a kernel."""
    return _cells(STEP)


def step_cells() -> Load:
    """Run a step's cell again and again, in a kernel."""
    return _cells(f"%%graph_step add\n{STEP}")


def event_cells() -> Load:
    """Run a step's cell, and one that sends an event, again and again."""
    return _cells(f"%%graph_step add\n{STEP}", 'answer = %graph run {"x": 1}')


def _cells(*cells: str) -> Load:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")

    def run(source: str) -> None:
        reply = client.execute_interactive(
            source, timeout=LIMIT_S, output_hook=lambda _: None
        )
        assert reply["content"]["status"] == "ok", reply["content"]

    def times(count: int) -> Any:
        for _ in range(count):
            for cell in cells:
                run(cell)
        return {"x": 2}

    run("%load_ext jupyter_graph")
    run("import gc")

    def close() -> None:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    pid = manager.provisioner.pid
    return Load(times, pid, lambda: run("gc.collect()"), close)


WAYS: dict[str, Callable[[], Load]] = {
    "plain_events": plain_events,
    "runner_events": runner_events,
    "plain_cells": plain_cells,
    "step_cells": step_cells,
    "event_cells": event_cells,
}


def main(what: str, count: int) -> dict[str, Any]:
    load = WAYS[what]()
    load.times(max(1, count // 10))
    before, began, started = load.held(), time.perf_counter(), load.cpu_s()
    answer = None
    for part in range(PARTS):
        more = count * (part + 1) // PARTS - count * part // PARTS
        answer = load.times(more) or answer
    cpu_s = load.cpu_s() - started or TICK_S
    spent = {"cpu_s": cpu_s, "wall_s": time.perf_counter() - began}
    after = load.held()
    load.close()
    return {
        **spent,
        "answer": answer,
        "rss_mb": after["rss"] / 2**20,
        "growth_percent": (after["rss"] / before["rss"] - 1) * 100,
        "new_threads": after["threads"] - before["threads"],
        "new_files": after["files"] - before["files"],
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
