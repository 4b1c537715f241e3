"""A row that no target can store fails its own event; those beside it are stored."""

import asyncio
import json
from decimal import Decimal

import pandas as pd
import pytest

from jupyter_graph import Graph, MockServer
from jupyter_graph.connectors.dataframes import DataFrameTarget
from jupyter_graph.connectors.files.csv_source import CSVSource
from jupyter_graph.connectors.files.csv_target import CSVTarget
from jupyter_graph.connectors.files.jsonlines import JSONLinesSource, JSONLinesTarget
from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.files.parquet_target import ParquetTarget
from jupyter_graph.connectors.queues.kafka_target import KafkaTarget
from jupyter_graph.connectors.sql.database import ColumnKinds
from jupyter_graph.connectors.sql.sql_source import SQLSource
from jupyter_graph.connectors.sql.sql_target import SQLTarget
from jupyter_graph.connectors.table_target import TableTarget
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import UnprocessableError
from jupyter_graph.event import Event

HALF = "\ud800"
"""Half a surrogate pair: JSON can say it, and no encoding has it."""


def rows_of(where):
    if where.startswith("sqlite"):
        return list(SQLSource(where, table="rows"))
    kinds = {".csv": CSVSource, ".jsonl": JSONLinesSource}
    kind = next((of for end, of in kinds.items() if where.endswith(end)), ParquetSource)
    return list(kind(where))


FILES = [
    pytest.param(lambda path: (f"{path}/out.csv", CSVTarget), id="csv"),
    pytest.param(lambda path: (f"{path}/out.jsonl", JSONLinesTarget), id="jsonl"),
    pytest.param(lambda path: (f"{path}/out.parquet", ParquetTarget), id="parquet"),
    pytest.param(lambda path: (f"sqlite:///{path}/rows.db", SQLTarget), id="sql"),
]


def open_target(place, path, buffered):
    where, kind = place(path)
    if kind is SQLTarget:
        return where, SQLTarget(where, "rows", batch=buffered)
    return where, kind(where, max_events=buffered)


