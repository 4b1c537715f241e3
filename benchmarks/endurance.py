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
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.bench_chain import chain_of, composed, steps_of
from benchmarks.measure import in_turn
from jupyter_graph import Runner

STEPS = 6
BODY = {"x": 1}
PARTS = 4
CELL = """%%graph_step {name}
def {name}(body):
    return {{"x": body["x"] + 1}}
"""

Times = Callable[[int], Any]
"""Does the thing that many times; gives the last answer."""


def plain_events() -> Times:
    return in_turn(composed(steps_of(STEPS)), BODY)


def runner_events() -> Times:
    return in_turn(Runner(chain_of(steps_of(STEPS))).open().run, BODY)


def plain_cells() -> Times:
    """Run a cell that defines a function, and one that calls it, again and again."""
    source = CELL.format(name="add").partition("\n")[2]
    return _cells(_shell(), source, 'answer = add({"x": 1})', lambda found: found)


def step_cells() -> Times:
    """Run a step's cell, and an event through the graph, again and again."""
    shell = _shell()
    shell.run_line_magic("load_ext", "jupyter_graph")
    call = 'answer = %graph run {"x": 1}'
    return _cells(shell, CELL.format(name="add"), call, lambda found: found.value)


def _cells(shell: Any, step: str, call: str, body_of: Callable[[Any], Any]) -> Times:
    def cells(count: int) -> Any:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            for _ in range(count):
                for cell_id, source in (("step", step), ("call", call)):
                    done = shell.run_cell(source, store_history=True, cell_id=cell_id)
                    done.raise_error()
        return body_of(shell.user_ns["answer"])

    return cells


def _shell() -> Any:
    """Give a shell without history on disk and without ``Out``, which keeps all."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.cache_size = 0
    return InteractiveShell.instance(config=config)


WAYS: dict[str, Callable[[], Times]] = {
    "plain_events": plain_events,
    "runner_events": runner_events,
    "plain_cells": plain_cells,
    "step_cells": step_cells,
}


def held() -> dict[str, int]:
    """Give what this process holds: memory in KiB, threads, open files."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "rss_kib": int(fields["VmRSS"].split()[0]),
        "threads": threading.active_count(),
        "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


def main(what: str, count: int) -> dict[str, Any]:
    times = WAYS[what]()
    times(max(1, count // 10))
    before, began, started = held(), time.perf_counter(), time.process_time()
    answer = None
    for part in range(PARTS):
        answer = times(count * (part + 1) // PARTS - count * part // PARTS) or answer
    spent = {"cpu_s": time.process_time() - started}
    spent["wall_s"] = time.perf_counter() - began
    after = held()
    growth = after["rss_kib"] / before["rss_kib"] - 1
    return {
        **spent,
        "answer": answer,
        "rss_mb": after["rss_kib"] / 1024,
        "growth_percent": growth * 100,
        "new_threads": after["threads"] - before["threads"],
        "new_files": after["files"] - before["files"],
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
