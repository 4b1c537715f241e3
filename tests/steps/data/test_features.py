"""Feature steps: as MLRun's on one record, and the same on rows of a DataFrame."""

import json
import math
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import (
    BadRequestError,
    InvalidArgumentError,
    SpecError,
    UnprocessableError,
)
from jupyter_graph.event import Event
from jupyter_graph.spec.argument_values import untagged
from jupyter_graph.steps.block_table import load_block

OBSERVED = json.loads((Path(__file__).parent / "features.json").read_text())
MLRUN = "mlrun.feature_store.steps."

ONE = {"n_1": 1, "n_2": 0, "d_a": 0, "d_b": 1}
OTHERWISE = {
    ("MapValues", '{"n": 12}'): {"n": "dozen"},
    ("Imputer", '{"age": [1, 2]}'): {"age": [1, 2]},
    ("OneHotEncoder", '{"n": 1.0, "d": "b"}'): ONE,
    ("OneHotEncoder", '{"n": true, "d": "b"}'): ONE,
}
"""Where MLRun loses a number's type, cannot ask a list, or makes a further feature."""


def plain(value):
    """Give a value of the observations as it was."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if "$nan" in value:
            return math.nan
        if "$inf" in value:
            return value["$inf"] * math.inf
        return untagged({key: plain(item) for key, item in value.items()})
    return value


def seen(value):
    """Give an answer in the form of the observations."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else f"inf {value}"
    if isinstance(value, dict):
        if "$repr" in value:
            return re.sub(r"^(np|numpy)\.", "", value["$repr"])
        return {key: seen(item) for key, item in value.items()}
    if isinstance(value, list):
        return [seen(item) for item in value]
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain else re.sub(r"^(np|numpy)\.", "", repr(value))


def observed(what):
    """Give the observations that hold an ``answer``, an ``error`` or a refusal."""
    return [
        pytest.param(row["block"], row["args"], event, id=f"{row['block']}-{body}"[:60])
        for row in OBSERVED["rows"]
        for event in row["events"]
        if what in event
        and (row["block"], body := json.dumps(event["body"])) not in OTHERWISE
    ]


def answer_of(block, args, body):
    step = load_block(MLRUN + block)(**plain(args))
    if block != "SetEventMetadata":
        return step.do(body)
    event = step.do_event(Event(body, id="own id", key="own key"))
    return {"id": event.id, "key": event.key}


@pytest.mark.parametrize(("block", "args", "event"), observed("answer"))
def test_a_record_gets_the_answer_mlrun_gives(block, args, event):
    body = plain(event["body"])

    answer = answer_of(block, args, body)

    assert seen(answer) == seen(plain(event["answer"]))
    assert list(answer) == list(event["answer"])
    assert seen(body) == seen(plain(event["body"]))  # the caller's own stays


@pytest.mark.parametrize(("block", "args", "event"), observed("error"))
def test_a_record_that_mlrun_fails_on_is_the_callers_fault(block, args, event):
    with pytest.raises((BadRequestError, UnprocessableError)) as caught:
        answer_of(block, args, plain(event["body"]))

    if event["error"]["class"] == "MLRunInvalidArgumentError":
        assert str(caught.value).startswith(event["error"]["message"])


@pytest.mark.parametrize(("block", "args", "event"), observed("refused"))
def test_arguments_that_mlrun_refuses_are_refused(block, args, event):
    with pytest.raises(
        SpecError, match="int or string categories in the mapping of feature 'd'"
    ):
        load_block(block)(**plain(args))


@pytest.mark.parametrize(
    ("block", "body", "answer"), [(*key, value) for key, value in OTHERWISE.items()]
)
def test_some_records_get_a_better_answer(block, body, answer):
    *_, args = [
        row["args"]
        for row in OBSERVED["rows"]
        for event in row["events"]
        if (row["block"], json.dumps(event["body"])) == (block, body)
    ]

    assert answer_of(block, args, json.loads(body)) == answer


