"""All benchmarks, one after the other: tables here, results of the day in a file."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import results_file
from benchmarks.kafka.broker import why_not

HERE = Path(__file__).parent
LIMIT_S = 1200.0
OWN = (
    "chain", "branches", "concurrency", "storey", "state", "import", "memory", "http",
    "widgets", "batch", "kafka",
)  # fmt: skip

IN_PROCESS = frozenset(("chain", "branches", "concurrency", "state"))
"""Run in three processes, their rows put together: ``results_file.pooled``."""

PROCESSES = 3
SHORT = ("--rounds", "3", "--turn-ms", "40")
WORDS = {
    **dict.fromkeys(IN_PROCESS, SHORT),
    "storey": ("--turn-ms", "40"),
    "batch": ("--rounds", "3"),
    "kafka": ("--rounds", "5"),
}
"""All of them shall take three minutes at most."""


@dataclass(frozen=True, slots=True)
class Run:
    """One benchmark in one environment."""

    benchmark: str
    environment: str = "own"
    python: Path = Path(sys.executable)
    words: tuple[str, ...] = ()

    @property
    def processes(self) -> int:
        return PROCESSES if self.benchmark in IN_PROCESS else 1


def runs_of(peers: Path | None) -> Iterator[Run]:
    """Give the runs: our own, or those beside peers in their environments."""
    if peers is None:
        for name in OWN:
            if name == "kafka" and (lacks := why_not()):
                print(f"kafka is left out: {lacks}")
                continue
            yield Run(name, words=WORDS.get(name, ()))
        return
    for environment, names in (
        ("graphs", ("chain",)),
        ("mlrun", ("chain", "branches", "import")),
    ):
        python = peers.resolve() / environment / "bin" / "python"
        if not python.exists():
            print(f"{environment} is left out: there is no {python}")
            continue
        for name in names:
            yield Run(name, environment, python, WORDS.get(name, ()))
    words = ("--peers", str(peers.resolve()), "--requests", "2000")
    yield Run("http", "peers", words=words)


def done(run: Run, words: Sequence[str]) -> dict[str, Any]:
    """Run a benchmark, let it print, and give its rows with what is known of the run.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    load, began = results_file.load(), time.perf_counter()
    found = [_rows(run, words) for _ in range(run.processes)]
    return {
        "benchmark": run.benchmark,
        "environment": run.environment,
        "load": load,
        "took_s": round(time.perf_counter() - began, 1),
        "rows": results_file.pooled(found),
    }


def _rows(run: Run, words: Sequence[str]) -> list[results_file.Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        subprocess.run(
            [
                run.python, "-m", f"benchmarks.bench_{run.benchmark}",
                "--json", file, *run.words, *words,
            ],
            cwd=HERE.parent,
            check=True,
            timeout=LIMIT_S,
        )  # fmt: skip
        found: list[results_file.Row] = json.loads(file.read_text(encoding="utf-8"))
        return found


def main(words: Sequence[str] | None = None) -> None:
    today = datetime.now(UTC).date().isoformat()
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="names such as chain; by default all")
    parser.add_argument("--peers", type=Path, help="the folder of their environments")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--date", default=today, help="of the results, today's")
    parser.add_argument("--rounds", help="instead of each benchmark's own")
    parser.add_argument(
        "--tables", action="store_true", help="run nothing, write the Markdown again"
    )
    options = parser.parse_args(words)
    file = options.results / f"{options.date}.json"
    rounds = ("--rounds", options.rounds) if options.rounds else ()
    document = results_file.read(file, options.date)
    if options.tables:
        results_file.write(document, file)
    for run in () if options.tables else runs_of(options.peers):
        if options.only and run.benchmark not in options.only:
            continue
        print(f"\n{run.benchmark}: {run.environment}", flush=True)
        results_file.put(document, done(run, rounds))
        results_file.write(document, file)
    print(f"\n{results_file.targets_table(document)}\nwritten to {file}")


if __name__ == "__main__":
    main()
