"""Every benchmark runs and writes rows of the one schema."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow

BENCHMARKS = [
    pytest.param(
        "bench_chain",
        ("--turn-ms", "1"),
        {"chain of 1", "chain of 3", "chain of 10", "chain of 30"},
        {"plain composition", "fused function", "Runner.run", "storey AsyncEmitSource"},
        id="chain",
    ),
    pytest.param(
        "bench_branches",
        ("--turn-ms", "1"),
        {
            "choice of 4",
            "fan-out 3 + merge, shallow",
            "fan-out 3 + merge, deep",
        },
        {"fused function", "Runner.run", "storey SyncEmitSource"},
        id="branches",
    ),
    pytest.param(
        "bench_import",
        (),
        {"import", "import, 3 steps, 1 event"},
        {"plain functions", "jupyter_graph", "storey SyncEmit"},
        id="import",
    ),
    pytest.param(
        "bench_http",
        ("--requests", "40", "--connections", "2"),
        {"echo, 2 connections"},
        {"bare ASGI, bytes", "bare ASGI, JSON", "embedded host"},
        id="http",
    ),
    pytest.param(
        "bench_batch",
        ("--rows", "2000", "--storey-rows", "500"),
        {"2,000 rows, 3 maps"},
        {"pandas", "run_batch, vectorised", "run_batch, rows", "storey, 500 rows"},
        id="batch",
    ),
]


def run(name, folder, *words):
    """Run a benchmark for one round; give what it printed and its rows."""
    file = folder / "rows.json"
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}",
         "--rounds", "1", "--json", str(file), *words],
        cwd=ROOT, capture_output=True, text=True, timeout=55,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text(encoding="utf-8"))


def follows_the_schema(row):
    times = row["cpu_us"]
    return (
        {"variant", "shape", "rounds", "cpu_us", "ratio", "versions", "cores"} <= {*row}
        and row["rounds"] == 1
        and {*times} == {"median", "min", "spread"}
        and 0 < times["min"] <= times["median"]
        and row["ratio"] > 0
        and "jupyter_graph" in row["versions"]
        and row["cores"] >= 1
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "words", "shapes", "variants"), BENCHMARKS)
def test_a_benchmark_writes_rows_of_the_schema(name, words, shapes, variants, tmp_path):
    printed, rows = run(name, tmp_path, *words)

    assert {row["shape"] for row in rows} == shapes
    assert variants <= {row["variant"] for row in rows}
    assert [row for row in rows if not follows_the_schema(row)] == []
    assert printed.count("\n| ") == len(rows) + 2


@pytest.mark.timeout(60)
def test_our_first_event_loads_nothing_heavy(tmp_path):
    _, rows = run("bench_import", tmp_path)

    ours = [row for row in rows if row["variant"].startswith("jupyter_graph")]
    assert {tuple(row["heavy"]) for row in ours} == {()}


def test_a_variant_with_another_answer_is_not_compared():
    code = (
        "from benchmarks.measure import answers_are_equal\n"
        "answers_are_equal('chain', {'plain': 1, 'other': 2})"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )

    assert "chain: 'other' answers 2, 'plain' answers 1" in done.stderr
