import threading

import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.event_key import key_reader
from jupyter_graph.errors import BadRequestError, SpecError, StepError
from jupyter_graph.event import Event
from jupyter_graph.steps.state.batch_step import Batch
from jupyter_graph.types import NOTHING

USERS = [{"user": user, "n": n} for n, user in enumerate("abacab")]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def batching(sink, *, engine="async", full_event=False, **class_args):
    graph = Graph("batching", engine=engine)
    first = graph.to(
        name="it", class_name="Batch", class_args=class_args, full_event=full_event
    )
    first.to(name="sink", handler=sink).respond()
    return graph


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_full_batch_goes_on_and_the_others_get_no_answer(run_graph, engine):
    answers = run_graph(batching(len, engine=engine, max_events=2), [1, 2, 3])

    assert answers == [None, 2, None]


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_what_is_left_goes_on_at_the_end(open_runner, engine):
    seen = []
    runner = open_runner(batching(seen.append, engine=engine, max_events=3))
    for n in range(5):
        runner.run(n)

    runner.close()

    assert seen == [[0, 1, 2], [3, 4]]


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_an_old_batch_goes_on_by_itself(open_runner, engine):
    arrived, seen = threading.Event(), []

    def sink(bodies):
        seen.append(bodies)
        arrived.set()

    runner = open_runner(batching(sink, engine=engine, flush_after_s=0.05))
    runner.run(1)

    assert arrived.wait(5)
    assert seen == [[1]]


def test_a_batch_is_old_when_its_first_body_is():
    clock = Clock()
    batch = Batch(flush_after_s=10, clock=clock)
    batch.do("a")
    clock.now = 9.0
    batch.do("b")

    assert batch.flush(end=False) == []
    clock.now = 10.0
    assert batch.flush(end=False) == [["a", "b"]]
    assert batch.flush(end=True) == []


def test_each_key_has_its_batches():
    batch = Batch(max_events=2, key="user")

    given = [batch.do(body) for body in USERS]

    assert given[2] == [USERS[0], USERS[2]]
    assert given[4] is NOTHING
    assert given[5] == [USERS[1], USERS[5]]
    assert batch.flush(end=True) == [[USERS[3]], [USERS[4]]]


def test_the_field_of_the_key_may_be_left_out():
    batch = Batch(max_events=1, key_field="user", drop_key_field=True)
    body = {"user": "a", "n": 0}

    assert batch.do(body) == [{"n": 0}]
    assert body == {"user": "a", "n": 0}


def test_with_too_many_keys_the_batch_that_waits_for_longest_goes_on():
    batch = Batch(max_events=9, key="user", max_keys=2)

    given = [batch.do(body) for body in USERS]

    assert given == [NOTHING, NOTHING, NOTHING, [USERS[0], USERS[2]], *given[4:]]


def test_full_events_are_batched_and_told_apart_by_their_own(open_runner):
    seen = []
    graph = batching(seen.append, full_event=True, max_events=2, key="$path")
    runner = open_runner(graph)
    for path in ("/a", "/b", "/a"):
        runner.run(1, path=path)

    assert [[event.path for event in batch] for batch in seen] == [["/a", "/a"]]


def test_events_of_different_threads_are_all_in_some_batch():
    batch, given = Batch(max_events=7), []

    def work(start):
        for n in range(start, start + 500):
            if (bodies := batch.do(n)) is not NOTHING:
                given.append(bodies)

    threads = [threading.Thread(target=work, args=(i * 500,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    given += batch.flush(end=True)
    assert sorted(n for bodies in given for n in bodies) == list(range(2000))


WRONG = [
    pytest.param({}, "max_events, flush_after_s or both", id="nothing"),
    pytest.param({"max_events": 0}, "1 or more, got 0", id="zero"),
    pytest.param({"max_events": "5"}, "1 or more, got '5'", id="text"),
    pytest.param({"max_events": True}, "1 or more, got True", id="bool"),
    pytest.param({"flush_after_s": 0}, "above 0, got 0", id="no-time"),
    pytest.param({"flush_after_s": float("nan")}, "above 0, got nan", id="nan"),
    pytest.param({"max_events": 1, "max_keys": 0}, "max_keys must be", id="keys"),
    pytest.param({"max_events": 1, "key": 5}, "key must be a field's", id="key"),
    pytest.param({"max_events": 1, "key": "$pth"}, "did you mean 'path'", id="event"),
    pytest.param(
        {"max_events": 1, "key": "a", "key_field": "b"}, "mean the", id="both"
    ),
    pytest.param({"max_events": 1, "drop_key_field": True}, "needs a key", id="drop"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG)
def test_a_wrong_argument_is_refused(arguments, text):
    with pytest.raises(SpecError, match=text):
        Batch(**arguments)


WRONG_BODIES = [
    pytest.param({"uesr": 1}, "no field 'user'; did you mean 'uesr'", id="typo"),
    pytest.param([1], "must be an object with the field 'user', got list", id="list"),
]


@pytest.mark.parametrize(("body", "text"), WRONG_BODIES)
def test_a_body_without_its_key_is_the_callers_fault(run_step, body, text):
    with pytest.raises(StepError, match=text) as raised:
        run_step("Batch", [body], max_events=2, key="user")

    assert isinstance(raised.value.__cause__, BadRequestError)


def test_a_key_of_the_event_needs_the_event(run_step):
    with pytest.raises(StepError, match="give the step full_event=True"):
        run_step("Batch", [1], max_events=2, key="$path")


KEYS = [
    pytest.param("n", {"n": 1}, "1", id="number"),
    pytest.param(["a", "b"], {"a": "x", "b": 2}, '["x", "2"]', id="two-fields"),
    pytest.param(lambda body: body[0], ["k"], "k", id="function"),
    pytest.param("$key", Event({}, key="k"), "k", id="event"),
    pytest.param("n", Event({"n": 5}), "5", id="in-an-event"),
    pytest.param("n", {"n": 5.0}, "5", id="whole-float"),
    pytest.param("n", {"n": 5.5}, "5.5", id="float"),
    pytest.param("n", {"n": "007"}, "007", id="text-like-a-number"),
    pytest.param("n", {"n": None}, "[null]", id="none"),
    pytest.param("n", {"n": float("nan")}, "[null]", id="nan"),
    pytest.param("n", {"n": "None"}, "None", id="the-text-none"),
    pytest.param(["a", "b"], {"a": None, "b": "None"}, '[null, "None"]', id="one-none"),
    pytest.param("$key", Event({}), "[null]", id="event-without"),
]


@pytest.mark.parametrize(("key", "item", "text"), KEYS)
def test_keys_are_read_as_text(key, item, text):
    assert key_reader(key)(item) == text
