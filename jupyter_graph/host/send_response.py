"""From an answer to the messages of ASGI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import Response, encode, is_stream, open_stream
from jupyter_graph.host.asgi import Receive, Send
from jupyter_graph.host.nuclio_context import HostResponse
from jupyter_graph.host.uvicorn_private import cycle_of, write_answer


async def send_result(result: Any, receive: Receive, send: Send) -> Any:
    """Send what a handler returned; return what holds the status that was sent.

    Raises:
        AnswerError: it cannot become an answer; nothing was sent.
    """
    if type(result) is not HostResponse or type(result.body) is not bytes:
        return await _send_other(result, send)
    # Further headers go through uvicorn, which checks each of them.
    cycle = None if result.headers else cycle_of(receive)
    if not write_answer(cycle, result.status_code, result.content_type, result.body):
        await _send_whole(send, result)
    return result


async def _send_other(result: Any, send: Send) -> Any:
    """Send what a hand-made handler returned, or a stream."""
    if isinstance(result, HostResponse):
        if hasattr(result.body, "__anext__"):
            await _send_stream(send, result)
            return result
        result = _as_answer(result)
    if is_stream(result):
        opened = await open_stream(result)
        stream = HostResponse(
            opened.headers, opened.chunks, opened.content_type, opened.status_code
        )
        await _send_stream(send, stream)
        return stream
    raw = encode(result)
    await send_raw(send, raw)
    return raw


def _as_answer(response: HostResponse) -> Any:
    # Its content type is text/plain where nobody chose one; the body knows better.
    is_encoded = isinstance(response.body, str | bytes)
    content_type = response.content_type if is_encoded else None
    return Response(response.body, response.status_code, response.headers, content_type)


async def send_raw(send: Send, raw: RawResponse) -> None:
    """Send an answer of the host itself."""
    response = HostResponse(raw.headers, raw.payload, raw.content_type, raw.status_code)
    await _send_whole(send, response)


async def _send_whole(send: Send, response: HostResponse) -> None:
    body = response.body
    # HTTP lets these two have no body, and no length of one.
    has_body = response.status_code not in (204, 304)
    length = [(b"content-length", b"%d" % len(body))] if has_body else []
    await _send_head(send, response, length)
    await send({"type": "http.response.body", "body": body})


async def _send_head(
    send: Send, response: HostResponse, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    headers = [(b"content-type", response.content_type.encode("latin-1"))]
    headers += [
        (str(name).lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, value in response.headers.items()
    ]
    start = {"type": "http.response.start", "status": response.status_code}
    await send({**start, "headers": [*headers, *more]})


async def _send_stream(send: Send, response: HostResponse) -> None:
    await _send_head(send, response)  # without a length uvicorn sends it in chunks
    async for chunk in response.body:
        if chunk:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
