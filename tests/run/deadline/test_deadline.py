"""Every event ends in time, whatever its step does; its neighbours do not notice."""

import asyncio
import contextlib
import itertools
import logging
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import DeadlineError, RunError
from jupyter_graph.run.deadline.interrupt import SIGNAL
from jupyter_graph.run.deadline.step_threads import StepThreads, pool

pytestmark = pytest.mark.slow

LIMIT_S = 0.12
SLACK_S = 0.25  # what a busy machine may add
HANG_S = 1.0


def spin(seconds=HANG_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def sleep():
    time.sleep(HANG_S)


def blocked_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=HANG_S)


def swallows():
    end = time.monotonic() + HANG_S
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            spin(0.01)


async def async_sleep():
    await asyncio.sleep(HANG_S)


async def async_wait():
    await asyncio.Event().wait()


async def async_swallows():
    end = time.monotonic() + HANG_S
    while time.monotonic() < end:
        try:
            await asyncio.sleep(HANG_S)
        except asyncio.CancelledError:
            continue


async def async_spin():
    spin()


def slowly(*hangs):
    return [pytest.param(hang, marks=pytest.mark.slow) for hang in hangs]


HANGS = [spin, sleep, blocked_lock, swallows]
ASYNC_HANGS = [async_sleep, async_swallows, async_spin, *slowly(async_wait)]
ASYNC_SLOW = [async_wait, async_swallows, async_spin]
HANGS_ELSEWHERE = [spin, sleep, *slowly(blocked_lock, swallows)]


def hanging(hang, *, on_a_loop=False, **options):
    """A graph whose step hangs on "bad" and gives any other body back."""

    def hangs(x):
        if x == "bad":
            hang()
        return x

    async def hangs_async(x):
        if x == "bad":
            await hang()
        return x

    async def end(x):
        return x

    graph = Graph("g")
    step = hangs_async if asyncio.iscoroutinefunction(hang) else hangs
    graph.to(name="hangs", handler=step, **options)
    if on_a_loop:
        graph.add_step(name="end", handler=end)
    return graph


def goes_on(call):
    """Tell whether events go on; on a busy machine a good one may be late, too."""
    for _ in range(20):
        with contextlib.suppress(DeadlineError):
            return call() == "good"
    return False


def late(call, *, limit_s=LIMIT_S):
    """Tell what a call raised; it must raise in time."""
    began = time.monotonic()
    with pytest.raises(DeadlineError) as caught:
        call()
    took = time.monotonic() - began

    assert limit_s <= took < limit_s * 1.1 + SLACK_S
    return caught.value


def in_another_thread(call):
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()


def step_of(error):
    return error.step if isinstance(error, StepError) else None


@pytest.mark.parametrize("hang", HANGS)
def test_a_hanging_step_ends_in_the_main_thread(open_runner, hang):
    runner = open_runner(hanging(hang), timeout_s=LIMIT_S)

    assert step_of(late(lambda: runner.run("bad"))) == "hangs"
    assert goes_on(lambda: runner.run("good"))


@pytest.mark.parametrize("hang", HANGS_ELSEWHERE)
def test_a_hanging_step_ends_in_another_thread(open_runner, hang):
    runner = open_runner(hanging(hang), timeout_s=LIMIT_S)

    error = late(lambda: in_another_thread(lambda: runner.run("bad")))

    assert goes_on(lambda: in_another_thread(lambda: runner.run("good")))
    assert step_of(error) == "hangs"


@pytest.mark.parametrize("hang", [*HANGS_ELSEWHERE, *ASYNC_HANGS])
def test_a_hanging_step_ends_on_the_runners_loop(open_runner, hang):
    runner = open_runner(hanging(hang, on_a_loop=True), timeout_s=LIMIT_S)

    error = late(lambda: runner.run("bad"))

    assert goes_on(lambda: runner.run("good"))
    assert step_of(error) in ("hangs", None)


@pytest.mark.parametrize(
    "hang",
    [spin, async_sleep, *slowly(sleep, blocked_lock, swallows, *ASYNC_SLOW)],
)
def test_a_hanging_step_leaves_the_callers_loop_alone(open_runner, hang):
    runner = open_runner(hanging(hang, on_a_loop=True), timeout_s=LIMIT_S)
    ticks = itertools.count()

    async def calls():
        ticker = asyncio.create_task(ticking())
        try:
            with pytest.raises(DeadlineError):
                await runner.arun("bad")
            return next(ticks), await runner.arun("good")
        finally:
            ticker.cancel()

    async def ticking():
        while True:
            await asyncio.sleep(LIMIT_S / 20)
            next(ticks)

    ticked, answer = asyncio.run(calls())
    assert ticked > 2  # the loop went on while the step hung
    assert answer == "good"


