"""Server-sent events: the lines of a stream to the data in them.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from jupyter_graph.errors import StatusError

LONGEST = 4 * 1024**2
"""Bytes that one event may have."""


async def data_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yield the data of each event, however the bytes are cut.

    An event that the stream breaks off in is not given.

    Raises:
        StatusError: 502, an event is too long.
    """
    rest, data = b"", list[str]()
    async for chunk in chunks:
        *lines, rest = _lines(rest + chunk)
        for line in lines:
            if line:
                data += _data(line)
            elif data:
                yield "\n".join(data)
                data = []
        if len(rest) + sum(map(len, data)) > LONGEST:
            raise StatusError(f"an event has over {LONGEST:,} bytes", status_code=502)


def _lines(text: bytes) -> list[bytes]:
    """Split at line ends; a last CR may be half of one."""
    held = b""
    if text.endswith(b"\r"):
        text, held = text[:-1], b"\r"
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines[-1] += held
    return lines


def _data(line: bytes) -> list[str]:
    name, _, value = line.decode("utf-8", "replace").partition(":")
    return [value.removeprefix(" ")] if name == "data" else []
