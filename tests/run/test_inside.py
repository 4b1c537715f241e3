"""Flows inside flows, queues, functions, and graphs that begin in their midst."""

import asyncio
import threading

import pytest

from jupyter_graph import Event, Graph, MockServer, StepError
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.connectors.queues.memory_stream import memory_stream
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.subgraphs import part_of


def inc(x):
    return x + 1


def double(x):
    return 2 * x


async def double_async(x):
    await asyncio.sleep(0)
    return 2 * x


def fails(x):
    raise ValueError("no")


def items(x):
    yield x
    yield x + 1


def tell_path(event):
    event.body = [event.body, event.path]
    return event


class OnlyOdd:
    may_drop = True

    def do(self, x):
        from jupyter_graph.types import NOTHING

        return x if x % 2 else NOTHING


CODE = {
    code.__name__: code
    for code in (inc, double, double_async, fails, items, tell_path, OnlyOdd)
}


def nested(*steps, outer=(), engine="async", **options):
    """``inc``, then a flow of these steps, then what stands in ``outer``."""
    chain = {}
    for name in steps:
        kind = "class_name" if name[0].isupper() else "handler"
        full = {"full_event": True} if name == "tell_path" else {}
        chain[name] = {kind: name, "after": list(chain)[-1:], **full}
    flow = {"kind": "flow", "steps": chain, "after": ["inc"], **options}
    document = {"engine": engine, "steps": {"inc": {"handler": "inc"}, "flow": flow}}
    last = "flow"
    for name in outer:
        document["steps"][name] = {"handler": name, "after": [last]}
        last = name
    if engine == "async":
        document["steps"][last]["responder"] = True
    return Graph.from_dict(document, {**CODE, "__name__": __name__})


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize(
    ("steps", "outer", "found"),
    [
        pytest.param(["double"], [], 4, id="one"),
        pytest.param(["double", "inc"], ["double"], 10, id="goes-on"),
        pytest.param(["double_async"], ["double"], 8, id="coroutine"),
        pytest.param(["tell_path"], [], [2, "/p"], id="full-event"),
        pytest.param(["OnlyOdd"], ["double"], None, id="dropped"),
    ],
)
def test_a_flow_is_a_step_of_another(open_runner, steps, outer, found, engine):
    runner = open_runner(nested(*steps, outer=outer, engine=engine))

    assert runner.run(1, path="/p") == found


@pytest.mark.parametrize("tail", [[], ["tell_path"]], ids=["bodies", "events"])
def test_a_stream_from_inside_streams(open_runner, tail):
    found = open_runner(nested("items", *tail)).run(1)

    assert list(found) == ([[2, "/"], [3, "/"]] if tail else [2, 3])


@pytest.mark.parametrize("steps", [["fails"], ["tell_path", "fails"]])
def test_the_step_inside_that_fails_is_named(open_runner, steps):
    with pytest.raises(StepError, match="ValueError: no") as caught:
        open_runner(nested(*steps)).run(1)

    assert caught.value.step == "fails"


def test_an_error_handler_of_a_flow_handles_what_is_inside(run_graph):
    graph = nested("fails", on_error="catch")
    graph.error_handler("catch", handler=lambda x: ("caught", x), step="flow")

    assert run_graph(graph, [1]) == [("caught", 2)]


@pytest.mark.parametrize("steps", [["double"], ["double", "inc"]])
def test_a_flow_takes_and_gives_its_part_of_the_body(open_runner, steps):
    graph = nested(*steps, input_path="n", result_path="out")
    graph.change_step("inc", handler="same")
    graph.namespace["same"] = lambda body: body

    found = open_runner(graph).run({"n": 5})

    assert found == {"n": 5, "out": 10 + len(steps) - 1}


def test_a_graph_may_be_added_to_another(run_graph):
    inner = Graph("inner")
    inner.to(name="double", handler=double).to(name="inc", handler=inc)
    outer = Graph("outer")
    outer.to(name="first", handler=inc).to(inner, "twice").to(name="inc", handler=inc)

    assert run_graph(outer, [1]) == [6]
    assert outer.to_dict()["steps"]["twice"]["kind"] == "flow"


def test_a_flow_may_stand_in_a_flow_in_a_flow(run_graph):
    inner = Graph("a")
    inner.to(name="a", handler=double)
    for name in ("b", "c"):
        outer = Graph(name)
        outer.to(inner, f"in_{name}").to(name="inc", handler=inc)
        inner = outer

    assert run_graph(inner, [5]) == [12]


def test_a_flow_with_two_ends_and_no_responder_is_refused():
    inner = Graph("inner")
    inner.to(name="a", handler=inc)
    inner.add_step(name="b", handler=inc, after="start")
    outer = Graph("outer")
    outer.to(inner, "both")

    with pytest.raises(SpecError, match="flow 'both' has several last steps"):
        compile_graph(outer)


def test_state_inside_a_flow_is_kept_over_a_swap(open_runner):
    class Count:
        def __init__(self):
            self.n = 0

        def do(self, _):
            self.n += 1
            return self.n

    inner = Graph("inner")
    inner.to(Count, "count")
    outer = Graph("outer")
    outer.to(inner, "flow")
    runner = open_runner(outer)
    runner.run(1)
    outer.add_step(name="last", handler=lambda n: ("last", n))
    runner.swap(outer)

    assert runner.run(1) == ("last", 2)


