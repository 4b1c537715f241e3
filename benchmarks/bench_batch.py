"""What does a row cost on its way from Parquet through three steps to Parquet?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Row, answers_are_equal, in_rounds, summarize
from benchmarks.report import parser, report

PACKAGES = ("jupyter_graph", "storey", "pandas", "pyarrow", "numpy")

# Each variant runs in a fresh process, in which memory is looked at while it works.
FRAME = """
import json, os, sys, threading, time
import numpy as np, pandas as pd, psutil, pyarrow as pa, pyarrow.parquet as pq
source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

def total(row):
    return {**row, "total": row["price"] * 2 + row["fee"]}

def gain(row):
    return {**row, "gain": row["total"] - row["price"]}

def flag(row):
    return {**row, "is_high": 1 if row["gain"] > 1 else 0}

def total_of(frame):
    return frame.assign(total=frame["price"] * 2 + frame["fee"])

def gain_of(frame):
    return frame.assign(gain=frame["total"] - frame["price"])

def flag_of(frame):
    return frame.assign(is_high=np.where(frame["gain"] > 1, 1, 0))
"""

MEASURED = """
process, peak, is_over = psutil.Process(), 0, threading.Event()

def look():
    global peak
    while not is_over.wait(0.02):
        peak = max(peak, process.memory_info().rss)

before = peak = process.memory_info().rss
threading.Thread(target=look, daemon=True).start()
wall, cpu = time.perf_counter(), time.process_time()
work()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = max(peak, process.memory_info().rss)
is_over.set()
found = pq.read_table(target).to_pandas()
answer = [len(found), *(round(float(found[name].sum()), 3) for name in sorted(found))]
print("\\n" + json.dumps({
    "answer": answer, "cpu_us": cpu * 1e6 / count, "rows_s": count / wall,
    "more_mb": (peak - before) / 1e6}), flush=True)
os._exit(0)
"""

PANDAS = """
def work():
    flag_of(gain_of(total_of(pd.read_parquet(source)))).to_parquet(target)
"""

PLAIN = """
def work():
    rows = [flag(gain(total(row))) for row in pq.read_table(source).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows), target)
"""

OURS = """
from jupyter_graph import Graph, Runner
import jupyter_graph.run.batch.batch_run, jupyter_graph.run.batch.answer_writer

def work():
    graph = Graph("batch")
    last = graph
    for step in STEPS:
        last = last.to(name=step.__name__, handler=step, vectorized=VECTORIZED)
    last.respond()
    with Runner(graph) as runner:
        runner.run_batch(source, target=target)
"""

VECTORIZED = "STEPS, VECTORIZED = (total_of, gain_of, flag_of), True\n"
ROWS = "STEPS, VECTORIZED = (total, gain, flag), False\n"

STOREY = """
import storey

def work():
    storey.build_flow([
        storey.DataframeSource(pd.read_parquet(source)),
        storey.Map(total, name="total"), storey.Map(gain, name="gain"),
        storey.Map(flag, name="flag"), storey.ParquetTarget(target),
    ]).run().await_termination()
"""

VARIANTS = {
    "pandas": PANDAS,
    "run_batch, vectorised": VECTORIZED + OURS,
    "run_batch, rows": ROWS + OURS,
    "plain Python rows": PLAIN,
}
STOREY_NAME = "storey, {rows:,} rows"


def write_rows(path: Path, rows: int) -> None:
    """Write three columns of numbers, the same ones every time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(7)
    columns = {
        "id": np.arange(rows),
        "price": random.random(rows),
        "fee": random.random(rows),
    }
    parquet.write_table(pa.table(columns), path)


def start(program: str, source: Path, rows: int) -> dict[str, Any]:
    """Run a variant in a fresh process; give what it says of itself."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "out.parquet"))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", FRAME + program + MEASURED,
             str(source), target, str(rows)],
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(*, rounds: int, rows: int, storey_rows: int, folder: Path) -> list[Row]:
    many, few = folder / "many.parquet", folder / "few.parquet"
    write_rows(many, rows)
    write_rows(few, storey_rows)
    shape = f"{rows:,} rows, 3 maps"
    storey = STOREY_NAME.format(rows=storey_rows)
    programs = {**VARIANTS, storey: STOREY}
    sizes = dict.fromkeys(VARIANTS, (many, rows)) | {storey: (few, storey_rows)}
    first = {name: start(programs[name], few, storey_rows) for name in programs}
    answers_are_equal(shape, {name: first[name]["answer"] for name in first})
    all_of_it = {name: (programs[name], *sizes[name]) for name in programs}
    found = in_rounds(all_of_it, rounds, lambda arguments: start(*arguments))
    answers_are_equal(shape, {name: found[name][0]["answer"] for name in VARIANTS})
    samples = {name: [one["cpu_us"] for one in found[name]] for name in found}
    return summarize(shape, samples, {name: _more(found[name]) for name in found})


def _more(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rows_s": round(median(one["rows_s"] for one in found)),
        "more_mb": round(median(one["more_mb"] for one in found), 1),
    }


def main(words: Sequence[str] | None = None) -> None:
    found = parser(__doc__, rounds=5)
    found.add_argument("--rows", type=int, default=1_000_000)
    found.add_argument("--storey-rows", type=int, default=50_000)
    options = found.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        rows = run(
            rounds=options.rounds,
            rows=options.rows,
            storey_rows=options.storey_rows,
            folder=Path(folder),
        )
    report(rows, PACKAGES, options.json)


if __name__ == "__main__":
    main()
