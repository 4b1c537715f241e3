"""JSON lines, written in flows and read in batches."""

import datetime
import decimal
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.connectors.files.jsonlines import JSONLinesSource, JSONLinesTarget
from jupyter_graph.errors import SpecError, UnprocessableError


def store(target, *bodies):
    for body in bodies:
        target.do(body)
    target.close()


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_bodies_come_back(tmp_path, suffix):
    bodies = [{"a": [1, {"b": None}]}, "ä", 3, None, True]
    path = tmp_path / f"out.jsonl{suffix}"
    store(JSONLinesTarget(path, max_events=2), *bodies)

    assert list(JSONLinesSource(path)) == bodies


def test_values_that_json_lacks_get_a_form(tmp_path):
    body = {
        "at": datetime.datetime(2026, 1, 2),
        "nan": [math.nan, math.inf],
        "price": decimal.Decimal("2.50"),
        "np": np.float32(0.5),
        "array": np.array([1, 2]),
        "raw": b"hi",
        "set": {2, 1},
        "missing": pd.NaT,
    }
    store(JSONLinesTarget(tmp_path / "out.jsonl"), body)
    [found] = JSONLinesSource(tmp_path / "out.jsonl")

    assert found == {
        "at": "2026-01-02T00:00:00",
        "nan": [None, None],
        "price": "2.50",
        "np": 0.5,
        "array": [1, 2],
        "raw": "aGk=",
        "set": [1, 2],
        "missing": None,
    }


def test_lists_and_frames_are_batches(run_step, tmp_path):
    path = tmp_path / "out.jsonl"
    frame = pd.DataFrame({"a": [3, 4]})
    store(JSONLinesTarget(path), [{"a": 1}, {"a": 2}], frame)

    assert list(JSONLinesSource(path)) == [{"a": n} for n in (1, 2, 3, 4)]


def test_a_body_is_stored_as_it_was_then(tmp_path):
    target = JSONLinesTarget(tmp_path / "out.jsonl")
    body = {"a": [1]}
    target.do(body)
    body["a"].append(2)
    target.close()

    assert list(JSONLinesSource(tmp_path / "out.jsonl")) == [{"a": [1]}]


def test_a_value_without_a_form_is_refused_alone(tmp_path):
    target = JSONLinesTarget(tmp_path / "out.jsonl")
    with pytest.raises(UnprocessableError, match=r"out\.jsonl.*no JSON form"):
        target.do({"a": object()})
    store(target, {"a": 1})

    assert list(JSONLinesSource(tmp_path / "out.jsonl")) == [{"a": 1}]


def test_a_bad_line_is_named(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n\n{"a": \n')

    with pytest.raises(ValueError, match=r"in\.jsonl, line 3 is no JSON"):
        list(JSONLinesSource(tmp_path / "in.jsonl"))


@pytest.mark.parametrize(
    "text", ['[{"a": 1},\n {"a": 2}]', '\n{"a": 1}\n{"a": 2}'], ids=["list", "lines"]
)
def test_a_json_file_may_be_a_list_or_lines(tmp_path, text):
    (tmp_path / "in.json").write_text(text)

    assert list(JSONLinesSource(tmp_path / "in.json")) == [{"a": 1}, {"a": 2}]


def test_batches_hold_every_key(tmp_path):
    store(JSONLinesTarget(tmp_path / "out.jsonl"), {"a": 1}, {"b": "x"}, {"a": 2})
    first, second = JSONLinesSource(tmp_path / "out.jsonl").batches(2)

    assert first.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert second.to_pylist() == [{"a": 2}]


def test_a_batch_of_mixed_values_names_the_column(tmp_path):
    store(JSONLinesTarget(tmp_path / "out.jsonl"), {"a": 1}, {"a": "x"})

    with pytest.raises(ValueError, match="column 'a' have no type in common"):
        list(JSONLinesSource(tmp_path / "out.jsonl").batches())


@pytest.mark.parametrize(
    ("size", "kind", "message"),
    [(0, "arrow", "size must be 1"), (1, "polars", "kind must be one of")],
)
def test_wrong_batches_are_refused_at_once(tmp_path, size, kind, message):
    (tmp_path / "in.jsonl").write_text("")
    with pytest.raises(SpecError, match=message):
        JSONLinesSource(tmp_path / "in.jsonl").batches(size, kind=kind)


KILLED = """
import os, sys
from jupyter_graph.connectors.files.jsonlines import JSONLinesTarget
target = JSONLinesTarget(sys.argv[1], max_events=10, append=sys.argv[2] == "append")
for number in range(25):
    target.do({"n": number})
os._exit(9)
"""


@pytest.mark.integration
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_killed_process_leaves_no_file_that_looks_whole(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"old")
    arguments = [sys.executable, "-c", KILLED, str(path), "replace"]
    subprocess.run(arguments, check=False, env=os.environ)
    [part] = tmp_path.glob(".out*.part")
    rows = tmp_path / f"saved{suffix}"
    part.rename(rows)

    assert path.read_bytes() == b"old"
    assert list(JSONLinesSource(rows)) == [{"n": n} for n in range(20)]


@pytest.mark.integration
def test_several_processes_append_whole_lines(tmp_path):
    path = tmp_path / "out.jsonl"
    arguments = [sys.executable, "-c", KILLED, str(path), "append"]
    running = [subprocess.Popen(arguments) for _ in range(3)]
    for process in running:
        process.wait()

    assert sorted(row["n"] for row in JSONLinesSource(path)) == sorted([*range(20)] * 3)


def test_a_frame_whose_index_is_named_as_a_column_is_refused_alone(tmp_path):
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="a"))
    target = JSONLinesTarget(tmp_path / "out.jsonl")

    with pytest.raises(UnprocessableError, match="index of a frame: cannot insert a"):
        target.do(frame)
    target.close()
