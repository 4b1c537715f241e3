"""What values are on their way through a batch: whole numbers, missing ones, names."""

import json

import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import RunError, SpecError, StepError

pa = pytest.importorskip("pyarrow")

LARGE = 2**60 + 1
"""No float is this number."""


class ArrowFrame:
    """A table of another library, which hands it over as Arrow, as Polars does."""

    def __init__(self, table):
        self.table = table
        self.columns = table.column_names

    def __len__(self):
        return self.table.num_rows

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def same(body):
    return body


def graph_of(*steps, **options):
    graph = last = Graph("values", **options)
    for step in steps:
        if isinstance(step, dict):
            last = last.to(**step)
        else:
            is_vectorized = step is not same
            last = last.to(name=step.__name__, handler=step, vectorized=is_vectorized)
    last.respond()
    return graph


def frames(frame):
    return frame


ROWS = {
    "key-lacks": [{"id": LARGE, "n": 1}, {"n": 2}],
    "key-is-null": [{"id": LARGE, "n": 1}, {"id": None, "n": 2}],
    "arrow": pa.table({"id": [LARGE, None], "n": [1, 2]}),
    "arrow-stream": ArrowFrame(pa.table({"id": [LARGE, None], "n": [1, 2]})),
    "pandas": pd.DataFrame({"id": pd.array([LARGE, None], dtype="Int64"), "n": [1, 2]}),
}


@pytest.mark.parametrize("batch_rows", [1, 2])
@pytest.mark.parametrize("step", [same, frames])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_whole_numbers_stay_what_they_are(rows, step, batch_rows, open_runner):
    runner = open_runner(graph_of(step))
    frame = runner.run_batch(rows, batch_rows=batch_rows).frame

    assert frame["id"].tolist() == [LARGE, pd.NA]
    assert frame["n"].tolist() == [1, 2]


@pytest.mark.parametrize("step", [same, frames])
@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl"])
def test_whole_numbers_come_back_from_files(name, step, tmp_path, open_runner):
    runner = open_runner(graph_of(step))
    runner.run_batch(ROWS["key-lacks"], target=tmp_path / name)
    frame = runner.run_batch(tmp_path / name).frame

    assert frame["id"].tolist() == [LARGE, pd.NA]


@pytest.mark.parametrize("batch_rows", [1, 3])
@pytest.mark.parametrize("step", [same, frames])
@pytest.mark.parametrize(
    "ids",
    [
        pytest.param([2**63 + 1, None, 5], id="unsigned"),
        pytest.param([2**63 + 1, -1, 5], id="unsigned-and-negative"),
        pytest.param([2**70, None, 5], id="beyond-64-bits"),
        pytest.param([LARGE, 0.5, 5], id="beside-a-float"),
        pytest.param([True, None, False], id="truth"),
        pytest.param(["007", None, "1e5"], id="text-like-numbers"),
    ],
)
def test_values_are_not_made_into_others(ids, step, batch_rows, open_runner, tmp_path):
    path = tmp_path / "out.jsonl"
    rows = [{"id": one} for one in ids]
    runner = open_runner(graph_of(step))
    result = runner.run_batch(rows, batch_rows=batch_rows)
    runner.run_batch(rows, batch_rows=batch_rows, target=path)
    lines = [json.loads(line)["id"] for line in path.read_text().splitlines()]

    assert [None if pd.isna(one) else one for one in result.frame["id"]] == ids
    assert [(type(one), one) for one in lines] == [(type(one), one) for one in ids]


def test_a_missing_number_is_none_in_the_next_step(open_runner):
    seen = []

    def look(body):
        seen.append(body["id"])
        return body

    graph = graph_of(frames, {"name": "look", "handler": look})
    open_runner(graph).run_batch(ROWS["key-lacks"])

    assert seen == [LARGE, None]


def test_one_event_gives_what_a_batch_gives_for_missing_values(open_runner):
    def lost(frame):
        return frame.assign(time=pd.NaT, number=pd.NA)

    runner = open_runner(graph_of(lost))

    assert runner.run({"a": 1}) == {"a": 1, "time": None, "number": None}


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(pd.Series([7, None, 8]), id="floats-of-pandas"),
        pytest.param(pd.array([7, None, 8], dtype="Int64"), id="nullable"),
        pytest.param([7, None, 8], id="rows"),
    ],
)
def test_a_join_finds_the_others_beside_a_missing_id(ids, open_runner):
    users = pd.DataFrame({"id": [7, 8, None, None], "name": ["ann", "bob", "?", "?"]})
    join = {"name": "join", "class_name": "JoinWithTable"}
    graph = graph_of({**join, "class_args": {"table": users, "key": "id"}})
    result = open_runner(graph).run_batch(pd.DataFrame({"id": ids}))

    names = [None if pd.isna(name) else name for name in result.frame["name"]]
    assert (names, result.errors) == (["ann", None, "bob"], [])


def test_null_is_not_the_text_none(open_runner):
    graph = Graph("null")
    pairs = graph.to("Batch", name="pair", max_events=2, key="user")
    pairs.to(name="users", handler=lambda some: [one["user"] for one in some]).respond()
    users = [None, "None", float("nan"), "None"]
    result = open_runner(graph).run_batch([{"user": user} for user in users])

    assert [str(pair) for pair in result.frame["answer"]] == [
        "[None, nan]",
        "['None', 'None']",
    ]


TWICE = {
    "pandas": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "arrow": pa.table([[1], [2]], names=["a", "a"]),
}


@pytest.mark.parametrize("step", [same, frames])
@pytest.mark.parametrize("data", TWICE.values(), ids=TWICE)
def test_two_columns_of_one_name_are_refused(data, step, open_runner):
    with pytest.raises(SpecError, match="two columns named 'a'"):
        open_runner(graph_of(step)).run_batch(data)


def test_a_file_with_two_columns_of_one_name_is_refused(tmp_path, open_runner):
    path = tmp_path / "in.csv"
    path.write_text("id,id\n1,2\n")

    with pytest.raises(SpecError, match="two columns named 'id'"):
        open_runner(graph_of(same)).run_batch(path)


def test_a_step_that_gives_a_column_twice_is_named(open_runner):
    def twice(frame):
        return pd.concat([frame, frame], axis=1)

    runner = open_runner(graph_of(twice))

    with pytest.raises(
        RunError, match=r"'twice' .* different names, it gave 'a' twice"
    ):
        runner.run_batch([{"a": 1}])
    with pytest.raises(
        StepError, match=r"'twice' .* different names, it gave 'a' twice"
    ):
        runner.run({"a": 1})
