"""Which call runs in the main thread is seen, though the call marks nothing."""

import gc
import threading
import time
import weakref

import pytest

from jupyter_graph import Graph, Runner, StepError
from jupyter_graph.run.deadline.running_call import RunningCall

pytestmark = pytest.mark.slow


class Owner:
    def run(self, body=None):
        return None if body is None else body()


@pytest.fixture
def owner():
    return Owner()


@pytest.fixture
def running_call():
    return RunningCall({Owner.run.__code__: "self"})


def test_there_is_none_while_nothing_runs(owner, running_call):
    owner.run()

    assert running_call.number(owner) == 0


def test_one_call_has_one_number_and_the_next_another(owner, running_call):
    def twice():
        return running_call.number(owner), running_call.number(owner)

    first, second = owner.run(twice), owner.run(twice)
    assert first[0] == first[1] != 0
    assert second[0] == second[1] != 0
    assert first != second


def test_the_outermost_call_counts(owner, running_call):
    def nested():
        outside = running_call.number(owner)
        return outside, owner.run(lambda: running_call.number(owner))

    outside, inside = owner.run(nested)
    assert outside == inside


def test_calls_on_others_and_in_other_threads_are_not_meant(owner, running_call):
    found = []
    Owner().run(lambda: found.append(running_call.number(owner)))
    thread = threading.Thread(
        target=owner.run, args=(lambda: found.append(running_call.number(owner)),)
    )
    thread.start()
    thread.join()

    assert found == [0, 0]


def test_a_call_that_has_ended_is_still_no_more(owner, running_call):
    def inside():
        number = running_call.number(owner)
        return number, running_call.is_still(number), running_call.is_still(number + 1)

    number, *found = owner.run(inside)
    assert found == [True, False]
    assert not running_call.is_still(number)


def test_what_a_call_got_is_let_go_with_the_next_look(owner, running_call):
    class Body:
        def __call__(self):
            running_call.number(owner)

    body = Body()
    gone = weakref.ref(body)
    owner.run(body)
    del body
    running_call.number(owner)
    gc.collect()

    assert gone() is None


def test_events_one_after_the_other_are_not_taken_for_one(open_runner):
    graph = Graph("g")
    graph.to(name="short", handler=lambda x: time.sleep(0.02) or x)
    runner = open_runner(graph, timeout_s=1.0)

    assert [runner.run(n) for n in range(70)] == list(range(70))


def test_an_event_inside_an_event_ends_with_the_outer_ones_time(open_runner):
    graph = Graph("g")
    graph.to(name="again", handler=lambda x: runner.run(x - 1) if x else time.sleep(20))
    runner = open_runner(graph, timeout_s=0.3)
    began = time.monotonic()
    with pytest.raises(StepError, match=r"step 'again' failed.*took longer than 0.3 s"):
        runner.run(3)

    assert time.monotonic() - began < 2


@pytest.mark.parametrize("outer", ["run", "answer"])
@pytest.mark.parametrize("inner", ["run", "answer"])
def test_events_inside_take_their_time_from_the_outer_one(open_runner, outer, inner):
    def again(x):
        while x == "outer":
            getattr(runner, inner)("inner")
        time.sleep(0.02)

    graph = Graph("g")
    graph.to(name="again", handler=again)
    runner = open_runner(graph, timeout_s=0.4)
    began = time.monotonic()
    with pytest.raises(StepError, match=r"step 'again' failed.*took longer than 0.4 s"):
        getattr(runner, outer)("outer")

    assert time.monotonic() - began < 3


def test_a_forgotten_runner_goes():
    graph = Graph("g")
    graph.to(name="slow", handler=lambda x: time.sleep(0.3))
    runner = Runner(graph, timeout_s=1.0).open()
    runner.run(1)
    gone = weakref.ref(runner)
    del runner
    for _ in range(100):
        gc.collect()
        if gone() is None:
            break
        time.sleep(0.05)

    assert gone() is None
