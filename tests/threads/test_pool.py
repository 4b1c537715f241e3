"""Threads that a step keeps: as many as there is work, bounded, never in the way."""

import queue
import threading

import pytest

from jupyter_graph.threads.thread_pool import Threads

WAIT_S = 5.0


@pytest.fixture
def threads():
    made = []

    def make(most, **more):
        made.append(Threads(most, "test", **more))
        return made[-1]

    yield make
    for kept in made:
        kept.close()


@pytest.mark.parametrize("size", [2, 3, 8])
def test_work_that_waits_for_each_other_always_gets_its_threads(threads, size):
    kept, together = threads(size), threading.Barrier(size, timeout=WAIT_S)
    rounds = ([kept.submit(together.wait) for _ in range(size)] for _ in range(200))

    assert all(sorted(f.result() for f in work) == [*range(size)] for work in rounds)


def test_one_after_the_other_needs_one_thread(threads):
    kept = threads(8)

    assert len({kept.submit(threading.get_ident).result() for _ in range(20)}) == 1


def test_errors_of_any_kind_come_back(threads):
    def stop():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        threads(1).submit(stop).result()


def test_what_may_wait_is_bounded(threads):
    begun, may_end = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert may_end.wait(WAIT_S)

    kept = threads(1, most_waiting=1)
    first = kept.submit(slow)
    assert begun.wait(WAIT_S)
    second = kept.submit(slow)
    with pytest.raises(queue.Full):
        kept.submit(slow)
    may_end.set()

    assert (first.result(), second.result()) == (None, None)


def test_what_waits_at_the_end_is_given_up(threads):
    begun, may_end = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert may_end.wait(WAIT_S)
        return "done"

    kept = threads(1)
    under_way = kept.submit(slow)
    assert begun.wait(WAIT_S)
    waiting = kept.submit(slow)
    given_up = kept.close()
    may_end.set()

    assert (given_up, waiting.is_cancelled, under_way.result()) == (1, True, "done")
    assert kept.close() == 0
    with pytest.raises(RuntimeError, match="closed"):
        kept.submit(slow)
