"""Parquet files and folders, written in flows and read in batches."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.files.parquet_target import ParquetTarget
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.run.context import Context

ROWS = [{"user": "ada", "amount": 5}, {"user": "bob", "amount": 2}]


def store(target, *bodies):
    for body in bodies:
        target.do(body)
    target.close()


def by_amount(where):
    return sorted(ParquetSource(where), key=lambda row: row["amount"])


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param(ROWS, id="rows"),
        pytest.param([ROWS], id="a-list"),
        pytest.param([pd.DataFrame(ROWS)], id="pandas"),
        pytest.param([pa.Table.from_pylist(ROWS)], id="arrow"),
        pytest.param([ROWS[0], pd.DataFrame(ROWS[1:])], id="both"),
        pytest.param([pd.DataFrame(ROWS[:1]), ROWS[1]], id="both-turned"),
    ],
)
@pytest.mark.parametrize("where", ["{tmp}/out.parquet", "memory://pq/{id}.parquet"])
def test_rows_come_back(tmp_path, where, bodies):
    path = where.format(tmp=tmp_path, id=tmp_path.name)
    store(ParquetTarget(path), *bodies)

    assert list(ParquetSource(path)) == ROWS


def test_a_target_gives_its_bodies_back(run_step, tmp_path):
    path = str(tmp_path / "out.parquet")

    assert run_step("ParquetTarget", ROWS, path=path) == ROWS


def test_values_of_many_types_come_back(tmp_path):
    row = {
        "i": 2**62,
        "f": 0.5,
        "t": "ä",
        "b": True,
        "raw": b"\x00",
        "at": datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 1, 2),
        "price": decimal.Decimal("2.50"),
        "list": [1, 2],
        "array": np.array([1.5, 2.0]),
        "deep": {"x": [{"y": None}]},
        "none": None,
    }
    store(ParquetTarget(tmp_path / "out.parquet"), row, {**row, "f": np.float64(1)})

    row["array"] = [1.5, 2.0]
    assert list(ParquetSource(tmp_path / "out.parquet")) == [row, {**row, "f": 1.0}]


def test_types_are_learned_from_all_rows_before_the_first_write(tmp_path):
    rows = [{"x": None, "y": 1}, {"x": 1, "y": 2}, {"x": 2.5, "y": 3, "z": []}]
    store(ParquetTarget(tmp_path / "out.parquet"), *rows, {"z": [1]})
    schema = pq.read_schema(tmp_path / "out.parquet")

    assert [str(kind) for kind in schema.types] == [
        "double",
        "int64",
        "list<element: int64>",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param({"n": 2.5}, "'n' of .* holds int64, got 2.5", id="float-for-int"),
        pytest.param({"n": "x"}, "holds int64, got 'x'", id="text-for-int"),
        pytest.param({"m": 1}, "has no column 'm'", id="new-column"),
        pytest.param({"d": {"b": 1}}, "'d'", id="new-key-inside"),
        pytest.param({"n": 2**70}, "cannot hold 'n'", id="too-large"),
        pytest.param({"n": object()}, "cannot hold 'n'", id="no-type"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_alone(tmp_path, row, message):
    target = ParquetTarget(tmp_path / "out.parquet", max_events=1)
    target.do({"n": 1, "d": {"a": 1}})
    with pytest.raises(UnprocessableError, match=message):
        target.do(row)
    store(target, {"n": 2})

    assert [row["n"] for row in ParquetSource(tmp_path / "out.parquet")] == [1, 2]


def test_a_value_that_shows_too_late_does_not_poison_the_others(tmp_path):
    told = []
    context = Context(name="save", push=lambda *said: told.append(said))
    path = tmp_path / "out.parquet"
    target = ParquetTarget(path, context=context, flush_every_s=1e-9)
    for number in (1, 2, 2**60 + 1, 3, 0.5):  # a float has no such whole number
        target.do({"n": number})
    with pytest.raises(OSError, match="1 of its rows"):
        target.flush(end=False)
    target.close()

    rows = list(ParquetSource(tmp_path / "out.parquet"))
    assert [row["n"] for row in rows] == [1, 2, 3, 0.5]
    assert len(told) == 1


def test_stated_types_hold_from_the_start(tmp_path):
    target = ParquetTarget(
        tmp_path / "out.parquet", types={"x": "float32", "n": "int32"}
    )
    store(target, {"x": 1, "n": 1}, {"x": 2.5, "n": None})
    schema = pq.read_schema(tmp_path / "out.parquet")

    assert [str(kind) for kind in schema.types] == ["float", "int32"]


def test_empty_dicts_are_none_and_do_not_hide_later_keys(tmp_path):
    store(ParquetTarget(tmp_path / "out.parquet"), {"d": {}}, {"d": {"a": 1}})

    assert list(ParquetSource(tmp_path / "out.parquet")) == [
        {"d": None},
        {"d": {"a": 1}},
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"d": {"a": {}}}, "an empty dict inside", id="empty-inside"),
        pytest.param({1: 2}, "needs a text as its name", id="number-as-name"),
        pytest.param(pd.DataFrame({"a": [1, "x"]}), "no table", id="mixed-frame"),
    ],
)
def test_what_parquet_cannot_hold_is_refused_alone(tmp_path, body, message):
    target = ParquetTarget(tmp_path / "out.parquet")
    with pytest.raises(UnprocessableError, match=message):
        target.do(body)
    store(target, {"a": 1})

    assert list(ParquetSource(tmp_path / "out.parquet")) == [{"a": 1}]


def test_categories_are_stored_as_their_values(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"])})
    store(ParquetTarget(tmp_path / "out.parquet"), frame, {"a": "z"})

    assert [row["a"] for row in ParquetSource(tmp_path / "out.parquet")] == list("xyz")


def test_a_folder_is_partitioned(tmp_path):
    store(ParquetTarget(tmp_path / "out", ["user"]), *ROWS)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "user=ada",
        "user=bob",
    ]
    assert by_amount(tmp_path / "out") == [
        {"amount": 2, "user": "bob"},
        {"amount": 5, "user": "ada"},
    ]


@pytest.mark.parametrize("where", ["{tmp}/out", "memory://folders/{id}"])
def test_a_folder_is_replaced_when_the_new_one_is_whole(tmp_path, where):
    path = where.format(tmp=tmp_path, id=tmp_path.name)
    store(ParquetTarget(path), {"amount": 1})
    target = ParquetTarget(path, row_group_rows=1, flush_every_s=1e-9)
    target.do(ROWS)
    target.flush(end=False)

    assert by_amount(path) == [{"amount": 1}]
    target.close()
    assert by_amount(path) == ROWS[::-1]
    assert [p.name for p in tmp_path.iterdir()] in ([], ["out"])


def test_a_folder_with_append_grows_at_each_flush(tmp_path):
    store(ParquetTarget(tmp_path / "out"), {"amount": 1})
    target = ParquetTarget(tmp_path / "out", append=True, flush_every_s=1e-9)
    target.do({"amount": 2})
    target.flush(end=False)

    assert by_amount(tmp_path / "out") == [{"amount": 1}, {"amount": 2}]


@pytest.mark.parametrize("name", ["out.parquet", "out"])
def test_rows_after_the_end_come_after_those_before_it(tmp_path, name):
    target = ParquetTarget(tmp_path / name)
    for number in range(3):
        target.do({"amount": number})
        target.flush(end=True)

    assert by_amount(tmp_path / name) == [{"amount": n} for n in range(3)]


def test_append_to_a_file_keeps_its_rows_and_its_columns(tmp_path):
    store(ParquetTarget(tmp_path / "out.parquet"), *ROWS)
    target = ParquetTarget(tmp_path / "out.parquet", append=True)
    with pytest.raises(UnprocessableError, match="no column 'x'"):
        target.do({"x": 1})
    store(target, ROWS[0])

    assert list(ParquetSource(tmp_path / "out.parquet")) == [*ROWS, ROWS[0]]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "notes.ipynb").write_text("{}")

    with pytest.raises(SpecError, match=r"holds 'notes\.ipynb'"):
        ParquetTarget(tmp_path)


def test_a_file_has_row_groups_of_the_stated_size(tmp_path):
    target = ParquetTarget(tmp_path / "out.parquet", max_events=10, row_group_rows=25)
    store(target, *({"n": number} for number in range(60)))
    found = pq.ParquetFile(tmp_path / "out.parquet").metadata

    assert [found.row_group(i).num_rows for i in range(3)] == [25, 25, 10]


def test_bodies_that_change_later_are_stored_as_they_were(tmp_path):
    target = ParquetTarget(tmp_path / "out.parquet")
    body, frame = {"a": [1]}, pd.DataFrame({"a": [[5]]})
    target.do(body)
    body["a"].append(2)
    target.do(frame)
    frame.loc[0, "a"].append(6)
    target.close()

    assert list(ParquetSource(tmp_path / "out.parquet")) == [{"a": [1]}, {"a": [5]}]


def test_the_file_is_not_there_before_it_is_whole(tmp_path):
    target = ParquetTarget(tmp_path / "out.parquet", max_events=1, row_group_rows=1)
    target.do(ROWS[0])

    assert not (tmp_path / "out.parquet").exists()
    target.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_a_parity_run_writes_nothing(tmp_path):
    context = Context(is_parity=True)
    store(ParquetTarget(tmp_path / "out", ["user"], context=context), *ROWS)

    assert not list(tmp_path.iterdir())


def test_a_row_without_its_partition_is_refused(tmp_path):
    with pytest.raises(UnprocessableError, match="names its folder"):
        ParquetTarget(tmp_path / "out", ["user"]).do({"amount": 5})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"partition_cols": "user"}, "partition_cols must", id="cols"),
        pytest.param({"types": {"a": "int"}}, "did you mean 'int", id="types"),
        pytest.param({"compression": "zip"}, "compression must", id="compression"),
        pytest.param({"row_group_rows": 0}, "row_group_rows", id="group"),
        pytest.param({"append": None}, "append must be", id="append"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, options, message):
    with pytest.raises(SpecError, match=message):
        ParquetTarget(tmp_path / "out.parquet", **options)


def test_a_body_that_is_no_row_is_the_callers_fault(tmp_path):
    with pytest.raises(BadRequestError, match="takes a dict"):
        ParquetTarget(tmp_path / "out.parquet").do("x")


@pytest.mark.parametrize("kind", ["arrow", "pandas"])
def test_batches_have_the_stated_size_and_columns(tmp_path, kind):
    store(
        ParquetTarget(tmp_path / "out.parquet"), pd.DataFrame({"n": range(25), "x": 1})
    )
    source = ParquetSource(tmp_path / "out.parquet", columns=["n"])
    batches = list(source.batches(10, kind=kind))

    assert [batch.shape for batch in batches] == [(10, 1), (10, 1), (5, 1)]


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    (tmp_path / "in.parquet").write_text("a,b\n")

    with pytest.raises(ValueError, match=r"in\.parquet cannot be read as Parquet"):
        list(ParquetSource(tmp_path / "in.parquet"))


@pytest.mark.slow
def test_rows_of_a_folder_keep_their_order_though_their_table_has_many_chunks(tmp_path):
    target = ParquetTarget(tmp_path / "out")
    for number in range(2_000):
        target.do(pa.table({"n": [number]}))
    target.close()

    assert [row["n"] for row in ParquetSource(tmp_path / "out")] == list(range(2_000))