@pytest.mark.parametrize(
    ("args", "value", "says"),
    [
        pytest.param({"n": {"ranges": {"a": [0, 1]}}}, None, "'>=' not", id="none"),
        pytest.param(
            {"n": {"ranges": {"a": [0, 1]}}}, "7", "'str' and 'int'", id="str"
        ),
        pytest.param({"n": {"a": 1}}, [1], "unhashable type: 'list'", id="a-list"),
    ],
)
def test_a_value_that_cannot_be_mapped_is_named(args, value, says):
    with pytest.raises(UnprocessableError, match=f"^feature 'n': .*{says}"):
        load_block("MapValues")(args).do({"n": value})


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(12, id="whole"),
        pytest.param(1.5, id="broken"),
        pytest.param(True, id="bool"),
        pytest.param(None, id="none"),
    ],
)
def test_keys_that_are_no_texts_survive_json(run_graph, key):
    mapping = json.loads(json.dumps({"n": {key: "mapped", "x": "text"}}))
    step = {"class_name": MLRUN + "MapValues", "class_args": {"mapping": mapping}}
    graph = Graph.from_dict({"steps": {"m": {**step, "responder": True}}})

    bodies = [{"n": key}, {"n": "x"}, {"n": "1e3"}]
    assert run_graph(graph, bodies) == [{"n": "mapped"}, {"n": "text"}, {"n": "1e3"}]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="None"),
        pytest.param(math.nan, id="nan"),
        pytest.param(np.float32("nan"), id="float32"),
        pytest.param(np.float64("nan"), id="float64"),
        pytest.param(np.datetime64("NaT", "ns"), id="datetime64"),
        pytest.param(pd.NA, id="NA"),
        pytest.param(pd.NaT, id="NaT"),
        pytest.param(Decimal("nan"), id="Decimal"),
        pytest.param(complex("nan"), id="complex"),
    ],
)
def test_every_kind_of_missing_value_is_filled_in(value):
    assert load_block("Imputer")(default_value=7).do({"a": value}) == {"a": 7}
    assert pd.isna(value)


@pytest.mark.parametrize(
    "value",
    [0, "", "nan", [], {}, [None], np.int64(0), np.array([np.nan]), Decimal(0), 0j],
    ids=repr,
)
def test_other_values_stay(value):
    assert load_block("Imputer")(default_value=7).do({"a": value})["a"] is value


def test_a_part_may_be_the_name_of_a_day():
    step = load_block("DateExtractor")(["day_name", "month_name"], "at")

    answer = step.do({"at": pd.Timestamp("2024-03-01")})
    assert (answer["at_day_name"], answer["at_month_name"]) == ("Friday", "March")


@pytest.mark.parametrize("value", ["no date", [1], True, 10**30])
def test_a_value_that_is_no_date_is_named(value):
    with pytest.raises(UnprocessableError, match=r"feature 'at': .* is no date"):
        load_block("DateExtractor")(["hour"], "at").do({"at": value})


@pytest.mark.parametrize(
    ("block", "args", "says"),
    [
        pytest.param("MapValues", {"mapping": []}, "mapping must be", id="map-list"),
        pytest.param(
            "MapValues", {"mapping": {"a": 1}}, "feature 'a'", id="map-number"
        ),
        pytest.param(
            "MapValues", {"mapping": {"a": {"ranges": [1]}}}, "ranges of", id="ranges"
        ),
        pytest.param(
            *("MapValues", {"mapping": {"a": {"ranges": {"x": [1]}}}}),
            r"range 'x' of feature 'a' must be \[low, high\], got \[1\]",
            id="one-bound",
        ),
        pytest.param("MapValues", {"mapping": {}, "suffix": 1}, "suffix", id="suffix"),
        pytest.param("Imputer", {"mapping": [1]}, "mapping must be", id="fill-list"),
        pytest.param("Imputer", {"method": 1}, "method must be", id="method"),
        pytest.param("OneHotEncoder", {"mapping": "d"}, "mapping must", id="hot-text"),
        pytest.param(
            "OneHotEncoder", {"mapping": {"d": "mon"}}, "got 'mon'", id="hot-one-text"
        ),
        pytest.param("DateExtractor", {"parts": []}, "parts must be", id="no-parts"),
        pytest.param("DateExtractor", {"parts": "hour"}, "got 'hour'", id="one-part"),
        pytest.param(
            "DateExtractor", {"parts": ["huor"]}, "did you mean 'hour'", id="typo"
        ),
        pytest.param(
            *("DateExtractor", {"parts": ["hour"], "timestamp_col": 1}),
            "timestamp_col must be",
            id="date-column",
        ),
        pytest.param("DropFeatures", {"features": "age"}, "got 'age'", id="drop-text"),
        pytest.param(
            "DropFeatures", {"features": ["a", "a"]}, "twice", id="drop-twice"
        ),
        pytest.param("SetEventMetadata", {"id_path": 7}, "id_path must", id="path"),
    ],
)
def test_wrong_arguments_are_refused_when_built(block, args, says):
    with pytest.raises(SpecError, match=says):
        load_block(block)(**args)


