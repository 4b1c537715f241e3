"""CSV files, written in flows and read in batches."""

import datetime
import math
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.files.csv_source import CSVSource
from jupyter_graph.connectors.files.csv_target import CSVTarget
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.run.context import Context

ROWS = [{"user": "ada", "amount": 5}, {"user": "bob", "amount": 2}]


def store(target, *bodies):
    for body in bodies:
        target.do(body)
    target.close()


def test_a_target_gives_its_bodies_back(run_step, tmp_path):
    assert run_step("CSVTarget", ROWS, path=str(tmp_path / "out.csv")) == ROWS


def test_the_file_is_there_when_the_runner_closes(open_runner, tmp_path):
    path = tmp_path / "sub" / "out.csv"
    graph = Graph("g")
    graph.to("CSVTarget", name="save", path=str(path)).respond()
    runner = open_runner(graph)
    for row in ROWS:
        runner.run(row)
    runner.close()

    assert path.read_text() == "user,amount\nada,5\nbob,2\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ROWS, id="a-list"),
        pytest.param(pd.DataFrame(ROWS), id="a-frame"),
        pytest.param(pd.DataFrame(ROWS).set_index("user"), id="a-named-index"),
        pytest.param(pd.DataFrame(ROWS, index=[7, 8]), id="an-unnamed-index"),
    ],
)
def test_a_batch_is_stored_row_by_row(tmp_path, body):
    store(CSVTarget(tmp_path / "out.csv"), body)

    assert list(CSVSource(tmp_path / "out.csv")) == ROWS


def test_chosen_columns_are_stored_in_their_order_and_lists_are_rows(tmp_path):
    target = CSVTarget(tmp_path / "out.csv", ["amount", "user"], header=False)
    store(target, {"user": "ada", "amount": 5, "x": 1}, [2, "bob"], [[3, "c"]])

    assert (tmp_path / "out.csv").read_text() == "5,ada\n2,bob\n3,c\n"


def test_awkward_values_come_back(tmp_path):
    rows = [
        {"text": 'a,"b"\nc\rd', "empty": None, "nan": math.nan, "deep": {"b": [1]}},
        {"text": "ä €", "empty": None, "nan": 2.5, "deep": {}},
    ]
    store(CSVTarget(tmp_path / "out.csv"), *rows)
    first, second = CSVSource(tmp_path / "out.csv")

    assert first == {**rows[0], "nan": None, "deep": '{"b": [1]}'}
    assert second == {**rows[1], "deep": "{}"}


def test_datetimes_are_iso_text_and_stay_text(tmp_path):
    at = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
    store(CSVTarget(tmp_path / "out.csv"), {"at": at})
    [row] = CSVSource(tmp_path / "out.csv")
    [typed] = CSVSource(tmp_path / "out.csv", types={"at": "timestamp_utc"}).batches()

    assert row == {"at": "2026-01-02T03:00:00+00:00"}
    assert typed.to_pylist() == [{"at": at}]


def test_a_row_with_another_key_is_refused_and_the_others_are_stored(tmp_path):
    target = CSVTarget(tmp_path / "out.csv")
    target.do({"a": 1})
    with pytest.raises(UnprocessableError, match="none for 'b'"):
        target.do([{"a": 2}, {"a": 3, "b": 4}])
    store(target, {"a": 5}, {})

    assert [row["a"] for row in CSVSource(tmp_path / "out.csv")] == [1, 5, None]


@pytest.mark.parametrize(
    "body", [pytest.param(3, id="a-number"), pytest.param([1, 2], id="numbers")]
)
def test_a_body_that_is_no_row_is_the_callers_fault(tmp_path, body):
    with pytest.raises(BadRequestError, match=r"out\.csv takes a dict"):
        CSVTarget(tmp_path / "out.csv").do(body)


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old\n")
    target = CSVTarget(path, flush_every_s=1e-9)
    target.do({"a": 1})
    target.flush(end=False)

    assert path.read_text() == "old\n"
    target.flush(end=True)
    assert path.read_text() == "a\n1\n"
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_rows_after_the_end_come_after_those_before_it(tmp_path):
    target = CSVTarget(tmp_path / "out.csv.gz")
    for number in range(3):
        target.do({"a": number})
        target.flush(end=True)

    assert list(CSVSource(tmp_path / "out.csv.gz")) == [{"a": n} for n in range(3)]


def test_a_target_without_events_touches_nothing(tmp_path):
    (tmp_path / "out.csv").write_text("old\n")
    store(CSVTarget(tmp_path / "out.csv"))

    assert (tmp_path / "out.csv").read_text() == "old\n"


