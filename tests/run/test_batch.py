"""Whole tables through a graph, row by row."""

import asyncio
import json
import threading

import pandas as pd
import pytest

from jupyter_graph import Graph, Response, Runner, StepError
from jupyter_graph.errors import ClosedError, RunError, SpecError
from jupyter_graph.run.batch.batch_result import RowError

FRAME = pd.DataFrame({"a": [6, 7, 8], "b": [2, 0, 4]}, index=["x", "y", "z"])


def same(row):
    return row


def ratio(row):
    return {**row, "ratio": row["a"] / row["b"]}


def graph_of(*steps, **options):
    graph = last = Graph("batch", **options)
    for step in steps:
        last = last.to(name=step.__name__, handler=step)
    last.respond()
    return graph


def test_answers_keep_the_index_and_failed_rows_are_left_out(open_runner):
    result = open_runner(graph_of(ratio)).run_batch(FRAME)

    assert result.frame.to_dict("index") == {
        "x": {"a": 6, "b": 2, "ratio": 3.0},
        "z": {"a": 8, "b": 4, "ratio": 2.0},
    }
    assert result.errors == [
        RowError(
            "y", "ratio", "ZeroDivisionError: division by zero", "ZeroDivisionError"
        )
    ]
    assert (result.count, result.answered) == (3, 2)
    assert repr(result) == "<batch of 3 rows: 2 answers, 1 failed>"


def test_steps_get_plain_python_values(open_runner):
    def kinds(row):
        return {name: type(value).__name__ for name, value in row.items()}

    frame = pd.DataFrame(
        {"i": [1], "f": [1.5], "t": ["a"], "b": [True], "n": [None], "l": [[1]]}
    )
    result = open_runner(graph_of(kinds)).run_batch(frame)

    assert result.frame.iloc[0].to_dict() == {
        "i": "int",
        "f": "float",
        "t": "str",
        "b": "bool",
        "n": "NoneType",
        "l": "list",
    }


def test_what_is_missing_in_a_frame_is_none(tmp_path, open_runner):
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2026-01-01", None]),
            "count": pd.array([1, None], dtype="Int64"),
            "kind": pd.Categorical(["a", None]),
        }
    )
    path = tmp_path / "out.jsonl"
    open_runner(graph_of(same)).run_batch(frame, target=path)

    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"time": "2026-01-01T00:00:00", "count": 1, "kind": "a"},
        {"time": None, "count": None, "kind": None},
    ]


def test_rows_are_numbered_where_there_is_no_index(open_runner):
    rows = [{"a": 1, "b": 1}, {"a": 1}, {"a": 2, "b": 1}]
    result = open_runner(graph_of(ratio)).run_batch(iter(rows), batch_rows=2)

    assert list(result.frame.index) == [0, 2]
    assert result.errors == [RowError(1, "ratio", "KeyError: 'b'", "KeyError")]


def write_parquet(frame, path):
    frame.to_parquet(path, index=False)


def write_csv(frame, path):
    frame.to_csv(path, index=False)


def write_lines(frame, path):
    frame.to_json(path, orient="records", lines=True)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        pytest.param("rows.parquet", write_parquet, id="parquet"),
        pytest.param("rows.csv", write_csv, id="csv"),
        pytest.param("rows.jsonl", write_lines, id="json-lines"),
    ],
)
def test_files_are_read(name, write, tmp_path, open_runner):
    write(FRAME, tmp_path / name)
    result = open_runner(graph_of(ratio)).run_batch(tmp_path / name, batch_rows=2)

    assert result.frame["ratio"].tolist() == [3.0, 2.0]
    assert [error.row for error in result.errors] == [1]


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.jsonl", "folder"])
def test_answers_are_written_as_they_come(name, tmp_path, open_runner):
    target = tmp_path / name
    result = open_runner(graph_of(ratio)).run_batch(FRAME, target=target, batch_rows=1)

    again = open_runner(graph_of(same)).run_batch(str(target))
    assert again.frame["ratio"].tolist() == [3.0, 2.0]
    assert (result.answered, result.target) == (2, str(target))


