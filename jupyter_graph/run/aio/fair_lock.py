"""One at a time, whichever loop it comes from."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable


async def awaited_place(
    future: asyncio.Future[None], give_back: Callable[[], None]
) -> None:
    """Wait for a place; call ``give_back`` if it comes when the caller has given up."""
    try:
        await future
    except BaseException:
        if future.done() and not future.cancelled():
            give_back()  # it came at the moment this caller gave up
        raise


class FairLock:
    """Lets one at a time inside, in the order they come; from any loop and thread.

    ``asyncio.Lock`` belongs to one loop, and costs two coroutines also where nobody
    else is there.

    >>> lock = FairLock()
    >>> lock.take(), lock.take()  # the second one has to ``wait``
    (True, False)
    """

    __slots__ = ("_lock", "_waiting")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Go inside if nobody is there and nobody waits; tell whether it worked."""
        return not self._waiting and self._lock.acquire(blocking=False)

    async def wait(self) -> None:
        """Go inside when it is one's turn."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if self._lock.acquire(blocking=False):  # who was inside left just before
            self.leave()
        await awaited_place(future, self.leave)

    def leave(self) -> None:
        """Go outside; whose turn it is comes in."""
        while True:
            if not self._waiting:
                self._lock.release()
                if not self._waiting or not self._lock.acquire(blocking=False):
                    return
            if self._pass_to(self._waiting.popleft()):
                return

    def _pass_to(self, future: asyncio.Future[None]) -> bool:
        loop = future.get_loop()
        if loop is asyncio.get_running_loop():
            if future.done():
                return False
            future.set_result(None)
            return True
        try:
            loop.call_soon_threadsafe(self._arrive, future)
        except RuntimeError:  # that loop has ended
            return False
        return True

    def _arrive(self, future: asyncio.Future[None]) -> None:
        if future.done():  # gave up on the way
            self.leave()
        else:
            future.set_result(None)
