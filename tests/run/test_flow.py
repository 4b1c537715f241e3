"""Storey's own steps beside ours: right answers, each event failing alone."""

import asyncio
import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from jupyter_graph import Graph, MockServer, StepError
from jupyter_graph.errors import DeadlineError, RunError, SpecError

storey = pytest.importorskip("storey")


def plus_one(x):
    return x + 1


def double(x):
    return x * 2


async def double_async(x):
    await asyncio.sleep(0)
    return x * 2


def is_even(x):
    return x % 2 == 0


def twice(x):
    return [x, x]


def add_up(total, x):
    return total + x


def running(x, total):
    return total + x, total + x


def running_of_events(event, total):
    event.body += total
    return event, event.body


class Sums(storey.Flow):
    """Keeps a state, and lets others in while it works on it."""

    total = 0

    async def _do(self, event):
        if isinstance(event, storey.Event):
            total = self.total + event.body
            await asyncio.sleep(0)
            self.total = event.body = total
        return await self._do_downstream(event)


def fails_on_bad(x):
    if x == "bad":
        raise ValueError("boom")
    return x


def spins_on_bad(x):
    if x == "bad":
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass
    return x


def exits_on_bad(x):
    if x == "bad":
        raise SystemExit(3)
    return x


class TimesTen(storey.MapClass):
    def __init__(self, factor=10, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def do(self, x):
        return self.filter() if x < 0 else x * self.factor


class AsyncTimesTen(storey.MapClass):
    async def do(self, x):
        await asyncio.sleep(0)
        return x * 10


class TellsPath(storey.MapClass):
    def __init__(self, **kwargs):
        super().__init__(full_event=True, **kwargs)

    def do(self, event):
        event.body = [event.body, event.path, event.id]
        return event


class BySize(storey.Choice):
    def select_outlets(self, x):
        return ["big"] if x > 10 else ["small"]


CODE = {
    code.__name__: code
    for code in (
        plus_one, double, double_async, is_even, twice, add_up, running,
        running_of_events, fails_on_bad, spins_on_bad, exits_on_bad, TimesTen,
        AsyncTimesTen, TellsPath, BySize, Sums,
    )
}  # fmt: skip


def flow(*steps, respond=True):
    """A chain: a function's name, or a storey class with its arguments."""
    graph = Graph("g")
    for number, (name, args) in enumerate(steps):
        kind = "class_name" if "." in name or name[0].isupper() else "handler"
        graph.add_step(name=f"s{number}", class_args=args, **{kind: name})
    graph.namespace.update(CODE)
    if not respond:
        graph.add_step(name="beside", handler="double", after="start")
    return graph


@pytest.mark.parametrize(
    ("steps", "body", "found"),
    [
        ([("storey.Map", {"_fn": "double"})], 3, 6),
        ([("storey.Map", {"_fn": "double_async"})], 3, 6),
        ([("plus_one", {}), ("storey.Map", {"_fn": "double"})], 3, 8),
        ([("storey.Map", {"_fn": "double"}), ("plus_one", {})], 3, 7),
        ([("plus_one", {}), ("storey.Map", {"_fn": "double"}), ("plus_one", {})], 3, 9),
        ([("storey.Filter", {"_fn": "is_even"}), ("double", {})], 2, 4),
        ([("storey.Filter", {"_fn": "is_even"}), ("double", {})], 3, None),
        ([("storey.FlatMap", {"_fn": "twice"}), ("double", {})], 3, 6),
        ([("storey.Flatten", {}), ("double", {})], [3, 4], 6),
        ([("storey.Flatten", {}), ("double", {})], [], None),
        ([("storey.flow.DropColumns", {"columns": ["a"]})], {"a": 1}, {}),
        ([("storey.Rename", {"mapping": {"a": "z"}})], {"a": 1}, {"z": 1}),
        ([("TimesTen", {})], 3, 30),
        ([("TimesTen", {"factor": 2})], 3, 6),
        ([("TimesTen", {}), ("double", {})], -3, None),
        ([("AsyncTimesTen", {}), ("double", {})], 3, 60),
    ],
)
def test_storey_steps_answer(run_graph, steps, body, found):
    assert run_graph(flow(*steps), [body]) == [found]


@pytest.mark.parametrize(
    ("full_event", "found"), [(None, "Event"), (True, "Event"), (False, "int")]
)
def test_a_batch_of_storeys_holds_events_unless_told_not_to(
    open_runner, full_event, found
):
    seen = []
    graph = Graph("batches")
    graph.to("storey.Batch", "two", max_events=2, full_event=full_event)
    graph.add_step(name="look", handler=seen.extend)
    runner = open_runner(graph)
    for number in (1, 2):
        runner.run(number)

    assert [type(item).__name__ for item in seen] == [found, found]


@pytest.mark.parametrize("block", ["storey.Reduce", "storey.ReduceToDataFrame"])
def test_nothing_follows_a_step_of_storeys_that_ends_the_flow(open_runner, block):
    args = {"_fn": "add_up", "initial_value": 0} if block == "storey.Reduce" else {}

    with pytest.raises(SpecError, match=r"step 's0'.*cannot be piped further to 's1'"):
        open_runner(flow((block, args), ("double", {})))


def test_the_processes_of_a_storey_step_end_with_the_runner(open_runner):
    before = set(multiprocessing.active_children())
    args = {
        "_event_processor": "plus_one", "concurrency_mechanism": "multiprocessing",
    }  # fmt: skip
    runner = open_runner(flow(("storey.ConcurrentExecution", args)))
    assert runner.run(1) == 2
    processes = set(multiprocessing.active_children()) - before

    runner.close()

    assert processes
    until = time.monotonic() + 30  # no join: the pool's own thread waits for them
    while any(process.is_alive() for process in processes):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_storey_steps_see_the_event(open_runner):
    runner = open_runner(flow(("plus_one", {}), ("TellsPath", {})))

    assert runner.run(1, path="/p", event_id="e1") == [2, "/p", "e1"]


def test_paths_are_storeys_own(run_graph):
    graph = flow(("storey.Map", {"_fn": "double"}))
    graph.change_step("s0", input_path="a", result_path="b")

    assert run_graph(graph, [{"a": 2}]) == [{"a": 2, "b": 4}]


@pytest.mark.parametrize(("body", "found"), [(50, 51), (5, 10)])
def test_a_storey_choice_picks_its_followers(run_graph, body, found):
    graph = flow(("BySize", {}))
    graph.add_step(name="big", handler="plus_one", after="s0")
    graph.add_step(name="small", handler="double", after="s0")
    graph.add_step(name="end", handler=lambda x: x, after=["big", "small"]).respond()

    assert run_graph(graph, [body]) == [found]


STATES = pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("storey.MapWithState", {"initial_state": 0, "_fn": "running"}),
        (
            "storey.MapWithState",
            {"initial_state": 0, "_fn": "running_of_events", "full_event": True},
        ),
        ("Sums", {}),
    ],
)


