"""A step's own limits: time for each attempt, retries, a thread of its own."""

import asyncio
import threading
import time
from contextvars import ContextVar

import pytest

from jupyter_graph import Graph, Runner, StepError
from jupyter_graph.errors import BadRequestError, DeadlineError, SpecError
from jupyter_graph.run.step_limits import waits
from jupyter_graph.spec.model import StepSpec

pytestmark = pytest.mark.slow
USER = ContextVar("user", default="nobody")


async def end(x):
    return x


def one_step(step, *, on_a_loop=False, **options):
    graph = Graph("g")
    graph.to(name="a", handler=step, **options)
    if on_a_loop:
        graph.add_step(name="end", handler=end)
    return graph


class Flaky:
    """Fails the first times."""

    def __init__(self, times, error=ConnectionError):
        self.left, self.calls, self.error = times, 0, error

    def sync(self, x):
        self.calls += 1
        if self.calls <= self.left:
            raise self.error(f"attempt {self.calls}")
        return x

    async def coroutine(self, x):
        await asyncio.sleep(0)
        return self.sync(x)


WAYS = [
    pytest.param("sync", {}, id="sync"),
    pytest.param("sync", {"on_a_loop": True}, id="sync-on-a-loop"),
    pytest.param("sync", {"on_a_loop": True, "blocking": True}, id="blocking"),
    pytest.param("sync", {"timeout_s": 5.0}, id="timed"),
    pytest.param("sync", {"on_a_loop": True, "timeout_s": 5.0}, id="timed-on-a-loop"),
    pytest.param("coroutine", {}, id="coroutine"),
    pytest.param("coroutine", {"timeout_s": 5.0}, id="timed-coroutine"),
]


@pytest.mark.parametrize(("kind", "options"), WAYS)
def test_a_step_is_tried_again_until_it_works(open_runner, kind, options):
    flaky = Flaky(2)
    graph = one_step(getattr(flaky, kind), retries=2, backoff_s=0.001, **options)

    assert open_runner(graph).run("x") == "x"
    assert flaky.calls == 3


@pytest.mark.parametrize(("kind", "options"), WAYS)
def test_the_last_attempts_error_is_the_steps(open_runner, kind, options):
    flaky = Flaky(9)
    graph = one_step(getattr(flaky, kind), retries=2, backoff_s=0.001, **options)

    with pytest.raises(StepError, match=r"step 'a' failed.*attempt 3"):
        open_runner(graph).run("x")


@pytest.mark.parametrize(("kind", "options"), WAYS)
@pytest.mark.parametrize("error", [BadRequestError, SystemExit, asyncio.CancelledError])
def test_what_no_attempt_can_mend_is_not_tried_again(open_runner, kind, options, error):
    flaky = Flaky(9, error)
    graph = one_step(getattr(flaky, kind), retries=2, backoff_s=0.001, **options)

    with pytest.raises(StepError, match="step 'a' failed"):
        open_runner(graph).run("x")

    assert flaky.calls == 1


def test_the_pauses_between_attempts_double():
    step = StepSpec(name="a", retries=4, backoff_s=0.5)

    assert waits(step) == [0.5, 1.0, 2.0, 4.0]


def test_the_error_handler_comes_after_the_last_attempt(open_runner):
    flaky = Flaky(9)
    graph = one_step(flaky.sync, retries=2, backoff_s=0.001)
    graph.error_handler("catch", handler=lambda x: "caught", step="a")

    assert open_runner(graph).run("x") == "caught"
    assert flaky.calls == 3


@pytest.mark.parametrize("blocking", [False, True])
def test_pauses_leave_the_loop_to_others(open_runner, blocking):
    flaky = Flaky(1)
    graph = one_step(
        lambda x: flaky.sync(x) if x == "bad" else x,
        on_a_loop=True, retries=1, backoff_s=0.3, blocking=blocking,
    )  # fmt: skip
    runner = open_runner(graph)

    async def both():
        slow = asyncio.create_task(runner.arun("bad"))
        await asyncio.sleep(0.05)
        found = await runner.arun("good")
        return found, slow.done(), await slow

    assert asyncio.run(both()) == ("good", False, "bad")


def hangs(x):
    if x == "bad":
        time.sleep(0.5)
    return x


async def hangs_async(x):
    if x == "bad":
        await asyncio.sleep(0.5)
    return x


@pytest.mark.parametrize(
    ("step", "options"),
    [
        pytest.param(hangs, {}, id="sync"),
        pytest.param(hangs, {"on_a_loop": True}, id="sync-on-a-loop"),
        pytest.param(hangs, {"on_a_loop": True, "blocking": True}, id="blocking"),
        pytest.param(hangs_async, {}, id="coroutine"),
    ],
)
def test_a_steps_own_limit_fails_the_step(open_runner, step, options):
    runner = open_runner(one_step(step, timeout_s=0.1, **options))
    began = time.monotonic()

    with pytest.raises(StepError, match=r"took longer than 0.1 s") as caught:
        runner.run("bad")

    assert time.monotonic() - began < 0.4
    assert isinstance(caught.value.__cause__, DeadlineError)
    assert caught.value.step == "a"
    assert runner.run("good") == "good"
    assert runner.answer("bad", silent=True).status_code == 408