# -- DataFrames ------------------------------------------------------------------

BETTER_FRAMES = ({"sex": ["f", "q"]}, {"age": [18]}, {"age": [-1]}, {"x": [1]})


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case['block']}-{json.dumps(case['columns'])[:40]}")
        for case in OBSERVED["frames"]
        if "answer" in case and case["columns"] not in BETTER_FRAMES
    ],
)
def test_a_frame_gets_the_answer_mlrun_gives(case):
    frame = pd.DataFrame(plain(case["columns"]))
    before = frame.copy()

    answer = load_block(case["block"])(**plain(case["args"])).do(frame)

    pd.testing.assert_frame_equal(answer, pd.DataFrame(plain(case["answer"])))
    pd.testing.assert_frame_equal(frame, before)


ROWS = [
    {"d": "mon", "n": 1, "at": "2024-03-01T12:30:15", "age": 18.0, "z": 0},
    {"d": "thu-x", "n": 2, "at": "2023-01-01", "age": -1.0, "z": 1},
    {"d": "zzz", "n": 3, "at": "20240301", "age": 3.5, "z": 2},
]
AGES = {"ranges": {"child": [0, 18], "adult": [18, "inf"]}, -1: "none"}


@pytest.mark.parametrize(
    ("block", "args"),
    [
        pytest.param("MapValues", {"mapping": {"age": AGES}}, id="ranges"),
        pytest.param(
            *("MapValues", {"mapping": {"d": {"mon": 1}, "q": {}, "n": {"1": "one"}}}),
            id="unmapped",
        ),
        pytest.param(
            *("MapValues", {"mapping": {"n": {1: 0}}, "with_original_features": True}),
            id="with-original",
        ),
        pytest.param("Imputer", {"default_value": 7}, id="nothing-missing"),
        pytest.param(
            "OneHotEncoder", {"mapping": {"d": ["mon", "thu-x"], "q": ["a"]}}, id="hot"
        ),
        pytest.param(
            "OneHotEncoder", {"mapping": {"n": [1, 2], "z": []}}, id="numbers"
        ),
        pytest.param(
            *("DateExtractor", {"parts": ["hour", "day_name"], "timestamp_col": "at"}),
            id="dates",
        ),
        pytest.param("DropFeatures", {"features": ["d", "z"]}, id="drop"),
    ],
)
@pytest.mark.parametrize("index", [[0, 1, 2], [5, 5, 7]], ids=["index", "index-twice"])
def test_each_row_of_a_frame_gets_the_answer_of_its_record(block, args, index):
    step = load_block(block)(**args)

    answer = step.do(pd.DataFrame(ROWS, index=index))

    assert answer.to_dict(orient="records") == [step.do(row) for row in ROWS]
    assert list(answer.index) == index


