"""A responder answers at once; what goes on beside it or after it is not lost."""

import asyncio
import threading
import time

import pandas as pd
import pytest

from jupyter_graph import Event, Graph, MockServer, Runner
from jupyter_graph.errors import DeadlineError

WAIT_S = 10


class Gate:
    """Steps that wait until they may go on, and what they have seen."""

    def __init__(self):
        self.opened = threading.Event()
        self.seen = []
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def slow(self, body):
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.opened.wait(WAIT_S)
        with self._lock:
            self.inside -= 1
            self.seen.append(body)

    async def slow_async(self, body):
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.to_thread(self.opened.wait, WAIT_S)
        self.inside -= 1
        self.seen.append(body)


@pytest.fixture
def gate():
    found = Gate()
    yield found
    found.opened.set()


def double(body):
    return 2 * body


def answering(gate, place, is_async, **options):
    """A graph with a slow step after, before, or beside the one that answers."""
    graph = Graph("at_once", **options)
    slow = gate.slow_async if is_async else gate.slow

    def slow_step(body):
        return slow(body)

    async def slow_coroutine(body):
        return await slow(body)

    step = slow_coroutine if is_async else slow_step
    if place == "before":  # it stands first among the branches
        graph.add_step(name="slow", handler=step, after="start")
    graph.add_step(name="double", handler=double, after="start").respond()
    if place != "before":
        after = "double" if place == "after" else "start"
        graph.add_step(name="slow", handler=step, after=after)
    return graph


KINDS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
PLACES = pytest.mark.parametrize("place", ["before", "beside", "after"])


@KINDS
@PLACES
def test_a_mock_server_answers_at_once_and_closing_waits(gate, place, is_async):
    graph = answering(gate, place, is_async)

    with MockServer(graph) as server:
        assert server.test(body=2) == 4
        assert gate.seen == []
        gate.opened.set()

    assert gate.seen == [4 if place == "after" else 2]


@KINDS
@PLACES
def test_a_coroutine_is_answered_at_once_and_closing_waits(gate, place, is_async):
    async def main():
        async with Runner(answering(gate, place, is_async), own_loop=False) as runner:
            answer = await runner.ahandle(Event(2), at_once=True)
            assert gate.seen == []
            gate.opened.set()
        return answer.value

    assert asyncio.run(main()) == 4
    assert gate.seen == [4 if place == "after" else 2]


@KINDS
@PLACES
def test_a_run_waits_for_all_branches(gate, open_runner, place, is_async):
    gate.opened.set()
    runner = open_runner(answering(gate, place, is_async))

    assert runner.run(2) == 4
    assert gate.seen == [4 if place == "after" else 2]


@KINDS
def test_waiting_for_completion_waits_for_the_rest(gate, open_runner, is_async):
    runner = open_runner(answering(gate, "after", is_async))

    answers = [runner.handle(Event(body), at_once=True).value for body in range(5)]
    assert not runner.wait_for_completion(0.05)
    gate.opened.set()

    assert runner.wait_for_completion(WAIT_S)
    assert answers == [0, 2, 4, 6, 8]
    assert sorted(gate.seen) == answers


@KINDS
def test_the_rest_counts_among_the_events_in_flight(gate, open_runner, is_async):
    runner = open_runner(answering(gate, "after", is_async, max_in_flight=3))
    bodies, answers = range(12), []

    def ask():
        for body in bodies:
            answers.append(runner.handle(Event(body), at_once=True).value)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    answered = len(answers)
    gate.opened.set()
    asking.join(WAIT_S)
    assert runner.wait_for_completion(WAIT_S)

    assert answered < len(bodies)  # further callers wait for a place
    assert gate.most <= 3
    assert sorted(gate.seen) == sorted(answers) == [2 * body for body in bodies]


def test_coroutines_wait_where_too_much_is_left(gate):
    answers = []

    async def main():
        graph = answering(gate, "after", is_async=True, max_in_flight=3)
        async with Runner(graph, own_loop=False) as runner:

            async def ask(body):
                answer = await runner.ahandle(Event(body), at_once=True)
                answers.append(answer.value)

            asking = [asyncio.ensure_future(ask(body)) for body in range(12)]
            await asyncio.sleep(0.3)
            answered = len(answers)
            gate.opened.set()
            await asyncio.gather(*asking)
        return answered

    answered = asyncio.run(main())

    assert answered <= 3
    assert gate.most <= 3
    assert sorted(gate.seen) == sorted(answers) == [2 * body for body in range(12)]


@KINDS
@PLACES
def test_the_rest_has_the_time_of_an_event(gate, open_runner, place, is_async):
    told = []
    runner = open_runner(
        answering(gate, place, is_async),
        timeout_s=0.2,
        push_error=lambda event, text, step: told.append((event.id, text, step)),
    )

    assert runner.handle(Event(2, id="e-1"), at_once=True).value == 4
    runner.wait_for_completion(WAIT_S)

    assert told == [("e-1", "took longer than 0.2 s", "slow")] or told == [
        ("e-1", "DeadlineError: took longer than 0.2 s", "slow")
    ]


def failing(body):
    raise ValueError(f"no {body}")


