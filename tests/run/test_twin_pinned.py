"""Graphs that random ones once showed to answer wrongly, each pinned down."""

import asyncio

import pytest

from jupyter_graph import Graph, StepError
from tests.run.twin.small import (
    COLOURS,
    DropsAll,
    Keeps,
    Odd,
    around,
    caught,
    double,
    fails,
    fan_out,
    flat_map,
    inc,
    last,
)


@COLOURS
@pytest.mark.parametrize("step", ["end", None], ids=["own", "graph"])
def test_a_missing_branch_goes_to_the_error_handler(run_graph, inc, step):
    graph = fan_out(inc, inc, Odd, last, join="all")
    graph.error_handler("catch", handler=caught, step=step)

    assert run_graph(graph, [1, 2]) == [("caught", 3), ("last", [4, 3])]


@COLOURS
def test_the_graphs_handler_gets_what_the_failing_step_of_a_branch_got(run_graph, inc):
    graph = fan_out(inc, inc, double)
    graph.add_step(name="fails", handler=fails, after="left")
    graph.change_step("end", after=("fails", "right"))
    graph.error_handler("catch", handler=caught)

    assert run_graph(graph, [1]) == [("caught", 3)]


def test_a_missing_branch_is_named_where_nobody_handles_it(open_runner):
    runner = open_runner(fan_out(inc, inc, Odd, last, join="all"))

    with pytest.raises(StepError, match="nothing came from right") as error:
        runner.run(1)

    assert error.value.step == "end"


@COLOURS
def test_what_a_route_drops_goes_no_further(run_graph, inc):
    graph = Graph("g")
    graph.to(name="first", handler=lambda x: {"n": x})
    graph.add_router("router", "ModelRouter", after="first")
    graph.add_route("odd", DropsAll, router_step="router")
    graph.add_route("other", handler=inc, router_step="router")
    graph.add_step(name="last", handler=last, after="router").respond()

    assert run_graph(graph, [1]) == [None]


@COLOURS
def test_an_earlier_round_of_a_cycle_answers_before_later_ones(run_graph, inc):
    class Both:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return ["again", "out"] if x < 3 else "out"

    graph = Graph("g", allow_cyclic=True)
    graph.to(Both, "both")
    graph.add_step(name="again", handler=inc, after="both", cycle_to="both")
    graph.add_step(name="out", handler=last, after="both").respond()

    assert run_graph(graph, [1]) == [("last", 1)]


def test_a_failing_later_round_does_not_hide_the_failure_of_this_one(open_runner):
    class Both:
        def select_outlets(self, x):
            return ["again", "waits"]

    async def waits(x):
        await asyncio.sleep(0.01)
        return x

    graph = Graph("g", allow_cyclic=True, max_iterations=2)
    graph.to(Both, "both").to(name="again", handler=inc, cycle_to="both")
    graph.add_step(name="waits", handler=waits, after="both")
    graph.add_step(name="fails", handler=fails, after="waits")

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "fails"


def test_a_merge_that_a_handler_leads_to_keeps_what_it_gives(run_graph):
    graph = fan_out(inc, inc, Odd)
    graph.to(name="beside", handler=fails)
    graph.error_handler("catch", handler=caught, step="beside", before="end")

    assert run_graph(graph, [1]) == [[3, ("caught", 1)]]


@COLOURS
def test_a_traced_failure_inside_a_flow_names_the_step_inside(open_runner, inc):
    runner = open_runner(around(inc, fails))

    assert runner.answer(1, traced=True, silent=True).error.step == "s1"


@COLOURS
def test_what_was_kept_is_joined_without_the_missing(open_runner, inc):
    seen = []
    graph = fan_out(Keeps, inc, Odd, seen.append, join="all", missing="drop")
    graph.change_step("first", handler=None, class_name="Keeps")
    graph.namespace["Keeps"] = Keeps
    runner = open_runner(graph)
    runner.run(1)
    runner.run(2)
    runner.wait_for_completion(10)

    assert seen == [[2, 1], [3]]


@COLOURS
def test_what_was_kept_goes_round_a_cycle(open_runner, inc):
    class Until:
        def select_outlets(self, x):
            return "again" if x < 5 else "out"

    seen = []
    graph = Graph("g", allow_cyclic=True)
    graph.to(Keeps, "keeps").to(Until, name="until")
    graph.add_step(name="again", handler=inc, after="until", cycle_to="until")
    graph.add_step(name="out", handler=seen.append, after="until")
    runner = open_runner(graph)
    runner.run(1)
    runner.wait_for_completion(10)

    assert seen == [5]


@COLOURS
def test_a_handler_is_not_for_what_comes_after_its_step(open_runner, inc):
    pytest.importorskip("storey")
    graph = flat_map()
    graph.add_step(name="inc", handler=inc, after="both")
    graph.add_step(name="fails", handler=fails, after="inc").respond()
    graph.error_handler("catch", handler=caught, step="both")

    with pytest.raises(StepError, match="'fails' failed"):
        open_runner(graph).run(1)