@pytest.mark.parametrize(
    ("block", "args", "says"),
    [
        pytest.param(
            *("DropFeatures", {"features": ["nope"]}),
            "doesn't contain a feature named 'nope'; it has: d, n, at, age, z",
            id="drop",
        ),
        pytest.param(
            *("DateExtractor", {"parts": ["hour"]}),
            "timestamp does not exist in the event; it has: d, n",
            id="date",
        ),
    ],
)
@pytest.mark.parametrize("make", [pd.DataFrame, lambda rows: rows[0]], ids=["df", "{}"])
def test_a_feature_that_is_not_there_is_named(block, args, says, make):
    with pytest.raises(InvalidArgumentError, match=says):
        load_block(block)(**args).do(make(ROWS))


@pytest.mark.parametrize(
    ("column", "value", "answer"),
    [
        pytest.param([1.5, None], 0, [1.5, 0.0], id="number"),
        pytest.param([1.5, None], "none", [1.5, "none"], id="text-among-numbers"),
        pytest.param([True, None], False, [True, False], id="bool"),
        pytest.param(["a", None], 7, ["a", 7], id="number-among-texts"),
        pytest.param([None, None], "x", ["x", "x"], id="all-missing"),
        pytest.param(
            [pd.Timestamp("2024"), None], 0, [pd.Timestamp("2024"), 0], id="date"
        ),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_missing_in_a_frame_is_filled_in(column, value, answer):
    frame = load_block("Imputer")(mapping={"a": value}).do(pd.DataFrame({"a": column}))

    assert frame["a"].tolist() == answer


def test_an_empty_frame_stays_a_frame():
    frame = pd.DataFrame({"d": [], "at": []})

    hot = load_block("OneHotEncoder")({"d": ["a"]}).do(frame)
    assert list(hot.columns) == ["d_a", "at"]
    assert len(load_block("MapValues")({"d": {"a": 1}}).do(frame)) == 0


# -- in graphs -------------------------------------------------------------------


def test_features_stand_in_a_graph_by_name(run_graph):
    graph = Graph("features")
    graph.to("Imputer", name="fill", default_value="mon").to(
        "DateExtractor", name="dates", parts=["hour"], timestamp_col="at"
    ).to("OneHotEncoder", name="hot", mapping={"d": ["mon", "tue"]}).to(
        "DropFeatures", name="drop", features=["at"]
    ).respond()

    body = {"d": None, "at": "2024-03-01T12:30:15"}
    assert run_graph(graph, [body]) == [{"d_mon": 1, "d_tue": 0, "at_hour": 12}]


def test_a_missing_feature_is_told_to_the_caller(ask):
    graph = Graph("drop")
    graph.to("DropFeatures", name="drop", features=["age"]).respond()

    answer = ask(graph, {"n": 1})
    assert answer.status_code == 400
    assert "doesn't contain a feature named 'age'" in answer.body["detail"]


def tell(event):
    event.body = {"id": event.id, "key": event.key}
    return event


def test_an_event_gets_its_id_and_key_from_its_body(run_graph):
    graph = Graph("metadata")
    graph.to(MLRUN + "SetEventMetadata", name="set", id_path="my.id", key_path="k").to(
        name="tell", handler=tell, full_event=True
    ).respond()

    answers = run_graph(graph, [{"my": {"id": 7}, "k": "a"}, {"k": [1]}])
    assert answers == [{"id": "7", "key": "a"}, {"id": "None", "key": "[1]"}]


def test_a_random_id_takes_the_place_of_the_bodys():
    step = load_block("SetEventMetadata")(id_path="id", random_id=True)

    ids = [step.do_event(Event({"id": "own"})).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in ids)


def test_a_path_reaches_no_attribute_of_pythons_own():
    step = load_block("SetEventMetadata")(id_path="__class__.__name__")

    assert step.do_event(Event([1])).id == "None"


def test_a_failed_feature_names_the_step(run_graph):
    graph = Graph("ranges")
    mapping = {"age": {"ranges": {"child": [0, 18]}}}
    graph.to("MapValues", name="ages", mapping=mapping).respond()

    with pytest.raises(StepError, match=r"step 'ages' failed.*feature 'age': None"):
        run_graph(graph, [{"age": None}])
