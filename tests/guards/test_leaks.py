"""What is left open is named; what ends, or is somebody else's, is not."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading

import pytest

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.processes.process_pool import WorkerPool
from jupyter_graph.run.deadline.step_threads import StepThreads
from jupyter_graph.threads.start import start_thread
from jupyter_graph.threads.thread_pool import Threads
from tests.guards import leaks
from tests.guards.leaks import Open, left_open

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.path.isdir("/proc/self/task"),  # noqa: PTH112  # as in the guard
        reason="sees what Linux tells",
    ),
]
HERE = __file__


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Wait for less."""
    for name in ("SOON_S", "FIRST_S", "LAST_S"):
        monkeypatch.setattr(leaks, name, 0.1)


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


async def awaited(body):
    return body


def graph():
    made = Graph("left")
    made.to(name="awaited", handler=awaited).respond()
    return made


def open_runner(stack):
    runner = Runner(graph()).open()
    stack.callback(runner.close)
    return runner


def open_loop_of_a_runner(stack):
    assert open_runner(stack).run(1) == 1


def open_mock(stack):
    stack.callback(MockServer(graph()).close)


def open_threads(stack):
    stack.callback(Threads(1, "jupyter_graph-left").close)


def open_processes(stack):
    stack.callback(WorkerPool({"abs": abs}, 1, "function").close)


def start_a_thread(stack):
    gate = threading.Lock()
    gate.acquire()
    start_thread(gate.acquire, "jupyter_graph-left")
    stack.callback(gate.release)


def start_a_process(stack):
    words = [sys.executable, "-c", "input()"]
    process = stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE))
    stack.callback(process.kill)


def open_a_loop(stack):
    stack.callback(asyncio.new_event_loop().close)


def open_a_socket(stack):
    stack.enter_context(socket.create_server(("127.0.0.1", 0)))


@pytest.mark.parametrize(
    ("opens", "told"),
    [
        pytest.param(
            open_runner, f"Runner of graph 'left', opened at {HERE}", id="runner"
        ),
        pytest.param(open_mock, "MockServer of graph 'left', opened", id="mock"),
        pytest.param(open_threads, f"Threads, opened at {HERE}", id="threads"),
        pytest.param(open_processes, f"['abs'], opened at {HERE}", id="processes"),
        pytest.param(open_loop_of_a_runner, "thread 'jupyter_graph-loop'", id="loop"),
        pytest.param(start_a_thread, "thread 'jupyter_graph-left', which", id="thread"),
        pytest.param(start_a_process, "-c input()", id="process"),
        pytest.param(open_a_loop, "<socket.socket fd=", id="loop-of-asyncio"),
        pytest.param(open_a_socket, "laddr=('127.0.0.1', ", id="socket"),
    ],
)
def test_what_is_left_open_is_named(stack, opens, told):
    before = Open.now()
    opens(stack)
    found = left_open(before)
    stack.close()

    assert told in "\n".join(found)
    assert left_open(before) == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_what_only_the_collector_ends_is_named_too():
    before = Open.now()
    runner = Runner(graph()).open()
    runner.itself = runner
    del runner

    [told] = left_open(before)
    assert told.startswith(f"Runner of graph 'left', opened at {HERE}:")


def test_other_garbage_is_not_left_open():
    before = Open.now()
    holder = [socket.create_server(("127.0.0.1", 0))]
    holder.append(holder)
    del holder

    assert left_open(before) == []


def test_what_an_open_runner_starts_later_belongs_to_it(stack):
    runner = open_runner(stack)
    before = Open.now()
    assert runner.run(1) == 1

    assert left_open(before) == []


def test_what_an_object_keeps_may_stay_open(stack):
    kept, before = {}, Open.now()
    kept["server"] = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    assert left_open(before, [kept]) == []


def test_looking_takes_less_than_a_millisecond():
    count = 200
    began = leaks.time.perf_counter()
    for _ in range(count):
        left_open(Open.now())

    assert (leaks.time.perf_counter() - began) / count < 0.005  # on a busy machine


TESTS = """
import socket

import pytest

opened = []

@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server

def test_that_gets_a_fixture_late(request):
    request.getfixturevalue("server")

def test_that_leaves_a_socket():
    opened.append(socket.create_server(("127.0.0.1", 0)))

@pytest.mark.leaves_open(reason="it may")
def test_that_may():
    opened.append(socket.create_server(("127.0.0.1", 0)))

@pytest.mark.leaves_open
def test_that_says_no_reason():
    pass
"""


@pytest.mark.slow
def test_a_test_that_leaves_something_open_fails(run_tests):
    code, output, _ = run_tests("leaks", TESTS)

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "4 passed" in output
    assert "2 errors" in output
    assert "at teardown of test_that_leaves_a_socket" in output
    assert "left open:\n<socket.socket fd=" in output
    assert "leaves_open needs a reason" in output


def test_a_thread_without_work_is_not_waited_for():
    threads = StepThreads()
    before = Open.now()
    threads.run(5.0, threading.Event().is_set)

    assert any(t.name == "jupyter_graph-step" for t in threading.enumerate())
    assert left_open(before) == []
