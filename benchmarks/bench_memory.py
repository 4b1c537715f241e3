"""How much memory does a function take in the host, and does it grow by use?

A stateless function in the embedded host, beside a bare application on the same server:
the memory of a worker and of all processes after a load; their CPU time is that of
starting. Then a million events through a graph of six steps, and a cell run again a
thousand times, in a process or kernel of its own, beside the plain way.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

from benchmarks.http_load import Load, send_load
from benchmarks.http_servers import Server, memory_mb, start_bare, start_host
from benchmarks.measure import Row, answers_are_equal, in_rounds, summarize
from benchmarks.report import parser, report

PACKAGES = ("jupyter_graph", "uvicorn", "httptools", "uvloop", "ipython", "ipykernel")
BODY = {"user": "ann", "amount": 42.5}
REQUESTS, CONNECTIONS = 500, 16
LIMIT_S = 600.0

HOSTED: dict[str, Callable[[ExitStack], Server]] = {
    "bare ASGI, JSON": lambda stack: start_bare(stack, "json"),
    "embedded host, 1 worker": lambda stack: start_host(stack, 1),
    "embedded host, 2 workers": lambda stack: start_host(stack, 2),
}
USED = {  # shape: the plain way and ours
    "events": {"plain functions": "plain_events", "Runner.run": "runner_events"},
    "cell runs": {"kernel alone": "plain_cells", "a step": "step_cells"},
}


# -- in the host --------------------------------------------------------------------


def in_the_host(*, rounds: int) -> list[Row]:
    """Start each server again in each round, and look at it after a load."""
    found = in_rounds(HOSTED, rounds, looked_at)
    shape = "stateless function in the host"
    answers_are_equal(shape, {name: found[name][0].pop("answer") for name in found})
    return _rows(shape, found)


def looked_at(start: Callable[[ExitStack], Server]) -> dict[str, Any]:
    with ExitStack() as stack:
        began = time.perf_counter()
        server = start(stack)
        facts = {"cpu_s": server.cpu_s(), "wall_s": time.perf_counter() - began}
        load = Load(server.port, json.dumps(BODY).encode(), REQUESTS)
        send_load(load, connections=CONNECTIONS, limit_s=60)
        first, *others = server.processes()
        workers = [memory_mb(each.pid) for each in others or [first]]
        return {
            **facts,
            "answer": json.loads(load.answer),
            "worker_pss_mb": median(each["pss_mb"] for each in workers),
            "worker_rss_mb": median(each["rss_mb"] for each in workers),
            "all_pss_mb": server.memory_mb()["pss_mb"],
        }


# -- by use -------------------------------------------------------------------------


def by_use(*, rounds: int, counts: Mapping[str, int]) -> list[Row]:
    rows: list[Row] = []
    for what, variants in USED.items():
        count = counts[what]
        found = in_rounds(variants, rounds, partial(used, count=count))
        shape = f"{count:,} {what}"
        answers_are_equal(shape, {name: found[name][0]["answer"] for name in found})
        rows += _rows(shape, found, per=count)
    return rows


def used(way: str, count: int) -> dict[str, Any]:
    """Let a process of its own do it; give what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.endurance", way, str(count)],
        capture_output=True,
        check=True,
        timeout=LIMIT_S,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# -- rows ---------------------------------------------------------------------------


def _rows(
    shape: str, found: Mapping[str, list[dict[str, Any]]], per: int = 1
) -> list[Row]:
    def samples(key: str) -> dict[str, list[float]]:
        return {name: [one[key] * 1e6 / per for one in found[name]] for name in found}

    more = {name: _medians(found[name]) for name in found}
    return summarize(shape, samples("cpu_s"), more, walls=samples("wall_s"))


def _medians(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    names = [name for name in found[-1] if name not in ("cpu_s", "wall_s", "answer")]
    return {name: round(median(one[name] for one in found), 2) for name in names}


def run(*, rounds: int, events: int, cells: int) -> list[Row]:
    counts = {"events": events, "cell runs": cells}
    return [*in_the_host(rounds=rounds), *by_use(rounds=1, counts=counts)]


def main(words: Sequence[str] | None = None) -> None:
    options = parser(__doc__, rounds=3)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--cells", type=int, default=1_000)
    found = options.parse_args(words)
    rows = run(rounds=found.rounds, events=found.events, cells=found.cells)
    report(rows, PACKAGES, found.json)


if __name__ == "__main__":
    main()
