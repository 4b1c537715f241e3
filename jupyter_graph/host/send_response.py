"""From an answer to the messages of ASGI."""

from __future__ import annotations

from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import Response, encode, is_stream, open_stream
from jupyter_graph.host.asgi import Receive, Send, cycle_of
from jupyter_graph.host.http_protocol import write_answer
from jupyter_graph.host.nuclio_context import HostResponse


async def send_found(found: Any, receive: Receive, send: Send) -> Any:
    """Send what a handler gave; give what has its status.

    Raises:
        AnswerError: it cannot become an answer; nothing was sent.
    """
    if type(found) is not HostResponse or type(found.body) is not bytes:
        return await _send_other(found, send)
    cycle = None if found.headers else cycle_of(receive)
    if cycle is None or not write_answer(
        cycle, found.status_code, found.content_type, found.body
    ):
        await _send_response(send, found)
    return found


async def _send_other(found: Any, send: Send) -> Any:
    """Send what a hand-made handler gave, or a stream."""
    if isinstance(found, HostResponse):
        if hasattr(found.body, "__anext__"):
            await _send_stream(send, found)
            return found
        found = _as_answer(found)
    if is_stream(found):
        opened = await open_stream(found)
        stream = HostResponse(
            opened.headers, opened.chunks, opened.content_type, opened.status_code
        )
        await _send_stream(send, stream)
        return stream
    wire = encode(found)
    await send_wire(send, wire)
    return wire


def _as_answer(found: HostResponse) -> Any:
    content_type = found.content_type if isinstance(found.body, str | bytes) else None
    return Response(found.body, found.status_code, found.headers, content_type)


async def send_wire(send: Send, wire: RawResponse) -> None:
    """Send an answer of the host itself."""
    response = HostResponse(
        wire.headers, wire.payload, wire.content_type, wire.status_code
    )
    await _send_response(send, response)


async def _send_response(send: Send, found: HostResponse) -> None:
    body = found.body
    headers = [(b"content-type", found.content_type.encode("latin-1"))]
    if found.headers:
        headers += _header_lines(found.headers)
    if found.status_code not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    start = {"type": "http.response.start", "status": found.status_code}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header_lines(headers: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (str(name).lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, value in headers.items()
    ]


async def _send_stream(send: Send, found: HostResponse) -> None:
    headers = [(b"content-type", found.content_type.encode("latin-1"))]
    headers += _header_lines(found.headers)
    start = {"type": "http.response.start", "status": found.status_code}
    await send({**start, "headers": headers})
    async for chunk in found.body:
        if chunk:
            message = {"type": "http.response.body", "body": chunk, "more_body": True}
            await send(message)
    await send({"type": "http.response.body", "body": b""})
