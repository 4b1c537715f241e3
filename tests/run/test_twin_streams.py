"""Streams that random graphs once showed to go wrong, each pinned down."""

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.types import NOTHING
from tests.run.twin.small import (
    COLOURS,
    Odd,
    answers,
    around,
    double,
    fan_out,
    flat_map,
    inc,
    last,
    three,
    two,
)


@COLOURS
def test_parts_of_one_item_are_never_merged_with_those_of_another(run_graph, inc):
    graph = fan_out(three, Odd, inc)

    assert answers(run_graph, graph, [1, 2]) == [[[1, 2], [3, 4]], [[3, 4]]]


@COLOURS
@pytest.mark.parametrize(
    ("join", "found"),
    [
        pytest.param({"join": "all", "missing": "drop"}, [[2, 2], [3], [4, 6]]),
        pytest.param({"join": "first"}, [2, 3, 4]),
    ],
    ids=["all", "first"],
)
def test_each_item_is_joined_by_itself(run_graph, inc, join, found):
    class DoubleOdd(Odd):
        def do(self, x):
            return 2 * x if x % 2 else NOTHING

    graph = fan_out(three, inc, DoubleOdd, lambda x: x, **join)

    assert answers(run_graph, graph, [1]) == [found]


@COLOURS
def test_any_branch_of_each_item_goes_on(run_graph, inc):
    graph = fan_out(three, inc, Odd, lambda x: "any", join="any")

    assert answers(run_graph, graph, [1]) == [["any"] * 3]


def test_a_join_inside_and_outside_of_a_stream_is_refused(open_runner):
    graph = Graph("g")
    graph.to(name="first", handler=inc)
    graph.add_step(name="items", handler=three, after="first")
    graph.add_step(name="last", handler=last, after=["items", "first"], join="all")

    with pytest.raises(SpecError, match="'last' joins branches inside and outside"):
        open_runner(graph)


def test_a_join_behind_a_collector_is_outside_of_the_stream(run_graph):
    graph = Graph("g")
    graph.to(name="first", handler=inc).to(name="items", handler=three)
    graph.add_step("Collector", "list")
    graph.add_step(name="last", handler=last, after=["list", "first"], join="all")
    graph.change_step("last", responder=True)

    assert answers(run_graph, graph, [1]) == [("last", [[2, 3, 4], 2])]


def test_each_item_goes_round_a_cycle_by_itself(run_graph):
    def many(x):
        yield from range(x)

    class Once:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return "out"

    graph = Graph("g", allow_cyclic=True)
    graph.to(name="many", handler=many).to(Once, "once")
    graph.add_step(name="again", handler=inc, after="once", cycle_to="once")
    graph.add_step(name="out", handler=inc, after="once").respond()

    assert answers(run_graph, graph, [150]) == [list(range(1, 151))]


def test_what_comes_after_a_responding_stream_does_not_change_its_items(run_graph):
    def objects(x):
        yield {"n": x}

    graph = Graph("g")
    graph.to(name="objects", handler=objects).respond()
    graph.add_step(name="seven", handler=lambda _: 7, result_path="seven")

    assert answers(run_graph, graph, [1]) == [[{"n": 1}]]


@COLOURS
@pytest.mark.parametrize("of_events", [False, True], ids=["bodies", "events"])
@pytest.mark.parametrize("in_a_flow", [False, True])
def test_items_are_put_at_the_result_path(run_graph, inc, of_events, in_a_flow):
    inner = Graph("inner")
    inner.to(name="inc", handler=inc).to(name="items", handler=two)
    if not in_a_flow:
        inner = two
    graph = Graph("g")
    kind = "class_name" if in_a_flow else "handler"
    paths = {"input_path": "n", "result_path": "r"}
    graph.to(name="items", **{kind: inner}, **paths)
    graph.add_step(name="last", handler=last).respond()
    graph.add_step(name="beside", handler=inc, after="start", input_path="n")
    if of_events:
        graph.add_step(name="tell", handler=lambda e: e, full_event=True, after="last")
    first = 2 if in_a_flow else 1
    expected = [("last", {"n": 1, "r": first + more}) for more in (0, 10)]

    assert answers(run_graph, graph, [{"n": 1}]) == [expected]


@COLOURS
def test_a_generator_may_take_the_event(run_graph, inc):
    def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.to(name="inc", handler=inc).to(name="twice", handler=twice, full_event=True)
    graph.add_step(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1]) == [[("last", 2), ("last", 2)]]


@COLOURS
def test_an_asynchronous_generator_of_events_may_be_traced(open_runner, inc):
    async def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.to(name="inc", handler=inc).to(name="twice", handler=twice, full_event=True)
    answer = open_runner(graph).answer(1, traced=True)

    assert answer.value == [2, 2]


def test_a_generator_of_storeys_step_may_take_the_event(run_graph):
    pytest.importorskip("storey")

    def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.add_step("storey.Map", "twice", class_args={"_fn": "twice"}, full_event=True)
    graph.namespace["twice"] = twice
    graph.add_step(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1]) == [[("last", 1), ("last", 1)]]


@COLOURS
@pytest.mark.parametrize("of_events", [False, True], ids=["bodies", "events"])
@pytest.mark.parametrize(
    ("steps", "respond", "found"),
    [
        pytest.param([two], None, [("last", 2), ("last", 12)], id="stream"),
        pytest.param([two, "Collector"], None, ("last", [2, 12]), id="collected"),
        pytest.param([two], "s0", ("last", 2), id="answered-before"),
    ],
)
def test_a_flow_streams_only_where_its_answer_does(
    run_graph, inc, of_events, steps, respond, found
):
    graph = around(inc, *steps, respond=respond)
    if of_events:
        graph.add_step(name="tell", handler=lambda e: e, full_event=True, after="last")

    assert answers(run_graph, graph, [1]) == [found]


def test_a_flow_may_stream_for_some_events_only(run_graph):
    class Choice:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return "two" if x % 2 else "inc"

    inner = Graph("inner")
    inner.to(Choice, "choice")
    inner.add_step(name="two", handler=two, after="choice")
    inner.add_step(name="inc", handler=inc, after="choice")
    inner.add_step(name="double", handler=double, after=["two", "inc"])
    graph = Graph("g")
    graph.to(inner, "inner").to(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1, 2]) == [
        [("last", 2), ("last", 22)],
        ("last", 6),
    ]


@COLOURS
def test_what_answers_with_the_first_of_several_sends_all_on(run_graph, inc):
    pytest.importorskip("storey")
    seen = []
    graph = flat_map()
    graph.change_step("both", responder=True)
    graph.add_step(name="inc", handler=inc, after="both").to(handler=seen.append)

    assert run_graph(graph, [1]) == [1]
    assert seen == [2, 3]


@COLOURS
def test_each_of_several_events_is_joined_by_itself(run_graph, inc):
    pytest.importorskip("storey")
    seen = []
    graph = flat_map()
    graph.add_step(name="left", handler=inc, after="both")
    graph.add_step(name="right", handler=inc, after="both")
    graph.add_step(name="end", handler=seen.append, after=["left", "right"], join="all")
    run_graph(graph, [1])

    assert seen == [[2, 2], [3, 3]]