@pytest.mark.parametrize("is_first", [True, False])  # later ones go a shorter way
@pytest.mark.parametrize(
    "hang", [spin, sleep, async_sleep, *slowly(blocked_lock, async_wait)]
)
def test_a_hanging_step_ends_on_a_loop_of_the_callers(open_runner, hang, is_first):
    graph = hanging(hang, on_a_loop=True)
    runner = open_runner(graph, timeout_s=LIMIT_S, own_loop=False)

    async def calls():
        if not is_first:
            await runner.arun("good")
        began = time.monotonic()
        with pytest.raises(DeadlineError) as caught:
            await runner.arun("bad")
        took = time.monotonic() - began
        return caught.value, took, await runner.arun("good")

    error, took, found = asyncio.run(calls())

    assert (step_of(error), found) == ("hangs", "good")
    assert took < LIMIT_S * 1.1 + SLACK_S


def test_each_loop_of_the_callers_is_watched(open_runner):
    graph = hanging(spin, on_a_loop=True)
    runner = open_runner(graph, timeout_s=LIMIT_S, own_loop=False)
    assert asyncio.run(runner.arun("good")) == "good"

    error = late(lambda: asyncio.run(runner.arun("bad")))

    assert step_of(error) == "hangs"


@pytest.mark.parametrize("hang", [sleep, async_sleep])
def test_neighbours_of_a_hanging_step_get_their_answers(open_runner, hang):
    blocking = hang is sleep
    graph = hanging(hang, on_a_loop=True, blocking=blocking)
    runner = open_runner(graph, timeout_s=0.5)

    async def all_at_once():
        bodies = ["bad", *range(50), "bad", *range(50)]
        calls = [runner.arun(body) for body in bodies]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(all_at_once())

    assert [x for x in found if not isinstance(x, DeadlineError)] == [*range(50)] * 2


def test_a_deadline_is_a_step_error_and_a_deadline_error(open_runner):
    error = late(lambda: open_runner(hanging(spin), timeout_s=LIMIT_S).run("bad"))

    assert isinstance(error, StepError)
    assert isinstance(error.__cause__, DeadlineError)
    assert "step 'hangs' failed" in str(error)
    assert "took longer than 0.12 s" in str(error)


@pytest.mark.parametrize("on_a_loop", [False, True], ids=["sync", "async"])
def test_a_late_event_is_answered_with_408(open_runner, on_a_loop):
    graph = hanging(sleep, on_a_loop=on_a_loop, blocking=on_a_loop)
    runner = open_runner(graph, timeout_s=LIMIT_S)

    assert runner.answer("bad", silent=True).status_code == 408


@pytest.mark.parametrize("on_a_loop", [False, True], ids=["sync", "async"])
def test_a_traced_late_event_is_answered_with_408(open_runner, on_a_loop):
    graph = hanging(spin, on_a_loop=on_a_loop)
    runner = open_runner(graph, timeout_s=LIMIT_S)

    assert runner.answer("bad", silent=True, traced=True).status_code == 408


def test_a_hanging_generator_ends(open_runner):
    def items(x):
        yield 1
        spin()
        yield 2

    graph = Graph("g")
    graph.to(name="items", handler=items)
    found = open_runner(graph, timeout_s=LIMIT_S).run(0)

    assert next(found) == 1
    assert step_of(late(lambda: next(found))) == "items"


@pytest.mark.parametrize("own_loop", [True, False])
def test_a_hanging_coroutine_generator_ends(open_runner, own_loop):
    async def items(x):
        yield 1
        await asyncio.sleep(HANG_S)

    graph = Graph("g")
    graph.to(name="items", handler=items)
    runner = open_runner(graph, timeout_s=LIMIT_S, own_loop=own_loop)

    async def read():
        found = await runner.arun(0)
        first = await anext(found)
        with pytest.raises(DeadlineError) as caught:
            await anext(found)
        return first, step_of(caught.value)

    assert asyncio.run(read()) == (1, "items")


