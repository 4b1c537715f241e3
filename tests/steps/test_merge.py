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
        ({"key_path": "event["}, "key_path must look like"),
        ({"max_behind": 0}, "max_behind must be a whole number of 1 or more, got 0"),
        ({"max_behind": "2"}, "max_behind must be a whole number of 1 or more"),
        ({"max_behind": 1.5}, "max_behind must be a whole number of 1 or more"),
        ({"expected_num_events": 0}, "expected_num_events must be a whole number of 1"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_event(open_runner, args, message):
    graph = merge_graph()
    graph.change_step("merge", class_args=args)

    with pytest.raises(SpecError, match=message) as refused:
        open_runner(graph)
    assert "'merge'" in str(refused.value)


# -- parts of several events ----------------------------------------------------------


class Route:
    """Sends a body to the branch that it names."""

    def do(self, body):
        return body

    def select_outlets(self, body):
        return body["to"]


def by_key(**args):
    graph = Graph("g")
    graph.to(Route, "route")
    for name in ("left", "right"):
        graph.add_step(name=name, handler=lambda body: body, after="route")
    graph.add_step("Merge", "both", after=["left", "right"], class_args=args).respond()
    return graph


def order(number, to):
    return {"k": number, "to": to}


def test_parts_of_several_events_are_merged_by_their_key(run_graph):
    sent = [order(1, "left"), order(2, "left"), order(1, "right"), order(2, "right")]

    found = run_graph(by_key(key_path="event['k']"), sent)

    assert found == [None, None, [sent[0], sent[2]], [sent[1], sent[3]]]


def test_so_many_keys_wait_and_the_oldest_is_dropped(open_runner):
    told = []
    graph = by_key(key_path="event['k']", max_behind=2)
    runner = open_runner(graph, push_error=lambda *about: told.append(about))
    for number in (1, 2, 3):
        runner.run(order(number, "left"))

    assert "missing parts for event key 1" in told[0][1]
    assert runner.run(order(1, "right")) is None
    assert runner.run(order(3, "right")) == [order(3, "left"), order(3, "right")]


@pytest.mark.parametrize("path", ["event.body['k']", "event.id"])
def test_a_key_may_be_one_of_the_event(open_runner, path):
    runner = open_runner(by_key(key_path=path, full_event=True))
    runner.run(order(1, "left"), event_id="e-1")

    found = runner.run(order(1, "right"), event_id="e-1")
    assert found == [order(1, "left"), order(1, "right")]


class Sum(Merge):
    """Merges numbers by whether they are odd."""

    def get_join_key(self, part):
        return part["k"] % 2

    def merge_function(self, last, parts):
        return {"sum": sum(part["k"] for part in parts), "last": last["k"]}


def test_a_subclass_says_what_is_merged_and_how(run_graph):
    graph = by_key()
    graph.change_step("both", class_name="Sum")
    graph.namespace["Sum"] = Sum
    sent = [order(1, "left"), order(2, "left"), order(3, "right"), order(4, "right")]

    found = run_graph(graph, sent)

    assert found == [None, None, {"sum": 4, "last": 3}, {"sum": 6, "last": 4}]


def test_waiting_parts_are_kept_over_a_swap(open_runner):
    graph = by_key(key_path="event['k']")
    runner = open_runner(graph)
    runner.run(order(1, "left"))
    graph.add_step(name="last", handler=len, after="both")
    graph.change_step("both", responder=False)
    graph.change_step("last", responder=True)
    runner.swap(graph)

    assert runner.run(order(1, "right")) == 2
