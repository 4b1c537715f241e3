"""The user's own Ctrl-C stops the run; it is no step's failure."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from jupyter_graph import Graph, StepError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")


def presses_ctrl_c(x):
    if x == "bad":
        signal.raise_signal(signal.SIGINT)
    return x


def echo(x):
    return x


def never_called(x):
    pytest.fail("an error handler must not see the user's stop")


def chain():
    graph = Graph("g")
    graph.to(name="a", handler=echo).to(name="b", handler=presses_ctrl_c)
    return graph


def branches():
    graph = chain()
    graph.add_step(name="c", handler=echo, after="a").respond()
    return graph


def with_step_handler():
    graph = chain()
    return graph.error_handler("catch", handler=never_called, step="b")


def with_graph_handler():
    return chain().error_handler("catch", handler=never_called)


def with_retries():
    graph = Graph("g")
    graph.to(name="b", handler=presses_ctrl_c, retries=3)
    return graph


def in_a_generator():
    def items(x):
        yield presses_ctrl_c(x)

    graph = Graph("g")
    graph.to(name="b", handler=items)
    return graph


@pytest.mark.parametrize(
    "build", [chain, branches, with_step_handler, with_graph_handler, with_retries]
)
def test_ctrl_c_in_a_step_stops_the_run(open_runner, build):
    runner = open_runner(build())

    with pytest.raises(KeyboardInterrupt):
        runner.run("bad")

    assert runner.run("good") == "good"


def test_ctrl_c_in_a_generator_stops_the_run(open_runner):
    runner = open_runner(in_a_generator())

    with pytest.raises(KeyboardInterrupt):
        list(runner.run("bad"))

    assert list(runner.run("good")) == ["good"]


@pytest.mark.parametrize("traced", [False, True])
def test_ctrl_c_passes_through_answer(open_runner, traced):
    runner = open_runner(chain())

    with pytest.raises(KeyboardInterrupt):
        runner.answer("bad", silent=True, traced=traced)


def test_a_step_that_raises_keyboard_interrupt_only_fails_its_event(open_runner):
    def raises(x):
        raise KeyboardInterrupt

    graph = Graph("g")
    graph.to(name="raises", handler=raises)

    with pytest.raises(StepError, match="step 'raises' failed"):
        open_runner(graph).run(1)


def test_a_python_handler_of_ctrl_c_stops_the_run_too(open_runner):
    def on_signal(number, frame):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGINT, on_signal)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_runner(chain()).run("bad")
    finally:
        signal.signal(signal.SIGINT, old)


def press_ctrl_c_when(is_there):
    def wait_and_press():
        is_there.wait(5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait_and_press, daemon=True).start()


@pytest.mark.parametrize("is_async", [False, True], ids=["spinning", "awaiting"])
def test_ctrl_c_stops_a_step_on_the_loop(open_runner, is_async):
    is_there, ended = threading.Event(), threading.Event()

    def spins(x):
        if x != "bad":
            return x
        try:
            is_there.set()
            end = time.monotonic() + 5
            while time.monotonic() < end:
                sum(range(100))  # CPython 3.13 covers no jump of an empty loop by try
        finally:
            ended.set()

    async def awaits(x):
        if x != "bad":
            return x
        try:
            is_there.set()
            await asyncio.sleep(5)
        finally:
            ended.set()

    async def end(x):
        return x

    graph = Graph("g")
    graph.to(name="a", handler=awaits if is_async else spins)
    graph.add_step(name="end", handler=end)
    runner = open_runner(graph)
    press_ctrl_c_when(is_there)

    with pytest.raises(KeyboardInterrupt):
        runner.run("bad")

    assert ended.wait(20)
    assert runner.run("good") == "good"


SCRIPT = """
import time
from jupyter_graph import Graph, Runner, StepError

def hangs(x):
    if x == "bad":
        print("inside", flush=True)
        {wait}
    return x

{more}
graph = Graph("g")
graph.to(name="a", handler=hangs{options})
{end}
graph.error_handler("catch", handler=lambda x: "caught")
with Runner(graph) as runner:
    try:
        print(runner.run("bad"))
    except KeyboardInterrupt:
        print("stopped", runner.run("good"))
"""
LOOP = {
    "more": "async def end(x): return x",
    "end": "graph.add_step(name='end', handler=end)",
}
WAITS = [
    pytest.param({"wait": "time.sleep(30)"}, id="sleep"),
    pytest.param({"wait": "while True: pass"}, id="spin"),
    pytest.param({"wait": "import threading; threading.Event().wait(30)"}, id="lock"),
    pytest.param({"wait": "time.sleep(30)", "options": ", timeout_s=20"}, id="timed"),
    pytest.param({"wait": "while True: pass", **LOOP}, id="on-a-loop"),
]


@pytest.mark.parametrize("parts", WAITS)
def test_a_real_ctrl_c_stops_the_run_and_the_process_goes_on(parts):
    filled = {"more": "", "end": "", "options": "", **parts}
    code = textwrap.dedent(SCRIPT).format(**filled)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=7)
        except subprocess.TimeoutExpired:
            # Python loses one that comes in a weakref callback of its own library;
            # who sees nothing happen presses again.
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=7)
    finally:
        process.kill()
        process.wait()

    assert (out, process.returncode) == ("stopped good\n", 0)