@pytest.mark.parametrize("buffered", [1, 100])
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"a": HALF, "n": 9}, id="text"),
        pytest.param({"a": {"deep": [HALF]}, "n": 9}, id="inside"),
        pytest.param([{"a": "y", "n": 9}, {"a": HALF, "n": 9}], id="one-of-two"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("place", FILES)
def test_half_a_surrogate_pair_fails_its_own_event(
    place, is_first, bad, buffered, tmp_path
):
    where, target = open_target(place, tmp_path, buffered)
    good = [{"a": "x", "n": 1}, {"a": "é", "n": 2}, {"a": "z", "n": 3}]
    for body in good[is_first:2]:
        target.do(body)
    with pytest.raises(UnprocessableError, match="surrogate"):
        target.do(bad)
    for body in good[:is_first] + good[2:]:
        target.do(body)
    target.close()

    assert sorted(row["n"] for row in rows_of(where)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("place", "bad"),
    [
        pytest.param(FILES[0].values[0], {"b": "x", "a": HALF}, id="csv-columns"),
        pytest.param(FILES[2].values[0], {"n": "text", "a": HALF}, id="parquet-types"),
        pytest.param(FILES[2].values[0], {"q": 1, "": 1}, id="parquet-no-name"),
        pytest.param(FILES[2].values[0], {"n": 2**70}, id="parquet-number"),
        pytest.param(FILES[3].values[0], [{"n": "x"}, {"n": {}}], id="sql-types"),
        pytest.param(FILES[3].values[0], {"q": 1, "": 1}, id="sql-no-name"),
        pytest.param(FILES[3].values[0], {"n": 1, "N": 2}, id="sql-capitals"),
        pytest.param(FILES[3].values[0], {"n": -(2**63) - 1}, id="sql-number"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_body_that_is_refused_says_nothing_about_the_columns(
    place, bad, is_first, tmp_path
):
    where, target = open_target(place, tmp_path, 100)
    if not is_first:
        target.do({"n": 1})
    with pytest.raises(UnprocessableError):
        target.do(bad)
    if is_first:
        target.do({"n": 1})
    target.do({"n": 2})
    target.close()

    assert rows_of(where) == [{"n": 1}, {"n": 2}]


def test_a_number_too_large_for_a_stated_type_fails_its_own_event(tmp_path):
    target = ParquetTarget(tmp_path / "out.parquet", types={"n": "int32"})
    target.do({"n": 1})
    with pytest.raises(UnprocessableError, match=r"'n' .* int32, got 4294967296"):
        target.do({"n": 2**32})
    target.close()

    assert rows_of(f"{tmp_path}/out.parquet") == [{"n": 1}]


def test_a_number_too_large_for_a_table_that_is_there_fails_its_own_event(tmp_path):
    where = f"sqlite:///{tmp_path}/rows.db"
    SQLTarget(where, "rows").do({"n": 1})
    first = SQLTarget(where, "rows")
    first.do({"n": 1})
    first.close()
    target = SQLTarget(where, "rows")
    with pytest.raises(UnprocessableError, match=r"'n' .* 64 bits"):
        target.do({"n": 2**63})
    target.do({"n": 2})
    target.close()

    assert rows_of(where) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("append", [True, False])
@pytest.mark.parametrize("buffered", [1, 100])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param("b" * 300, "longer than the 255 bytes", id="long"),
        pytest.param("é" * 50, "longer than the 255 bytes", id="long-when-quoted"),
        pytest.param("", "is empty", id="empty"),
        pytest.param(HALF, "surrogate", id="surrogate"),
        pytest.param(["a"], "is a list", id="list"),
    ],
)
def test_a_value_that_names_no_folder_fails_its_own_event(
    value, why, buffered, append, tmp_path
):
    target = ParquetTarget(
        tmp_path / "out",
        ["k"],
        append=append,
        row_group_rows=buffered,
        max_events=buffered,
    )
    target.do({"k": "a", "n": 1})
    with pytest.raises(UnprocessableError, match=f"'k' .*{why}"):
        target.do({"k": value, "n": 9})
    with pytest.raises(UnprocessableError):
        target.do(pd.DataFrame({"k": [value], "n": [9]}, dtype=object))
    target.do({"k": "x/y", "n": 2})
    target.close()

    assert rows_of(f"{tmp_path}/out") == [{"n": 1, "k": "a"}, {"n": 2, "k": "x/y"}]


def test_a_frame_that_does_not_fit_is_the_callers_fault(tmp_path):
    target = ParquetTarget(tmp_path / "out.parquet", types={"n": "int32"})
    target.do({"n": 1})
    with pytest.raises(UnprocessableError):
        target.do(pd.DataFrame({"n": [2**40]}))
    target.do({"n": 2})
    target.close()

    assert rows_of(f"{tmp_path}/out.parquet") == [{"n": 1}, {"n": 2}]


def test_rows_wait_once_for_a_folder_that_cannot_be_written_yet(tmp_path):
    target = ParquetTarget(
        tmp_path / "out", ["k"], append=True, row_group_rows=3, max_events=3
    )
    for number in range(2):
        target.do({"k": "a", "n": number})
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(OSError, match="out"):
        target.do({"k": "a", "n": 9})
    (tmp_path / "out").unlink()
    target.do({"k": "a", "n": 2})
    target.close()

    assert [row["n"] for row in rows_of(f"{tmp_path}/out")] == [0, 1, 2]


def test_capitals_tell_columns_apart_where_the_database_does():
    kinds = ColumnKinds()
    kinds.add_all([{"n": 1, "N": 2}], "table", "postgresql")

    assert list(kinds.types()) == ["n", "N"]


def test_a_frame_with_two_columns_of_one_name_does_not_spoil_the_others():
    target = DataFrameTarget()
    target.do({"n": 1})
    with pytest.raises(UnprocessableError, match="two columns named 'n'"):
        target.do(pd.DataFrame([[1, 2]], columns=["n", "n"]))
    target.do({"n": 2})

    assert target.frame["n"].tolist() == [1, 2]


@pytest.mark.parametrize("key", ["", None, float("nan"), HALF])
def test_a_row_without_a_key_is_no_row_of_a_table(key):
    target = TableTarget("memory://bad_rows", key="id")
    with pytest.raises(UnprocessableError, match="the key of table"):
        target.do({"id": key})
    target.do({"id": "a"})

    assert list(open_table("memory://bad_rows").keys()) == ["a"]


def test_the_caller_of_a_bad_row_gets_422_and_the_next_one_his_answer(tmp_path):
    graph = Graph("stored")
    graph.to("CSVTarget", name="save", path=f"{tmp_path}/out.csv").respond()
    with MockServer(graph) as server:
        bad = server.test(body={"a": HALF}, silent=True, get_body=False)
        good = server.test(body={"a": "x"}, silent=True, get_body=False)

    assert (bad.status_code, good.status_code) == (422, 200)
    assert rows_of(f"{tmp_path}/out.csv") == [{"a": "x"}]


def test_decimals_and_escapes_are_no_surrogates(tmp_path):
    target = JSONLinesTarget(tmp_path / "out.jsonl")
    target.do({"a": "\\ud800", "b": Decimal("1.5"), "c": "\U0001f600"})
    target.close()

    [line] = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line) == {"a": "\\ud800", "b": "1.5", "c": "\U0001f600"}


@pytest.mark.parametrize("place", FILES)
def test_a_run_of_no_rows_leaves_the_old_rows(place, tmp_path):
    where, target = open_target(place, tmp_path, 100)
    target.do({"n": 1})
    target.close()
    _, again = open_target(place, tmp_path, 100)
    again.flush(end=True)
    again.close()

    assert rows_of(where) == [{"n": 1}]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(Event(HALF), id="text"),
        pytest.param(Event({"id": "a", "note": HALF}), id="json"),
        pytest.param(Event({"id": HALF}), id="key"),
    ],
)
def test_a_message_that_cannot_be_encoded_is_the_callers_fault(event):
    pytest.importorskip("confluent_kafka")
    target = KafkaTarget(
        "127.0.0.1:1", "orders", key=None if event.body == HALF else "id"
    )
    with pytest.raises(UnprocessableError, match="surrogate"):
        asyncio.run(target.do_event(event))
    target.close()
