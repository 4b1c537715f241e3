"""What is garbage-collected unclosed is ended, and said."""

import contextlib
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
import weakref

import pytest

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.processes.process_pool import WorkerPool
from jupyter_graph.threads.reaper import Unclosed, all_open
from jupyter_graph.threads.thread_pool import Threads

HERE = __file__


class Owner:
    """Something to be closed."""


def double(body):
    return 2 * body


async def double_later(body):
    return 2 * body


def graph(step=double):
    made = Graph("math")
    made.to(name="double", handler=step).respond()
    return made


def wait_for(condition, limit_s=5.0):
    until = time.monotonic() + limit_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def forget(make):
    """Make something, forget it in a cycle, and return the warnings."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = make()
        made.itself, gone = made, weakref.ref(made)
        del made
        # A thread that looks at it right now keeps it for a moment.
        wait_for(lambda: gc.collect() >= 0 and gone() is None)
    return [one for one in told if one.category is ResourceWarning]


KINDS = {
    "Runner of graph 'math'": lambda: Runner(graph()).open(),
    "MockServer of graph 'math'": lambda: MockServer(graph()),
    "processes of functions ['double']": lambda: WorkerPool(
        {"double": double}, 1, "function"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", KINDS)
def test_what_nobody_closed_says_so_with_its_place(what):
    [told] = forget(KINDS[what])

    assert str(told.message) == (
        f"unclosed {what}; open it in a with statement, or call close()"
    )
    assert told.filename == HERE
    assert isinstance(told.source, Unclosed)


@pytest.mark.slow
def test_the_line_that_entered_a_stack_of_contexts_is_named():
    def make():
        stack = contextlib.ExitStack()
        return stack.enter_context(Runner(graph()))

    [told] = forget(make)

    assert told.filename == HERE


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS.values(), ids=list(KINDS))
def test_what_was_closed_says_nothing(make):
    def closed():
        made = make()
        made.close()
        return made

    assert forget(closed) == []


@pytest.mark.slow
def test_a_step_of_a_runner_is_told_with_the_runner():
    def make():
        many = Graph("math")
        many.to(name="double", handler=double, processes=1).respond()
        return Runner(many).open()

    assert [str(one.message)[:30] for one in forget(make)] == [
        "unclosed Runner of graph 'math'"[:30]
    ]


@pytest.mark.slow
def test_tracemalloc_shows_where_it_was_opened():
    import tracemalloc

    tracemalloc.start(20)
    try:
        [told] = forget(KINDS["Runner of graph 'math'"])
        lines = tracemalloc.get_object_traceback(told.source).format()
    finally:
        tracemalloc.stop()

    assert any(HERE in line for line in lines)


def test_it_is_ended_in_a_thread_that_holds_no_lock():
    lock, ended = threading.Lock(), []

    def release():
        with lock:
            ended.append(threading.current_thread().name)

    owner = Owner()
    Unclosed(owner, release)
    with lock:  # the very lock that ending it wants
        del owner

    assert wait_for(lambda: ended)
    assert ended == ["jupyter_graph-reaper"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_cannot_be_ended_does_not_hurt_the_next():
    ended = []

    def fail():
        raise ValueError("cannot be ended")

    for release in (fail, lambda: ended.append(1)):
        Unclosed(Owner(), release)

    assert wait_for(lambda: ended)


def test_its_thread_ends_with_the_last_one():
    owner = Owner()
    one = Unclosed(owner, list)
    assert any(t.name == "jupyter_graph-reaper" for t in threading.enumerate())
    before = {open_one for open_one in all_open() if open_one is not one}
    one.closed()

    assert set(all_open()) == before
    if not before:
        assert wait_for(
            lambda: all(t.name != "jupyter_graph-reaper" for t in threading.enumerate())
        )


def test_the_threads_of_a_step_end_with_their_last_user():
    before = threading.active_count()
    threads = Threads(3, "jupyter_graph-test")
    assert threads.submit(double, 2).result() == 4
    del threads

    assert wait_for(lambda: threading.active_count() <= before + 1)


def run_script(text, *options):
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SCRIPT = """
    from jupyter_graph import Graph, Runner
    graph = Graph("math")
    graph.to(name="double", handler=lambda x: 2 * x).respond()
    runner = Runner(graph).open()
    print(runner.run(2))
    del runner
"""


@pytest.mark.slow
def test_python_shows_the_warning_of_a_script_where_asked():
    quiet, told = run_script(SCRIPT), run_script(SCRIPT, "-W", "always")

    assert (quiet.stdout, quiet.stderr) == ("4\n", "")
    assert told.stdout == "4\n"
    assert "<string>:5: ResourceWarning: unclosed Runner of graph 'math'" in told.stderr


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_child_ends_nothing_of_its_parents():
    found = run_script(
        """
        import gc, os
        from jupyter_graph.processes.process_pool import WorkerPool
        processes = WorkerPool({"abs": abs}, 1, "function")
        assert processes.submit("abs", -1).result().value == 1
        child = os.fork()
        if not child:
            del processes
            gc.collect()
            os._exit(0)
        os.waitpid(child, 0)
        print(processes.submit("abs", -2).result().value)
        processes.close()
        """
    )

    assert (found.stdout, found.stderr) == ("2\n", "")


@pytest.mark.slow
def test_the_end_of_a_process_does_not_wait_for_what_hangs():
    began = time.monotonic()
    found = run_script(
        """
        import threading
        from jupyter_graph.threads.process_ends import AtExit
        lock = threading.Lock()
        lock.acquire()
        AtExit(lock.acquire, 0.2)
        """
    )

    assert (found.returncode, found.stderr) == (0, "")
    assert time.monotonic() - began < 30
