"""The limits of time that the events on one loop share."""

import asyncio

import pytest

from jupyter_graph import Graph, Runner, StepError
from jupyter_graph.run.aio.event_slots import DeadlineWheel

LIMIT_S = 0.05
LONG_S = 30.0


async def worked(deadlines, work):
    """Do some work within its time; tell whether that was up."""
    place = deadlines.add(asyncio.current_task())
    try:
        await work
    except asyncio.CancelledError:
        return deadlines.discard(*place)
    return deadlines.discard(*place)


def test_work_ends_when_its_time_is_up_and_other_work_does_not():
    async def both():
        short, long = DeadlineWheel(LIMIT_S), DeadlineWheel(LONG_S)
        late = worked(short, asyncio.sleep(LONG_S))
        return await asyncio.gather(late, worked(long, asyncio.sleep(3 * LIMIT_S)))

    assert asyncio.run(both()) == [True, False]


def test_the_task_may_go_on_after_its_work_was_late():
    async def one():
        is_late = await worked(DeadlineWheel(LIMIT_S), asyncio.sleep(LONG_S))
        await asyncio.sleep(0)
        return is_late, asyncio.current_task().cancelling()

    assert asyncio.run(one()) == (True, 0)


def test_a_task_that_takes_no_notice_is_told_again():
    told = []

    async def stubborn():
        while len(told) < 3:
            try:
                await asyncio.sleep(LONG_S)
            except asyncio.CancelledError:
                told.append(asyncio.current_task().cancelling())

    async def one():
        is_late = await worked(DeadlineWheel(LIMIT_S), stubborn())
        return is_late, asyncio.current_task().cancelling()

    assert asyncio.run(one()) == (True, 0)
    assert told == [1, 2, 3]


def test_who_was_cancelled_by_somebody_else_was_not_late():
    async def one():
        task = asyncio.create_task(worked(DeadlineWheel(LONG_S), asyncio.sleep(LONG_S)))
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert asyncio.run(one()) is False


def test_who_was_also_cancelled_by_somebody_else_stays_cancelled():
    async def one():
        deadlines = DeadlineWheel(LIMIT_S)
        task = asyncio.current_task()
        place = deadlines.add(task)
        asyncio.get_running_loop().call_later(LIMIT_S / 2, task.cancel)
        for _ in range(2):
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(LONG_S)
        return deadlines.discard(*place), task.cancelling()

    assert asyncio.run(one()) == (False, 1)


def test_the_timer_sleeps_when_there_is_no_work():
    async def one():
        deadlines = DeadlineWheel(LIMIT_S)
        await worked(deadlines, asyncio.sleep(0))
        was_ticking = deadlines.is_ticking
        await asyncio.sleep(5 * deadlines.tick_s)
        return (
            was_ticking,
            deadlines.is_ticking,
            await worked(deadlines, asyncio.sleep(LONG_S)),
        )

    assert asyncio.run(one()) == (True, False, True)


def chain_of(handler):
    graph = Graph("g")
    graph.to(name="wait", handler=handler).respond()
    return graph


def test_an_event_inside_an_event_of_the_same_task_has_its_own_time():
    async def slow(body):
        await asyncio.sleep(LONG_S)

    async def asks(body):
        try:
            return await inner.arun(body)
        except StepError as error:
            return type(error).__name__

    inner = Runner(chain_of(slow), own_loop=False, timeout_s=LIMIT_S)
    outer = Runner(chain_of(asks), own_loop=False, timeout_s=LONG_S)

    async def events():
        return [await outer.arun(number) for number in range(3)]

    with inner, outer:
        assert asyncio.run(events()) == ["StepDeadlineError"] * 3


def test_a_graph_that_asks_itself_takes_a_seat_for_each_event():
    async def counts(body):
        return body if body == 0 else 1 + await runner.arun(body - 1)

    runner = Runner(chain_of(counts), own_loop=False)

    async def events():
        return [await runner.arun(number) for number in (5, 5, 5)]

    with runner:
        assert asyncio.run(events()) == [5, 5, 5]


def test_a_swap_to_a_graph_that_streams_is_taken_on_the_same_loop():
    async def one(body):
        return body

    async def two(body):
        yield body
        yield body + 1

    async def events():
        before = [await runner.arun(1), await runner.arun(2)]
        runner.swap(chain_of(two))
        stream = await runner.arun(1)
        items = [item async for item in stream]
        runner.swap(chain_of(one))
        return before, items, await runner.arun(3)

    with Runner(chain_of(one), own_loop=False) as runner:
        assert asyncio.run(events()) == ([1, 2], [1, 2], 3)


def test_each_loop_that_events_come_from_has_its_limits():
    async def waits(seconds):
        await asyncio.sleep(seconds)
        return "done"

    async def events():
        answers = [await runner.arun(0), await runner.arun(0)]
        with pytest.raises(StepError, match="longer than"):
            await runner.arun(LONG_S)
        return answers

    with Runner(chain_of(waits), own_loop=False, timeout_s=LIMIT_S) as runner:
        for _ in range(2):
            assert asyncio.run(events()) == ["done", "done"]
