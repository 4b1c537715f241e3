"""Collected streams that random graphs once showed to go wrong, each pinned down."""

import asyncio

import pytest

from jupyter_graph import Graph, StepError
from tests.run.twin.small import (
    COLOURS,
    answers,
    breaks_off,
    collected,
    double,
    fails,
    inc,
    inc_async,
    last,
    three,
    two,
)


async def slow(x):
    for number in range(3):
        await asyncio.sleep(0)
        yield x + number


@COLOURS
@pytest.mark.parametrize(
    ("steps", "found"),
    [
        pytest.param(
            [two, three, "Collector", last],
            ("last", [1, 2, 3, 11, 12, 13]),
            id="streams-in-a-stream",
        ),
        pytest.param(
            [two, "Collector", sum, three, "Collector", last],
            ("last", [12, 13, 14]),
            id="one-after-the-other",
        ),
        pytest.param(
            [two, "Collector", sum, three, last],
            [("last", 12), ("last", 13), ("last", 14)],
            id="then-a-stream",
        ),
    ],
)
def test_streams_are_collected_one_at_a_time(run_graph, inc, steps, found):
    graph = collected(*steps)
    graph.add_step(name="beside", handler=inc, after="s0")
    graph.change_step(f"s{len(steps) - 1}", responder=True)

    assert answers(run_graph, graph, [1]) == [found]


@COLOURS
@pytest.mark.parametrize(("responder", "found"), [("s0", [1, 11]), ("s1", [2, 12])])
def test_items_are_answers_though_they_are_collected_later(
    run_graph, inc, responder, found
):
    seen = []
    graph = collected(two, inc, "Collector", seen.append)
    graph.change_step(responder, responder=True)

    assert answers(run_graph, graph, [1]) == [found]
    assert seen == [[2, 12]]


def test_two_streams_at_once_are_collected_one_after_the_other(run_graph):
    seen = []
    graph = Graph("g")
    graph.to(name="a", handler=slow)
    graph.to(name="b", handler=slow)
    graph.add_step("Collector", "list", after=["a", "b"]).to(handler=seen.append)
    run_graph(graph, [1])

    assert seen == [[1, 2, 3], [1, 2, 3]]


def test_what_comes_to_a_collector_beside_a_stream_is_no_item_of_it(run_graph):
    seen = []
    graph = Graph("g")
    graph.to(name="first", handler=inc_async).to(name="items", handler=slow)
    graph.add_step(name="each", handler=double, after=["first", "items"])
    graph.add_step("Collector", "list").to(name="note", handler=seen.append)
    run_graph(graph, [1])

    assert sorted(seen, key=str) == [4, [4, 6, 8]]


def test_a_branch_is_collected_though_another_one_broke_off(run_graph):
    graph = Graph("g")
    graph.to(name="items", handler=breaks_off)
    graph.to(name="first", handler=inc)
    graph.add_step("Collector", "list", after=["items", "first"])
    graph.add_step(name="last", handler=last).respond()
    seen = []
    graph.error_handler("note", handler=lambda x: seen.append(x) or "caught")

    assert run_graph(graph, [1]) == ["caught"]
    assert seen == [1]


@COLOURS
def test_what_fails_behind_a_collected_generator_is_named(open_runner, inc):
    graph = collected(two, inc, fails, "Collector", last)

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "s2"


@COLOURS
def test_a_failing_handler_inside_a_collected_stream_fails_its_event(open_runner, inc):
    graph = collected(two, inc, fails, "Collector", last)
    graph.error_handler("catch", handler=lambda x: fails(x) if x < 5 else "caught")

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "catch"


@COLOURS
@pytest.mark.parametrize("more", [(), ("Collector",)], ids=["drained", "collected"])
def test_the_graphs_handler_gets_what_a_failing_stream_got(run_graph, inc, more):
    seen = []
    graph = collected(inc, breaks_off, *more)
    graph.add_step(name="answers", handler=inc, after="s0").respond()
    graph.error_handler("note", handler=seen.append)
    run_graph(graph, [1])

    assert seen == [2]


def test_a_join_may_stand_behind_what_lets_others_pass(run_graph):
    graph = Graph("g")
    graph.to(name="first", handler=inc)
    graph.to(name="items", handler=two)
    graph.add_step("Collector", "list", after=["first", "items"])
    graph.add_step(name="end", handler=last, after=["list", "first"], join="all")
    graph.change_step("end", responder=True)

    assert run_graph(graph, [1]) == [("last", [2, 2])]
