"""Callers on one loop, their work on another one."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from itertools import chain

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.errors import ClosedError
from jupyter_graph.run.aio.loop_bridge import LoopBridge
from jupyter_graph.run.aio.loop_thread import LoopThread

LIMIT_S = 10.0
USER = ContextVar("USER", default="nobody")


@pytest.fixture
def thread():
    thread = LoopThread(LIMIT_S, lambda: (0, 0))
    yield thread
    thread.close()


async def bridge_to(thread):
    return LoopBridge(asyncio.get_running_loop(), thread.loop, LIMIT_S)


async def told(x):
    await asyncio.sleep(0)
    if x == "bad":
        raise ValueError("a bad one")
    return x, threading.current_thread().name


def test_work_is_done_over_there_and_each_caller_gets_his_own(thread):
    async def many():
        bridge = await bridge_to(thread)
        sent = [bridge.send(told(n)) for n in (*range(1000), "bad")]
        return await asyncio.gather(*sent, return_exceptions=True)

    *found, error = asyncio.run(many())
    assert found == [(n, "jupyter_graph-loop") for n in range(1000)]
    assert repr(error) == "ValueError('a bad one')"


def test_many_go_over_by_one_call(thread, monkeypatch):
    calls = []
    call = thread.loop.call_soon_threadsafe
    is_busy, may_go_on = threading.Event(), threading.Event()

    def be_busy():
        is_busy.set()
        may_go_on.wait(10)

    def counted(*args):
        if args[0].__name__ == "_begin":  # not the heartbeat
            calls.append(args)
        return call(*args)

    async def many():
        bridge = await bridge_to(thread)
        call(be_busy)
        assert is_busy.wait(10)
        sent = [bridge.send(told(n)) for n in range(100)]
        may_go_on.set()
        return await asyncio.gather(*sent)

    monkeypatch.setattr(thread.loop, "call_soon_threadsafe", counted)
    assert len(asyncio.run(many())) == 100
    assert len(calls) == 1


def test_each_piece_of_work_has_the_context_of_its_caller(thread):
    async def user():
        return USER.get()

    async def as_user(bridge, name):
        USER.set(name)
        return await bridge.send(user())

    async def both():
        bridge = await bridge_to(thread)
        return await asyncio.gather(as_user(bridge, "ann"), as_user(bridge, "bob"))

    assert asyncio.run(both()) == ["ann", "bob"]


def test_work_that_nobody_waits_for_is_cancelled(thread):
    ended = threading.Event()

    async def waits():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.set()
            raise

    async def two():
        bridge = await bridge_to(thread)
        unwanted, other = bridge.send(waits()), bridge.send(told(1))
        await other
        bridge.cancel(unwanted)
        return await asyncio.to_thread(ended.wait, 5)

    assert asyncio.run(two())


def test_callers_whose_loop_has_ended_leave_no_trace(thread):
    goes_on = threading.Event()

    async def waits():
        await asyncio.to_thread(goes_on.wait, 5)

    async def leave():
        (await bridge_to(thread)).send(waits())
        await asyncio.sleep(0.05)

    asyncio.run(leave())
    goes_on.set()

    assert thread.start(told(1)).result(5)[0] == 1


def test_callers_are_told_when_the_runner_is_closed_under_them():
    async def waits(_):
        await asyncio.sleep(30)

    graph = Graph("g")
    graph.to(name="waits", handler=waits)

    async def closed():
        runner = Runner(graph).open()
        calls = [asyncio.create_task(runner.arun(n)) for n in range(3)]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(runner.close)
        found = await asyncio.gather(*calls, return_exceptions=True)
        with pytest.raises(ClosedError):
            await runner.arun(1)
        return found

    found = asyncio.run(closed())
    assert [type(error) for error in found] == [ClosedError] * 3


def test_what_is_sent_after_the_end_is_refused():
    there = asyncio.new_event_loop()

    async def send_three():
        bridge = LoopBridge(asyncio.get_running_loop(), there, LIMIT_S)
        first = bridge.send(told(1))
        there.close()  # before its turn came
        bridge.end()
        for late in (told(2), told(3)):
            with pytest.raises(RuntimeError, match="closed"):
                bridge.send(late)
            late.close()
        await asyncio.sleep(0)
        return first.cancelled()

    assert asyncio.run(send_three())


@pytest.mark.parametrize("own_loop", [True, False])
def test_callers_on_the_loops_of_many_threads_are_answered(own_loop):
    graph = Graph("many", topology="flow")
    graph.add_step(name="told", handler=told, after=[])

    async def some(runner, start):
        return await asyncio.gather(*(runner.arun(start + n) for n in range(3)))

    def call(runner, start):  # a new loop for three events, so that loops come and go
        return [body for body, _ in asyncio.run(some(runner, start))]

    sys.setswitchinterval(1e-6)
    try:
        with Runner(graph, own_loop=own_loop) as runner, ThreadPoolExecutor(8) as pool:
            found = list(pool.map(partial(call, runner), range(0, 1200, 3)))
    finally:
        sys.setswitchinterval(0.005)

    assert list(chain.from_iterable(found)) == list(range(1200))
