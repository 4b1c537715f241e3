"""Frames: rows from them, and rows collected into one."""

import pandas as pd
import pyarrow as pa
import pytest

from jupyter_graph.connectors.dataframes import DataFrameSource, DataFrameTarget
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.run.context import Context

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_rows_and_frames_are_collected_in_their_order():
    target = DataFrameTarget()
    for body in ({"a": 1}, [{"a": 2}], pd.DataFrame({"a": [3]}), {"a": 4, "b": "x"}):
        target.do(body)

    assert list(target.frame["a"]) == [1, 2, 3, 4]
    assert list(target.frame.index) == [0, 1, 2, 3]
    assert len(target) == 4


def test_a_target_gives_its_bodies_back(run_step):
    assert run_step("DataFrameTarget", ROWS) == ROWS


def test_columns_choose_and_order():
    target = DataFrameTarget(["b", "z"])
    target.do(ROWS)

    assert list(target.frame.columns) == ["b", "z"]
    assert list(target.frame["b"]) == ["x", "y"]


def test_only_the_last_rows_are_kept():
    target = DataFrameTarget(keep_last=3)
    for number in range(5):
        target.do(pd.DataFrame({"a": [number, number]}))

    assert list(target.frame["a"]) == [3, 4, 4]
    assert len(target) == 3


def test_no_rows_are_kept_like_any_others():
    target = DataFrameTarget(keep_last=5)

    assert target.do([]) == []
    assert len(target) == 0


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([{"id": 2**60 + 1}, {"n": 1}], id="dicts"),
        pytest.param([pa.table({"id": [2**60 + 1, None]})], id="arrow"),
        pytest.param(
            [pd.DataFrame({"id": [2**60 + 1]}), pd.DataFrame({"n": [1]})], id="frames"
        ),
    ],
)
def test_whole_numbers_stay_what_they_are_beside_missing_ones(bodies):
    target = DataFrameTarget()
    for body in bodies:
        target.do(body)

    assert target.frame["id"].tolist() == [2**60 + 1, pd.NA]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pd.DataFrame([[1, 2]], columns=["a", "a"]), id="pandas"),
        pytest.param(pa.table([[1], [2]], names=["a", "a"]), id="arrow"),
    ],
)
def test_rows_cannot_have_two_columns_of_one_name(frame):
    with pytest.raises(UnprocessableError, match="two columns named 'a'"):
        list(DataFrameSource(frame))


def test_rows_are_kept_as_they_were():
    target, body = DataFrameTarget(), {"a": [1]}
    target.do(body)
    body["a"].append(2)

    assert target.frame.to_dict("records") == [{"a": [1]}]


def test_a_target_can_forget_and_starts_empty():
    target = DataFrameTarget()
    assert target.frame.empty
    target.do(ROWS)
    target.clear()

    assert target.frame.empty
    assert len(target) == 0


def test_a_parity_run_collects_nothing():
    target = DataFrameTarget(context=Context(is_parity=True))
    target.do(ROWS)

    assert target.frame.empty


def test_wrong_use_of_a_target_is_refused():
    with pytest.raises(SpecError, match="keep_last must be 1"):
        DataFrameTarget(keep_last=0)
    with pytest.raises(BadRequestError, match="takes a dict"):
        DataFrameTarget().do(3)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pd.DataFrame(ROWS), id="pandas"),
        pytest.param(pd.DataFrame(ROWS).set_index("a"), id="named-index"),
        pytest.param(pa.Table.from_pylist(ROWS), id="arrow"),
        pytest.param(pa.RecordBatch.from_pylist(ROWS), id="batch"),
    ],
)
@pytest.mark.parametrize("kind", ["rows", "arrow", "pandas"])
def test_a_source_gives_the_rows_of_any_table(frame, kind):
    source = DataFrameSource(frame)
    if kind == "rows":
        assert list(source) == ROWS
        return
    batches = list(source.batches(1, kind=kind))

    assert [len(batch) for batch in batches] == [1, 1]
    assert list(batches[1].columns[-1]) in (["y"], list("b")) or kind == "arrow"


def test_a_source_gives_chosen_columns():
    assert list(DataFrameSource(pd.DataFrame(ROWS), columns=["b"])) == [
        {"b": "x"},
        {"b": "y"},
    ]
    with pytest.raises(SpecError, match="no column 'z'"):
        DataFrameSource(pa.Table.from_pylist(ROWS), columns=["z"])


def test_a_frame_whose_index_is_named_as_a_column_is_refused():
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="a"))

    with pytest.raises(UnprocessableError, match="index of a frame: cannot insert a"):
        DataFrameTarget().do(frame)
