"""New code with the next event, old state in the steps that stayed."""

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.errors import RunError, SpecError


class Counts:
    """Counts its events from a number on."""

    built = 0

    def __init__(self, start=0):
        type(self).built += 1
        self.count = start

    def do(self, body):
        self.count += 1
        return {**body, "count": self.count}

    def other(self, body):
        return {**body, "other": self.count}


def version_1(body):
    return {**body, "version": 1}


def version_2(body):
    return {**body, "version": 2}


def sums(body, state):
    return body["n"] + state, body["n"] + state


def graph_of(step, **args):
    graph = Graph("g")
    graph.to(Counts, "count", class_args=args).to(name="version", handler=step)
    return graph


def test_the_next_event_takes_the_new_code(open_runner):
    runner = open_runner(graph_of(version_1))
    before = runner.run({})
    runner.swap(graph_of(version_2))

    assert before == {"count": 1, "version": 1}
    assert runner.run({}) == {"count": 2, "version": 2}
    assert runner.spec.step("version").handler == "version_2"


@pytest.mark.parametrize(
    ("args", "count"),
    [
        pytest.param({}, 2, id="unchanged-keeps-its-state"),
        pytest.param({"start": 10}, 11, id="new-arguments-build-it-anew"),
    ],
)
def test_a_step_is_built_anew_only_when_it_changed(open_runner, args, count):
    runner = open_runner(graph_of(version_1))
    runner.run({})
    runner.swap(graph_of(version_1, **args))

    assert runner.run({})["count"] == count


def test_another_method_of_the_same_class_keeps_its_state(open_runner):
    runner = open_runner(graph_of(version_1))
    runner.run({})
    graph = graph_of(version_1)
    graph.change_step("count", handler="other")
    runner.swap(graph)

    assert runner.run({}) == {"other": 1, "version": 1}


def test_steps_may_come_and_go(open_runner):
    runner = open_runner(graph_of(version_1))
    graph = graph_of(version_1)
    graph.add_step(name="last", handler=version_2)
    runner.swap(graph)
    longer = runner.run({})
    graph.remove_step("version")
    runner.swap(graph)

    assert longer == {"count": 1, "version": 2}
    assert runner.run({}) == {"count": 2, "version": 2}


def bad_spec():
    graph = graph_of(version_1)
    graph.change_step("version", after=("ghost",))
    return graph


def bad_constructor():
    class Breaks:
        def __init__(self):
            raise OSError("no disk")

        def do(self, body):
            return body

    graph = graph_of(version_1)
    graph.add_step(Breaks, "breaks")
    return graph


@pytest.mark.parametrize(
    ("broken", "error"), [(bad_spec, SpecError), (bad_constructor, RunError)]
)
def test_a_graph_that_does_not_work_leaves_the_old_one(open_runner, broken, error):
    runner = open_runner(graph_of(version_1))
    with pytest.raises(error):
        runner.swap(broken())

    assert runner.run({}) == {"count": 1, "version": 1}


def test_a_closed_runner_takes_the_new_graph_when_it_opens():
    runner = Runner(graph_of(version_1))
    runner.swap(graph_of(version_2))

    with runner:
        assert runner.run({})["version"] == 2


def test_a_graph_may_become_asynchronous_and_back(open_runner):
    async def version_3(body):
        return {**body, "version": 3}

    runner = open_runner(graph_of(version_1))
    found = [runner.run({})]
    runner.swap(graph_of(version_3))
    found.append(runner.run({}))
    runner.swap(graph_of(version_1))
    found.append(runner.run({}))

    assert [body["version"] for body in found] == [1, 3, 1]
    assert [body["count"] for body in found] == [1, 2, 3]


def test_a_bound_may_change(open_runner):
    runner = open_runner(graph_of(version_1))
    graph = Graph("g", max_in_flight=1)
    graph.to(name="version", handler=version_2)
    runner.swap(graph)

    assert runner.run({}) == {"version": 2}
    assert runner.answer({}).value == {"version": 2}


def with_storey(step):
    graph = Graph("g")
    args = {"initial_state": 0, "_fn": "sums"}
    graph.to("storey.MapWithState", "sum", class_args=args)
    graph.add_step(name="step", handler=step)
    graph.namespace["sums"] = sums
    return graph


def test_a_storey_step_keeps_its_state(open_runner):
    runner = open_runner(with_storey(lambda total: [total, "old"]))
    before = [runner.run({"n": n}) for n in (1, 2)]
    runner.swap(with_storey(lambda total: [total, "new"]))

    assert before == [[1, "old"], [3, "old"]]
    assert runner.run({"n": 3}) == [6, "new"]


def test_traces_and_counters_follow_the_new_graph(open_runner):
    runner = open_runner(graph_of(version_1))
    runner.answer({}, traced=True)
    graph = graph_of(version_1)
    graph.rename_step("version", "renamed")
    runner.swap(graph)
    trace = runner.answer({}, traced=True).trace

    assert [row.step for row in trace] == ["count", "renamed"]
    assert runner.counters.snapshot()["steps"]["count"]["count"] == 2
