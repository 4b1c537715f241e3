"""Events of one key, one after the other, in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import NoReturn

from jupyter_graph.connectors.event_key import key_reader
from jupyter_graph.errors import DeadlineError
from jupyter_graph.event import Event
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.slots import Place


class Turn(Place):
    """An event's place behind those of its key; ``come`` is settled when it is first.

    It is made before the event comes, so that it can be given back whatever happens.
    """

    __slots__ = ("come", "key", "order")

    def __init__(self, order: OrderBy) -> None:
        self.order = order
        self.key: str | None = None
        self.come = Outcome()

    def leave(self) -> None:
        """Let the next one of the key come; harmless twice, and without a turn."""
        self.order.leave(self)


class OrderBy:
    """Lets the events of a key into a graph one at a time; from threads and loops.

    Events of other keys go on meanwhile. One that waits for its turn waits within its
    own time, and takes no slot.

    Args:
        order_by: what holds the key, see ``GraphSpec.order_by``.
        limit_s: seconds an event may wait.
    """

    def __init__(self, order_by: str | Sequence[str], limit_s: float) -> None:
        self.order_by = order_by
        names = (order_by,) if isinstance(order_by, str) else tuple(order_by)
        self._readers = [(key_reader(n, "order_by"), n.startswith("$")) for n in names]
        self._limit_s = limit_s
        self._lock = threading.RLock()  # a handler of the user's may run an event
        self._lines: dict[str, deque[Turn]] = {}  # the first one is inside
        self._reserved: dict[int, Turn] = {}

    def reserve(self, event: Event) -> None:
        """Line an event up now, though its work begins later, maybe elsewhere.

        Raises:
            BadRequestError: the body has no such field.
        """
        turn = self._reserved[id(event)] = Turn(self)
        try:
            self._come(turn, event)
        except BaseException:
            self.cancel(event)
            raise

    def cancel(self, event: Event) -> None:
        """Take back what was reserved; nothing where the event's work has begun."""
        turn = self._reserved.pop(id(event), None)
        if turn is not None:
            turn.leave()

    def turn_of(self, event: Event) -> Turn:
        """Return the turn that was reserved for an event, or a new one."""
        return self._reserved.pop(id(event), None) or Turn(self)

    def wait(self, turn: Turn, event: Event) -> None:
        """Wait for an event's turn, in this thread; ``leave`` ends it in any case.

        Raises:
            BadRequestError: the body has no such field.
            DeadlineError: its turn did not come in time.
        """
        self._come(turn, event)
        if not turn.come.wait(self._limit_s):
            self._is_late(turn)

    async def wait_on_loop(self, turn: Turn, event: Event) -> None:
        """``wait``, without keeping the loop."""
        self._come(turn, event)
        if turn.come.is_done:
            return
        import asyncio

        try:
            async with asyncio.timeout(self._limit_s):
                await turn.come.waited()
        except TimeoutError:
            self._is_late(turn)

    def leave(self, turn: Turn) -> None:
        """Let the next one of the key come; harmless twice, and without a turn."""
        key = turn.key
        if key is None:
            return
        with uninterrupted(), self._lock:
            line = self._lines.get(key)
            if line is None or turn not in line:
                return
            was_first = line[0] is turn
            line.remove(turn)
            if not line:
                del self._lines[key]
            elif was_first:
                line[0].come.settle(None)

    def _come(self, turn: Turn, event: Event) -> None:
        if turn.key is not None:  # reserved
            return
        parts = [
            read(event if is_of_event else event.body)
            for read, is_of_event in self._readers
        ]
        key = parts[0] if len(parts) == 1 else repr(parts)
        with uninterrupted(), self._lock:
            line = self._lines.setdefault(key, deque())
            turn.key = key
            line.append(turn)
            if line[0] is turn:
                turn.come.settle(None)

    def _is_late(self, turn: Turn) -> NoReturn:
        raise DeadlineError(
            f"the events of key {turn.key!r} before it took longer than "
            f"{self._limit_s:g} s"
        ) from None
