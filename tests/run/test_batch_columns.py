"""Vectorised steps in batch runs: frames in, frames out, failing rows found."""

import asyncio
import threading

import numpy as np
import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import RunError
from jupyter_graph.run.batch.graph_parts import GraphParts

FRAME = pd.DataFrame({"a": range(10), "b": [1, 2, 0, 4, 5, 6, 0, 8, 9, 10]})
FRAME.index = list("abcdefghij")


def double(frame):
    return frame.assign(double=frame["a"] * 2)


def ratio(frame):
    if (frame["b"] == 0).any():
        raise ZeroDivisionError("there is a zero")
    return frame.assign(ratio=frame["a"] / frame["b"])


def label(row):
    return {**row, "label": f"{row['a']}!"}


def small(row):
    if row["a"] == 4:
        raise ValueError("four")
    return {**row, "small": row["a"] < 5}


async def wait(row):
    await asyncio.sleep(0)
    return {**row, "waited": True}


VECTORIZED = ("double", "ratio", "late", "drops", "total")


def graph_of(*steps, **options):
    graph = last = Graph("batch", **options)
    for step in steps:
        name = step.__name__
        last = last.to(name=name, handler=step, vectorized=name in VECTORIZED)
    last.respond()
    return graph


def parts_of(runner):
    parts = GraphParts(
        runner.compiled, runner._instance.steps, runner._dispatcher.function
    )
    parts.close()
    return [(part.names, part.is_vectorized) for part in parts.all]


def test_vectorised_steps_get_whole_frames(open_runner):
    sizes = []

    def total(frame):
        sizes.append(len(frame))
        return frame

    result = open_runner(graph_of(total)).run_batch(FRAME, batch_rows=4)

    assert sizes == [4, 4, 2]
    pd.testing.assert_frame_equal(result.frame, FRAME)


@pytest.mark.parametrize("batch_rows", [1, 3, 10])
def test_a_frame_gives_what_its_rows_give(batch_rows, open_runner):
    steps = (double, label, ratio, small)
    runner = open_runner(graph_of(*steps))
    result = runner.run_batch(FRAME, batch_rows=batch_rows)

    good = FRAME[(FRAME["b"] != 0) & (FRAME["a"] != 4)]
    alone = [runner.run(row) for row in good.to_dict("records")]
    assert result.frame.to_dict("records") == alone
    assert list(result.frame.index) == list(good.index)
    assert [(error.row, error.step) for error in result.errors] == [
        ("c", "ratio"),
        ("e", "small"),
        ("g", "ratio"),
    ]


def test_the_callers_frame_stays_as_it_is(open_runner):
    def total(frame):
        frame["a"] *= 2
        if (frame["b"] == 0).any():
            raise ValueError("zero")
        return frame

    result = open_runner(graph_of(total)).run_batch(FRAME)

    assert result.frame["a"].tolist() == [0, 2, 6, 8, 10, 14, 16, 18]
    assert FRAME["a"].tolist() == list(range(10))


def test_a_later_frame_is_halved_as_it_was(open_runner):
    def total(frame):
        frame["a"] *= 2
        if (frame["b"] == 0).any():
            raise ValueError("zero")
        return frame

    result = open_runner(graph_of(label, total)).run_batch(FRAME)

    assert result.frame["a"].tolist() == [0, 2, 6, 8, 10, 14, 16, 18]


def test_the_graph_is_cut_where_its_steps_change_their_kind(open_runner):
    runner = open_runner(graph_of(label, double, ratio, small))

    assert parts_of(runner) == [
        (("label",), False),
        (("double", "ratio"), True),
        (("small",), False),
    ]


def test_a_graph_of_plain_steps_is_not_cut(open_runner):
    assert parts_of(open_runner(graph_of(label, small))) == [((), False)]


def test_all_goes_row_by_row_from_a_branch_on(open_runner):
    graph = Graph("branches", copy="shallow")
    first = graph.to(name="double", handler=double, vectorized=True)
    first.to(name="one", handler=label)
    first.to(name="two", handler=small)
    graph.add_step("Merge", name="both", after=["one", "two"]).respond()
    runner = open_runner(graph)

    assert parts_of(runner) == [(("double",), True), (("one", "two", "both"), False)]
    result = runner.run_batch(FRAME)
    assert len(result.frame) == 9
    assert [error.row for error in result.errors] == ["e"]


def test_a_step_that_a_later_one_waits_for_is_not_cut_off(open_runner):
    graph = Graph("skips", copy="shallow")
    first = graph.to(name="double", handler=double, vectorized=True)
    first.to(name="one", handler=label)
    graph.add_step("Merge", name="both", after=["double", "one"]).respond()
    runner = open_runner(graph)

    assert parts_of(runner) == [((), False)]
    assert runner.run_batch(FRAME).answered == 10


def test_a_step_with_an_error_handler_goes_row_by_row(open_runner):
    graph = Graph("caught")
    first = graph.to(name="double", handler=double, vectorized=True)
    second = first.to(name="ratio", handler=ratio, vectorized=True).respond()
    second.error_handler(name="instead", handler=lambda row: {**row, "ratio": -1})
    result = open_runner(graph).run_batch(FRAME)

    assert result.frame["ratio"].tolist().count(-1) == 2
    assert result.errors == []


def test_steps_after_the_answer_run_for_their_effects(open_runner):
    seen = []
    graph = Graph("effects")
    first = graph.to(name="double", handler=double, vectorized=True)
    first.to(name="label", handler=label).respond().to(name="seen", handler=seen.append)
    result = open_runner(graph).run_batch(FRAME)

    assert list(result.frame.columns) == ["a", "b", "double", "label"]
    assert len(seen) == 10


