"""Merge: one event again after its branches."""

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import Merge


def first(body):
    return {**body, "by": "first"}


def second(body):
    return {**body, "by": "second", "k": body.get("k2", body.get("k"))}


async def second_later(body):
    return second(body)


class Update(Merge):
    def merge(self, bodies):
        return {body["by"]: body["n"] for body in bodies}


def merge_graph(merge=Merge, *, branches=(first, second), after=("a", "b"), **args):
    graph = Graph("merge")
    graph.to(name="start_here", handler=lambda body: body)
    for name, branch in zip("ab", branches, strict=True):
        graph.add_step(name=name, handler=branch, after="start_here")
    graph.add_step(merge, name="merge", after=after, **args)
    graph.change_step("merge", responder=True)
    return graph


@pytest.mark.parametrize(
    "branches",
    [
        pytest.param((first, second), id="sync"),
        pytest.param((first, second_later), id="async"),
    ],
)
@pytest.mark.parametrize("merge", [Merge, "Merge", "mlrun.serving.merger.Merge"])
def test_all_branches_come_out_as_one_list(run_graph, merge, branches):
    [found] = run_graph(merge_graph(merge, branches=branches), [{"n": 1}])

    assert [part["by"] for part in found] == ["first", "second"]


def test_the_list_has_the_order_of_after(run_graph):
    [found] = run_graph(merge_graph(after=("b", "a")), [{"n": 1}])

    assert [part["by"] for part in found] == ["second", "first"]


def test_events_are_not_mixed_up(run_graph):
    found = run_graph(merge_graph(Update), [{"n": 1}, {"n": 2}])

    assert found == [{"first": 1, "second": 1}, {"first": 2, "second": 2}]


@pytest.mark.parametrize("path", ["event['k']", 'event["k"]'])
def test_parts_that_agree_on_the_key_are_merged(run_graph, path):
    [found] = run_graph(merge_graph(key_path=path), [{"k": 7}])

    assert [part["by"] for part in found] == ["first", "second"]


def test_parts_that_disagree_on_the_key_never_meet(run_graph):
    assert run_graph(merge_graph(key_path="event['k']"), [{"k": 1, "k2": 2}]) == [None]


def test_a_part_without_the_key_fails_its_event(run_graph):
    graph = merge_graph(key_path="event['k']['deep']")

    with pytest.raises(StepError, match="step 'merge' failed"):
        run_graph(graph, [{"k": 1}])


def test_fewer_parts_may_be_enough(run_graph):
    [found] = run_graph(merge_graph(expected_num_events=1), [{"n": 1}])

    assert found["by"] == "first"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"key_path": "event.k"}, r"key_path must look like event\['field'\]"),
        ({"key_path": "__import__('os')"}, "key_path must look like"),
        ({"key_path": "event"}, "got 'event'"),
        ({"key_path": "event["}, "key_path must look like"),
        ({"full_event": True}, "full_event=True is not available"),
        ({"max_behind": 0}, "max_behind must be 1 or more, got 0"),
        ({"expected_num_events": 0}, "expected_num_events must be 1 or more, got 0"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_event(open_runner, args, message):
    graph = merge_graph()
    graph.change_step("merge", class_args=args)

    with pytest.raises(SpecError, match=message) as refused:
        open_runner(graph)
    assert "'merge'" in str(refused.value)