@KINDS
@pytest.mark.parametrize("after", ["start", "double"])
def test_its_errors_go_to_log_stream_and_counters(caplog, after, is_async):
    async def failing_async(body):
        raise ValueError(f"no {body}")

    graph = Graph("errors")
    graph.add_step(name="double", handler=double, after="start").respond()
    step = failing_async if is_async else failing
    graph.add_step(name="audit", handler=step, after=after)

    with MockServer(graph) as server:
        assert server.test(body=2, event_id="e-1") == 4
        server.close()
        [record] = server.error_stream
        counted = server._runner.counters.beside

    text = f"ValueError: no {4 if after == 'double' else 2}"
    assert (record["source"], record["message"]) == ("audit", text)
    assert record["event"]["id"] == "e-1"
    assert f"event e-1: step 'audit' failed beside the answer: {text}" in caplog.text
    assert counted == {"audit": 1}


def test_a_batch_run_keeps_the_rows_whose_audit_failed(open_runner):
    told = []
    graph = Graph("rows")
    graph.add_step(name="all", handler=lambda frame: frame + 1, vectorized=True)
    graph.add_step(name="double", handler=lambda row: {"n": 2 * row["n"]}, after="all")
    graph.add_step(name="audit", handler=failing, after="double")
    graph.change_step("double", responder=True)
    runner = open_runner(graph, push_error=lambda *about: told.append(about))

    result = runner.run_batch(pd.DataFrame({"n": [1, 2]}))

    assert (result.frame["n"].tolist(), result.errors) == ([4, 6], [])
    assert [step for _, _, step in told] == ["audit", "audit"]
    assert runner.counters.beside == {"audit": 2}


def test_notes_stand_under_the_answer(open_runner):
    graph = Graph("notes")
    graph.add_step(name="double", handler=double, after="start").respond()
    graph.add_step(name="audit", handler=failing, after="double")

    answer = open_runner(graph).answer(2, traced=True)

    note = "step 'audit' failed beside the answer: ValueError: no 4"
    shown = answer._repr_mimebundle_()
    assert answer.notes == (note,)
    assert shown["text/plain"].splitlines() == ["200  4", f"note: {note}"]
    assert "note: step" in shown["text/html"]


@pytest.mark.parametrize("answers", ["fails", "after"])
def test_what_leads_to_the_answer_still_fails_the_event(answers):
    graph = Graph("leads")
    graph.add_step(name="beside", handler=double, after="start")
    graph.add_step(name="fails", handler=failing, after="start")
    graph.add_step(name="after", handler=double, after="fails")
    graph.change_step(answers, responder=True)

    with MockServer(graph) as server:
        found = server.test(body=1, silent=True, get_body=False)

    assert found.status_code == 500
    assert "no 1" in found.body


def test_a_branch_fails_the_event_where_nobody_answers(open_runner):
    class Drops:
        may_drop = True

        def do(self, body):
            from jupyter_graph.types import NOTHING

            return NOTHING

    graph = Graph("nobody")
    graph.add_step(Drops, "drops", after="start").respond()
    graph.add_step(name="fails", handler=failing, after="start")

    answer = open_runner(graph).answer(1, silent=True)

    assert (answer.status_code, answer.error.step) == (500, "fails")


@KINDS
def test_joins_after_the_answer_are_settled(open_runner, is_async):
    seen = []

    async def keep_async(body):
        return body

    def keep(body):
        return body

    def is_big(body):
        return body > 5

    graph = Graph("joins")
    graph.add_step(name="double", handler=double, after="start").respond()
    step = keep_async if is_async else keep
    graph.add_step(name="all", handler=step, after="double")
    graph.add_step("Filter", "big", class_args={"fn": is_big}, after="double")
    graph.add_step(
        name="both", handler=seen.append, after=["all", "big"],
        join="all", missing="null",
    )  # fmt: skip
    runner = open_runner(graph)

    answers = [runner.handle(Event(body), at_once=True).value for body in (2, 4)]
    runner.close()

    assert answers == [4, 8]
    assert sorted(seen, key=repr) == [[4, None], [8, 8]]


def test_a_graph_that_orders_its_events_answers_after_all_branches(gate, open_runner):
    graph = answering(gate, "after", is_async=False, order_by="$path")
    gate.opened.set()

    assert open_runner(graph).handle(Event(2), at_once=True).value == 4
    assert gate.seen == [4]


def test_a_flow_inside_puts_off_its_rest_too(gate):
    inner = Graph("inner")
    inner.add_step(name="one", handler=lambda body: body + 1, after="start").respond()
    inner.add_step(name="wait", handler=lambda body: gate.slow(body), after="one")
    graph = Graph("outer")
    graph.add_step(inner, "flow").to(name="double", handler=double).respond()

    with MockServer(graph) as server:
        assert server.test(body=2) == 6
        assert gate.seen == []
        gate.opened.set()

    assert gate.seen == [3]


def test_a_runner_inside_a_step_waits_for_its_own_branches(gate, open_runner):
    gate.opened.set()
    inside = open_runner(answering(gate, "after", is_async=False))

    def ask(body):
        return inside.run(body), list(gate.seen)

    graph = Graph("asks")
    graph.add_step(name="ask", handler=ask, after="start").respond()
    graph.add_step(name="beside", handler=double, after="start")

    with MockServer(graph) as server:
        assert server.test(body=2) == (4, [4])


def test_a_late_event_of_a_run_is_late_with_all_its_branches(gate, open_runner):
    runner = open_runner(answering(gate, "after", is_async=True), timeout_s=0.2)

    with pytest.raises(DeadlineError):
        runner.run(2)
