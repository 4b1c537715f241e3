"""Steps in processes of their own: the same answers, errors and limits as elsewhere."""

import asyncio
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph import Graph, Runner, StepError
from jupyter_graph.errors import (
    BadRequestError,
    DeadlineError,
    ProcessEndedError,
    RunError,
    SpecError,
)
from jupyter_graph.types import NOTHING

pytestmark = pytest.mark.slow
LOOP = pytest.mark.parametrize("on_a_loop", [False, True], ids=["sync", "async"])


async def end(x):
    return x


def graph_of(step, *, on_a_loop=False, processes=1, **options):
    graph = Graph("g")
    kind = "class_name" if isinstance(step, type) else "handler"
    graph.to(name="a", processes=processes, **{kind: step}, **options)
    if on_a_loop:
        graph.add_step(name="end", handler=end)
    return graph


def elsewhere(x):
    return x, os.getpid()


@LOOP
def test_a_step_runs_in_another_process(open_runner, on_a_loop):
    runner = open_runner(graph_of(elsewhere, on_a_loop=on_a_loop))

    found = [runner.run(n) for n in range(3)]
    found += [asyncio.run(runner.arun(3)), runner.answer(4, traced=True).value]
    [pid] = {pid for _, pid in found}
    assert [n for n, _ in found] == list(range(5))
    assert pid != os.getpid()


@LOOP
def test_several_processes_work_at_once(open_runner, on_a_loop):
    def slow(_):
        time.sleep(0.7)
        return os.getpid()

    runner = open_runner(graph_of(slow, on_a_loop=on_a_loop, processes=3))
    with ThreadPoolExecutor(3) as threads:
        began = time.monotonic()
        found = set(threads.map(runner.run, range(3)))
        took = time.monotonic() - began

    assert len(found) == 3
    assert took < 1.8


def test_the_loop_goes_on_meanwhile(open_runner):
    def spin(_):
        ends = time.monotonic() + 0.4
        while time.monotonic() < ends:
            pass

    runner = open_runner(graph_of(spin, on_a_loop=True), own_loop=False)

    async def ticks():
        task, count = asyncio.create_task(runner.arun(1)), 0
        while not task.done():
            await asyncio.sleep(0.01)
            count += 1
        return count

    assert asyncio.run(ticks()) > 4


class Counts:
    """Built once in each process, with what it asks for."""

    def __init__(self, start, name, context):
        self.count, self.name = start, name
        self.factor = context.get_param("factor")
        context.logger.info("built")

    def do(self, body):
        self.count += 1
        return self.name, self.count * self.factor, body


def test_a_class_is_built_in_each_process(open_runner):
    graph = graph_of(Counts, class_args={"start": 10})
    runner = open_runner(graph, parameters={"factor": 2})

    assert [runner.run(n) for n in "xy"] == [("a", 22, "x"), ("a", 24, "y")]


class Refuses:
    def __init__(self):
        raise OSError("no file")

    def do(self, body):
        return body


def test_a_class_that_cannot_be_built_there_is_told_when_the_runner_opens(open_runner):
    with pytest.raises(RunError, match="step 'a' cannot be built: OSError: no file"):
        open_runner(graph_of(Refuses, processes=2))


def test_code_that_cannot_travel_is_told_when_the_runner_opens(open_runner):
    lock = threading.Lock()

    def holds(body):
        with lock:
            return body

    message = "^step 'a' cannot go to another process: TypeError"
    with pytest.raises(SpecError, match=message):
        open_runner(graph_of(holds))


def bad(x):
    if x == "die":
        os._exit(3)
    if x == "hang":
        time.sleep(30)
    if x == "fault":
        raise BadRequestError("no such word")
    if x == "drop":
        return NOTHING
    if x == "interrupt":
        raise KeyboardInterrupt
    return x


@LOOP
def test_only_the_event_fails(open_runner, on_a_loop):
    runner = open_runner(graph_of(bad, on_a_loop=on_a_loop, timeout_s=0.3))

    for word, cause in [
        ("die", ProcessEndedError),
        ("hang", DeadlineError),
        ("fault", BadRequestError),
        ("interrupt", KeyboardInterrupt),
    ]:
        with pytest.raises(StepError, match="step 'a' failed") as caught:
            runner.run(word)
        assert isinstance(caught.value.cause, cause)
        assert runner.run("good") == "good"

    assert runner.answer("fault", silent=True).status_code == 400
    assert runner.answer("drop").status_code == 204


@LOOP
def test_the_events_own_time_is_kept_too(open_runner, on_a_loop):
    runner = open_runner(graph_of(bad, on_a_loop=on_a_loop), timeout_s=1.5)
    began = time.monotonic()
    with pytest.raises(StepError, match=r"step 'a' failed.*took longer than 1.5 s"):
        runner.run("hang")

    assert time.monotonic() - began < 15
    assert answered_at_last(runner, "good") == "good"


def answered_at_last(runner, body):
    """Ask until a process is there again: that takes its time on a busy machine."""
    end = time.monotonic() + 60
    while True:
        try:
            return runner.run(body)
        except StepError:
            if time.monotonic() > end:
                raise


