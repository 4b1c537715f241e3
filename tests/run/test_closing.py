"""Closing in spite of interrupts, forks, finalizers and hanging callers."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.errors import ClosedError, StepDeadlineError
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.types import NOTHING


class Step:
    """A step that tells when it was closed."""

    closed: list[str]

    def __init__(self, name):
        self.step_name = name

    def do(self, body):
        return body

    def close(self):
        self.closed.append(self.step_name)


@pytest.fixture
def closed(monkeypatch):
    monkeypatch.setattr(Step, "closed", [], raising=False)
    return Step.closed


def graph_of(name="first", *, before=None):
    graph = Graph("g")
    if before is not None:
        graph.to(name="before", handler=before)
    graph.add_step(Step, "step", class_args={"name": name})
    return graph


# -- emitted events -------------------------------------------------------------


def test_an_interrupt_in_close_closes_all_the_same(closed):
    begun, may_end = threading.Event(), threading.Event()

    def slow(body):
        begun.set()
        may_end.wait(10)
        return body

    runner = Runner(graph_of(before=slow), timeout_s=20).open()
    runner.emit(1)
    assert begun.wait(5)
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        runner.close()
    may_end.set()

    assert (runner.is_open, closed) == (False, ["first"])


def test_who_interrupts_a_with_block_does_not_wait_for_what_it_sent(closed):
    begun, may_end = threading.Event(), threading.Event()

    def slow(body):
        begun.set()
        may_end.wait(10)

    def stopped():
        with Runner(graph_of(before=slow), timeout_s=20) as runner:
            runner.emit(1)
            assert begun.wait(5)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stopped()
    took_s = time.monotonic() - began
    may_end.set()

    assert took_s < 8
    assert closed == ["first"]


def test_a_report_that_fails_hurts_no_later_event(open_runner):
    def fails(body):
        raise ValueError(body)

    def report(*_):
        raise RuntimeError("nobody is there")

    graph = Graph("g")
    graph.to(name="fails", handler=fails)
    runner = open_runner(graph, push_error=report)
    for number in range(40):
        runner.emit(number)

    assert runner.wait_for_completion(10)


# -- on a loop ------------------------------------------------------------------


def test_what_steps_kept_may_ask_the_loop_that_closes():
    found = []

    async def main():
        here = asyncio.get_running_loop()

        async def ask(batch):
            async def count():
                return len(batch)

            asked = asyncio.run_coroutine_threadsafe(count(), here)
            found.append(await asyncio.wrap_future(asked))

        graph = Graph("g")
        graph.to("Batch", "batch", class_args={"max_events": 10})
        graph.add_step(name="ask", handler=ask)
        async with Runner(graph, timeout_s=10) as runner:
            for number in range(3):
                await runner.arun(number)

    asyncio.run(main())

    assert found == [3]


def test_a_caller_who_gives_up_closing_leaves_nothing_open(closed):
    may_end = threading.Event()

    def slow(body):
        may_end.wait(10)

    async def main():
        runner = Runner(graph_of(before=slow), timeout_s=20).open()
        runner.emit(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await runner.aclose()
        return runner.is_open

    assert not asyncio.run(main())
    may_end.set()
    assert closed == ["first"]


def test_a_stream_that_is_read_after_the_close_says_so():
    async def numbers(_):
        for number in range(10):
            yield number

    graph = Graph("g")
    graph.to(name="numbers", handler=numbers).respond()
    runner = Runner(graph, timeout_s=10).open()
    items = runner.run(1)
    assert next(items) == 0
    runner.close()

    with pytest.raises(ClosedError):
        list(items)


# -- swaps ----------------------------------------------------------------------


def test_a_swap_closes_what_it_replaces(open_runner, closed):
    runner = open_runner(graph_of("first"))
    runner.run(1)
    runner.swap(graph_of("second"))

    assert closed == ["first"]
    runner.swap(graph_of("second"))
    runner.close()
    assert closed == ["first", "second"]


def test_a_step_that_an_event_is_in_is_closed_later(open_runner, closed):
    begun, may_end = threading.Event(), threading.Event()

    def slow(body):
        begun.set()
        may_end.wait(10)
        return body

    runner = open_runner(graph_of("first", before=slow))
    caller = threading.Thread(target=runner.run, args=(1,))
    caller.start()
    assert begun.wait(5)
    runner.swap(graph_of("second"))
    assert closed == []
    may_end.set()
    caller.join(10)
    runner.close()

    assert sorted(closed) == ["first", "second"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_swap_lets_go_on_what_replaced_steps_kept(open_runner, is_async):
    seen = []

    async def note(batch):
        seen.append(batch)

    def graph(max_events):
        made = Graph("g")
        made.to("Batch", "batch", class_args={"max_events": max_events})
        made.add_step(name="note", handler=note if is_async else seen.append)
        return made

    runner = open_runner(graph(10))
    runner.run(1)
    runner.swap(graph(20))

    assert seen == [[1]]


# -- signals --------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal there")
@pytest.mark.parametrize("kind", [TimeoutError, SystemExit, KeyboardInterrupt])
def test_what_a_signal_handler_raises_is_for_who_set_it(open_runner, kind):
    def raises(*_):
        raise kind

    def spin(body):
        until = time.monotonic() + 5
        while time.monotonic() < until:
            pass

    graph = Graph("g")
    graph.to(name="spin", handler=spin)
    runner = open_runner(graph)
    before = signal.signal(signal.SIGUSR1, raises)
    threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGUSR1]).start()
    try:
        with pytest.raises(kind):
            runner.answer(1, silent=True)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_stretch_that_another_signal_cut_off_takes_no_interrupt():
    """A handler of another signal may raise anywhere, in its last line, too."""

    def cut_off():
        stretch = uninterrupted()
        stretch.__enter__()
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        cut_off()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# -- finalizers, forks and the end ----------------------------------------------


def run_script(text):
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return found.stdout + found.stderr


SETUP = """
    import gc, os, sys, threading, time
    from jupyter_graph import Graph, Runner
    def graph(handler=lambda x: x, **options):
        made = Graph("g")
        made.to(name="step", handler=handler, **options).respond()
        return made
    class Service:
        def __init__(self):
            self.me, self.runner = self, Runner(graph()).open()
        def __del__(self):
            self.runner.close()