def test_the_frame_of_written_answers_says_where_they_are(tmp_path, open_runner):
    path = tmp_path / "out.jsonl"
    result = open_runner(graph_of(ratio)).run_batch(FRAME, target=path)

    with pytest.raises(RunError, match=r"were written to .*out\.jsonl"):
        _ = result.frame


def test_a_target_without_answers_replaces_an_older_file(tmp_path, open_runner):
    path = tmp_path / "out.parquet"
    FRAME.to_parquet(path)
    open_runner(graph_of(ratio)).run_batch(FRAME.loc[["y"]], target=path)

    assert len(pd.read_parquet(path)) == 0


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_a_run_of_no_rows_leaves_the_old_file(name, tmp_path, open_runner):
    runner = open_runner(graph_of(same))
    runner.run_batch([], target=tmp_path / name)
    was_made = (tmp_path / name).is_file()
    runner.run_batch(FRAME, target=tmp_path / name)
    before = (tmp_path / name).read_bytes()
    runner.run_batch([], target=tmp_path / name)

    assert was_made
    assert before
    assert (tmp_path / name).read_bytes() == before


def test_answers_that_are_no_dicts_stand_in_one_column(tmp_path, open_runner):
    def first(row):
        return row["a"]

    runner = open_runner(graph_of(first))
    runner.run_batch(FRAME, target=tmp_path / "out.parquet")
    runner.run_batch(FRAME, target=tmp_path / "out.jsonl")

    assert runner.run_batch(FRAME).frame.to_dict("list") == {"answer": [6, 7, 8]}
    assert pd.read_parquet(tmp_path / "out.parquet")["answer"].tolist() == [6, 7, 8]
    assert (tmp_path / "out.jsonl").read_text() == "6\n7\n8\n"


def test_an_answer_that_cannot_be_written_is_an_error_of_its_row(tmp_path, open_runner):
    def odd(row):
        return {"a": row["a"] if row["b"] else "none"}

    path = tmp_path / "out.parquet"
    result = open_runner(graph_of(odd)).run_batch(FRAME, target=path)

    assert pd.read_parquet(path)["a"].tolist() == [6, 8]
    [error] = result.errors
    assert (error.row, error.type, result.answered) == ("y", "RunError", 2)
    assert "the answer cannot be written" in error.error


def test_a_disk_that_fails_ends_the_run(open_runner):
    class Full:
        def do(self, body):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        open_runner(graph_of(ratio)).run_batch(FRAME, target=Full())


def test_an_object_with_do_is_a_target(open_runner):
    class Seen:
        def __init__(self):
            self.bodies, self.is_flushed = [], False

        def do(self, body):
            self.bodies.append(body["ratio"])

        def flush(self, *, end):
            self.is_flushed = end

    seen = Seen()
    open_runner(graph_of(ratio)).run_batch(FRAME, target=seen)

    assert (seen.bodies, seen.is_flushed) == ([3.0, 2.0], True)


def test_the_first_failure_is_raised_when_asked_for(open_runner):
    with pytest.raises(StepError, match="ZeroDivisionError") as caught:
        open_runner(graph_of(ratio)).run_batch(FRAME, on_error="raise")

    assert caught.value.step == "ratio"
    assert caught.value.__notes__ == ["row 'y' of the data"]


def test_a_filtered_row_has_no_answer(open_runner):
    graph = Graph("filtered")
    graph.to(
        "Filter", name="big", class_args={"fn": lambda row: row["a"] > 6}
    ).respond()
    result = open_runner(graph).run_batch(FRAME)

    assert list(result.frame.index) == ["y", "z"]
    assert (result.answered, result.errors) == (2, [])


