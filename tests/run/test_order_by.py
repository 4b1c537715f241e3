"""Events of one key, one after the other, in the order they come."""

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph import Event, Graph, Runner
from jupyter_graph.errors import BadRequestError, DeadlineError, SpecError, StepError
from jupyter_graph.spec.validate import validate

pytestmark = pytest.mark.slow

PAUSES = random.Random(7)


class Seen:
    """Notes when events begin and end; asserts that no two of a key are inside."""

    def __init__(self):
        self.inside = set()
        self.ended = []
        self.most = 0

    def begin(self, body):
        assert body["user"] not in self.inside
        self.inside.add(body["user"])
        self.most = max(self.most, len(self.inside))

    def end(self, body):
        self.inside.discard(body["user"])
        self.ended.append((body["user"], body["n"]))
        return body["n"]


def graph_of(seen, *, is_async, order_by="user"):
    def work(body):
        time.sleep(PAUSES.random() / 500)
        return body

    async def work_async(body):
        await asyncio.sleep(PAUSES.random() / 500)
        return body

    graph = Graph("ordered", order_by=order_by)
    step = graph.to(name="begin", handler=lambda body: [seen.begin(body), body][1])
    step = step.to(name="work", handler=work_async if is_async else work)
    step.to(name="end", handler=seen.end)
    return graph


BODIES = [{"user": user, "n": n} for n in range(15) for user in "abcd"]
COLOURS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def is_in_order(ended):
    return all(
        [n for user, n in ended if user == one] == list(range(15)) for one in "abcd"
    )


@COLOURS
@pytest.mark.parametrize("own_loop", [True, False])
@pytest.mark.parametrize("traced", [True, False])
def test_awaited_events_keep_the_order_of_their_key(
    open_runner, is_async, own_loop, traced
):
    seen = Seen()
    runner = open_runner(graph_of(seen, is_async=is_async), own_loop=own_loop)

    async def one(body):
        return (await runner.aanswer(body, traced=traced)).value

    async def events():
        first = await runner.arun({"user": "z", "n": 0})
        return first, await asyncio.gather(*map(one, BODIES))

    first, answers = asyncio.run(events())

    assert (first, answers) == (0, [body["n"] for body in BODIES])
    assert is_in_order(seen.ended)
    if is_async:
        assert seen.most > 1  # other keys go on meanwhile


@COLOURS
def test_sent_events_keep_the_order_of_their_key(open_runner, is_async):
    seen = Seen()
    runner = open_runner(graph_of(seen, is_async=is_async))
    for body in BODIES:
        runner.emit(body)

    assert runner.wait_for_completion(20)
    assert is_in_order(seen.ended)
    assert seen.most > 1


@COLOURS
def test_threads_come_one_at_a_time_by_key(open_runner, is_async):
    seen = Seen()
    runner = open_runner(graph_of(seen, is_async=is_async))

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(runner.run, BODIES))

    assert answers == [body["n"] for body in BODIES]
    assert seen.most > 1


def test_rows_of_a_batch_keep_their_order(open_runner):
    seen = Seen()
    result = open_runner(graph_of(seen, is_async=True)).run_batch(BODIES)

    assert not result.errors
    assert seen.ended == [(body["user"], body["n"]) for body in BODIES]


@pytest.mark.parametrize(
    ("order_by", "event"),
    [
        ("$key", Event({"user": "a", "n": 1}, key="k")),
        (["user", "$path"], Event({"user": "a", "n": 1}, path="/p")),
    ],
)
def test_the_key_may_stand_elsewhere(open_runner, order_by, event):
    runner = open_runner(graph_of(Seen(), is_async=False, order_by=order_by))

    assert runner.handle(event).value == 1