def test_the_limit_of_an_outer_runner_is_its_own(open_runner):
    inner = open_runner(hanging(spin), timeout_s=5.0)
    graph = Graph("outer")
    graph.to(name="asks", handler=inner.run)
    outer = open_runner(graph, timeout_s=LIMIT_S)

    assert step_of(late(lambda: outer.run("bad"))) == "asks"
    assert inner.run("good") == "good"


def test_the_limit_of_an_inner_runner_fails_the_outer_step(open_runner):
    inner = open_runner(hanging(spin), timeout_s=LIMIT_S)
    graph = Graph("outer")
    graph.to(name="asks", handler=inner.run)
    outer = open_runner(graph, timeout_s=5.0)

    with pytest.raises(StepError) as caught:
        outer.run("bad")

    assert caught.value.step == "asks"
    assert caught.value.__cause__.step == "hangs"


def test_a_limit_of_none_never_ends_an_event(open_runner):
    def slow(x):
        time.sleep(0.05)
        return x

    graph = Graph("g")
    graph.to(name="slow", handler=slow)

    assert open_runner(graph, timeout_s=None).run(1) == 1


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "3", True])
def test_a_limit_that_is_no_time_is_refused(limit):
    from jupyter_graph import Runner

    with pytest.raises(RunError, match="timeout_s must be above 0 seconds"):
        Runner(hanging(spin), timeout_s=limit)


def test_a_thread_that_is_left_behind_is_counted_and_named(open_runner, caplog):
    caplog.set_level(logging.WARNING, "jupyter_graph")
    runner = open_runner(hanging(sleep), timeout_s=LIMIT_S)

    late(lambda: in_another_thread(lambda: runner.run("bad")))

    assert pool.left_behind >= 1
    assert "left behind" in caplog.text
    assert "jupyter_graph-step" in caplog.text


def test_a_thread_that_comes_back_ends():
    threads = StepThreads()
    outcome, worker = threads.submit(spin)

    assert threads.wait(0.02, outcome, worker) == ""
    worker.thread.join(5)
    assert not worker.thread.is_alive()
    assert threads.left_behind == 0


def test_an_answer_at_the_last_moment_is_an_answer_or_a_deadline(open_runner):
    async def as_long_as_it_may(x):
        await asyncio.sleep(LIMIT_S * (1 + x / 200))
        return x

    graph = Graph("g")
    graph.to(name="a", handler=as_long_as_it_may)
    runner = open_runner(graph, timeout_s=LIMIT_S)

    async def all_at_once():
        calls = [runner.arun(x) for x in range(-20, 40)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(all_at_once())

    assert all(isinstance(x, int | DeadlineError) for x in found)


def test_a_thread_that_ends_just_in_time_works_on():
    threads = StepThreads()
    found = [threads.run(5, lambda number=number: number) for number in range(100)]

    assert found == list(range(100))
    assert threads.left_behind == 0


# -- the signal -----------------------------------------------------------------


@pytest.fixture
def users_handler():
    calls = []
    old = signal.signal(SIGNAL, lambda *_: calls.append("user"))
    yield calls
    signal.signal(SIGNAL, old)


@pytest.mark.alone
def test_the_users_signal_handler_is_back_after_close(open_runner, users_handler):
    mine = signal.getsignal(SIGNAL)
    runner = open_runner(hanging(spin), timeout_s=LIMIT_S)
    late(lambda: runner.run("bad"))
    runner.close()

    assert signal.getsignal(SIGNAL) is mine
    assert users_handler == []


def test_the_users_signal_still_reaches_his_handler(open_runner, users_handler):
    open_runner(hanging(spin))
    signal.raise_signal(SIGNAL)

    assert users_handler == ["user"]


def test_a_handler_set_meanwhile_is_kept(open_runner, users_handler):
    runner = open_runner(hanging(spin))
    signal.signal(SIGNAL, newer := lambda *_: None)
    runner.close()

    assert signal.getsignal(SIGNAL) is newer


@pytest.mark.alone
def test_a_runner_closed_elsewhere_gives_the_signal_back_later(
    open_runner, users_handler
):
    mine = signal.getsignal(SIGNAL)
    in_another_thread(open_runner(hanging(spin)).close)
    open_runner(hanging(spin)).close()

    assert signal.getsignal(SIGNAL) is mine