@pytest.mark.parametrize("where", ["{tmp}/out.csv", "memory://appended/out.csv"])
def test_append_keeps_what_the_file_holds(tmp_path, where):
    path = where.format(tmp=tmp_path)
    store(CSVTarget(path), {"a": 1, "b": 2})
    store(CSVTarget(path, append=True), {"b": 4, "a": 3})

    assert list(CSVSource(path)) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_appended_rows_are_seen_after_a_flush(tmp_path):
    target = CSVTarget(tmp_path / "out.csv", append=True, flush_every_s=1e-9)
    target.do({"a": 1})
    target.flush(end=False)

    assert (tmp_path / "out.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_rows_wait_until_their_time_has_come(tmp_path, seconds):
    target = CSVTarget(tmp_path / "out.csv", append=True, flush_every_s=seconds)
    target.do({"a": 1})
    target.flush(end=False)

    assert not (tmp_path / "out.csv").exists()
    target.close()
    assert (tmp_path / "out.csv").read_text() == "a\n1\n"


def test_a_runner_writes_when_the_time_has_come(open_runner, tmp_path):
    path = tmp_path / "out.csv"
    graph = Graph("g")
    options = {"path": str(path), "append": True, "flush_every_s": 0.02}
    graph.to("CSVTarget", name="save", **options).respond()
    open_runner(graph).run({"a": 1})
    ends = time.monotonic() + 10
    while not (path.exists() and path.read_text()) and time.monotonic() < ends:
        time.sleep(0.005)

    assert path.read_text() == "a\n1\n"


def test_append_to_other_columns_is_refused(tmp_path):
    (tmp_path / "out.csv").write_text("a,b\n1,2\n")
    target = CSVTarget(tmp_path / "out.csv", ["b", "a"], append=True)

    with pytest.raises(UnprocessableError, match=r"\['a', 'b'\], not \['b', 'a'\]"):
        target.do({"a": 1, "b": 2})


def test_append_begins_a_line_after_a_torn_one(tmp_path):
    (tmp_path / "out.csv").write_text("a,b\n1,2\n3")
    store(CSVTarget(tmp_path / "out.csv", append=True), {"a": 5, "b": 6})

    assert (tmp_path / "out.csv").read_text() == "a,b\n1,2\n3\n5,6\n"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_many_threads_lose_nothing(tmp_path, suffix):
    path = tmp_path / f"out.csv{suffix}"
    target = CSVTarget(path, max_events=7)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(target.do, ({"n": number} for number in range(1000))))
    target.close()

    assert sorted(row["n"] for row in CSVSource(path)) == list(range(1000))


def test_a_parity_run_writes_nothing(tmp_path):
    target = CSVTarget(tmp_path / "out.csv", context=Context(is_parity=True))
    store(target, {"a": 1})

    assert not list(tmp_path.iterdir())


def test_each_worker_may_have_its_file(tmp_path):
    context = Context(worker_id="3")
    store(CSVTarget(tmp_path / "out-{worker}.csv", context=context), {"a": 1})

    assert (tmp_path / "out-3.csv").exists()


def test_a_failed_write_names_step_and_path_and_loses_no_earlier_row(tmp_path):
    path = tmp_path / "sub" / "out.csv"
    (tmp_path / "sub").write_text("a file where a folder should be")
    target = CSVTarget(path, max_events=2, name="save")
    target.do({"a": 1})
    with pytest.raises(OSError, match=r"step 'save' cannot write .*out\.csv"):
        target.do({"a": 2})
    (tmp_path / "sub").unlink()
    store(target, {"a": 3})

    assert list(CSVSource(path)) == [{"a": 1}, {"a": 3}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"path": 5}, "path or URL must be", id="no-path"),
        pytest.param({"columns": "ab"}, "columns must be a list", id="columns"),
        pytest.param({"columns": ["a", "a"]}, "a column twice", id="twice"),
        pytest.param({"header": 1}, "header must be", id="header"),
        pytest.param({"append": "yes"}, "append must be", id="append"),
        pytest.param({"delimiter": ";;"}, "delimiter must be", id="delimiter"),
        pytest.param({"max_events": 0}, "max_events must be 1", id="max"),
        pytest.param({"flush_every_s": 0}, "seconds above 0", id="flush"),
        pytest.param({"path": "https://x.org/a.csv"}, "HTTPTarget", id="http"),
        pytest.param({"path": "nope://x/a.csv"}, "nope", id="scheme"),
        pytest.param({"path": "a.csv.zip"}, "zip", id="zip"),
        pytest.param({"path": "/"}, "is a folder", id="folder"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        CSVTarget(**{"path": "out.csv", **options})


def test_a_source_types_its_columns(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("n,x,yes,text,day,none\n1,2.5,true,NA,2026-01-02,\n")

    assert list(CSVSource(path)) == [
        {"n": 1, "x": 2.5, "yes": True, "text": "NA", "day": "2026-01-02", "none": None}
    ]


def test_a_source_takes_columns_types_and_a_header(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("007;2\n")
    source = CSVSource(
        path,
        header=["id", "n"],
        types={"id": "string"},
        columns=["id"],
        delimiter=";",
    )

    assert list(source) == list(source) == [{"id": "007"}]


def test_a_cell_that_fits_not_its_column_is_an_error_that_helps(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("n\n" + "1\n" * 600_000 + "x\n")

    with pytest.raises(ValueError, match=r"in\.csv: .*'x'.*types="):
        list(CSVSource(path))
    assert len(list(CSVSource(path, types={"n": "string"}).batches(600_001))) == 1


@pytest.mark.parametrize("kind", ["arrow", "pandas"])
def test_batches_have_the_stated_size(tmp_path, kind):
    path = tmp_path / "in.csv"
    pd.DataFrame({"n": range(2500)}).to_csv(path, index=False)
    batches = list(CSVSource(path).batches(1000, kind=kind))

    assert [len(batch) for batch in batches] == [1000, 1000, 500]


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "in.csv").write_text("")

    assert list(CSVSource(tmp_path / "in.csv")) == []