@COLOURS
def test_who_fails_lets_the_next_one_come(open_runner, is_async):
    graph = graph_of(Seen(), is_async=is_async)
    graph.add_step(name="last", handler=lambda n: 1 / n, after="end")
    runner = open_runner(graph)

    async def events():
        runs = (runner.arun({"user": "a", "n": n}) for n in (1, 0, 2))
        return await asyncio.gather(*runs, return_exceptions=True)

    one, failed, two = asyncio.run(events())

    assert (one, two) == (1, 0.5)
    assert isinstance(failed, StepError)


@COLOURS
def test_who_waits_too_long_is_told_and_the_others_go_on(open_runner, is_async):
    gate = threading.Event()
    graph = Graph("g", order_by="user")

    async def waits(body):
        await asyncio.to_thread(gate.wait, 5)
        return body

    step = waits if is_async else (lambda body: [gate.wait(5), body][1])
    graph.to(name="waits", handler=step).respond()
    runner = open_runner(graph, timeout_s=0.3)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(runner.run, {"user": "a"})
        time.sleep(0.1)
        second = threads.submit(runner.handle, Event({"user": "a"}))
        time.sleep(0.1)
        gate.set()
        assert first.result(5) == {"user": "a"}
        assert second.result(5).value == {"user": "a"}
        gate.clear()
        hanging = threads.submit(runner.handle, Event({"user": "a"}))
        time.sleep(0.05)
        late = threads.submit(runner.handle, Event({"user": "a"}))
        assert isinstance(hanging.result(5).error, DeadlineError)
        assert isinstance(late.result(5).error, DeadlineError)
        gate.set()

    assert runner.run({"user": "a"}) == {"user": "a"}


def test_a_caller_that_gives_up_leaves_its_place(open_runner):
    seen = Seen()
    runner = open_runner(graph_of(seen, is_async=True))

    async def events():
        runs = [
            asyncio.create_task(runner.arun({"user": "a", "n": n})) for n in range(4)
        ]
        await asyncio.sleep(0)
        runs[1].cancel()
        return await asyncio.gather(*runs, return_exceptions=True)

    first, gone, *others = asyncio.run(events())

    assert isinstance(gone, asyncio.CancelledError)
    assert [first, *others] == [0, 2, 3]


def test_a_body_without_the_field_is_the_callers_mistake(open_runner):
    runner = open_runner(graph_of(Seen(), is_async=False))

    with pytest.raises(BadRequestError, match="'user'"):
        runner.run({"n": 1})
    with pytest.raises(BadRequestError, match="'user'"):
        runner.emit({"n": 1})
    assert runner.handle(Event({"n": 1})).status_code == 400
    assert runner.run({"user": "a", "n": 1}) == 1


def test_the_order_is_taken_on_by_a_swap(open_runner):
    runner = open_runner(graph_of(Seen(), is_async=True, order_by=None))
    seen = Seen()
    runner.swap(graph_of(seen, is_async=True))

    async def events():
        await asyncio.gather(*map(runner.arun, BODIES))

    asyncio.run(events())

    assert is_in_order(seen.ended)


def test_a_document_holds_it():
    graph = graph_of(Seen(), is_async=True, order_by=["user", "$path"])
    document = graph.to_dict()

    assert document["order_by"] == ["user", "$path"]
    assert Graph.from_dict(document).spec.order_by == ("user", "$path")
    assert "order_by" not in graph_of(Seen(), is_async=True, order_by=None).to_dict()


@pytest.mark.parametrize("order_by", [5, "", [], ["a", 5], {"a": 1}])
def test_what_is_no_key_is_refused(order_by):
    graph = Graph("g", order_by=order_by)
    graph.to(name="a", handler=len)

    with pytest.raises(SpecError, match="order_by must be a field's name"):
        validate(graph)


def test_an_attribute_that_events_have_not_is_refused():
    graph = Graph("g", order_by="$colour")
    graph.to(name="a", handler=len)

    with pytest.raises(SpecError, match=r"order_by '\$colour' is unknown"):
        Runner(graph)
