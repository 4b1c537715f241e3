"""From an HTTP request to an event whose body is not yet decoded."""

from __future__ import annotations

import asyncio
from typing import Final

from jupyter_graph.errors import DeadlineError, TooLargeError
from jupyter_graph.event import (
    EVENT_ID_HEADERS,
    EVENT_PATH_HEADER,
    TIME_LEFT_HEADER,
    Event,
    Trigger,
    deadline_in,
    own_id,
    own_path,
)
from jupyter_graph.host.asgi import HeaderView, Receive, Scope
from jupyter_graph.host.uvicorn_private import BODY_S, cycle_of, whole_body
from jupyter_graph.values.content_encoding import MAX_BODY_BYTES
from jupyter_graph.values.request_parts import query_parameters

_DISCARD_BYTES: Final = 16 * 1024 * 1024
_DISCARD_S: Final = 2.0
_TRIGGER: Final = Trigger("http", "default-http")
_ID_HEADERS: Final = frozenset(name.encode() for name in EVENT_ID_HEADERS)
_PATH_HEADER: Final = EVENT_PATH_HEADER.encode()
_TIME_LEFT: Final = TIME_LEFT_HEADER.encode()


class GoneError(Exception):
    """The caller hung up before his request was whole."""


async def read_request(scope: Scope, receive: Receive, headers: HeaderView) -> Event:
    """Return the event of a request, its body not yet decoded.

    Raises:
        TooLargeError: the body is larger than 4 MiB; not all of it was read.
        DeadlineError: the body took too long to arrive.
        GoneError: the caller hung up.
    """
    raw = headers.raw
    length = raw.get(b"content-length")
    if length is not None or b"transfer-encoding" in raw:
        # The parser takes no length that is not a number.
        if length is not None and int(length) > MAX_BODY_BYTES:
            raise _too_large()
        # Most bodies have arrived with their head; awaiting them would cost a turn.
        whole = whole_body(cycle_of(receive))
        body = await _receive(receive) if whole is None else whole
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    else:
        body = b""
    query, path = scope["query_string"], scope["path"]
    if _PATH_HEADER in raw:
        path = own_path(headers) or path
    return Event(
        body,
        id=None if _ID_HEADERS.isdisjoint(raw) else own_id(headers),
        path=path,
        method=scope["method"],
        headers=headers,
        content_type=raw.get(b"content-type", b"").decode("latin-1"),
        trigger=_TRIGGER,
        fields=query_parameters(query.decode("latin-1"), {}) if query else None,
        deadline=deadline_in(headers) if _TIME_LEFT in raw else None,
    )


async def _receive(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise GoneError
    first: bytes = message["body"]
    if not message["more_body"]:
        return first
    parts, size, more = [first], len(first), True
    try:
        async with asyncio.timeout(BODY_S):
            while more:
                if size > MAX_BODY_BYTES:
                    raise _too_large()
                message = await receive()
                if message["type"] != "http.request":
                    raise GoneError
                parts.append(message["body"])
                size += len(message["body"])
                more = message["more_body"]
    except TimeoutError:
        raise DeadlineError("the body took too long to arrive") from None
    return b"".join(parts)


def _too_large() -> TooLargeError:
    return TooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes")


async def discard(receive: Receive) -> None:
    """Read on for a moment, so that the caller is still there to read the answer."""
    message = await receive()
    if not message.get("more_body"):
        return
    size = 0
    try:
        async with asyncio.timeout(_DISCARD_S):
            while size < _DISCARD_BYTES:
                message = await receive()
                if not message.get("more_body"):
                    return
                size += len(message["body"])
    except TimeoutError:
        return