@STATES
def test_state_is_kept_from_event_to_event(run_graph, kind, args):
    assert run_graph(flow((kind, args)), [1, 2, 3]) == [1, 3, 6]


@STATES
def test_state_is_right_with_many_callers(open_runner, kind, args):
    runner = open_runner(flow((kind, args)))

    with ThreadPoolExecutor(16) as threads:
        found = sorted(threads.map(runner.run, [1] * 500))

    assert found == list(range(1, 501))


@STATES
def test_state_is_right_on_several_loops(open_runner, kind, args):
    runner = open_runner(flow((kind, args)), own_loop=False)

    async def some():
        return await asyncio.gather(*(runner.arun(1) for _ in range(50)))

    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda _: asyncio.run(some()), range(4))

    assert sorted(chain.from_iterable(found)) == list(range(1, 201))


def test_state_goes_by_the_paths_of_its_step(run_graph):
    graph = flow(("storey.MapWithState", {"initial_state": 0, "_fn": "running"}))
    graph.change_step("s0", input_path="n", result_path="sum")

    assert run_graph(graph, [{"n": 1}, {"n": 2}]) == [
        {"n": 1, "sum": 1},
        {"n": 2, "sum": 3},
    ]


def test_a_batch_keeps_events_and_answers_the_last_of_them(open_runner):
    seen = []
    graph = flow(("storey.Batch", {"max_events": 2, "full_event": False}))
    graph.change_step("s0", responder=True)
    graph.add_step(name="note", handler=seen.append, after="s0")
    runner = open_runner(graph)

    assert [runner.run(n) for n in range(5)] == [None, [0, 1], None, [2, 3], None]
    assert seen == [[0, 1], [2, 3]]
    runner.close()
    assert seen == [[0, 1], [2, 3], [4]]


