"""Events that are sent without waiting, and events whose time is up."""

import asyncio
import time

import pytest

from jupyter_graph import Event, Graph, MockServer
from jupyter_graph.errors import NoSeatError
from jupyter_graph.run.context import Context
from jupyter_graph.run.emit import BackgroundEvents
from jupyter_graph.threads.outcome import Task


def noting(seen, is_async):
    def note(body):
        if body == "bad":
            raise ValueError("bad one")
        seen.append(body)
        return body

    async def note_async(body):
        await asyncio.sleep(0.001)
        return note(body)

    return note_async if is_async else note


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_emitted_events_all_run(open_runner, is_async):
    seen = []
    graph = Graph("g")
    graph.to(name="note", handler=noting(seen, is_async))
    runner = open_runner(graph)

    ids = [runner.emit(number) for number in range(100)]

    assert runner.wait_for_completion(10)
    assert sorted(seen) == list(range(100))
    assert len(set(ids)) == 100


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_failure_nobody_waits_for_is_reported(open_runner, is_async):
    told = []
    graph = Graph("g")
    graph.to(name="note", handler=noting([], is_async))
    runner = open_runner(graph, push_error=lambda *about: told.append(about))
    runner.emit("bad", event_id="e-1")
    runner.wait_for_completion(10)

    [(event, text, step)] = told
    assert (event.id, text, step) == ("e-1", "ValueError: bad one", "note")


def test_more_than_may_be_inside_wait_for_a_seat():
    started = []

    def start(event):
        started.append(Task())
        return started[-1]

    ended = []
    emitted = BackgroundEvents(
        start, limit=2, context=Context(), timeout_s=0.05, ended=ended.append
    )
    emitted.send(Event(1))
    emitted.send(Event(2))

    with pytest.raises(NoSeatError, match="no free event slot"):
        emitted.send(Event(3))
    started[0].cancel()
    assert emitted.send(Event(3))
    assert [event.body for event in ended] == [1]


def test_closing_waits_for_what_is_on_its_way(open_runner):
    seen = []
    graph = Graph("g")
    graph.to(name="note", handler=noting(seen, True))
    runner = open_runner(graph)
    for number in range(20):
        runner.emit(number)
    runner.close()

    assert len(seen) == 20


@pytest.mark.parametrize("block", ["Batch", "storey.Batch"])
def test_waiting_takes_on_what_steps_kept(open_runner, block):
    seen = []
    args = {"max_events": 2} | ({"full_event": False} if "." in block else {})
    graph = Graph("g")
    graph.to(block, "batch", class_args=args).to(name="note", handler=seen.append)
    runner = open_runner(graph)
    for number in range(3):
        runner.run(number)
    runner.wait_for_completion(5)
    runner.run(3)
    runner.close()

    assert sorted(map(len, seen)) == ([1, 1, 2] if block == "Batch" else [2, 2])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_event_whose_time_is_up_is_not_worked_on(open_runner, is_async):
    seen = []
    graph = Graph("g")
    graph.to(name="note", handler=noting(seen, is_async))
    late = Event(1, deadline=time.monotonic() - 1)
    answer = open_runner(graph).handle(late)

    assert (answer.status_code, seen) == (408, [])


def test_the_mock_server_waits_too():
    seen = []
    graph = Graph("g")
    graph.to("Batch", "batch", max_events=9).to(name="note", handler=seen.append)
    server = MockServer(graph)
    server.test(body=1)
    server.wait_for_completion()

    assert seen == [[1]]
