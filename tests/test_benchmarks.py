"""Every benchmark runs and writes rows of the one schema."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.kafka.broker import why_not

ROOT = Path(__file__).parent.parent
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
FIELDS = {
    "variant", "shape", "rounds", "cpu_us", "wall_us", "clock", "ratio", "versions",
    "cores",
}  # fmt: skip
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
            "fan-out 3 + merge, deep, nested body",
        },
        {"fused function", "Runner.run", "storey SyncEmitSource"},
        id="branches",
    ),
    pytest.param(
        "bench_concurrency",
        ("--turn-ms", "1"),
        {f"{width} in flight, 1 ms awaits" for width in (1, 16, 256)},
        {"plain asyncio", "fused function", "storey AsyncEmitSource"},
        id="concurrency",
    ),
    pytest.param(
        "bench_storey",
        ("--turn-ms", "1"),
        {
            f"{kind}, n = {length}"
            for kind in (
                "n + 1 storey.Map",
                "n functions between two storey.Map",
                "n + 1 storey.MapWithState",
                "n + 1 storey.Flow",
                "n functions between two storey.Flow",
            )
            for length in (0, 1, 3, 10, 30)
        },
        {"plain composition", "Runner.run", "Runner.arun", "storey AsyncEmitSource"},
        id="storey",
    ),
    pytest.param(
        "bench_state",
        ("--turn-ms", "1"),
        {"state by key", "lookup by key"},
        {"plain dict", "MapWithState, store", "JoinWithTable, store"},
        id="state",
    ),
    pytest.param(
        "bench_memory",
        ("--events", "100", "--cells", "5"),
        {"stateless function in the host", "100 events", "5 cell runs"},
        {"embedded host, 2 workers", "Runner.run", "a step"},
        id="memory",
    ),
    pytest.param(
        "bench_widgets",
        ("--turn-ms", "1"),
        {"chain of 3 in a notebook"},
        {"Runner.run, live view", "notebook.run, no view", "notebook.run, live view"},
        id="widgets",
    ),
    pytest.param(
        "bench_import",
        (),
        {"import", "import, 3 steps, 1 event"},
        {"plain functions", "jupyter_graph", "storey SyncEmit"},
        id="import",
    ),
    pytest.param(
        "bench_kafka",
        ("--turn-ms", "1"),
        {f"{width} in flight, one topic" for width in (1, 256)},
        {"confluent-kafka by hand", "Runner.arun, the caller's loop"},
        id="kafka",
        marks=[
            pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
            pytest.mark.timeout(90),
        ],
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
    times = [row[clock] for clock in ("cpu_us", "wall_us") if row[clock] is not None]
    return (
        {*row} >= FIELDS
        and row["rounds"] == 1
        and row["clock"] in ("cpu", "wall")
        and all({*each} == {"median", "min", "spread"} for each in times)
        and all(0 < each["min"] <= each["median"] for each in times)
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


SPOILED = [
    pytest.param("chain", "it.composed = lambda steps: str", id="chain"),
    pytest.param("branches", "it.plain_choice = str", id="branches"),
    pytest.param(
        "concurrency",
        "async def wrong(_): return 0\nit.plain = wrong",
        id="concurrency",
    ),
    pytest.param("storey", "it.composed = lambda steps: str", id="storey"),
    pytest.param("state", "it.plain_lookup = str", id="state"),
    pytest.param("import", "it.PLAIN = 'answer = 0'", id="import"),
    pytest.param(
        "memory",
        "it.in_the_host = lambda rounds: []\n"
        "it.used = lambda way, count: {'answer': way}",
        id="memory",
    ),
    pytest.param(
        "http",
        "it.OWN['embedded host'] = lambda stack: it.start_bare(stack, 'json')\n"
        "it.send_load = lambda load, **_: it.Load(0, b'', 0, answer=b'0')",
        id="http",
    ),
    pytest.param(
        "widgets",
        "cells = it.watched.cells()\n"
        "spoil = 'from benchmarks import watched; watched.composed = lambda _: str'\n"
        "it.watched.cells = lambda: [*cells, spoil]",
        id="widgets",
    ),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "spoil"), SPOILED)
def test_a_variant_with_another_answer_is_not_compared(name, spoil):
    options = [] if name in ("import", "memory", "http") else ["--turn-ms", "1"]
    code = (
        f"import benchmarks.bench_{name} as it\n{spoil}\n"
        f"it.main({['--rounds', '1', *options]})"
    )

    done = python("-c", code)

    assert done.returncode == 1
    assert re.search(r"AssertionError.*: .* answers? ", done.stderr)


def python(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("module", ["measure", "http_load", "targets", "environments"])
def test_the_examples_in_benchmarks_are_true(module):
    done = python("-m", "doctest", f"benchmarks/{module}.py")

    assert done.stdout == ""


def test_the_newest_results_have_their_markdown_beside_them():
    newest = RESULTS[-1]
    code = (
        "import json, sys; from benchmarks.results_file import markdown\n"
        "print(markdown(json.load(open(sys.argv[1], encoding='utf-8'))))"
    )

    done = python("-c", code, str(newest))

    beside = newest.with_suffix(".md").read_text(encoding="utf-8")
    assert done.stdout.strip() in beside, "python -m benchmarks --tables --date …"


def test_the_newest_results_measure_every_target():
    code = (
        "import json, sys; from benchmarks.targets import Rows, all_targets\n"
        "rows = Rows(json.load(open(sys.argv[1], encoding='utf-8')))\n"
        "print([t.work for t in all_targets() if t.figure(rows) is None])"
    )

    done = python("-c", code, str(RESULTS[-1]))

    assert done.stdout.strip() == "[]", done.stderr


def test_a_plot_is_drawn_from_results(tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "plot.svg"

    done = python("-m", "benchmarks.plot", str(RESULTS[-1]), str(picture))

    assert done.returncode == 0, done.stderr
    assert "Runner.run" in picture.read_text(encoding="utf-8")