def test_a_reduction_is_given_at_the_end():
    graph = flow(("storey.Reduce", {"initial_value": 100, "_fn": "add_up"}))
    server = MockServer(graph)
    for number in (1, 2, 3):
        server.test(body=number)

    assert server.wait_for_completion() == 106


def test_a_reduction_of_no_events_is_its_first_value():
    server = MockServer(flow(("storey.Reduce", {"initial_value": 42, "_fn": "add_up"})))

    assert server.wait_for_completion() == 42
    assert server.wait_for_completion() == 42


def test_a_step_beside_the_flow_is_waited_for(run_graph):
    args = {"_event_processor": "double_async", "max_in_flight": 2}
    graph = flow(("storey.ConcurrentExecution", args), ("plus_one", {}))

    assert run_graph(graph, [1, 2]) == [3, 5]


def test_an_event_dropped_before_a_step_beside_the_flow_is_answered_at_once(run_graph):
    args = {"_event_processor": "double_async", "max_in_flight": 2}
    graph = flow(
        ("storey.Filter", {"_fn": "is_even"}), ("storey.ConcurrentExecution", args)
    )

    assert run_graph(graph, [1, 2]) == [None, 4]


FAILING = [
    pytest.param([("storey.Map", {"_fn": "fails_on_bad"})], "s0", id="in-a-map"),
    pytest.param(
        [("storey.Filter", {"_fn": "fails_on_bad"}), ("storey.Flatten", {})],
        "s0",
        id="in-a-filter",
    ),
    pytest.param(
        [("fails_on_bad", {}), ("storey.Map", {"_fn": "twice"})], "s0", id="before"
    ),
    pytest.param(
        [
            ("storey.Map", {"_fn": "twice"}),
            ("storey.Flatten", {}),
            ("fails_on_bad", {}),
        ],
        "s2",
        id="after",
    ),
    pytest.param([("storey.Map", {"_fn": "exits_on_bad"})], "s0", id="system-exit"),
]


@pytest.mark.parametrize(("steps", "name"), FAILING)
def test_only_the_event_of_a_failing_step_fails(open_runner, steps, name):
    runner = open_runner(flow(*steps))

    for _ in range(2):
        with pytest.raises(StepError) as caught:
            runner.run("bad")
        assert caught.value.step == name
    assert runner.run("good") is not None


def test_a_failing_branch_leaves_the_flow_alive(open_runner):
    graph = flow(("plus_one", {}))
    graph.namespace["exits"] = lambda x: exits_on_bad("bad" if x == 2 else x)
    graph.add_step("storey.Map", "good", after="s0", class_args={"_fn": "double"})
    graph.add_step("storey.Map", "bad", after="s0", class_args={"_fn": "exits"})
    graph.change_step("good", responder=True)
    runner = open_runner(graph, timeout_s=2)

    answer = runner.answer(1)

    assert answer.value == 4
    assert answer.notes == ("step 'bad' failed beside the answer: SystemExit: 3",)
    assert runner.run(5) == 12


def test_a_hung_step_is_ended_and_the_next_event_is_fine(open_runner):
    graph = flow(("storey.Map", {"_fn": "spins_on_bad"}))
    runner = open_runner(graph, timeout_s=0.2)
    began = time.monotonic()

    with pytest.raises(DeadlineError):
        runner.run("bad")

    assert time.monotonic() - began < 0.6
    assert runner.run("good") == "good"


