"""Cycles: an event goes round until a step lets it out, or it came too often."""

import asyncio

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError


class Until:
    """Counts up; leads to ``again`` below the limit, to ``out`` at it."""

    def __init__(self, limit, again="again", out="out"):
        self.limit, self.again, self.out = limit, again, out

    def do(self, body):
        return {**body, "n": body["n"] + 1}

    def select_outlets(self, body):
        return self.again if body["n"] < self.limit else self.out


def note(body):
    return {**body, "seen": [*body.get("seen", []), body["n"]]}


async def note_async(body):
    await asyncio.sleep(0)
    return note(body)


def loop(limit, handler=note, **options):
    graph = Graph("loop", allow_cyclic=True)
    graph.to(Until, "count", limit=limit)
    graph.add_step(name="again", handler=handler, after="count", **options)
    graph.cycle_to("again", "count")
    graph.add_step(name="out", handler=lambda body: body, after="count").respond()
    return graph


@pytest.mark.parametrize("handler", [note, note_async])
def test_an_event_goes_round_until_it_is_let_out(run_graph, handler):
    found = run_graph(loop(4, handler), [{"n": 0}, {"n": 9}])

    assert found == [{"n": 4, "seen": [1, 2, 3]}, {"n": 10}]


@pytest.mark.parametrize("handler", [note, note_async])
def test_an_event_that_comes_too_often_fails_at_its_step(open_runner, handler):
    runner = open_runner(loop(10, handler, max_iterations=2))

    with pytest.raises(StepError, match="Max iterations exceeded in step 'again'") as e:
        runner.run({"n": 0})

    assert e.value.step == "again"
    assert runner.run({"n": 8})["n"] == 10


def test_the_graphs_own_limit_counts_where_a_step_has_none(open_runner):
    graph = loop(10**6)

    with pytest.raises(StepError, match=r"'count'.*100 times"):
        open_runner(graph).run({"n": 0})


def test_many_rounds_take_no_stack(run_graph):
    graph = loop(20_000, handler=lambda body: body, max_iterations=30_000)
    graph.change_step("count", max_iterations=30_000)

    assert run_graph(graph, [{"n": 0}]) == [{"n": 20_000}]


def test_the_limit_goes_to_the_error_handler(run_graph):
    graph = loop(10, max_iterations=2)
    graph.error_handler("give_up", handler=lambda body: "too often", step="again")

    assert run_graph(graph, [{"n": 0}]) == ["too often"]


def test_an_error_handler_may_lead_back(run_graph):
    def fails_below_three(body):
        if body["n"] < 3:
            raise ValueError("too small")
        return body

    graph = Graph("retry", allow_cyclic=True)
    graph.to(name="try", handler=fails_below_three).respond()
    graph.error_handler(
        "grow", handler=lambda body: {"n": body["n"] + 1}, step="try", before="try"
    )

    assert run_graph(graph, [{"n": 0}]) == [{"n": 3}]


def test_each_branch_of_an_event_goes_round_by_itself(run_graph):
    seen = []
    graph = loop(3)
    graph.add_step(name="beside", handler=lambda b: seen.append(b["n"]), after="count")

    class Both(Until):
        def select_outlets(self, body):
            return [super().select_outlets(body), "beside"]

    graph.namespace["Until"] = Both

    assert run_graph(graph, [{"n": 0}]) == [{"n": 3, "seen": [1, 2]}]
    assert seen == [1, 2, 3]


def test_a_way_back_lets_a_graph_have_cycles_but_not_a_document():
    graph = Graph("plain")
    graph.to(name="a", handler=note)
    document = graph.to_dict()
    graph.add_step(name="b", handler=note, cycle_to="a")

    assert graph.spec.allow_cyclic
    with pytest.raises(SpecError, match="enable allow_cyclic"):
        Graph.from_dict(document).add_step(name="b", handler=note, cycle_to="a")
    with pytest.raises(SpecError, match="not supported with sync engine"):
        Graph("sync", engine="sync", allow_cyclic=True)


def test_a_handler_is_told_of_too_many_rounds_in_mlruns_words(open_runner):
    graph = loop(9)

    def told(event):
        event.body = str(event.error)
        return event

    graph.error_handler("told", handler=told, full_event=True)
    graph.change_step("count", max_iterations=3)
    runner = open_runner(graph)

    said = "Max iterations exceeded in step 'count' for event e1"
    assert runner.run({"n": 0}, event_id="e1") == said
