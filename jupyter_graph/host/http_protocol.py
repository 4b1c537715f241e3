"""uvicorn's HTTP protocol with limits on slow and on long requests."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

HEADER_S: Final = 10.0
"""Seconds a connection may take to send the head of a request."""

BODY_S: Final = 30.0
"""Seconds a request may take to arrive as a whole."""

HEADER_BYTES: Final = 64 * 1024

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class LimitedProtocol(HttpToolsProtocol):
    """One connection; it is closed when its request takes too long to arrive.

    Checked with uvicorn 0.34 to 0.54. No timer is set per request: ``sweep`` looks at
    all connections of a worker once a second.
    """

    since: float | None = None
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
        super().data_received(data)
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
        task = getattr(cycle, "task", None)
        super().connection_lost(exc)
        if task is not None and not cycle.response_complete:
            task.cancel("the caller hung up")

    def look(self, now: float) -> None:
        """Close the connection when its request is overdue."""
        limit = HEADER_S if self.in_head else BODY_S
        if self.since is not None and now - self.since > limit:
            self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        self.since = None
        if self.transport is None or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()


def whole_body(cycle: RequestResponseCycle) -> bytes | None:
    """Return the body when all of it has arrived, None when it must be waited for."""
    if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
        return None
    return bytes(cycle.body)


_heads: dict[tuple[int, str], bytes] = {}
_heads_of: list[Any] = [None]


def write_answer(
    cycle: RequestResponseCycle, status: int, content_type: str, body: bytes
) -> bool:
    """Send a whole answer without further headers in one write.

    The two ASGI messages of an answer cost a tenth of a small request. False where
    they are needed: nothing was written.
    """
    is_plain = cycle.keep_alive and cycle.scope["method"] != "HEAD"
    if not is_plain or status in (204, 304) or cycle.response_started:
        return False
    if cycle.flow.write_paused or cycle.disconnected:
        return False
    if _heads_of[0] is not cycle.default_headers:  # a new list with a new date
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
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    cycle.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
    cycle.on_response()
    return True


def sweep(connections: set[Any], now: float) -> None:
    """Close the connections whose requests are overdue."""
    for connection in list(connections):
        connection.look(now)
