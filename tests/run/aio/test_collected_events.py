"""The collector may end an event's coroutine: in any thread, at any place."""

import _thread
import asyncio
import gc
import sys
import threading

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.errors import StepError


async def waits(body):
    await asyncio.get_running_loop().create_future()


def mends(body):
    return body


async def raises(body):
    raise GeneratorExit


@pytest.fixture
def unraisable(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    return seen


def graph_of(step):
    graph = Graph("g")
    graph.to(name="step", handler=step).respond()
    return graph


@pytest.mark.parametrize("is_handled", [False, True])
def test_an_event_whose_task_is_collected_ends_without_a_word(unraisable, is_handled):
    graph = graph_of(waits)
    if is_handled:
        graph.error_handler(name="mend", handler=mends)
    runner = Runner(graph).open()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # "Task was destroyed but is pending"
    task = loop.create_task(runner.arun(1))
    loop.run_until_complete(asyncio.sleep(0.02))

    assert not task.done()
    del task
    loop.close()
    gc.collect()

    assert unraisable == []
    runner.close()


def test_what_closes_a_coroutine_is_no_failure_of_its_step():
    seen = []

    async def step():
        try:
            await asyncio.get_running_loop().create_future()
        except BaseException as error:
            seen.append(is_interrupt(error))
            raise

    async def main():
        coroutine = step()
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())

    assert seen == [True]


def test_no_object_is_made_for_a_thread_in_which_the_collector_runs():
    def work():
        try:
            is_interrupt(ValueError())
            seen.append(threading.get_ident() in threading._active)
        finally:
            done.release()

    seen, done = [], threading.Lock()
    done.acquire()
    _thread.start_new_thread(work, ())

    assert done.acquire(timeout=5)
    assert seen == [False]


def test_a_step_that_raises_the_same_fails():
    with Runner(graph_of(raises)) as runner, pytest.raises(StepError):
        runner.run(1)
