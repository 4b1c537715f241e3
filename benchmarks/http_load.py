"""A small load of HTTP requests from one process: keep-alive, no pipelining."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from jupyter_graph.host.platform import loop_factory


@dataclass(slots=True)
class Load:
    """Requests to be sent, and what came of them.

    Attributes:
        port: of the loopback.
        body: JSON that every request posts.
        left: requests still to be sent.
        path: of the requests.
        took_s: seconds from the sending of each answered request to its answer.
        answer: body of the last answer.
        wall_s: seconds the whole load took.
        cpu_s: CPU seconds that sending it took.
    """

    port: int
    body: bytes
    left: int
    path: str = "/"
    took_s: list[float] = field(default_factory=list)
    answer: bytes = b""
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def request(self) -> bytes:
        return (
            b"POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (self.path.encode(), self.port, len(self.body), self.body)
        )


class Caller(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self._load = load
        self._request = load.request()
        self._done = done
        self._got = b""
        self._sent_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if self._load.left == 0:
            self._transport.close()
            return
        self._load.left -= 1
        self._got = b""
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, rest = self._got.partition(b"\r\n\r\n")
        body = body_of(head, rest) if found else None
        if body is None:
            return
        self._load.took_s.append(time.perf_counter() - self._sent_at)
        if not head.startswith(b"HTTP/1.1 200 "):
            self._end(RuntimeError(f"answered {head.splitlines()[0]!r}: {body!r}"))
            return
        self._load.answer = body
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
            self._transport.close()


def body_of(head: bytes, rest: bytes) -> bytes | None:
    r"""Give the body of an answer once it is whole.

    >>> body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2", b"{}")
    b'{}'
    >>> body_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", b"2\r\n{}\r\n")
    """
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return rest if len(rest) >= int(value) else None
        if name == b"transfer-encoding":
            return _joined(rest) if rest.endswith(b"0\r\n\r\n") else None
    return None


def _joined(chunks: bytes) -> bytes:
    found = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        end = int(size, 16)
        found, chunks = found + chunks[:end], chunks[end + 2 :]
    return found


def send_load(load: Load, *, connections: int, limit_s: float) -> Load:
    """Send all requests of a load; none is lost.

    Raises:
        TimeoutError: it took longer than the limit.
        RuntimeError: a request was not answered 200.
    """

    async def send() -> None:
        loop = asyncio.get_running_loop()
        ends = [loop.create_future() for _ in range(connections)]
        began, started = time.process_time(), time.perf_counter()
        async with asyncio.timeout(limit_s):
            for done in ends:
                await loop.create_connection(
                    partial(Caller, load, done), "127.0.0.1", load.port
                )
            await asyncio.gather(*ends)
        load.wall_s = time.perf_counter() - started
        load.cpu_s = time.process_time() - began

    wanted = load.left
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(send())
    if len(load.took_s) != wanted:
        raise RuntimeError(f"{len(load.took_s)} of {wanted} requests were answered")
    return load
