"""ParallelRun: all routes at once, what they give merged."""

import asyncio
import functools
import os
import threading

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError, SpecError, StatusError
from jupyter_graph.event import Event
from jupyter_graph.steps import ParallelRun
from jupyter_graph.types import NOTHING

WAYS = ("thread", "array", "asyncio")


def add_one(event):
    event.body = {"a": event.body["x"] + 1}
    return event


def times_three(event):
    event.body = {"b": event.body["x"] * 3}
    return event


def fail(event):
    raise OSError("no answer")


def gives_a_list(event):
    event.body = [1]
    return event


async def later(event):
    await asyncio.sleep(0)
    event.body = {"later": event.body["x"], "id": event.id}
    return event


def say_process(event):
    event.body = {"pid": os.getpid()}
    return event


def say_id(event):
    event.body = {f"id{event.path}": event.id}
    return event


ROUTES = {"one": add_one, "three": times_three}


def asked(router, body=None, **facts):
    try:
        return router.do_event(Event(body, **facts)).body
    finally:
        router.close()


@pytest.mark.parametrize("way", WAYS)
def test_what_the_routes_give_is_merged(way):
    router = ParallelRun(routes=ROUTES, executor_type=way)

    assert asked(router, {"x": 8}) == {"a": 9, "b": 24}


def test_the_later_route_wins_whichever_is_faster():
    second_done = threading.Event()

    def first(event):
        assert second_done.wait(5)
        event.body = {"who": "first"}
        return event

    def second(event):
        second_done.set()
        event.body = {"who": "second"}
        return event

    router = ParallelRun(routes={"first": first, "second": second})
    assert asked(router, {}) == {"who": "second"}


def test_routes_run_at_the_same_time():
    together = threading.Barrier(3, timeout=5)

    def wait(event):
        together.wait()
        event.body = {threading.current_thread().name: 1}
        return event

    router = ParallelRun(routes={"a": wait, "b": wait, "c": wait})
    assert len(asked(router, {})) == 3


@pytest.mark.parametrize("way", WAYS)
def test_each_route_has_a_body_of_its_own(way):
    def spoil(event):
        event.body["inner"].append(1)
        return event

    routes = {"a": spoil, "b": spoil}
    body = {"inner": []}

    assert asked(ParallelRun(routes=routes, executor_type=way), body) == {"inner": [1]}
    assert body == {"inner": []}


def test_the_answer_may_begin_with_the_body():
    router = ParallelRun(routes=ROUTES, extend_event=True)

    assert asked(router, {"x": 8, "b": 0}) == {"x": 8, "a": 9, "b": 24}


def test_all_routes_see_the_same_event_id():
    router = ParallelRun(routes={"a": say_id, "b": say_id})

    event = Event({})
    assert set(router.do_event(event).body.values()) == {event.id}
    router.close()


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, {"name": "ParallelRun", "version": "v2", "extensions": []}),
        ({"path": "/v2/models"}, {}),
    ],
)
def test_a_get_asks_what_is_there(facts, answer):
    router = ParallelRun(routes={"one": lambda event: add_one(event)})

    assert asked(router, method="GET", **facts) == answer


@pytest.mark.parametrize("body", [[1], "text", 5])
def test_a_body_that_is_no_object_is_the_callers_fault(body):
    with pytest.raises(BadRequestError, match="Unrecognized request format"):
        asked(ParallelRun(routes=ROUTES), body)


def test_a_path_beside_the_prefix_is_refused():
    with pytest.raises(BadRequestError, match="illegal path prefix '/foo'"):
        asked(ParallelRun(routes=ROUTES), {}, path="/foo")


@pytest.mark.parametrize("way", WAYS)
def test_a_result_that_is_no_object_is_refused(way):
    router = ParallelRun(routes={"one": add_one, "n": gives_a_list}, executor_type=way)

    with pytest.raises(TypeError, match="route 'n' is not an object"):
        asked(router, {"x": 8})


# -- routes that fail -----------------------------------------------------------


@pytest.mark.parametrize("way", ["thread", "asyncio"])
def test_a_failing_route_is_left_out_and_reported(way, caplog):
    router = ParallelRun(routes={"bad": fail, **ROUTES}, executor_type=way)

    assert asked(router, {"x": 8}) == {"a": 9, "b": 24}
    assert "route 'bad' is left out: OSError: no answer" in caplog.text


@pytest.mark.parametrize(
    "args",
    [
        {"executor_type": "array"},
        {"executor_type": "thread", "on_member_error": "fail"},
        {"executor_type": "asyncio", "on_member_error": "fail"},
    ],
)
def test_a_failing_route_may_fail_the_event(args):
    with pytest.raises(OSError, match="no answer"):
        asked(ParallelRun(routes={"bad": fail, **ROUTES}, **args), {"x": 8})


def test_one_by_one_stops_at_the_route_that_fails():
    def never(event):
        raise AssertionError("asked after the failure")

    router = ParallelRun(routes={"bad": fail, "no": never}, executor_type="array")
    with pytest.raises(OSError, match="no answer"):
        asked(router, {})


