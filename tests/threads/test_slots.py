"""How many may be inside at once."""

import threading
import time

import pytest

from jupyter_graph.errors import NoSeatError
from jupyter_graph.threads.slots import Place, Slots


def test_never_more_than_the_limit_and_everybody_comes_in():
    slots, inside, most, lock = Slots(3), 0, 0, threading.Lock()
    done = []

    def work():
        nonlocal inside, most
        slot = slots.slot()
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
    slots = Slots(1)
    first, second = slots.slot(), slots.slot()
    slots.take(first)

    assert not slots.take(second, 0.01)
    slots.leave(first)
    assert slots.take(slots.slot(), 0)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_leaving_is_harmless_twice_and_without_a_place(times):
    slots = Slots(1)
    slot = slots.slot()
    slots.take(slot)
    for _ in range(times):
        slots.leave(slot)
        slots.leave(slots.slot())

    assert slots.take(slots.slot(), 0)
    assert not slots.take(slots.slot(), 0)


def test_who_comes_first_is_served_first():
    slots, order = Slots(1), []
    first = slots.slot()
    slots.take(first)

    def work(number):
        slot = slots.slot()
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


def test_a_slot_that_does_not_come_in_time_is_an_error():
    slots = Slots(1)
    first, second = slots.slot(), slots.slot()
    first.take()

    with pytest.raises(NoSeatError, match=r"within 0\.01 s"), second, second:
        second.take(0.01)

    first.leave()
    second.take(0)


@pytest.mark.parametrize("cut", [1, 2], ids=["the-first-end", "the-second-end"])
def test_an_interrupt_at_one_end_leaves_the_place_all_the_same(cut):
    class Cut(Place):
        ends = left = 0

        def leave(self):
            self.ends += 1
            if self.ends == cut:
                raise KeyboardInterrupt
            self.left += 1

    place = Cut()
    with pytest.raises(KeyboardInterrupt), place, place:
        pass

    assert (place.ends, place.left) == (2, 1)