def test_an_awaiting_step_is_ended_and_the_next_event_is_fine(open_runner):
    async def waits(x):
        if x == "bad":
            await asyncio.sleep(5)
        return x

    graph = flow(("storey.Map", {"_fn": "waits"}))
    graph.namespace["waits"] = waits
    runner = open_runner(graph, timeout_s=0.2)

    with pytest.raises(StepError, match=r"step 's0' failed.*took longer"):
        runner.run("bad")

    assert runner.run("good") == "good"


def test_traces_show_storey_steps(open_runner):
    runner = open_runner(flow(("plus_one", {}), ("storey.Map", {"_fn": "double"})))
    trace = runner.answer(3, traced=True).trace

    assert [row.step for row in trace] == ["s0", "s1"]


def test_closing_ends_the_flows_threads(open_runner):
    before = threading.active_count()
    runner = open_runner(flow(("storey.Map", {"_fn": "double"})))
    runner.run(1)
    runner.close()

    assert threading.active_count() <= before + 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param({"nofn": 1}, "takes no argument 'nofn'", id="unknown"),
        pytest.param({}, "needs the argument 'fn'", id="missing"),
        pytest.param({"_fn": "doubel"}, "did you mean 'double'", id="no-function"),
        pytest.param({"_fn": "subprocess.run"}, "no function or class", id="module"),
        pytest.param({"_fn": "(event.x())"}, "calls 'x'", id="expression"),
        pytest.param(
            {"_fn": "double", "long_runing": 1},
            "did you mean 'long_running'",
            id="typo",
        ),
    ],
)
def test_arguments_of_storey_steps_are_checked(open_runner, args, said):
    with pytest.raises(SpecError, match="step 's0'") as caught:
        open_runner(flow(("storey.Map", args)))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "name", ["storey.flow.asyncio", "storey.flow.traceback.print_exc", "storey.drivers"]
)
def test_a_storey_name_reaches_no_further_than_its_steps(open_runner, name):
    with pytest.raises(SpecError, match="storey has no step"):
        open_runner(flow((name, {})))


def test_an_unknown_storey_step_has_a_suggestion(open_runner):
    with pytest.raises(SpecError, match=r"storey has no step 'storey.Mpa'.*'Map'"):
        open_runner(flow(("storey.Mpa", {})))


@pytest.mark.parametrize("option", [{"retries": 1}, {"timeout_s": 1.0}])
def test_limits_of_storey_steps_are_refused(open_runner, option):
    graph = flow(("storey.Map", {"_fn": "double"}))
    graph.change_step("s0", **option)

    with pytest.raises(SpecError, match="'s0' is a storey step, which takes no"):
        open_runner(graph)


def test_a_step_that_cannot_be_built_is_named(open_runner):
    graph = flow(("storey.Batch", {"max_events": "many", "flush_after_seconds": -1}))

    with pytest.raises(RunError, match="step 's0' cannot be built"):
        open_runner(graph).run(1)


def test_error_handlers_merges_and_generators_stand_beside(run_graph):
    def items(x):
        yield x
        yield fails_on_bad(x)

    graph = flow(("storey.Map", {"_fn": "fails_on_bad"}), respond=False)
    graph.error_handler("catch", handler="double", step="s0")
    graph.add_step(name="left", handler="double", after="s0")
    graph.add_step("storey.Map", "right", class_args={"_fn": "plus_one"}, after="s0")
    graph.add_step("Merge", "both", after=["left", "right"])
    graph.add_step(name="items", handler=items).respond()

    good, bad = run_graph(graph, [4, "bad"])

    assert (list(good), bad) == ([[8, 5], [8, 5]], "badbad")


def test_a_flat_map_answers_with_its_first_and_sends_all_on(run_graph):
    seen = []
    graph = flow(("storey.FlatMap", {"_fn": "twice"}), ("plus_one", {}))
    graph.change_step("s1", responder=True)
    graph.add_step(name="note", handler=seen.append, after="s1")

    assert run_graph(graph, [4]) == [5]
    assert seen == [5, 5]