@pytest.mark.parametrize("way", WAYS)
def test_an_event_whose_routes_all_fail_fails(way):
    routes = {"bad": fail, "worse": fail}
    router = ParallelRun(routes=routes, executor_type=way, on_member_error="drop")

    with pytest.raises(StatusError, match="bad: OSError: no answer; worse") as caught:
        asked(router, {"x": 8})
    assert caught.value.status_code == 500


def test_all_routes_may_blame_the_caller():
    def refuse(event):
        raise BadRequestError("no x")

    with pytest.raises(StatusError) as caught:
        asked(ParallelRun(routes={"a": refuse, "b": refuse}), {})
    assert caught.value.status_code == 400


# -- arguments and subclasses ---------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"executor_type": "fiber"}, "'fiber' is not a valid ParallelRunnerModes"),
        ({"on_member_error": "hide"}, "must be 'drop' or 'fail', got 'hide'"),
        ({"max_workers": 0}, "max_workers must be a whole number of 1 or more, got 0"),
        ({"max_workers": True}, "got True"),
        ({"extend": True}, "ParallelRun takes no 'extend'"),
        ({"routes": {}}, "ParallelRun has no routes"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        ParallelRun(**{"routes": ROUTES, **args})


def test_a_subclass_may_merge():
    class Listed(ParallelRun):
        def merger(self, body, results):
            return {"results": [results[name] for name in sorted(results)]}

        def postprocess(self, event):
            event.body["post"] = True
            return event

    found = asked(Listed(routes=ROUTES), {"x": 1})
    assert found == {"results": [{"a": 2}, {"b": 3}], "post": True}


def test_a_merger_may_change_the_body_it_is_given():
    class Kept(ParallelRun):
        def merger(self, body, results):
            body["n"] = len(results)

    assert asked(Kept(routes=ROUTES, extend_event=True), {"x": 1}) == {"x": 1, "n": 2}


def test_fewer_threads_than_routes_are_enough():
    router = ParallelRun(routes=ROUTES, max_workers=1)

    assert asked(router, {"x": 8}) == {"a": 9, "b": 24}


def test_events_after_the_end_are_refused():
    router = ParallelRun(routes=ROUTES)
    asked(router, {"x": 1})

    with pytest.raises(RuntimeError, match="closed"):
        asked(router, {"x": 1})


# -- in graphs ------------------------------------------------------------------


def parallel(**args):
    graph = Graph("all", topology="router", router_class=ParallelRun, **args)
    graph.add_route("one", handler=lambda body: {"a": body["x"] + 1})
    return graph


def test_a_graph_may_be_a_parallel_run(run_graph):
    graph = parallel()
    graph.add_route("two", handler=lambda body: {"b": body["x"] * 2})

    assert run_graph(graph, [{"x": 1}, {"x": 2}]) == [
        {"a": 2, "b": 2},
        {"a": 3, "b": 4},
    ]


def test_coroutines_and_functions_may_be_mixed(run_graph):
    async def waits(body):
        await asyncio.sleep(0)
        return {"b": body["x"] * 2}

    graph = parallel()
    graph.add_route("two", handler=waits)

    assert run_graph(graph, [{"x": 1}]) == [{"a": 2, "b": 2}]


@pytest.mark.parametrize("way", WAYS)
def test_coroutines_run_in_every_way_but_processes(way):
    router = ParallelRun(routes={"l": later, "one": add_one}, executor_type=way)

    event = Event({"x": 8})
    answered = asyncio.run(router.do_event_async(event))
    router.close()
    assert answered.body == {"later": 8, "id": event.id, "a": 9}


@pytest.mark.parametrize("way", WAYS)
def test_a_failing_coroutine_is_left_out(way, caplog):
    async def fails(event):
        raise OSError("no answer")

    router = ParallelRun(
        routes={"bad": fails, "one": add_one},
        executor_type=way,
        on_member_error="drop",
    )

    answered = asyncio.run(router.do_event_async(Event({"x": 8})))
    router.close()
    assert answered.body == {"a": 9}


# -- in processes ---------------------------------------------------------------


@pytest.mark.slow
def test_routes_may_run_in_processes():
    def own(event):
        event.body = {"own": event.body["x"]}
        return event

    router = ParallelRun(
        routes={"bad": fail, "one": add_one, "pid": say_process, "own": own},
        executor_type="process",
        max_workers=1,
    )

    found = asked(router, {"x": 8})
    assert (found["a"], found["own"]) == (9, 8)
    assert found["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("route", "message"),
    [
        pytest.param(
            functools.partial(add_one, lock=threading.Lock()),
            "route 'it' cannot go to another process: TypeError: cannot pickle '_thr",
            id="lock",
        ),
        pytest.param(later, "route 'it' is a coroutine", id="coroutine"),
    ],
)
def test_what_cannot_go_to_another_process_is_refused(route, message):
    with pytest.raises(SpecError, match=message):
        ParallelRun(routes={"it": route}, executor_type="process")


def test_a_route_that_drops_the_event_gives_nothing(run_graph):
    class OnlySmall:
        may_drop = True

        def do(self, body):
            return {"small": True} if body["x"] < 5 else NOTHING

    graph = parallel()
    graph.add_route("small", OnlySmall)

    assert run_graph(graph, [{"x": 1}, {"x": 9}]) == [
        {"a": 2, "small": True},
        {"a": 10},
    ]
