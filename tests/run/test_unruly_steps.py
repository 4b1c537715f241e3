"""Steps that cancel, stop the loop, or raise errors that cannot be looked at."""

import asyncio
import sys

import pytest

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.errors import RunError, StepError, said


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Exits(Exception):
    def __str__(self):
        sys.exit(7)

    __repr__ = __str__


class Interrupts(Exception):
    def __str__(self):
        raise KeyboardInterrupt

    __repr__ = __str__


class OwnBase(BaseException):
    pass


class Ends(Exception):
    def __str__(self):
        raise OwnBase

    __repr__ = __str__


def raising(kind):
    def act():
        raise kind

    return act


def stop_the_loop():
    asyncio.get_running_loop().stop()


def cancel_the_task():
    asyncio.current_task().cancel()


async def wait_for_a_cancelled_task():
    task = asyncio.ensure_future(asyncio.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await task


def cancel_and_raise():
    asyncio.current_task().cancel()
    raise ValueError("and more")


PLAIN = [
    pytest.param(raising(asyncio.CancelledError), id="cancelled"),
    pytest.param(raising(Mute), id="mute"),
    pytest.param(raising(Exits), id="exits"),
    pytest.param(raising(Interrupts), id="interrupts"),
    pytest.param(raising(Ends), id="ends"),
]
ON_LOOP = [
    *PLAIN,
    pytest.param(stop_the_loop, id="stop"),
    pytest.param(cancel_the_task, id="cancel"),
    pytest.param(wait_for_a_cancelled_task, id="waits-for-cancelled"),
    pytest.param(cancel_and_raise, id="cancel-and-raise"),
]


def unruly(act, **options):
    def step(body):
        if body == "bad":
            act()
        return body

    graph = Graph("unruly")
    graph.to(name="it", handler=step, **options).respond()
    return graph


def unruly_later(act, *, waits=True, **options):
    async def step(body):
        await asyncio.sleep(0)
        if body == "bad":
            found = act()
            if found is not None:
                await found
            if waits:
                await asyncio.sleep(0)
        return body

    graph = Graph("unruly")
    graph.to(name="it", handler=step, **options).respond()
    return graph


GRAPHS = [
    *[pytest.param(unruly(one.values[0]), id=f"sync-{one.id}") for one in PLAIN],
    *[pytest.param(unruly_later(one.values[0]), id=one.id) for one in ON_LOOP],
    *[
        pytest.param(unruly_later(one.values[0], waits=False), id=f"{one.id}-at-once")
        for one in ON_LOOP
    ],
]
ROWS = ["a", "bad", "b", "bad", "c"]


@pytest.mark.parametrize("graph", GRAPHS)
def test_that_event_fails_and_no_other(open_runner, graph):
    runner = open_runner(graph)

    for _ in range(2):
        with pytest.raises(RunError) as caught:
            runner.run("bad")
        assert runner.run("good") == "good"

    assert str(caught.value)
    assert runner.answer("bad", silent=True).status_code == 500


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_batch_run_loses_no_other_row(open_runner, graph):
    result = open_runner(graph).run_batch(ROWS)

    assert [error.row for error in result.errors] == [1, 3]
    assert result.frame.iloc[:, 0].tolist() == ["a", "b", "c"]
    assert result.frame.index.tolist() == [0, 2, 4]


@pytest.mark.parametrize("graph", GRAPHS)
def test_events_sent_without_waiting_all_end(open_runner, graph):
    told = []
    runner = open_runner(graph, push_error=lambda *about: told.append(about))

    for body in ROWS:
        runner.emit(body)

    assert runner.wait_for_completion(10)
    assert runner.run("good") == "good"


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_mock_server_goes_on(graph):
    with MockServer(graph) as server:
        found = server.test(body="bad", silent=True, get_body=False)
        assert server.test(body="good") == "good"

    assert found.status_code == 500


@pytest.mark.parametrize("graph", GRAPHS)
def test_coroutines_beside_it_get_their_answers(graph):
    async def main():
        async with Runner(graph, timeout_s=10) as runner:
            calls = map(runner.arun, ROWS)
            found = await asyncio.gather(*calls, return_exceptions=True)
            return found, await runner.arun("good")

    found, last = asyncio.run(main())

    assert [one for one in found if isinstance(one, str)] == ["a", "b", "c"]
    assert last == "good"


def test_a_batched_step_that_raises_cancelled_error_fails_its_own_caller(open_runner):
    def step(bodies):
        if "bad" in bodies:
            raise asyncio.CancelledError
        return bodies

    graph = Graph("batched")
    graph.to(name="it", handler=step, batch=5, batch_wait_ms=50).respond()

    result = open_runner(graph).run_batch(ROWS)

    assert [error.row for error in result.errors] == [1, 3]


def test_the_error_says_what_a_step_may_not(open_runner):
    runner = open_runner(unruly_later(stop_the_loop))

    with pytest.raises(StepError, match="a step may not stop the event loop") as caught:
        runner.run("bad")

    assert caught.value.step == "it"


def test_a_callers_loop_can_be_stopped_by_himself():
    async def main():
        async with Runner(unruly_later(stop_the_loop)) as runner:
            assert await runner.arun("good") == "good"
        asyncio.get_running_loop().stop()
        await asyncio.sleep(5)

    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        asyncio.run(main())


@pytest.mark.parametrize("kind", [Mute, Exits, Interrupts, Ends])
def test_every_error_has_a_text(kind):
    assert said(kind()).startswith(f"{kind.__name__}: (its text could not be made: ")


def test_the_users_stop_is_no_broken_text():
    import signal

    class Slow(Exception):
        def __str__(self):
            signal.raise_signal(signal.SIGINT)
            return "text"

    with pytest.raises(KeyboardInterrupt):
        said(Slow())
