"""Stretches that no interrupt cuts in two."""

import signal
import threading

import pytest

from jupyter_graph.threads.interrupts import call_all, postponed, uninterrupted
from jupyter_graph.threads.stack_frames import postponed_in


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end():
    done = []

    def stretch():
        with uninterrupted():
            ctrl_c()
            done.append("inside")
        done.append("behind")

    with pytest.raises(KeyboardInterrupt):
        stretch()
    assert done == ["inside"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_end_of_the_outermost_block_counts():
    done = []

    def stretch():
        with uninterrupted():
            with uninterrupted():
                ctrl_c()
            done.append("behind the inner one")

    with pytest.raises(KeyboardInterrupt):
        stretch()
    assert done == ["behind the inner one"]


def test_an_error_inside_comes_out_as_it_is():
    with pytest.raises(ValueError, match="wrong"), uninterrupted():
        raise ValueError("wrong")

    assert not postponed(lambda: None)


def test_a_handler_of_the_users_gets_the_signal():
    told = []
    before = signal.signal(signal.SIGINT, lambda *_: told.append("told"))
    try:
        with uninterrupted():
            ctrl_c()
            assert told == []
    finally:
        signal.signal(signal.SIGINT, before)

    assert told == ["told"]


def test_what_is_postponed_from_another_thread_comes_in_this_one():
    where = []
    with uninterrupted():
        here = threading.get_ident()
        other = threading.Thread(
            target=lambda: postponed_in(
                here, lambda: where.append(threading.get_ident())
            )
        )
        other.start()
        other.join(5)
        assert where == []

    assert where == [here]


def test_nothing_is_postponed_outside():
    assert not postponed(ctrl_c)


def test_all_are_called_though_an_interrupt_stops_one():
    done = []

    def stopped():
        ctrl_c()
        done.append("never")

    with pytest.raises(KeyboardInterrupt):
        call_all([lambda: done.append(1), stopped, lambda: done.append(3)])
    assert done == [1, 3]


def test_the_first_failure_comes_out():
    def fail(text):
        raise ValueError(text)

    with pytest.raises(ValueError, match="first"):
        call_all([lambda: fail("first"), lambda: fail("second")])


def test_it_works_in_any_thread():
    found = []

    def work():
        with uninterrupted():
            found.append(postponed(lambda: found.append("end")))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)

    assert found == [True, "end"]