def test_each_attempt_has_the_whole_limit(open_runner):
    calls = []

    def slow_at_first(x):
        calls.append(x)
        if len(calls) < 3:
            time.sleep(0.3)
        return x

    graph = one_step(
        slow_at_first, on_a_loop=True, blocking=True, retries=2, backoff_s=0.001,
        timeout_s=0.1,
    )  # fmt: skip

    assert open_runner(graph).run("x") == "x"
    assert len(calls) == 3


def test_a_late_step_may_have_an_error_handler(open_runner):
    graph = one_step(hangs, timeout_s=0.05)
    graph.error_handler("catch", handler=lambda x: "caught", step="a")

    assert open_runner(graph).run("bad") == "caught"


def test_an_error_handler_is_limited_itself(open_runner):
    graph = one_step(Flaky(9).sync)
    graph.error_handler("catch", handler=hangs, step="a", timeout_s=0.05)

    with pytest.raises(StepError, match=r"step 'catch' failed.*took longer than 0.05"):
        open_runner(graph).run("bad")


def test_a_blocking_step_leaves_the_loop_to_others(open_runner):
    runner = open_runner(one_step(hangs, on_a_loop=True, blocking=True))

    async def both():
        slow = asyncio.create_task(runner.arun("bad"))
        found = [await runner.arun("good") for _ in range(3)]
        return found, slow.done(), await slow

    assert asyncio.run(both()) == (["good"] * 3, False, "bad")


@pytest.mark.parametrize("options", [{"blocking": True}, {"timeout_s": 5.0}])
def test_a_step_in_a_thread_sees_the_callers_context(open_runner, options):
    graph = one_step(lambda x: USER.get(), **options)
    runner = open_runner(graph)
    token = USER.set("ann")
    try:
        assert runner.run(1) == "ann"
    finally:
        USER.reset(token)


@pytest.mark.parametrize("timeout_s", [1.0, 30.0])
@pytest.mark.parametrize("own_loop", [True, False])
def test_a_step_that_keeps_the_loop_is_named_once(
    open_runner, caplog, timeout_s, own_loop
):
    done = threading.Event()

    def keeps(x):
        done.wait(0.3)
        return x

    graph = one_step(keeps, on_a_loop=True)
    runner = open_runner(graph, timeout_s=timeout_s, own_loop=own_loop)

    async def both():
        return [await runner.arun(x) for x in "xy"]

    assert asyncio.run(both()) == ["x", "y"]
    assert caplog.text.count("step 'a' keeps the loop to itself") == 1


def test_a_step_after_a_rest_is_named_too(open_runner, caplog):
    def keeps(x):
        time.sleep(x)
        return x

    runner = open_runner(one_step(keeps, on_a_loop=True))
    runner.run(0)
    heartbeat = runner._dispatcher.tasks().thread._heartbeat
    while not heartbeat.rests:
        time.sleep(0.05)
    runner.run(0.3)

    assert "step 'a' keeps the loop to itself" in caplog.text


def test_many_short_steps_one_after_the_other_are_not_named(open_runner, caplog):
    def short(x):
        time.sleep(0.004)
        return x

    async def many(runner):
        return await asyncio.gather(*map(runner.arun, range(100)))

    def is_quiet():
        caplog.clear()
        runner = open_runner(one_step(short, on_a_loop=True))
        assert asyncio.run(many(runner)) == list(range(100))
        return caplog.text == ""

    assert any(is_quiet() for _ in range(5))  # a busy machine may stop in a step


@pytest.mark.parametrize(
    "options", [{"retries": 1}, {"timeout_s": 1.0}, {"blocking": True}]
)
def test_limits_that_would_mean_nothing_are_refused(open_runner, options):
    def items(x):
        yield x

    [name] = options
    graph = one_step(items, **options)

    with pytest.raises(SpecError, match=f"'a' is a generator, which takes no {name}"):
        open_runner(graph)


def test_a_blocking_coroutine_is_refused(open_runner):
    with pytest.raises(SpecError, match="'a' is a coroutine, which takes no blocking"):
        open_runner(one_step(hangs_async, blocking=True))


def test_a_route_may_have_limits(open_runner):
    flaky = Flaky(2)
    graph = Graph("g", topology="router")
    graph.add_route("m", handler=lambda body: flaky.sync(body["x"]))
    route = StepSpec(
        name="m", handler="flaky", retries=2, backoff_s=0.001, blocking=True
    )
    graph.put_route("router", route, lambda body: flaky.sync(body["x"]))
    graph.add_route("other", handler=end)

    assert open_runner(graph).run({"x": 1}) == 1
    assert flaky.calls == 3


def test_blocking_steps_wait_side_by_side_in_a_graph_without_coroutines():
    meeting = threading.Barrier(4, timeout=10)

    def waits(body):
        meeting.wait()
        return body

    graph = Graph("g")
    graph.to(name="waits", handler=waits, blocking=True).respond()

    async def four():
        async with Runner(graph) as runner:
            return await asyncio.gather(*(runner.arun(n) for n in range(4)))

    assert asyncio.run(four()) == [0, 1, 2, 3]


def test_a_blocking_step_may_have_a_loop_of_its_own():
    async def more(body):
        return body + 1

    def fetch(body):
        return asyncio.run(more(body))

    graph = Graph("g")
    graph.to(name="fetch", handler=fetch, blocking=True).respond()

    async def one():
        async with Runner(graph) as runner:
            return await runner.arun(1)

    assert asyncio.run(one()) == 2
    with Runner(graph) as runner:
        assert runner.run(1) == 2