def test_a_stream_gives_a_row_for_each_item(open_runner):
    def repeated(row):
        for number in range(row["b"] // 2):
            yield {"a": row["a"], "number": number}

    result = open_runner(graph_of(repeated)).run_batch(FRAME)

    assert list(result.frame.index) == ["x", "z", "z"]
    assert result.frame["number"].tolist() == [0, 0, 1]


def test_a_stream_that_breaks_off_fails_its_row(open_runner):
    def broken(row):
        yield row
        yield ratio(row)

    result = open_runner(graph_of(broken)).run_batch(FRAME)

    assert list(result.frame.index) == ["x", "x", "z", "z"]
    assert [(error.row, error.step) for error in result.errors] == [("y", "broken")]


def test_steps_that_take_events_get_one(open_runner):
    class Marks:
        def do_event(self, event):
            event.body = {"path": event.path, "a": event.body["a"]}
            return event

    graph = Graph("events")
    graph.to(Marks, name="marks").respond()

    result = open_runner(graph).run_batch(FRAME)
    assert result.frame["path"].tolist() == ["/", "/", "/"]


def test_an_error_handler_answers_for_its_row(open_runner):
    graph = Graph("caught")
    step = graph.to(name="ratio", handler=ratio).respond()
    step.error_handler(name="instead", handler=lambda row: {"ratio": None})
    result = open_runner(graph).run_batch(FRAME)

    assert (result.answered, result.errors) == (3, [])
    assert pd.isna(result.frame.loc["y", "a"])  # no such field


def test_a_response_counts_by_its_status(open_runner):
    def answered(row):
        return Response({"a": row["a"]}, 201 if row["b"] else 422)

    result = open_runner(graph_of(answered)).run_batch(FRAME)

    assert result.frame["a"].tolist() == [6, 8]
    assert result.errors[0].error.startswith("RunError: answered 422")


def test_what_a_step_kept_comes_last(open_runner):
    graph = Graph("kept")
    batch = graph.to("Batch", name="pairs", class_args={"max_events": 2})
    batch.to(name="count", handler=lambda rows: {"count": len(rows)}).respond()
    result = open_runner(graph).run_batch(FRAME)

    assert result.frame["count"].to_dict() == {"y": 2, "z": 1}


def test_a_fold_answers_at_the_end(open_runner):
    graph = Graph("fold")
    args = {"initial_value": 0, "fn": lambda total, row: total + row["a"]}
    graph.to("Reduce", name="total", class_args=args).respond()

    assert open_runner(graph).run_batch(FRAME).frame.to_dict("index") == {
        "z": {"answer": 21}
    }


def test_what_a_step_kept_may_fail_too(open_runner):
    graph = Graph("kept")
    batch = graph.to("Batch", name="all", class_args={"max_events": 9})
    batch.to(name="fails", handler=lambda rows: rows["no"]).respond()
    [error] = open_runner(graph).run_batch(FRAME).errors

    assert (error.row, error.type) == (None, "TypeError")


def test_a_step_of_storeys_gives_what_it_kept_every_time(open_runner):
    graph = Graph("storey")
    args = {"max_events": 2, "full_event": False}
    batch = graph.to("storey.Batch", name="pairs", class_args=args)
    batch.to(name="count", handler=lambda rows: {"count": len(rows)}).respond()
    runner = open_runner(graph)

    first, second = runner.run_batch(FRAME), runner.run_batch(FRAME)
    assert first.frame["count"].to_dict() == {"y": 2, "z": 1}
    assert second.frame["count"].to_dict() == {"y": 2, "z": 1}


def test_a_file_that_a_step_writes_is_whole_at_the_end(tmp_path, open_runner):
    path = tmp_path / "seen.parquet"
    graph = Graph("writes")
    graph.to("ParquetTarget", name="w", class_args={"path": str(path)}).respond()
    open_runner(graph).run_batch(FRAME)

    assert pd.read_parquet(path)["a"].tolist() == [6, 7, 8]


# -- coroutines -----------------------------------------------------------------


async def slow(row):
    await asyncio.sleep(0.002 * (3 - row["b"] % 3))
    return ratio(row)


def test_coroutines_run_at_once_and_answer_in_order(open_runner):
    result = open_runner(graph_of(slow)).run_batch(FRAME)

    assert list(result.frame.index) == ["x", "z"]
    assert [(error.row, error.step) for error in result.errors] == [("y", "slow")]


def test_only_so_many_coroutines_run_at_once(open_runner):
    inside, most = 0, 0

    async def counted(row):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return row

    rows = [{"a": number} for number in range(50)]
    result = open_runner(graph_of(counted, max_in_flight=4)).run_batch(rows)

    assert (result.answered, most) == (50, 4)


def test_the_first_failure_of_coroutines_is_raised(open_runner):
    with pytest.raises(StepError, match="'slow' failed"):
        open_runner(graph_of(slow)).run_batch(FRAME, on_error="raise")


def test_an_asynchronous_stream_gives_a_row_for_each_item(open_runner):
    async def twice(row):
        yield {"a": row["a"]}
        yield {"a": -row["a"]}

    result = open_runner(graph_of(twice)).run_batch(FRAME)

    assert result.frame["a"].tolist() == [6, -6, 7, -7, 8, -8]


def test_a_batch_is_awaited(open_runner):
    runner = open_runner(graph_of(ratio))
    result = asyncio.run(runner.arun_batch(FRAME))

    assert result.answered == 2


def test_a_batch_that_nobody_awaits_ends(open_runner):
    entered, go_on, seen = threading.Event(), threading.Event(), []

    def step(row):
        seen.append(row)
        entered.set()
        go_on.wait(5)
        return row

    async def cancelled():
        batch = asyncio.create_task(runner.arun_batch(FRAME, batch_rows=1))
        await asyncio.to_thread(entered.wait, 5)
        batch.cancel()
        await asyncio.wait([batch])
        go_on.set()
        return batch.cancelled()

    runner = open_runner(graph_of(step))
    assert asyncio.run(cancelled())
    assert len(seen) == 1


# -- time -----------------------------------------------------------------------


def hangs(row):
    while row["b"] == 0:
        pass
    return row


async def hangs_on_the_loop(row):
    return hangs(row)


async def never(row):
    await asyncio.sleep(0 if row["b"] else 60)
    return row


@pytest.mark.slow
@pytest.mark.parametrize("step", [hangs, hangs_on_the_loop, never])
def test_a_row_that_takes_too_long_fails_alone(step, open_runner):
    result = open_runner(graph_of(step), timeout_s=0.3).run_batch(FRAME)

    assert list(result.frame.index) == ["x", "z"]
    [error] = result.errors
    assert (error.row, error.step, error.type) == ("y", step.__name__, "DeadlineError")


@pytest.mark.slow
def test_a_row_that_takes_too_long_in_a_thread_fails_alone(open_runner):
    runner, found = open_runner(graph_of(hangs), timeout_s=0.3), []
    thread = threading.Thread(target=lambda: found.append(runner.run_batch(FRAME)))
    thread.start()
    thread.join(10)

    [result] = found
    assert list(result.frame.index) == ["x", "z"]
    assert result.errors[0].type == "DeadlineError"


def test_the_users_stop_ends_the_run(open_runner):
    import signal

    def stopped(row):
        signal.raise_signal(signal.SIGINT)
        return row

    with pytest.raises(KeyboardInterrupt):
        open_runner(graph_of(stopped)).run_batch(FRAME)


@pytest.mark.parametrize("is_async", [False, True])
def test_the_users_stop_ends_the_run_while_buffered_rows_go_on(open_runner, is_async):
    import signal

    def stopped(rows):
        signal.raise_signal(signal.SIGINT)
        return rows

    async def on_a_loop(rows):
        return rows

    graph = Graph("g", topology="flow")
    batch = graph.to(name="b", class_name="Batch", max_events=100)
    last = batch.to(name="s", handler=stopped)
    if is_async:
        last.to(name="a", handler=on_a_loop)

    with pytest.raises(KeyboardInterrupt):
        open_runner(graph).run_batch(FRAME)


def test_a_step_may_run_a_batch_of_its_own(open_runner):
    inner = open_runner(graph_of(ratio))

    def outer(row):
        return {"answered": inner.run_batch(FRAME).answered}

    result = open_runner(graph_of(outer)).run_batch(FRAME)
    assert result.frame["answered"].tolist() == [2, 2, 2]


def test_a_closed_runner_takes_no_batch():
    with pytest.raises(ClosedError, match="is not open"):
        Runner(graph_of(ratio)).run_batch(FRAME)


# -- words ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"on_error": "skip"}, "'collect' or 'raise'", id="on-error"),
        pytest.param({"batch_rows": 0}, "batch_rows must be 1 row", id="rows"),
        pytest.param({"progress": "yes"}, "progress must be True or", id="progress"),
        pytest.param({"check": None}, "check must be True or False", id="check"),
        pytest.param({"target": "out.xls"}, "nothing writes '.xls'", id="suffix"),
        pytest.param({"target": 7}, "a target is a path", id="no-target"),
    ],
)
def test_wrong_options_are_refused(options, message, open_runner):
    with pytest.raises(SpecError, match=message):
        open_runner(graph_of(ratio)).run_batch(FRAME, **options)


