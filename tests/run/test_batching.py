"""Micro-batching: each caller gets his own answer, whatever his neighbours do."""

import asyncio
import threading

import pytest

from jupyter_graph import Graph, StepError, validate
from jupyter_graph.errors import SpecError


def batched(handler, **options):
    graph = Graph("g")
    options = {"batch": 8, "batch_wait_ms": 5, **options}
    graph.to(name="model", handler=handler, **options).respond()
    return graph


def double(bodies):
    return [2 * body for body in bodies]


def fails_on_bad(bodies):
    if "bad" in bodies:
        raise ValueError("a bad one")
    return [body * 2 for body in bodies]


async def asked(runner, bodies):
    return await asyncio.gather(
        *(runner.arun(body) for body in bodies), return_exceptions=True
    )


@pytest.mark.parametrize("blocking", [False, True], ids=["inline", "in-a-thread"])
def test_concurrent_callers_share_calls(open_runner, blocking):
    sizes = []

    def note(bodies):
        sizes.append(len(bodies))
        return double(bodies)

    runner = open_runner(batched(note, blocking=blocking))

    assert asyncio.run(asked(runner, range(100))) == [2 * n for n in range(100)]
    assert max(sizes) == 8
    assert len(sizes) < 30


def test_a_coroutine_is_batched_too(open_runner):
    async def slow(bodies):
        await asyncio.sleep(0.001)
        return double(bodies)

    runner = open_runner(batched(slow))

    assert asyncio.run(asked(runner, range(20))) == [2 * n for n in range(20)]


def test_a_bad_body_fails_its_own_caller_only(open_runner):
    runner = open_runner(batched(fails_on_bad))

    found = asyncio.run(asked(runner, ["a", "bad", "b", "c"]))

    assert [found[0], *found[2:]] == ["aa", "bb", "cc"]
    assert isinstance(found[1], StepError)
    assert found[1].step == "model"


def test_a_caller_alone_waits_no_longer_than_he_may(run_graph):
    assert run_graph(batched(double), [21]) == [42]


def test_threads_share_a_batch(open_runner):
    runner = open_runner(batched(double))
    found: dict[int, int] = {}

    def call(number):
        found[number] = runner.run(number)

    threads = [threading.Thread(target=call, args=[n]) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {n: 2 * n for n in range(16)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(lambda bodies: bodies[:-1], "it gave 1 results", id="too-few"),
        pytest.param(lambda bodies: None, "it gave a NoneType", id="nothing"),
        pytest.param(lambda bodies: "ab", "it gave 2 results", id="text"),
    ],
)
def test_a_wrong_number_of_results_is_the_steps_failure(open_runner, given, said):
    runner = open_runner(batched(given))

    found = asyncio.run(asked(runner, [1, 2]))

    assert all(isinstance(one, StepError) for one in found)
    assert said in str(found[0]) or "it gave" in str(found[0])


def test_a_retry_runs_in_a_batch_of_its_own(open_runner):
    calls = []

    def fails_once(bodies):
        calls.append(list(bodies))
        if len(calls) == 1:
            raise ConnectionError("not yet")
        return double(bodies)

    runner = open_runner(batched(fails_once, retries=1, backoff_s=0.01))

    assert runner.run(4) == 8
    assert calls == [[4], [4]]


def test_a_batch_of_zero_is_refused():
    with pytest.raises(SpecError, match="batch of step 'model' must be a whole number"):
        validate(batched(double, batch=0))


def test_finding_a_bad_body_takes_few_calls(open_runner):
    sizes = []

    def note(bodies):
        sizes.append(len(bodies))
        return fails_on_bad(bodies)

    runner = open_runner(batched(note, batch=64, batch_wait_ms=50))
    asyncio.run(asked(runner, ["bad", *"a" * 63]))

    assert sizes == [64, 32, 16, 8, 4, 2, 1, 1, 2, 4, 8, 16, 32]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ten_thousand_callers_get_their_own_answers(open_runner):
    """1 % send a bad body, 1 % give up."""
    runner = open_runner(batched(picky, batch=64), timeout_s=60.0)

    async def main():
        tasks = [asyncio.create_task(runner.arun(n)) for n in range(10_000)]
        await asyncio.sleep(0)
        for task in tasks[50::100]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(main())

    for number, one in enumerate(found):
        if number % 100 == 50:
            assert isinstance(one, asyncio.CancelledError)
        elif number % 100 == 7:
            assert isinstance(one, StepError)
        else:
            assert one == (number, number**2)


def picky(bodies):
    if any(body % 100 == 7 for body in bodies):
        raise ValueError("a bad one")
    return [(body, body**2) for body in bodies]


@pytest.mark.parametrize("is_async", [False, True], ids=["thread", "coroutine"])
def test_a_step_runs_no_more_often_at_once_than_it_may(open_runner, is_async):
    inside, most = [0], [0]

    async def work(body):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        await asyncio.sleep(0.005)
        inside[0] -= 1
        return body

    def work_in_thread(body):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.005)
        with lock:
            inside[0] -= 1
        return body

    lock = threading.Lock()
    graph = Graph("g")
    handler = work if is_async else work_in_thread
    graph.to(name="a", handler=handler, concurrency=3, blocking=not is_async).respond()
    runner = open_runner(graph)

    assert asyncio.run(asked(runner, range(20))) == list(range(20))
    assert most == [3] or (not is_async and most[0] <= 3)
