"""One thread for as long as there is work, and no second one beside it."""

import queue
import threading
import time

import pytest

from jupyter_graph.threads import on_demand
from jupyter_graph.threads.on_demand import ThreadOnDemand


class Counting:
    """Works off a queue in such a thread, and ends when that is empty."""

    def __init__(self):
        self.work, self.done, self.threads = queue.SimpleQueue(), [], set()
        self.here = []
        self.thread = ThreadOnDemand(
            self._run, "jupyter_graph-test", lambda: not self.work.empty()
        )

    def do(self, number):
        self.work.put(number)
        self.thread.start_if_wanted()

    def _run(self):
        self.threads.add(threading.get_ident())
        while True:
            try:
                self.done.append(self.work.get_nowait())
                self.here.append(self.thread.is_here)
            except queue.Empty:
                self.thread.ended()
                return


def wait_until(is_true):
    until = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_it_does_all_work_and_ends():
    counting = Counting()
    for number in range(200):
        counting.do(number)
    wait_until(lambda: len(counting.done) == 200 and not counting.thread.is_running)

    assert counting.done == list(range(200))
    assert all(counting.here)
    assert not counting.thread.is_here


def test_it_does_not_start_unless_it_is_wanted():
    counting = Counting()
    counting.thread.start_if_wanted()

    assert not counting.thread.is_running
    assert counting.threads == set()


def test_who_comes_while_the_lock_is_held_waits_for_nothing():
    counting = Counting()
    with counting.thread._lock:
        counting.do(1)
        assert not counting.thread.is_running
    counting.do(2)
    wait_until(lambda: counting.done == [1, 2])


def test_a_thread_that_has_found_nothing_is_no_reason_to_start_none(monkeypatch):
    counting, may_end = Counting(), threading.Event()
    first, real = [], on_demand.start_thread

    def lingers():
        Counting._run(counting)
        may_end.wait(5)

    def start_and_wait_until_it_has_ended(target, name):
        if not first:
            counting.thread._target = lingers
            first.append(real(target, name))
            wait_until(lambda: counting.done == [1] and not counting.thread.is_running)
            counting.thread._target = counting._run
            return first[0]
        return real(target, name)

    monkeypatch.setattr(on_demand, "start_thread", start_and_wait_until_it_has_ended)
    counting.do(1)
    assert first[0].is_alive()
    counting.do(2)
    wait_until(lambda: counting.done == [1, 2])
    may_end.set()
    first[0].join(5)


def test_a_thread_that_fails_is_started_anew(monkeypatch):
    counting = Counting()
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def fails():
        counting.thread._target = counting._run
        raise ValueError("wrong")

    counting.thread._target = fails
    counting.do(1)
    wait_until(lambda: not counting.thread.is_running)
    counting.do(2)
    wait_until(lambda: counting.done == [1, 2])


def test_where_no_thread_can_be_started_the_next_call_tries_again(monkeypatch):
    counting = Counting()
    with monkeypatch.context() as patched:
        patched.setattr(on_demand, "start_thread", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            counting.do(1)
    counting.do(2)
    wait_until(lambda: counting.done == [1, 2])