@LOOP
def test_it_is_tried_again(open_runner, tmp_path, on_a_loop):
    path = tmp_path / "count"

    def flaky(_):
        with path.open("a+") as file:
            file.write("x")
            count = file.tell()
        if count < 3:
            os._exit(1)
        return count

    graph = graph_of(flaky, on_a_loop=on_a_loop, retries=2, backoff_s=0.001)
    assert open_runner(graph).run(1) == 3


def test_an_error_handler_takes_over(open_runner):
    graph = graph_of(bad)
    graph.error_handler("catch", handler=lambda x: f"no {x}", step="a")

    assert open_runner(graph).run("die") == "no die"


def test_a_batch_is_one_call(open_runner):
    def many(bodies):
        return [(body, len(bodies)) for body in bodies]

    graph = graph_of(many, on_a_loop=True, batch=4, batch_wait_ms=50)
    runner = open_runner(graph)

    async def all_at_once():
        return await asyncio.gather(*map(runner.arun, range(4)))

    assert asyncio.run(all_at_once()) == [(n, 4) for n in range(4)]


@LOOP
def test_vectorised_steps_get_whole_frames(open_runner, on_a_loop):
    pd = pytest.importorskip("pandas")

    def double(frame):
        return frame.assign(y=frame["x"] * 2, rows=len(frame))

    graph = graph_of(double, on_a_loop=on_a_loop, vectorized=True)
    runner = open_runner(graph)

    assert runner.run({"x": 4}) == {"x": 4, "y": 8, "rows": 1}
    frame = runner.run_batch(pd.DataFrame({"x": range(5)})).frame
    assert frame["y"].tolist() == [0, 2, 4, 6, 8]
    assert set(frame["rows"]) == {5}


@LOOP
def test_the_whole_event_goes_there_and_back(open_runner, on_a_loop):
    def note(event):
        event.body = event.path, event.header("x-user")
        event.path = "/noted"
        return event

    graph = Graph("g")
    graph.to(name="a", handler=note, processes=1, full_event=True)
    graph.add_step(name="path", handler=lambda e: e, full_event=True)
    if on_a_loop:
        graph.add_step(name="end", handler=end)
    runner = open_runner(graph)

    assert runner.run(1, path="/p", headers={"X-User": "ann"}) == ("/p", "ann")


@LOOP
def test_paths_are_of_this_side(open_runner, on_a_loop):
    graph = graph_of(repr, on_a_loop=on_a_loop, input_path="x", result_path="found")

    assert open_runner(graph).run({"x": 1}) == {"x": 1, "found": "1"}


class Chooses:
    def select_outlets(self, body):
        return ["end"]

    def do(self, body):
        return body


class Keeps:
    def do(self, body):
        return body

    def flush(self, *, end=False):
        return []


def items(x):
    yield x


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Chooses, "step 'a' picks its followers, so it cannot run in processes of its"),
        (Keeps, "step 'a' keeps bodies for later, so it cannot run in processes"),
        (end, "step 'a' is a coroutine, which takes no processes"),
        (items, "step 'a' is a generator, which takes no processes"),
    ],
)
def test_steps_of_which_more_than_answers_is_needed_are_refused(step, message):
    with pytest.raises(SpecError, match=message):
        Runner(graph_of(step, on_a_loop=True))


def test_a_thread_or_processes_not_both():
    with pytest.raises(SpecError, match="step 'a' must be blocking, which is a thread"):
        Runner(graph_of(elsewhere, blocking=True))


def test_a_router_takes_none():
    graph = Graph("g")
    graph.add_step("ParallelRun", "r", kind="router", processes=2)
    graph.add_route("one", elsewhere, router="r")

    with pytest.raises(SpecError, match="which takes no processes; give them to its r"):
        Runner(graph)


@LOOP
def test_new_code_gets_new_processes_and_the_old_ones_end(open_runner, on_a_loop):
    def graph(step, **options):
        return graph_of(step, on_a_loop=on_a_loop, **options)

    def first(_):
        return os.getpid()

    def second(_):
        return os.getpid()

    runner = open_runner(graph(first))
    pids = [runner.run(1)]
    threads = threading.active_count()
    for step, options in [
        (first, {}),
        (second, {}),
        (second, {"timeout_s": 5.0}),
        (second, {"processes": 2}),
    ]:
        runner.swap(graph(step, **options))
        pids.append(runner.run(1))
    gc.collect()

    assert pids[0] == pids[1]
    assert len(set(pids)) == 4
    for _ in range(500):
        if threading.active_count() <= threads + 1:
            break
        time.sleep(0.01)
    assert threading.active_count() <= threads + 1


@LOOP
def test_a_closed_runner_leaves_no_process(open_runner, on_a_loop):
    with Runner(graph_of(lambda _: os.getpid(), on_a_loop=on_a_loop)) as runner:
        pid = runner.run(1)

    for _ in range(500):
        try:
            os.kill(pid, 0)
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("the process still runs")