def test_a_graph_that_nobody_answers_gives_no_answers(open_runner):
    graph = Graph("silent")
    first = graph.to(name="double", handler=double, vectorized=True)
    first.to(name="one", handler=label)
    first.to(name="two", handler=label)
    result = open_runner(graph).run_batch(FRAME)

    assert (result.count, result.answered, len(result.frame)) == (10, 0, 0)


def test_coroutines_stand_beside_vectorised_steps(open_runner):
    async def late(frame):
        await asyncio.sleep(0)
        return frame.assign(late=1)

    runner = open_runner(graph_of(late, wait, ratio))
    result = runner.run_batch(FRAME)

    assert parts_of(runner) == [
        (("late",), True),
        (("wait",), False),
        (("ratio",), True),
    ]
    assert list(result.frame.columns) == ["a", "b", "late", "waited", "ratio"]
    assert [error.row for error in result.errors] == ["c", "g"]


def test_a_series_is_a_column(open_runner):
    def total(frame):
        return (frame["a"] + frame["b"]).rename("total")

    frame = open_runner(graph_of(total)).run_batch(FRAME).frame
    assert frame["total"].tolist() == (FRAME["a"] + FRAME["b"]).tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            lambda frame: frame[frame["b"] > 0], "10, it gave 8", id="fewer-rows"
        ),
        pytest.param(
            lambda frame: frame.reset_index(drop=True),
            r"must keep the index .*\('a', 'b', 'c', …\).*\(0, 1, 2, …\)",
            id="index-lost",
        ),
        pytest.param(
            lambda frame: frame.sort_values("b"), "must keep the index", id="sorted"
        ),
        pytest.param(
            lambda frame: frame.to_numpy(), "a DataFrame, got ndarray", id="array"
        ),
    ],
)
def test_a_step_that_gives_other_rows_is_named(given, message, open_runner):
    def drops(frame):
        return given(frame)

    with pytest.raises(RunError, match=f"step 'drops' is vectorised and .*{message}"):
        open_runner(graph_of(double, drops)).run_batch(FRAME)


def test_a_body_that_is_no_object_cannot_be_in_a_frame(open_runner):
    rows = [{"a": 1}, 5, {"a": 2}]
    result = open_runner(graph_of(double)).run_batch(rows)

    assert result.frame["double"].to_dict() == {0: 2, 2: 4}
    assert result.errors[0][:3] == (
        1,
        "double",
        "TypeError: a vectorised step takes objects of fields, got int",
    )


def test_the_failing_row_of_a_frame_is_raised(open_runner):
    with pytest.raises(StepError, match="there is a zero") as caught:
        open_runner(graph_of(double, ratio)).run_batch(FRAME, on_error="raise")

    assert caught.value.__notes__ == ["row 'c' of the data"]


@pytest.mark.slow
def test_a_frame_that_takes_too_long_fails_by_its_rows(open_runner):
    def late(frame):
        while (frame["a"] == 3).any():
            pass
        return frame

    runner, found = open_runner(graph_of(late), timeout_s=0.1), []
    found.append(runner.run_batch(FRAME.iloc[2:6]))
    thread = threading.Thread(
        target=lambda: found.append(runner.run_batch(FRAME.iloc[2:6]))
    )
    thread.start()
    thread.join(10)

    assert [list(one.frame.index) for one in found] == [["c", "e", "f"]] * 2
    assert [one.errors[0].type for one in found] == ["DeadlineError"] * 2


# -- do they agree with their rows? ---------------------------------------------


def test_a_step_that_agrees_with_itself_passes(open_runner):
    runner = open_runner(graph_of(double, label, ratio))
    good = FRAME[FRAME["b"] > 0]

    assert runner.run_batch(good, check=True).answered == 8


def test_a_step_that_looks_at_other_rows_is_found(open_runner):
    def total(frame):
        return frame.assign(total=frame["a"].sum())

    runner = open_runner(graph_of(double, total))
    with pytest.raises(RunError, match=r"'total', row 'a': 'total' is 45 among oth"):
        runner.run_batch(FRAME, check=True)


def test_a_step_that_fails_alone_is_found(open_runner):
    def total(frame):
        if len(frame) == 1:
            raise ValueError("too few")
        return frame

    with pytest.raises(RunError, match="'total', row 'a' answers among others and"):
        open_runner(graph_of(total)).run_batch(FRAME, check=True)


def test_missing_values_and_roundings_agree(open_runner):
    def total(frame):
        return frame.assign(
            x=np.where(frame["a"] > 5, np.nan, frame["a"] / 3), y=pd.NaT, z="z"
        )

    assert open_runner(graph_of(total)).run_batch(FRAME, check=True).answered == 10


# -- files ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.jsonl"])
def test_frames_are_written_as_they_come(name, tmp_path, open_runner):
    FRAME.to_parquet(tmp_path / "in.parquet", index=False)
    runner = open_runner(graph_of(double, ratio))
    result = runner.run_batch(
        tmp_path / "in.parquet", target=tmp_path / name, batch_rows=4
    )

    again = open_runner(graph_of(label)).run_batch(tmp_path / name)
    assert again.frame["double"].tolist() == [0, 2, 6, 8, 10, 14, 16, 18]
    assert [error.row for error in result.errors] == [2, 6]


def test_lists_and_missing_values_of_frames_are_written(tmp_path, open_runner):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None], "items": [[1, 2], [3]]})
    runner = open_runner(graph_of(double))
    runner.run_batch(table, target=tmp_path / "out.jsonl")
    result = runner.run_batch(table, target=tmp_path / "out.csv")

    assert result.errors == []
    assert (tmp_path / "out.jsonl").read_text().splitlines() == [
        '{"a": 1, "items": [1, 2], "double": 2}',
        '{"a": null, "items": [3], "double": null}',
    ]
