"""Events of one key, one after the other, in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_graph.connectors.keys import key_reader
from jupyter_graph.errors import DeadlineError

if TYPE_CHECKING:
    from jupyter_graph.run.event import Event


@dataclass(slots=True)
class Turn:
    """An event's place behind those of its key; ``future`` is None when it is first."""

    key: str
    future: Future[None] | None


class KeyOrder:
    """Lets the events of a key into a graph one at a time; from threads and loops.

    Events of other keys go on meanwhile. One that waits for its turn waits within its
    own time, and takes no seat.

    Args:
        order_by: what holds the key, see ``GraphSpec.order_by``.
        limit_s: seconds an event may wait.
    """

    def __init__(self, order_by: str | Sequence[str], limit_s: float) -> None:
        self.order_by = order_by
        names = (order_by,) if isinstance(order_by, str) else tuple(order_by)
        self._readers = [(key_reader(n, "order_by"), n.startswith("$")) for n in names]
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Future[None]]] = {}
        self._reserved: dict[int, Turn] = {}

    def reserve(self, event: Event) -> None:
        """Let an event come now, though its work begins later, maybe elsewhere.

        Raises:
            BadRequestError: the body has no such field.
        """
        self._reserved[id(event)] = self._come(event)

    def cancel(self, event: Event) -> None:
        """Take back what was reserved; nothing where the event's work has begun."""
        turn = self._reserved.pop(id(event), None)
        if turn is not None:
            self._give_up(turn)

    @contextmanager
    def turn(self, event: Event) -> Iterator[None]:
        """Wait for the event's turn, in this thread.

        Raises:
            BadRequestError: the body has no such field.
            DeadlineError: its turn did not come in time.
        """
        turn = self._turn_of(event)
        if turn.future is not None:
            with self._waiting_for(turn):
                turn.future.result(min(self._limit_s, threading.TIMEOUT_MAX))
        try:
            yield
        finally:
            self._leave(turn.key)

    @asynccontextmanager
    async def turn_on_loop(self, event: Event) -> AsyncIterator[None]:
        """``turn``, without keeping the loop."""
        import asyncio

        turn = self._turn_of(event)
        if turn.future is not None:
            with self._waiting_for(turn):
                async with asyncio.timeout(self._limit_s):
                    await asyncio.wrap_future(turn.future)
        try:
            yield
        finally:
            self._leave(turn.key)

    def _turn_of(self, event: Event) -> Turn:
        return self._reserved.pop(id(event), None) or self._come(event)

    @contextmanager
    def _waiting_for(self, turn: Turn) -> Iterator[None]:
        """Give the turn on where the wait for it does not end well."""
        try:
            yield
        except TimeoutError:
            self._give_up(turn)
            raise DeadlineError(
                f"the events of key {turn.key!r} before it took longer than "
                f"{self._limit_s:g} s"
            ) from None
        except BaseException:
            self._give_up(turn)
            raise

    def _come(self, event: Event) -> Turn:
        parts = [
            read(event if is_of_event else event.body)
            for read, is_of_event in self._readers
        ]
        key = parts[0] if len(parts) == 1 else repr(parts)
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                self._waiting[key] = deque()
                return Turn(key, None)
            future: Future[None] = Future()
            waiting.append(future)
            return Turn(key, future)

    def _leave(self, key: str) -> None:
        with self._lock:
            waiting = self._waiting[key]
            while waiting:
                future = waiting.popleft()
                if future.set_running_or_notify_cancel():
                    break
            else:
                del self._waiting[key]
                return
        future.set_result(None)

    def _give_up(self, turn: Turn) -> None:
        future = turn.future
        if future is None or not (future.cancelled() or future.cancel()):
            self._leave(turn.key)  # it was its turn already