"""


@pytest.mark.slow
def test_a_finalizer_of_the_users_may_close_a_runner_anywhere():
    script = """
    gc.freeze()
    gc.set_threshold(1, 1, 1)
    for _ in range(150):
        Service()
    gc.set_threshold(700, 10, 10)
    gc.collect()
    time.sleep(1)
    print(threading.active_count())
    """

    assert run_script(SETUP + script) == "1\n"


@pytest.mark.slow
def test_a_finalizer_at_the_end_of_the_process_does_not_hang():
    assert (
        run_script(SETUP + "\n    service = Service()\n    print('end')\n") == "end\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "StepDeadlineError"),
        (", blocking=True", "StepDeadlineError"),
        (", processes=1", "ClosedError"),
    ],
)
def test_a_runner_of_the_parents_has_an_end_in_a_forked_child(options, said):
    script = f"""
    def slow(seconds):
        time.sleep(seconds)
        return seconds
    runner = Runner(graph(slow{options}), timeout_s=0.3).open()
    assert runner.run(0) == 0
    child = os.fork()
    if not child:
        try:
            runner.run(20)
        except Exception as error:
            print(type(error).__name__, type(error.__cause__).__name__, flush=True)
        runner.close()
        os._exit(0)
    os.waitpid(child, 0)
    print(runner.run(0))
    runner.close()
    """
    found = run_script(SETUP + script)

    assert said in found
    assert "0" in found.splitlines()  # a step that waits in a thread is named below it


def test_a_closed_mock_server_says_so():
    server = MockServer(graph_of())
    server.close()

    assert repr(server) == "<MockServer of graph 'g', closed>"
    with pytest.raises(Exception, match="this MockServer of graph 'g' is closed"):
        server.test(body=1)


# -- what steps buffered, and who keeps a runner open ---------------------------


class Pairs:
    """A step that keeps bodies to the end."""

    may_drop = True

    def __init__(self):
        self.kept = []

    def do(self, body):
        self.kept.append(body)
        return NOTHING

    def flush(self, end=False):
        kept, self.kept = self.kept, []
        return [kept] if end and kept else []


class OtherPairs(Pairs):
    pass


def buffering(sent, kind=Pairs):
    async def write(body):
        sent.append(body)
        return body

    graph = Graph("g")
    graph.to(name="pairs", class_name=kind).to(name="write", handler=write).respond()
    return graph


def test_what_steps_buffered_is_flushed_at_close_where_callers_bring_the_loop():
    sent = []
    with Runner(buffering(sent), own_loop=False) as runner:
        runner.run(1)
        runner.run(2)

    assert sent == [[1, 2]]


def test_what_replaced_steps_buffered_is_flushed_though_a_callers_loop_has_ended():
    sent = []
    with Runner(buffering(sent), own_loop=False) as runner:
        asyncio.run(runner.arun(1))
        runner.run(2)
        runner.swap(buffering(sent, OtherPairs))

        assert sent == [[1, 2]]


def numbers(count):
    for number in range(count):
        if number == 1:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                pass
        yield number


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_stream_keeps_its_runner_and_its_deadline_before_its_first_item_is_read():
    def started():
        graph = Graph("g")
        graph.to(name="numbers", handler=numbers).respond()
        return Runner(graph, timeout_s=0.3).open().run(3)

    items = started()
    gc.collect()
    with Runner(graph_of_handler(abs)) as other:  # gives back what interrupts
        other.run(1)

    assert next(items) == 0
    with pytest.raises(StepDeadlineError):
        next(items)
    del items


def graph_of_handler(handler):
    graph = Graph("other")
    graph.to(name="it", handler=handler).respond()
    return graph


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_flush_in_its_midst_keeps_its_runner():
    runners, is_kept = [], []
    dropped, ended = threading.Event(), threading.Event()

    class Due(Pairs):
        flush_every_s = 0.01

        def flush(self, end=False):
            kept, self.kept = self.kept, []
            return kept

    def write(body):
        dropped.wait(10)
        gc.collect()
        is_kept.append(runners[0]() is not None)
        ended.set()
        return body

    def forget():
        graph = Graph("due")
        graph.to(name="due", class_name=Due).to(name="write", handler=write).respond()
        runner = Runner(graph).open()
        runners.append(weakref.ref(runner))
        runner.run(1)
        while runner._instance.flusher.steps[0].instance.kept:
            time.sleep(0.001)  # until the flush has begun

    forget()
    dropped.set()

    assert ended.wait(10)
    assert is_kept == [True]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_step_of_a_cancelled_event_keeps_its_runner():
    runners, is_kept, cancelled = [], [], threading.Event()

    def step(body):
        cancelled.wait(10)
        gc.collect()
        is_kept.append(runners[0]() is not None)
        return body

    async def run_one():
        runner = Runner(graph_of_handler(step)).open()
        runners.append(weakref.ref(runner))
        return await runner.arun(1)

    async def cancel():
        task = asyncio.create_task(run_one())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        del task
        cancelled.set()

    asyncio.run(cancel())  # waits for the thread

    assert is_kept == [True]
