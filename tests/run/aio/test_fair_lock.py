"""One at a time, in order, from one loop or several."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph.run.aio.fair_lock import FairLock


class Room:
    """Says when two are inside at once, and who came in which order."""

    def __init__(self):
        self.lock = FairLock()
        self.inside = 0
        self.came = []

    async def visit(self, name):
        if not self.lock.take():
            await self.lock.wait()
        try:
            self.inside += 1
            assert self.inside == 1
            await asyncio.sleep(0)
            self.came.append(name)
            assert self.inside == 1
            self.inside -= 1
        finally:
            self.lock.leave()


def test_those_on_one_loop_come_in_order():
    room = Room()

    async def all_of_them():
        await asyncio.gather(*(room.visit(number) for number in range(100)))

    asyncio.run(all_of_them())

    assert room.came == list(range(100))
    assert room.lock.take()


def test_those_on_several_loops_come_one_at_a_time():
    room = Room()

    async def some(thread):
        for number in range(50):
            await asyncio.gather(*(room.visit((thread, number)) for _ in range(4)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda thread: asyncio.run(some(thread)), range(4)))

    assert len(room.came) == 4 * 50 * 4
    assert room.lock.take()


@pytest.mark.parametrize("gives_up_late", [False, True])
def test_who_gives_up_leaves_the_turn_to_the_next(gives_up_late):
    room = Room()

    async def all_of_them():
        assert room.lock.take()
        waiting = [asyncio.create_task(room.visit(name)) for name in "abc"]
        await asyncio.sleep(0)
        if gives_up_late:  # the turn is its own already
            room.lock.leave()
            waiting[0].cancel()
        else:
            waiting[0].cancel()
            await asyncio.sleep(0)
            room.lock.leave()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, *others = asyncio.run(all_of_them())

    assert isinstance(first, asyncio.CancelledError)
    assert others == [None, None]
    assert room.came == ["b", "c"]
    assert room.lock.take()


def test_a_loop_that_has_ended_does_not_keep_the_others_waiting():
    lock = FairLock()
    ended = asyncio.new_event_loop()
    assert lock.take()
    gone = ended.create_task(lock.wait())
    ended.run_until_complete(asyncio.sleep(0))
    gone._log_destroy_pending = False
    ended.close()

    async def leaves_and_comes():
        mine = asyncio.create_task(lock.wait())
        await asyncio.sleep(0)
        lock.leave()
        await mine
        lock.leave()

    asyncio.run(leaves_and_comes())

    assert lock.take()
