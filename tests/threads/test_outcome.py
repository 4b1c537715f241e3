"""What a piece of work gives, for those who wait in threads and on loops."""

import asyncio
import threading
import time

import pytest

from jupyter_graph.errors import ClosedError
from jupyter_graph.threads.outcome import Outcome, Task


@pytest.mark.parametrize("count", [1, 50])
def test_all_who_wait_go_on(count):
    outcome, found = Outcome(), []
    waiting = [
        threading.Thread(target=lambda: found.append(outcome.wait(10)))
        for _ in range(count)
    ]
    for thread in waiting:
        thread.start()
    outcome.settle(3)
    for thread in waiting:
        thread.join(10)

    assert found == [True] * count
    assert outcome.result() == 3


def test_a_wait_has_an_end():
    outcome = Outcome()
    began = time.monotonic()

    assert not outcome.wait(0.05)
    assert time.monotonic() - began >= 0.05
    with pytest.raises(TimeoutError):
        outcome.result(0.01)


@pytest.mark.parametrize("error", [StopIteration(1), SystemExit(3), KeyError("a")])
def test_any_error_comes_out(error):
    outcome = Outcome()
    outcome.settle(None, error)

    with pytest.raises(type(error)):
        outcome.result()


def test_calls_are_made_once_each_before_and_after_the_end():
    outcome, calls = Outcome(), []
    outcome.on_done(lambda: calls.append("before"))
    outcome.settle(None)
    outcome.on_done(lambda: calls.append("after"))

    assert calls == ["before", "after"]


def test_a_loop_goes_on_while_it_waits():
    task = Task()

    async def main():
        threading.Timer(0.05, task.settle, [7]).start()
        ticks = asyncio.create_task(asyncio.sleep(0.01, "ticked"))
        return await task.awaited(), ticks.done()

    assert asyncio.run(main()) == (7, True)


def test_a_caller_who_gives_up_on_a_loop_cancels_what_has_not_begun():
    task = Task()

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await task.awaited()

    asyncio.run(main())

    assert task.is_cancelled
    assert not task.begin()
    with pytest.raises(ClosedError):
        task.result()


def test_of_many_who_begin_or_cancel_one_wins():
    for _ in range(200):
        task, won = Task(), []
        gate = threading.Barrier(4)

        def act(call, task=task, gate=gate, won=won):
            gate.wait(5)
            won.append(call(task))

        calls = [Task.begin, Task.cancel] * 2
        threads = [threading.Thread(target=act, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

        assert won.count(True) == (2 if task.is_cancelled else 1)
