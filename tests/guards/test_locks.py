"""A lock that is taken where nothing may wait is found, though it is free."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import types
import warnings
from pathlib import Path

import pytest

from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter
from jupyter_graph.threads import reaper
from jupyter_graph.threads.reaper import Unclosed
from tests.guards import locks
from tests.guards.locks import CheckedLock

ROOT = Path(__file__).parents[2]

PARTS = """
import signal
import threading

lock = threading.Lock()
event = threading.Event()

class TakesIt:
    def __del__(self):
        with lock:
            pass

class Waits:
    def __del__(self):
        lock.acquire()
        lock.release()

class Tries:
    def __del__(self):
        if lock.acquire(blocking=False):
            lock.release()

class Sets:
    def __del__(self):
        event.set()

def on_signal(number, frame):
    with lock:
        pass

def handle(number):
    return signal.signal(number, on_signal)
"""


@pytest.fixture
def part():
    """A module of the package."""
    module = types.ModuleType("jupyter_graph.part")
    exec(PARTS, vars(module))
    return module


def forget(make):
    holder = [make()]
    holder.append(holder)
    del holder
    gc.collect()


@pytest.mark.parametrize("name", ["TakesIt", "Waits", "Sets"])
def test_a_lock_taken_while_garbage_is_collected_is_found(part, name):
    forget(getattr(part, name))

    text = "\n".join(locks.found())
    assert "while the garbage collector ran" in text
    assert f"in {name}.__del__" in text


def test_a_lock_taken_in_a_finalizer_is_found(part):
    part.TakesIt()  # it goes at once, without the collector

    [text] = locks.found()
    assert "taken below TakesIt.__del__" in text


def test_who_does_not_wait_may_try(part):
    forget(part.Tries)

    assert locks.found() == []


def test_what_other_threads_do_meanwhile_is_no_matter(part):
    class RunsAThread:
        def __del__(self):
            thread = threading.Thread(target=part.on_signal, args=(0, None))
            thread.start()
            thread.join()

    forget(RunsAThread)

    assert locks.found() == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_lock_taken_in_a_callback_of_the_package_is_found(part, monkeypatch):
    monkeypatch.setattr(Unclosed, "warn", lambda one: part.on_signal(0, None))
    with warnings.catch_warnings(record=True):
        owner = type("Owner", (), {})()
        Unclosed(owner, lambda: None, what="owner")
        del owner

    [text] = locks.found()
    assert f"taken below {reaper._warn_now.__name__}" in text


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGUSR1")
def test_a_lock_taken_in_a_handler_of_a_signal_is_found(part):
    before = part.handle(signal.SIGUSR1)
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    [text] = locks.found()
    assert "taken below on_signal" in text


def test_handlers_of_the_package_are_known():
    MainThreadInterrupter.install(part)
    MainThreadInterrupter.uninstall(part)

    assert MainThreadInterrupter._on_signal.__name__ in locks._places


FORKS = """
import os

from tests.guards import locks

locks.install()
PART = '''
import os
import threading

lock = threading.Lock()

def forked():
    with lock:
        pass

os.register_at_fork(after_in_child=forked)
'''
exec(PART, {"__name__": "jupyter_graph.part"})
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)
[text] = locks.found()
assert "in a hook of os.fork" in text, text
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_lock_taken_in_a_forked_child_is_found():
    subprocess.run([sys.executable, "-c", FORKS], cwd=ROOT, check=True, timeout=15)


def test_other_processes_have_ordinary_locks():
    code = "import threading; from jupyter_graph import Runner; print(threading.Lock)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=15
    )

    assert "built-in" in shown.stdout or "_thread.lock" in shown.stdout


# -- it is a lock all the same --------------------------------------------------


def test_only_locks_of_the_package_are_checked(part):
    assert type(part.lock) is CheckedLock
    assert type(threading.Lock()) is not CheckedLock
    assert isinstance(part.lock, threading.Lock)
    assert isinstance(threading.Lock(), threading.Lock)


def test_a_checked_lock_does_what_a_lock_does(part):
    with part.lock as entered:
        assert (entered, part.lock.locked()) == (True, True)
        assert not part.lock.acquire(blocking=False)
        assert not part.lock.acquire(True, 0.01)
        assert not part.lock.acquire(timeout=0.01)

    assert not part.lock.locked()
    assert part.lock.acquire()
    part.lock._at_fork_reinit()
    assert not part.lock.locked()
    with pytest.raises(RuntimeError):
        part.lock.release()
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(part.lock)


def test_no_interrupt_comes_between_the_lock_and_its_block(part):
    assert isinstance(part.lock.__enter__, types.BuiltinMethodType)
    assert isinstance(part.lock.__exit__, types.BuiltinMethodType)


def test_a_checked_lock_serves_a_condition(part):
    vars(part)["threading"] = threading
    exec("again = threading.RLock(); both = threading.Condition(again)", vars(part))
    with part.again, part.both:
        part.both.notify_all()
        assert part.both.wait(0.01) is False

    assert type(part.again) is CheckedLock
