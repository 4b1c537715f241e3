"""WorkerPool that work for this one: what travels, what ends, what is left."""

import functools
import gc
import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from jupyter_graph.errors import ClosedError, DeadlineError, RunError, SpecError
from jupyter_graph.processes.process_pool import WorkerPool

pytestmark = pytest.mark.slow
LINES = sys.modules[__name__].__file__


class Picky(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} {second}")
        self.second = second


def work(word, seconds=0.0):
    """Do what the word says."""
    time.sleep(seconds)
    if word == "raise":
        raise ValueError("no")
    if word == "picky":
        raise Picky("one", "two")
    if word == "stop":
        raise StopIteration(3)
    if word == "exit":
        raise SystemExit(4)
    if word == "die":
        os._exit(5)
    if word == "die by a signal":
        os.kill(os.getpid(), 9)
    if word == "generator":
        return (letter for letter in word)
    if word == "print":
        sys.stdout.write("half a line")
        sys.stderr.write("to stderr\n")
        logging.getLogger("jupyter_graph.steps").warning("a %s", "record")
    return word, os.getpid()


@pytest.fixture
def opened():
    made = []

    def make(most=1, targets=None, **options):
        made.append(WorkerPool(targets or {"work": work}, most, "step", **options))
        return made[-1]

    yield make
    for processes in made:
        processes.close()


def begun(work):
    """Wait until a piece of work is in a process."""
    while work.worker is None:
        time.sleep(0.005)
    return work


def ask(processes, *args, **options):
    return processes.submit("work", *args, **options).result(20)


def test_work_is_done_elsewhere_by_one_after_the_other(opened):
    processes = opened()
    pids = {ask(processes, n).result()[1] for n in range(20)}

    assert len(pids) == 1
    assert os.getpid() not in pids


def test_work_is_shared_and_no_more_processes_are_made_than_may_be(opened):
    processes = opened(2)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: ask(processes, n, 0.02).result(), range(40)))

    assert [n for n, _ in found] == list(range(40))
    assert len({pid for _, pid in found}) == 2


@pytest.mark.parametrize(
    ("word", "kind"),
    [("raise", ValueError), ("stop", StopIteration), ("exit", SystemExit)],
)
def test_what_is_raised_there_is_the_replys_error(opened, word, kind):
    reply = ask(opened(), word)

    assert type(reply.error) is kind
    with pytest.raises(kind):
        reply.result()


def test_an_error_says_where_it_was_raised_there(opened):
    [note] = ask(opened(), "raise").error.__notes__

    assert note.startswith("In its process:")
    assert f'File "{LINES}"' in note
    assert note.endswith('raise ValueError("no")')


def test_an_error_that_cannot_be_made_anew_arrives_all_the_same(opened):
    error = ask(opened(), "picky").error

    assert isinstance(error, Picky)
    assert (str(error), error.second) == ("one two", "two")


def test_an_error_that_holds_what_cannot_travel_says_the_same(opened):
    def work(_):
        error = ValueError("full")
        error.lock = threading.Lock()
        raise error

    error = ask(opened(targets={"work": work}), 1).error

    assert isinstance(error, RunError)
    assert f"{error}" == "ValueError: full"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("die", "its process ended with exit code 5"),
        pytest.param(
            "die by a signal",
            "its process was ended by SIGKILL",
            marks=pytest.mark.skipif(os.name == "nt", reason="no signals there"),
        ),
    ],
)
def test_a_process_that_ends_takes_only_its_own_work_with_it(opened, word, message):
    processes = opened(2)
    beside = begun(processes.submit("work", "beside", 0.5))

    assert f"{ask(processes, word).error}" == message
    assert ask(processes, "again").result()[0] == "again"
    assert beside.result(20).result()[0] == "beside"


def test_work_that_takes_too_long_is_ended_with_its_process(opened):
    processes = opened()
    _, first = ask(processes, "warm").result()
    began = time.monotonic()
    error = ask(processes, "slow", 30, limit_s=0.2).error

    assert isinstance(error, DeadlineError)
    assert f"{error}" == "took longer than 0.2 s"
    assert time.monotonic() - began < 5
    assert ask(processes, "next").result()[1] != first


def test_work_that_its_caller_left_is_ended_a_while_after_an_events_time(opened):
    processes = opened(context=SimpleNamespace(timeout_s=0.2))
    left = processes.submit("work", "slow", 30)

    assert isinstance(left.result(20).error, DeadlineError)


def test_what_nobody_wants_any_more_is_ended_at_once(opened):
    processes = opened()
    ask(processes, "warm")
    unwanted = begun(processes.submit("work", "slow", 30))
    waiting = processes.submit("work", "never")
    waiting.cancel()
    processes.end(unwanted)

    assert "ended" in str(unwanted.result(5).error)
    assert ask(processes, "next").result()[0] == "next"


