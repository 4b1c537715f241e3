"""Many callers at once: right answers, bounds kept, no thread left over."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.errors import ClosedError, DeadlineError, OverloadError, RunError

pytestmark = pytest.mark.slow


def plus_one(x):
    return x + 1


def double(x):
    return x * 2


async def pause(x):
    await asyncio.sleep(0)
    return x


def chain(*, on_a_loop=False, **options):
    graph = Graph("g", **options)
    graph.to(name="a", handler=plus_one).to(name="b", handler=double)
    if on_a_loop:
        graph.add_step(name="c", handler=pause)
    return graph


def storey_chain():
    graph = Graph("g")
    graph.to(name="a", handler=plus_one)
    graph.add_step("storey.Map", "b", class_args={"_fn": "double"})
    graph.namespace["double"] = double
    return graph


GRAPHS = [
    pytest.param(chain(), id="sync"),
    pytest.param(chain(on_a_loop=True), id="async"),
    pytest.param(storey_chain(), id="storey"),
]


@pytest.mark.parametrize("graph", GRAPHS)
def test_sixty_four_threads_get_their_own_answers(open_runner, graph):
    runner = open_runner(graph, timeout_s=15)

    def caller(number):
        bodies = range(number * 1000, number * 1000 + 100)
        return [runner.run(body) for body in bodies] == [2 * b + 2 for b in bodies]

    with ThreadPoolExecutor(64) as threads:
        assert all(threads.map(caller, range(64)))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("own_loop", [True, False])
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_awaiting_callers_get_their_own_answers(open_runner, graph, own_loop, count):
    runner = open_runner(graph, timeout_s=15, own_loop=own_loop)

    async def all_at_once():
        return await asyncio.gather(*(runner.arun(n) for n in range(count)))

    assert asyncio.run(all_at_once()) == [2 * n + 2 for n in range(count)]


def bounded(limit, *, on_a_loop):
    """A graph that notes how many events are inside at once."""
    lock, inside, most = threading.Lock(), 0, [0]

    def enter():
        nonlocal inside
        with lock:
            inside += 1
            most[0] = max(most[0], inside)

    def leave():
        nonlocal inside
        with lock:
            inside -= 1

    def works(x):
        enter()
        threading.Event().wait(0.002)
        leave()
        return x

    async def works_async(x):
        enter()
        await asyncio.sleep(0.002)
        leave()
        return x

    graph = Graph("g", max_in_flight=limit)
    graph.to(name="a", handler=works_async if on_a_loop else works)
    return graph, most


@pytest.mark.parametrize("on_a_loop", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_events_are_inside_than_may_be(open_runner, on_a_loop, limit):
    graph, most = bounded(limit, on_a_loop=on_a_loop)
    runner = open_runner(graph)

    with ThreadPoolExecutor(12) as threads:
        found = threads.map(runner.run, range(60))
        own = [runner.run(n) for n in range(20)]

    assert list(found) == list(range(60))
    assert own == list(range(20))
    assert most == [limit]


def test_no_more_awaited_events_are_inside_than_may_be(open_runner):
    graph, most = bounded(5, on_a_loop=True)
    runner = open_runner(graph)

    async def all_at_once():
        return await asyncio.gather(*(runner.arun(n) for n in range(100)))

    assert asyncio.run(all_at_once()) == list(range(100))
    assert most == [5]


FROM_THREADS = [(False, True), (True, True), (True, False)]


@pytest.mark.parametrize(("on_a_loop", "from_threads"), FROM_THREADS)
def test_who_finds_no_seat_in_time_is_told_so(open_runner, on_a_loop, from_threads):
    release = threading.Event()

    def waits(x):
        release.wait(5)
        return x

    graph = Graph("g", max_in_flight=1)
    graph.to(name="waits", handler=waits, blocking=on_a_loop)
    if on_a_loop:
        graph.add_step(name="c", handler=pause)
    runner = open_runner(graph, timeout_s=0.5, own_loop=from_threads)

    async def all_at_once():
        calls = (runner.arun(number) for number in range(4))
        return await asyncio.gather(*calls, return_exceptions=True)

    if from_threads:
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(runner.run, n) for n in range(4)]
            errors = [call.exception() for call in calls]
    else:
        errors = asyncio.run(all_at_once())
    release.set()

    assert all(isinstance(error, DeadlineError) for error in errors)
    full = {str(error) for error in errors if isinstance(error, OverloadError)}
    assert full <= {"found no free event slot within 0.5 s [JG231]"}
    assert full or (on_a_loop and from_threads)  # who waits beside may hear it first


# -- threads --------------------------------------------------------------------


def settled(count):
    """Tell whether the process gets down to so many threads."""
    for _ in range(200):
        if threading.active_count() <= count:
            return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.parametrize("times", [1000])
def test_opening_and_closing_leaves_no_thread(times):
    graph = chain()
    before = threading.active_count()
    for number in range(times):
        with Runner(graph) as runner:
            assert runner.run(number) == 2 * number + 2

    assert settled(before)


def test_opening_and_closing_loops_leaves_no_thread():
    graph = chain(on_a_loop=True)
    before = threading.active_count()
    for number in range(100):
        with Runner(graph) as runner:
            assert runner.run(number) == 2 * number + 2

    assert settled(before)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("on_a_loop", [False, True], ids=["sync", "async"])
def test_runners_that_nobody_closes_leave_no_thread(on_a_loop):
    graph = chain(on_a_loop=on_a_loop)
    before = threading.active_count()
    for number in range(50):
        runner = Runner(graph).open()  # a cell that is run again and again
        assert runner.run(number) == 2 * number + 2
    del runner
    gc.collect()

    assert settled(before + 1)


def test_many_callers_leave_few_idle_threads(open_runner):
    runner = open_runner(chain())
    before = threading.active_count()
    with ThreadPoolExecutor(100) as threads:
        list(threads.map(runner.run, range(500)))

    assert settled(before + 40)


# -- closing --------------------------------------------------------------------


def test_a_closed_runner_says_so():
    runner = Runner(chain())
    with pytest.raises(ClosedError, match="graph 'g' is not open"):
        runner.run(1)
    runner.open().close()

    with pytest.raises(ClosedError, match="graph 'g' is not open"):
        runner.run(1)
    with pytest.raises(ClosedError):
        asyncio.run(runner.arun(1))
    assert runner.answer(1, silent=True).status_code == 503


def test_closing_ends_the_events_under_way(open_runner):
    inside = threading.Event()

    async def waits(x):
        inside.set()
        await asyncio.Event().wait()

    graph = Graph("g")
    graph.to(name="waits", handler=waits)
    runner = open_runner(graph, timeout_s=15)

    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(runner.run, 1)
        assert inside.wait(5)
        runner.close()
        error = call.exception(5)

    assert isinstance(error, ClosedError)


def test_closing_ends_what_others_await(open_runner):
    async def waits(x):
        await asyncio.Event().wait()

    graph = Graph("g")
    graph.to(name="waits", handler=waits)
    runner = open_runner(graph, timeout_s=15)

    async def call_and_close():
        call = asyncio.create_task(runner.arun(1))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(runner.close)
        with pytest.raises(ClosedError):
            await call
        return True

    assert asyncio.run(call_and_close())


def test_a_cancelled_caller_stops_the_work(open_runner):
    inside, ended = threading.Event(), threading.Event()

    async def waits(x):
        inside.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    graph = Graph("g")
    graph.to(name="waits", handler=waits)
    runner = open_runner(graph)

    async def cancel():
        call = asyncio.create_task(runner.arun(1))
        await asyncio.to_thread(inside.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await asyncio.to_thread(ended.wait, 5)

    assert asyncio.run(cancel())


def test_closing_twice_and_opening_again_is_harmless():
    runner = Runner(chain()).open().open()
    runner.close()
    runner.close()
    with runner:
        assert runner.run(1) == 4


def test_a_step_that_closes_badly_does_not_keep_the_others_open(open_runner, caplog):
    closed = []

    class Closes:
        def __init__(self, name):
            self.name = name

        def do(self, x):
            return x

        def close(self):
            closed.append(self.name)
            raise OSError("disk full")

    graph = Graph("g")
    graph.to(Closes, "a").to(Closes, "b")
    open_runner(graph).close()

    assert sorted(closed) == ["a", "b"]
    assert "step 'a' did not close well" in caplog.text


# -- graphs in graphs -----------------------------------------------------------


def test_a_step_may_run_its_own_graph(open_runner):
    def countdown(x):
        return 0 if x == 0 else runner.run(x - 1) + 1

    graph = Graph("g")
    graph.to(name="countdown", handler=countdown)
    runner = open_runner(graph)

    assert runner.run(20) == 20


def test_a_step_may_run_another_graph(open_runner):
    inner = open_runner(chain(on_a_loop=True))
    graph = Graph("outer")
    graph.to(name="asks", handler=inner.run)

    assert open_runner(graph).run(1) == 4


def test_a_coroutine_may_await_its_own_graph(open_runner):
    async def countdown(x):
        return 0 if x == 0 else await runner.arun(x - 1) + 1

    graph = Graph("g")
    graph.to(name="countdown", handler=countdown)
    runner = open_runner(graph)

    assert runner.run(20) == 20


def test_a_loop_that_waits_for_itself_is_told_what_to_do(open_runner):
    async def asks(x):
        return runner.run(x)

    graph = Graph("g")
    graph.to(name="asks", handler=asks)
    runner = open_runner(graph)

    with pytest.raises(RunError, match=r"await runner.arun\(\.\.\.\) there"):
        runner.run(1)