def test_a_batch_inside_a_flow_is_flushed_and_goes_on(open_runner):
    seen = []
    inner = Graph("inner")
    inner.to("Batch", "batch", max_events=2)
    inner.add_step(name="inner", handler=lambda found: ("inner", found))
    outer = Graph("outer")
    outer.to(inner, "flow").to(name="note", handler=lambda x: seen.append(x) or x)
    runner = open_runner(outer)

    assert [runner.run(n) for n in (1, 2, 3)] == [None, ("inner", [1, 2]), None]
    runner.close()
    assert seen == [("inner", [1, 2]), ("inner", [3])]


# -- queues and functions ---------------------------------------------------------


def two_functions(path=None):
    queue = {"kind": "queue", "after": ["a"], **({"path": path} if path else {})}
    steps = {
        "a": {"handler": "inc"},
        "q": queue,
        "b": {"handler": "double", "after": ["q"], "function": "child"},
        "c": {"handler": "inc", "after": ["b"], "function": "child", "responder": True},
    }
    return Graph.from_dict({"steps": steps}, {**CODE, "__name__": __name__})


@pytest.mark.parametrize(
    ("function", "found"), [("*", 5), ("child", 3)], ids=["all", "child"]
)
def test_a_queue_passes_on_in_process(function, found):
    with MockServer(two_functions(), current_function=function) as server:
        assert server.test(body=1) == found


def test_a_function_ends_at_its_queue_and_writes_to_it():
    path = "memory://test-a-function-ends"
    with MockServer(two_functions(path), current_function="") as server:
        answer = server.test(body=1, event_id="e-1")

    assert answer == {"id": "e-1"}
    assert memory_stream(path).take() == [2]


def test_a_function_that_no_step_names_is_refused():
    with pytest.raises(SpecError, match=r"current function \(chld\); did you mean"):
        MockServer(two_functions(), current_function="chld")


def test_error_handlers_stay_with_their_function():
    steps = {
        "a": {"handler": "inc", "on_error": "catch"},
        "b": {"handler": "inc", "after": ["a"], "function": "child"},
        "catch": {"handler": "inc", "kind": "error_step", "base_step": "a"},
    }
    spec = Graph.from_dict({"steps": steps}).spec

    assert part_of(spec, "").names() == ("a", "catch")
    assert part_of(spec, "child").names() == ("b",)


def test_a_stream_that_is_not_to_be_had_is_refused():
    graph = Graph("g")
    graph.to(name="a", handler=inc).to(">>", "q", path="kafka://broker/topic")

    with pytest.raises(SpecError, match=r"'kafka://broker/topic' cannot be written"):
        MockServer(graph)


def test_what_follows_a_queue_names_its_function():
    queue = Graph("g").to(name="a", handler=inc).to(">>", "q", path="memory://q")

    with pytest.raises(SpecError, match="'b' must specify a function"):
        queue.to(name="b", handler=inc)
    assert queue.to(name="b", handler=inc, function="f").name == "b"


def test_a_queues_options_are_kept():
    graph = Graph("g")
    graph.to(name="a", handler=inc)
    graph.add_step(">>", "q", path="memory://q", shards=2, group="g1")

    assert graph.to_dict()["steps"]["q"] == {
        "kind": "queue",
        "after": ["a"],
        "path": "memory://q",
        "shards": 2,
        "options": {"group": "g1"},
    }


@pytest.mark.parametrize(("start", "found"), [("", 5), ("b", 3), ("c", 2)])
def test_events_may_begin_in_the_midst(monkeypatch, start, found):
    monkeypatch.setenv("START_FROM_STEP", start)
    with MockServer(two_functions()) as server:
        assert server.test(body=1) == found


def test_a_first_step_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("START_FROM_STEP", "ghost")

    with pytest.raises(SpecError, match=r"from_step \(ghost\) specified and not found"):
        MockServer(two_functions())


# -- what comes later -------------------------------------------------------------


def test_a_batch_that_is_due_goes_on_by_itself(open_runner):
    arrived = threading.Event()
    graph = Graph("g")
    graph.to("Batch", "batch", max_events=100, flush_after_s=0.05)
    graph.add_step(name="note", handler=lambda found: arrived.set())
    runner = open_runner(graph)
    runner.run(1)

    assert arrived.wait(5)


@pytest.mark.parametrize("storey", [False, True], ids=["ours", "storey"])
def test_what_comes_later_runs_through_an_asynchronous_graph(open_runner, storey):
    arrived = threading.Event()
    graph = Graph("g")
    if storey:
        args = {"max_events": 100, "flush_after_seconds": 0.05, "full_event": False}
        graph.to("storey.Batch", "batch", class_args=args)
    else:
        graph.to("Batch", "batch", max_events=100, flush_after_s=0.05)
    graph.add_step(name="wait", handler=double_async)
    graph.add_step(name="note", handler=lambda found: arrived.set())
    runner = open_runner(graph)
    runner.run([1])

    assert arrived.wait(5)


def test_a_failure_of_what_comes_later_is_reported():
    graph = Graph("g")
    graph.to("Batch", "batch", max_events=100).to(name="fails", handler=fails)
    server = MockServer(graph)
    server.test(body=1)
    server.close()

    [record] = server.error_stream
    assert record["source"] == "batch"
    assert "ValueError: no" in record["message"]


def test_a_router_in_an_event_graph_keeps_the_event(open_runner):
    graph = nested("double")
    event = Event(1, id="e-7")

    assert open_runner(graph).handle(event).event_id == "e-7"
