"""Everything of uvicorn that its documentation does not promise, in this one file.

Checked with uvicorn 0.34 to 0.54; ``tests/host/test_uvicorn_private.py`` says what a
new version took away. Of a request the host looks at uvicorn's own object, the cycle:
it holds the body as it arrives, whether the caller is still there, and the transport.
Behind another server, or with a cycle that lacks what ``USED`` lists, ``cycle_of`` is
None and everything goes the slow way, by the messages of ASGI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import uvicorn
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

CHECKED: Final = ">=0.34,<0.55"
HEADER_S: Final = 10.0
"""Seconds a connection may take to send the head of a request."""

BODY_S: Final = 30.0
"""Seconds a request may take to arrive as a whole."""

HEADER_BYTES: Final = 64 * 1024

USED: Final = frozenset((
    "body", "default_headers", "disconnected", "flow", "keep_alive", "message_event",
    "more_body", "on_response", "response_complete", "response_started", "scope",
    "transport", "waiting_for_100_continue",
))  # fmt: skip
"""What a cycle has to have for the fast way."""

Cycle: TypeAlias = Any  # a RequestResponseCycle, to which the app adds ``task``

# A cycle has its attributes from ``__init__`` only, so the class can be asked nothing;
# the names in the code of ``__init__`` tell, and cost a request nothing.
_CYCLE: type[Any] | None = (
    RequestResponseCycle
    if USED.issubset(RequestResponseCycle.__init__.__code__.co_names)
    else None
)

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class LimitedProtocol(HttpToolsProtocol):
    """One connection; it is closed when its request takes too long to arrive.

    No timer is set per request: ``close_overdue`` looks at all connections of a worker
    once a second.
    """

    since: float | None = None  # when the request began; None while none is arriving
    in_head = True
    began = False  # a request began in the data just received
    head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        if self.since is None:
            self.since = self.loop.time()
        was_in_head = self.in_head
        self.began = False
        super().data_received(data)  # calls the on_… methods below
        # Only data that was head from end to end counts: where a request begins or
        # its head ends within it, one cannot tell how much of it was head.
        if was_in_head and self.in_head and not self.began:
            self.head_bytes += len(data)
            if self.head_bytes > HEADER_BYTES:
                self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = self.began = True
        self.head_bytes = 0
        self.since = self.loop.time()

    def on_headers_complete(self) -> None:
        # First, because uvicorn starts the app's task from here.
        self.in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.in_head = True
        self.head_bytes = 0
        self.since = None
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the work for a caller who hung up, at its next pause."""
        cycle = self.cycle
        # uvicorn lets the app run on; the app left its task here.
        task = getattr(cycle, "task", None)
        super().connection_lost(exc)
        if task is not None and not cycle.response_complete:
            task.cancel("the caller hung up")

    def close_when_overdue(self, now: float) -> None:
        """Close the connection when its request has not arrived in time."""
        limit = HEADER_S if self.in_head else BODY_S
        if self.since is not None and now - self.since > limit:
            self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        self.since = None
        if self.transport is None or self.transport.is_closing():
            return
        # While an answer is on its way, these bytes would be read as part of it.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()


class QuietServer(uvicorn.Server):
    """uvicorn's server with our time limits, and without its handlers of signals.

    Args:
        config: uvicorn's.
        tick: called ten times a second with a counter; True ends the server.
    """

    def __init__(self, config: uvicorn.Config, tick: Callable[[int], bool]) -> None:
        super().__init__(config)
        self._tick = tick

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            connections: set[Any] = self.server_state.connections
            for connection in list(connections):  # one that closes leaves the set
                connection.close_when_overdue(now)
        if self._tick(counter):
            self.should_exit = True
        return await super().on_tick(counter)


def cycle_of(receive: Any) -> Cycle | None:
    """Return uvicorn's own object for the request; None where the slow way is taken."""
    cycle = getattr(receive, "__self__", None)  # ``receive`` is a method of the cycle
    return cycle if type(cycle) is _CYCLE else None


def hung_up(cycle: Cycle | None) -> bool:
    """Return whether the caller is known to be gone."""
    return cycle is not None and bool(cycle.disconnected)


def has_begun(cycle: Cycle | None) -> bool:
    """Return whether a part of the answer is known to be sent."""
    return cycle is not None and bool(cycle.response_started)


def whole_body(cycle: Cycle | None) -> bytes | None:
    """Return the body when all of it has arrived, None when it must be waited for."""
    if cycle is None or cycle.more_body or cycle.disconnected:
        return None
    # The caller waits for a word from us; ``receive`` would send it.
    return None if cycle.waiting_for_100_continue else bytes(cycle.body)


_heads: dict[tuple[int, str], bytes] = {}
_heads_of: list[Any] = [None]


def write_answer(
    cycle: Cycle | None, status: int, content_type: str, body: bytes
) -> bool:
    """Send a whole answer without further headers in one write.

    The two ASGI messages of an answer cost a tenth of a small request. False where
    they are needed: nothing was written.
    """
    if cycle is None or cycle.response_started:
        return False
    # Left to uvicorn: an answer without a body, one that says that the connection
    # closes, and one that has to wait for a slow reader.
    is_plain = cycle.keep_alive and cycle.scope["method"] != "HEAD"
    if not is_plain or status in (204, 304):
        return False
    if cycle.flow.write_paused or cycle.disconnected:
        return False
    # uvicorn makes a new list of default headers with every new date, once a second:
    # as long as it is the same list, the same answer has the same head.
    if _heads_of[0] is not cycle.default_headers:
        _heads.clear()
        _heads_of[0] = cycle.default_headers
    head = _heads.get((status, content_type))
    if head is None:
        lines = [
            *cycle.default_headers,
            (b"content-type", content_type.encode("latin-1")),
        ]
        text = b"".join(b"%s: %s\r\n" % line for line in lines)
        head = _heads[status, content_type] = STATUS_LINE[status] + text
    # What uvicorn's ``send`` does after the last message, in its order: the state
    # first, then the bytes, then ``on_response``, which may start the next request.
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    cycle.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
    cycle.on_response()
    return True
