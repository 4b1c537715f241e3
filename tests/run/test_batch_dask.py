"""Batch runs over the partitions of a Dask DataFrame."""

import subprocess
import sys
import threading

import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import RunError, SpecError
from jupyter_graph.run.batch import dask_payload

dd = pytest.importorskip("dask.dataframe")

ROWS = pd.DataFrame({"a": range(40), "b": [n % 7 for n in range(40)]})


def double(frame):
    return frame.assign(double=frame["a"] * 2)


def ratio(row):
    return {**row, "ratio": row["a"] / row["b"]}


def graph_of(*steps):
    graph = last = Graph("parts")
    for step in steps:
        is_vectorized = step.__name__ == "double"
        last = last.to(name=step.__name__, handler=step, vectorized=is_vectorized)
    last.respond()
    return graph


@pytest.fixture(autouse=True)
def ends_like_a_worker():
    """Close the runner that a process keeps for its next partition."""
    yield
    dask_payload._close_all()


@pytest.fixture
def parts():
    return dd.from_pandas(ROWS, npartitions=4)


@pytest.mark.parametrize(
    "scheduler",
    [
        "sync",
        "threads",
        pytest.param("processes", marks=pytest.mark.slow),
    ],
)
def test_partitions_give_what_the_whole_gives(scheduler, parts, open_runner):
    runner = open_runner(graph_of(double, ratio))
    whole = runner.run_batch(ROWS)
    lazy = runner.run_batch(parts)
    computed = lazy.compute(scheduler=scheduler)

    pd.testing.assert_frame_equal(computed.frame, whole.frame)
    assert (computed.errors, computed.count) == (whole.errors, 40)
    pd.testing.assert_frame_equal(
        lazy.frame.compute(scheduler=scheduler), whole.frame, check_dtype=False
    )


def test_nothing_runs_before_somebody_asks(parts, open_runner):
    seen = []

    def note(row):
        seen.append(row["a"])
        return row

    lazy = open_runner(graph_of(note)).run_batch(parts, meta=ROWS.iloc[:0])

    assert seen == []
    assert list(lazy.frame.columns) == ["a", "b"]
    with dask_in_this_thread():
        assert (lazy.answered, len(lazy.errors), lazy.count) == (40, 0, 40)
    assert sorted(seen) == list(range(40))


def dask_in_this_thread():
    import dask

    return dask.config.set(scheduler="sync")


def test_what_steps_keep_belongs_to_its_partition(parts, open_runner):
    graph = Graph("kept")
    batch = graph.to("Batch", name="some", class_args={"max_events": 6})
    batch.to(name="count", handler=lambda rows: {"count": len(rows)}).respond()
    found = open_runner(graph).run_batch(parts).compute(scheduler="threads")

    assert found.frame["count"].tolist() == [6, 4] * 4


def test_the_first_failure_is_raised(parts, open_runner):
    lazy = open_runner(graph_of(ratio)).run_batch(parts, on_error="raise")

    with pytest.raises(StepError, match="ZeroDivisionError"):
        lazy.compute(scheduler="sync")


def test_columns_that_the_first_rows_had_not_are_named(parts, open_runner):
    def odd(row):
        return row if row["a"] < 20 else {**row, "more": 1}

    lazy = open_runner(graph_of(odd)).run_batch(parts)
    with pytest.raises(RunError, match="has the column 'more' in its answers"):
        lazy.frame.compute(scheduler="sync")


def test_rows_that_all_fail_say_nothing_of_columns(parts, open_runner):
    def fails(row):
        raise KeyError("a")

    runner = open_runner(graph_of(fails))
    with pytest.raises(SpecError, match=r"with meta=, an empty DataFrame: KeyError"):
        runner.run_batch(parts)
    assert len(runner.run_batch(parts, meta=ROWS.iloc[:0]).errors) == 40


def test_a_target_is_dasks_own_matter(parts, tmp_path, open_runner):
    with pytest.raises(SpecError, match="takes no target"):
        open_runner(graph_of(ratio)).run_batch(parts, target=tmp_path / "out.parquet")


@pytest.mark.slow
def test_what_cannot_be_sent_is_named(parts, open_runner):
    lock = threading.Lock()

    def locked(row):
        return {"is_locked": lock.locked()}

    lazy = open_runner(graph_of(locked)).run_batch(parts)
    with pytest.raises(SpecError, match="step 'locked' cannot be sent to Dask's wo"):
        lazy.compute(scheduler="processes")


SCRIPT = """
import dask.dataframe as dd, pandas as pd
from jupyter_graph import Graph, Runner

FACTOR = 3

class Times:
    def __init__(self, by): self.by = by
    def do(self, row): return {"x": row["a"] * self.by * FACTOR, "y": less(row)}

def less(row): return row["a"] - 1

if __name__ == "__main__":
    graph = Graph("script")
    graph.to(Times, name="times", class_args={"by": 2}).respond()
    data = dd.from_pandas(pd.DataFrame({"a": range(4)}), npartitions=2)
    with Runner(graph) as runner:
        found = runner.run_batch(data).compute(scheduler="processes")
    print(found.frame.to_dict("list"))
"""


@pytest.mark.slow
def test_the_code_of_a_script_travels(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60
    )

    assert done.stdout == "{'x': [0, 6, 12, 18], 'y': [-1, 0, 1, 2]}\n", done.stderr
