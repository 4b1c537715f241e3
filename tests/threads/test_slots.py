"""How many may be inside at once."""

import threading
import time

import pytest

from jupyter_graph.threads.slots import Slot, Slots


def test_never_more_than_the_limit_and_everybody_comes_in():
    slots, inside, most, lock = Slots(3), 0, 0, threading.Lock()
    done = []

    def work():
        nonlocal inside, most
        slot = Slot()
        try:
            assert slots.take(slot, 10)
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.001)
            with lock:
                inside -= 1
        finally:
            slots.leave(slot)
        done.append(1)

    threads = [threading.Thread(target=work) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (len(done), most) == (60, 3)


def test_who_waits_in_vain_takes_nothing():
    slots, first, second = Slots(1), Slot(), Slot()
    slots.take(first)

    assert not slots.take(second, 0.01)
    slots.leave(first)
    assert slots.take(Slot(), 0)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_leaving_is_harmless_twice_and_without_a_place(times):
    slots, slot = Slots(1), Slot()
    slots.take(slot)
    for _ in range(times):
        slots.leave(slot)
        slots.leave(Slot())

    assert slots.take(Slot(), 0)
    assert not slots.take(Slot(), 0)


def test_who_comes_first_is_served_first():
    slots, first, order = Slots(1), Slot(), []
    slots.take(first)

    def work(number):
        slot = Slot()
        slots.take(slot, 10)
        order.append(number)
        slots.leave(slot)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(slots._waiting) <= number:
            time.sleep(0.001)
    slots.leave(first)
    for thread in threads:
        thread.join(10)

    assert order == [0, 1, 2, 3, 4]