def test_a_coroutine_is_no_target(open_runner):
    class Waits:
        async def do(self, body):
            return body

    with pytest.raises(SpecError, match="must be a plain function"):
        open_runner(graph_of(ratio)).run_batch(FRAME, target=Waits())


def test_data_that_nothing_reads_is_refused(open_runner):
    with pytest.raises(SpecError, match=r"there is no file '.*gone\.parquet'"):
        open_runner(graph_of(ratio)).run_batch("gone.parquet")


@pytest.mark.parametrize("is_file", [False, True])
def test_a_bar_is_shown_when_asked_for(is_file, tmp_path, open_runner, capsys):
    pytest.importorskip("tqdm")
    FRAME.to_parquet(tmp_path / "in.parquet")
    data = tmp_path / "in.parquet" if is_file else FRAME
    open_runner(graph_of(ratio)).run_batch(data, progress=True)

    assert "batch: 100%" in capsys.readouterr().err


def test_no_bar_is_shown_where_nobody_looks(open_runner, capsys):
    open_runner(graph_of(ratio)).run_batch(FRAME)

    assert capsys.readouterr().err == ""


def test_a_bar_without_its_package_says_how_to_get_it(open_runner, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)

    with pytest.raises(SpecError, match=r'pip install "jupyter_graph\[batch\]"'):
        open_runner(graph_of(ratio)).run_batch(FRAME, progress=True)


def test_a_batch_leaves_no_generated_code_behind(open_runner):
    from jupyter_graph.compile.failing_step import LINES

    runner = open_runner(graph_of(ratio))
    before = len(LINES)
    runner.run_batch(FRAME)

    assert len(LINES) == before


def test_rows_with_different_keys_have_empty_places(tmp_path, open_runner):
    rows = [{"a": 1}, {"b": {}}, 5]
    runner = open_runner(graph_of(same))
    runner.run_batch(rows, target=tmp_path / "out.parquet")

    assert list(runner.run_batch(rows).frame.columns) == ["a", "b", "answer"]
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 3


def test_lines_hold_answers_as_they_are(tmp_path, open_runner):
    rows = [{"a": 1}, {"b": {}}, 5, [1, None]]
    path = tmp_path / "out.jsonl"
    open_runner(graph_of(same)).run_batch(rows, target=path)

    assert [json.loads(line) for line in path.read_text().splitlines()] == rows