def test_an_end_that_comes_too_late_hurts_nobody(opened):
    processes = opened()
    done = processes.submit("work", 1)
    _, pid = done.result(20).result()
    processes.end(done)

    assert ask(processes, 2).result()[1] == pid


def test_an_end_in_the_last_moment_of_a_work_does_not_hurt_the_next(opened):
    """Its process is killed when it has just replied, and seems to run a bit longer."""
    processes = opened()
    for number in range(30):
        work = processes.submit("work", number)
        work.wait(20)
        worker = work.worker
        worker._call = work  # as in the moment before the thread has noted the reply
        processes.end(work) if number % 2 else worker.end(work)
        worker._call = None

        assert ask(processes, "next").result()[0] == "next"


@pytest.mark.parametrize("value", [threading.Lock(), (n for n in "ab")])
def test_arguments_that_cannot_travel_are_refused(opened, value):
    with pytest.raises(TypeError, match="what it gets cannot go to another process"):
        opened().submit("work", value)


def test_a_result_that_cannot_travel_is_an_error(opened):
    error = ask(opened(), "generator").error

    assert isinstance(error, TypeError)
    assert "what it gave cannot leave another process: TypeError: cannot" in str(error)


def test_a_target_that_cannot_travel_is_refused():
    held = functools.partial(work, threading.Lock())
    with pytest.raises(SpecError, match=r"step 'it' cannot go to another process: Typ"):
        WorkerPool({"it": held}, 1, "step")


class Unmade:
    def __reduce__(self):
        return work, ("raise",)


class Made:
    def __reduce__(self):
        return functools.partial, (work, "made")


def test_starting_waits_until_the_targets_are_made(opened):
    processes = opened(2, targets={"work": Made()})
    processes.start()
    processes.start()

    assert ask(processes).result()[0] == "made"


def test_a_target_that_cannot_be_made_there_is_told_at_the_start(opened):
    with pytest.raises(ValueError, match="no"):
        opened(2, targets={"work": Unmade()}).start()


def test_a_target_that_cannot_be_made_there_fails_every_work(opened):
    processes = opened(targets={"work": Unmade()})

    assert [str(ask(processes).error) for _ in range(2)] == ["no", "no"]


def test_code_of_no_module_keeps_its_own_classes(opened):
    class Local:
        def __init__(self, n):
            self.n = n

    processes = opened(targets={"work": lambda local: Local(local.n + 1)})
    found = ask(processes, Local(1)).result()

    assert isinstance(found, Local)
    assert found.n == 2


def test_what_is_printed_and_logged_there_comes_out_here(opened, capsys):
    told = []

    class Logger:
        def __getattr__(self, level):
            return lambda text: told.append((level, text))

    ask(opened(context=SimpleNamespace(logger=Logger())), "print")
    out, err = capsys.readouterr()

    assert (out, err) == ("half a line", "to stderr\n")
    assert told == [("warning", "a record")]


def test_what_waits_ends_when_the_processes_are_closed(opened):
    processes = opened()
    ask(processes, "warm")
    inside = begun(processes.submit("work", 0, 0.3))
    waiting = processes.submit("work", 1)
    processes.close()
    processes.close()

    assert inside.result(20).result()[0] == 0
    assert isinstance(waiting.result(20).error, ClosedError)
    with pytest.raises(ClosedError, match="the processes of this step were closed"):
        processes.submit("work", 1)


def is_gone(pid):
    """Tell whether a process ends within a while."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(os.name == "nt", reason="asks by a signal")
def test_processes_and_threads_end_with_their_last_user():
    before = threading.active_count()
    processes = WorkerPool({"work": work}, 1, "step")
    _, pid = ask(processes, 1).result()
    busy = processes.submit("work", 1, 30)
    del processes
    gc.collect()

    assert is_gone(pid)
    assert busy.result(5).error is not None
    for _ in range(500):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before


SCRIPT = """
import os, sys, time
from jupyter_graph.processes.process_pool import WorkerPool

def work(seconds):
    time.sleep(seconds)
    return os.getpid()

processes = WorkerPool({"work": work}, 1, "step")
print(processes.submit("work", 0).result().result(), flush=True)
processes.submit("work", 30)
time.sleep(0.1)
%s
"""


@pytest.mark.skipif(os.name == "nt", reason="asks by a signal")
@pytest.mark.parametrize(
    "end", ["sys.exit()", "os._exit(0)", "os.kill(os.getpid(), 9)"]
)
def test_a_script_needs_no_guard_and_its_processes_end_with_it(tmp_path, end):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT % end, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, path], stdout=subprocess.PIPE, text=True, timeout=20
    )

    assert is_gone(int(ran.stdout))
