"""Lists of records and DataFrames, one made of the other."""

import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import FromDataFrame, ToDataFrame

ROWS = [{"id": "a", "x": 1, "y": 0.5}, {"id": "b", "x": 2, "y": 1.5}]


@pytest.mark.parametrize(
    ("args", "body", "columns"),
    [
        pytest.param(
            {}, ROWS, {"id": ["a", "b"], "x": [1, 2], "y": [0.5, 1.5]}, id="[]"
        ),
        pytest.param(
            {"columns": ["x", "id"]}, ROWS, {"x": [1, 2], "id": ["a", "b"]}, id="some"
        ),
        pytest.param(
            {"columns": ["p", "q"]},
            [[1, 2], [3, 4]],
            {"p": [1, 3], "q": [2, 4]},
            id="lists",
        ),
        pytest.param(
            {}, {"x": [1, 2], "y": [3, 4]}, {"x": [1, 2], "y": [3, 4]}, id="columns"
        ),
        pytest.param({}, {"x": 1, "y": "a"}, {"x": [1], "y": ["a"]}, id="one-record"),
        pytest.param({"columns": ["x"]}, {"x": 1, "y": "a"}, {"x": [1]}, id="one-part"),
        pytest.param({}, [{"x": 1}, {"x": 2}], {"x": [1, 2]}, id="one-column"),
        pytest.param({}, [], {}, id="empty"),
        pytest.param({}, {}, {}, id="no-columns"),
    ],
)
def test_records_become_a_frame(args, body, columns):
    frame = ToDataFrame(**args).do(body)

    assert frame.to_dict(orient="list") == columns


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        pytest.param([{"id": 2**60 + 1}, {"n": 1}], None, id="records"),
        pytest.param({"id": [2**60 + 1, None], "n": 1}, None, id="columns"),
        pytest.param([[2**60 + 1, 1], [None, 2]], ["id", "n"], id="rows"),
    ],
)
def test_whole_numbers_stay_what_they_are_beside_missing_ones(body, columns):
    frame = ToDataFrame(columns=columns).do(body)

    assert frame["id"].tolist() == [2**60 + 1, pd.NA]


def test_a_field_that_some_records_lack_is_missing_there():
    frame = ToDataFrame(columns=["x", "z"]).do([{"x": 1}, {"y": 2}])

    assert frame["x"].tolist()[0] == 1
    assert pd.isna(frame["x"].tolist()[1])
    assert frame["z"].isna().all()


@pytest.mark.parametrize("index", ["id", ["id"], ["id", "x"]], ids=repr)
def test_columns_become_the_index(index):
    frame = ToDataFrame(index=index).do(ROWS)

    assert list(frame.index.names) == ([index] if isinstance(index, str) else index)
    assert FromDataFrame().do(frame) == ROWS


@pytest.mark.parametrize(
    ("args", "records"),
    [
        pytest.param({}, ROWS, id="all"),
        pytest.param(
            {"columns": ["y", "x"]}, [{"y": 0.5, "x": 1}, {"y": 1.5, "x": 2}], id="some"
        ),
        pytest.param(
            {"index": "n", "columns": ["x"]},
            [{"n": 7, "x": 1}, {"n": 8, "x": 2}],
            id="index",
        ),
    ],
)
def test_a_frame_becomes_records(run_step, args, records):
    frame = pd.DataFrame(ROWS, index=[7, 8])

    assert run_step(FromDataFrame, [frame], **args) == [records]
    assert list(frame.columns) == ["id", "x", "y"]


def test_a_frame_without_columns_has_a_record_for_each_row():
    assert FromDataFrame().do(pd.DataFrame(index=[0, 1])) == [{}, {}]


def test_numbers_of_records_are_pythons_own():
    [record] = FromDataFrame().do(pd.DataFrame({"i": [1], "f": [0.5], "b": [True]}))

    assert [type(value) for value in record.values()] == [int, float, bool]


def test_both_stand_in_a_graph_by_name(run_graph):
    graph = Graph("frames")
    graph.to("ToDataFrame", name="to", index="id").to(
        name="total", handler=lambda frame: frame.cumsum()
    ).to("FromDataFrame", name="back").respond()

    [answer] = run_graph(graph, [ROWS])
    assert answer == [{"id": "a", "x": 1, "y": 0.5}, {"id": "b", "x": 3, "y": 2.0}]


@pytest.mark.parametrize(
    ("step", "body", "says"),
    [
        pytest.param("ToDataFrame", "text", "TypeError: .* got str", id="text"),
        pytest.param("ToDataFrame", None, "TypeError: .* got NoneType", id="none"),
        pytest.param("FromDataFrame", ROWS, "TypeError: .* got list", id="list"),
        pytest.param(
            *("FromDataFrame", pd.DataFrame([[1, 2]], columns=["a", "a"])),
            "two columns named 'a'",
            id="twice",
        ),
    ],
)
def test_another_body_fails_the_event(run_step, step, body, says):
    with pytest.raises(StepError, match=says):
        run_step(step, [body])


@pytest.mark.parametrize("step", [ToDataFrame(index="q"), ToDataFrame(["id", "q"])])
def test_an_index_that_is_no_column_fails_the_event(step):
    with pytest.raises(KeyError, match="q"):
        step.do(ROWS)


@pytest.mark.parametrize(
    ("block", "args", "says"),
    [
        pytest.param(ToDataFrame, {"index": 1}, "index must be", id="to-index"),
        pytest.param(ToDataFrame, {"columns": "x"}, "got 'x'", id="to-one-column"),
        pytest.param(ToDataFrame, {"columns": []}, r"got \[\]", id="to-no-columns"),
        pytest.param(FromDataFrame, {"index": ["a"]}, "a name, got", id="from-index"),
        pytest.param(FromDataFrame, {"columns": [1]}, r"got \[1\]", id="from-number"),
    ],
)
def test_wrong_arguments_are_refused_when_built(block, args, says):
    with pytest.raises(SpecError, match=says):
        block(**args)
