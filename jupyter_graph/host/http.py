"""The HTTP side of a worker: a raw ASGI app around Nuclio's two functions."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    DeadlineError,
    JupyterGraphError,
    MethodNotAllowedError,
    OverloadError,
    ServiceUnavailableError,
    StatusError,
    TooLargeError,
    UnauthorizedError,
)
from jupyter_graph.host.contract import HostContext, HostResponse
from jupyter_graph.host.protocol import BODY_S, whole_body, write_answer
from jupyter_graph.run.event import EVENT_ID_HEADERS, Event, Trigger, own_id
from jupyter_graph.run.response import Wire, encode, is_stream, open_stream, problem

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Page: TypeAlias = Callable[[], Wire | Awaitable[Wire]]

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_DISCARD_BYTES: Final = 16 * 1024 * 1024
_DISCARD_S: Final = 2.0
_TRIGGER: Final = Trigger("http", "default-http")
_LOOPBACK: Final = frozenset(("127.0.0.1", "localhost", "::1"))
_ID_HEADERS: Final = frozenset(name.encode() for name in EVENT_ID_HEADERS)
_REFUSED_METHODS: Final = frozenset(("TRACE", "CONNECT"))
_OPEN_PAGES: Final = frozenset(("/healthz", "/readyz", "/__internal/health"))

logger = logging.getLogger("jupyter_graph.host")


class MisdirectedError(StatusError):
    """421: the Host header names a server that this is not."""

    status_code = 421


class HeaderView(Mapping[str, str]):
    """Headers by lower-case name; decoded when somebody looks, most never are.

    >>> HeaderView([(b"x-user", b"ann")])["x-user"]
    'ann'
    """

    __slots__ = ("raw",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self.raw = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self.raw[name.lower().encode("latin-1", "replace")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self.raw)

    def __len__(self) -> int:
        return len(self.raw)


class GoneError(Exception):
    """The caller hung up before his request was whole."""


@dataclass(slots=True)
class Limits:
    """What a worker takes and from whom.

    Attributes:
        max_in_flight: requests at a time; more are answered 429.
        allow_hosts: names that Host and Origin may hold besides the loopback's;
            ``*`` allows every name.
        token: what ``Authorization: Bearer`` must carry; None asks for nothing.
    """

    max_in_flight: int = 1024
    max_body_bytes: int = MAX_BODY_BYTES
    allow_hosts: frozenset[str] = field(default_factory=frozenset)
    token: str | None = None


class App:
    """ASGI application of one worker.

    Args:
        handler: Nuclio's ``handler(context, event)``, a coroutine function or not.
        context: what ``init_context`` was given.
        limits: what is taken and from whom.
        count: called with (is_ok, milliseconds) for each event.
        refuse: called with the status of each request that is turned away.
        pages: path to the host's own pages.
    """

    def __init__(
        self,
        handler: Callable[[Any, Any], Any],
        context: HostContext,
        limits: Limits,
        *,
        count: Callable[[bool, float], None],
        refuse: Callable[[int], None],
        pages: dict[str, Page],
    ) -> None:
        self._handler = handler
        self._is_async = asyncio.iscoroutinefunction(handler)
        self._context = context
        self._limits = limits
        self._count = count
        self._refuse = refuse
        self._pages = pages
        self._names = _LOOPBACK | limits.allow_hosts
        self._good_hosts: set[bytes] = set()
        self.in_flight = 0
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it always gets an answer, unless its caller left."""
        self.in_flight += 1
        try:
            headers = self._admit(scope)
            page = self._pages.get(scope["path"])
            if page is not None:
                await _send(send, await _page(page, scope["method"]))
                return
            event = await self._read(scope, receive, headers)
        except JupyterGraphError as error:
            await self._turn_away(error, scope, receive, send)
            return
        except GoneError:
            return
        else:
            await self._answer(event, receive, send)
        finally:
            self.in_flight -= 1

    def _admit(self, scope: Scope) -> HeaderView:
        """Give the headers of a request that may come in.

        Raises:
            StatusError: it may not; Host, Origin, token, load or method is wrong.
        """
        headers = HeaderView(scope["headers"])
        raw = headers.raw
        host = raw.get(b"host")
        if host not in self._good_hosts:
            self._check_host(host)
        if len(raw) != len(scope["headers"]):
            _check_twice(scope["headers"])
        if b"origin" in raw:
            self._check_origin(raw[b"origin"])
        if self._limits.token is not None and scope["path"] not in _OPEN_PAGES:
            self._check_token(headers.get("authorization", ""))
        if self.is_draining:
            raise ServiceUnavailableError("the function is being stopped")
        if self.in_flight > self._limits.max_in_flight:
            limit = self._limits.max_in_flight
            raise OverloadError(f"more than {limit} requests in flight")
        if scope["method"] in _REFUSED_METHODS:
            raise MethodNotAllowedError(f"{scope['method']} is not served")
        return headers

    def _check_host(self, host: bytes | None) -> None:
        if not host:
            raise BadRequestError("a Host header is needed")
        name = _name(host.decode("latin-1"))
        if name not in self._names and "*" not in self._names:
            raise MisdirectedError(
                f"this is not {name!r}; a proxy's name is allowed with --allow-host"
            )
        if len(self._good_hosts) < 100:
            self._good_hosts.add(host)

    def _check_origin(self, origin: bytes) -> None:
        name = _name(origin.decode("latin-1").partition("://")[2])
        if name not in self._names and "*" not in self._names:
            raise AccessDeniedError("pages of other origins may not call this function")

    def _check_token(self, authorization: str) -> None:
        kind, _, token = authorization.partition(" ")
        wanted = (self._limits.token or "").encode()
        given = token.strip().encode("utf-8", "replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(given, wanted):
            raise UnauthorizedError("a bearer token is needed")

    async def _read(self, scope: Scope, receive: Receive, headers: HeaderView) -> Event:
        """Give the event of a request, its body not yet decoded."""
        raw = headers.raw
        length = raw.get(b"content-length")
        if length is not None or b"transfer-encoding" in raw:
            if length is not None and int(length) > self._limits.max_body_bytes:
                raise self._too_large()
            cycle = _cycle_of(receive)
            known = None if cycle is None else whole_body(cycle)
            body = await self._receive(receive) if known is None else known
            if len(body) > self._limits.max_body_bytes:
                raise self._too_large()
        else:
            body = b""
        query = scope["query_string"]
        return Event(
            body,
            id=None if _ID_HEADERS.isdisjoint(raw) else own_id(headers),
            path=scope["path"],
            method=scope["method"],
            headers=headers,
            content_type=raw[b"content-type"].decode("latin-1")
            if b"content-type" in raw
            else "",
            trigger=_TRIGGER,
            fields=dict(parse_qsl(query.decode("latin-1"))) if query else None,
        )

    async def _receive(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        body: bytes = message["body"]
        return await self._read_rest(body, receive) if message["more_body"] else body

    async def _read_rest(self, first: bytes, receive: Receive) -> bytes:
        parts, size, more = [first], len(first), True
        try:
            async with asyncio.timeout(BODY_S):
                while more:
                    if size > self._limits.max_body_bytes:
                        raise self._too_large()
                    message = await receive()
                    if message["type"] != "http.request":
                        raise GoneError
                    parts.append(message["body"])
                    size += len(message["body"])
                    more = message["more_body"]
        except TimeoutError:
            raise DeadlineError("the body took too long to arrive") from None
        return b"".join(parts)

    def _too_large(self) -> TooLargeError:
        limit = self._limits.max_body_bytes
        return TooLargeError(f"the body is larger than {limit} bytes")

    async def _turn_away(
        self, error: JupyterGraphError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request that never reached the graph."""
        raw = dict(scope["headers"])
        wire = problem(error, event_id=None)
        self._refuse(wire.status_code)
        if wire.status_code == 401:
            wire.headers["WWW-Authenticate"] = "Bearer"
        has_body = b"content-length" in raw or b"transfer-encoding" in raw
        if has_body or wire.status_code in (400, 421):
            wire.headers["Connection"] = "close"
            if has_body and b"expect" not in raw:
                await _discard(receive)
        await _send(send, wire)

    async def _answer(self, event: Event, receive: Receive, send: Send) -> None:
        """Run the handler and send what it gives."""
        started = time.perf_counter()
        cycle: Any = _cycle_of(receive)
        if cycle is not None:
            cycle.task = asyncio.current_task()  # see LimitedProtocol.connection_lost
        wire: Any = None
        try:
            found = self._handler(self._context, event)
            if self._is_async or asyncio.iscoroutine(found):
                found = await found
            if type(found) is HostResponse and type(found.body) is bytes:
                wire = found
                is_sent = (
                    cycle is not None
                    and not found.headers
                    and write_answer(
                        cycle, found.status_code, found.content_type, found.body
                    )
                )
                if not is_sent:
                    await _send_response(send, found)
            else:
                wire = await self._send_other(found, send)
        except asyncio.CancelledError:
            if cycle is None or not cycle.disconnected:
                raise
        except BaseException as error:
            logger.exception("the handler failed")
            if wire is not None:
                raise
            wire = problem(error, event_id=event.id)
            await _send(send, wire)
        finally:
            if cycle is not None:
                cycle.task = None
            is_ok = wire is not None and wire.status_code < 500
            self._count(is_ok, (time.perf_counter() - started) * 1000)

    async def _send_other(self, found: Any, send: Send) -> Any:
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
        await _send(send, wire)
        return wire


def _as_answer(found: HostResponse) -> Any:
    from jupyter_graph.run.response import Response

    content_type = found.content_type if isinstance(found.body, str | bytes) else None
    return Response(found.body, found.status_code, found.headers, content_type)


def _cycle_of(receive: Any) -> RequestResponseCycle | None:
    """Give uvicorn's own object for the request; None behind another server."""
    cycle = getattr(receive, "__self__", None)
    return cycle if type(cycle) is RequestResponseCycle else None


def _check_twice(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse what two servers in a row could read differently."""
    names = [name for name, _ in headers]
    for name in (b"host", b"content-length", b"origin"):
        if names.count(name) > 1:
            raise BadRequestError(f"two {name.decode()} headers")


def _name(host: str) -> str:
    """Give the name in a Host header or an origin, without its port.

    >>> _name("LocalHost:8080"), _name("[::1]:80"), _name("a.example")
    ('localhost', '::1', 'a.example')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def _page(page: Page, method: str) -> Wire:
    if method not in ("GET", "HEAD"):
        error = MethodNotAllowedError("this page takes GET and HEAD")
        wire = problem(error, event_id=None)
        wire.headers["Allow"] = "GET, HEAD"
        return wire
    found = page()
    return found if isinstance(found, Wire) else await found


async def _discard(receive: Receive) -> None:
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


async def _send(send: Send, wire: Wire) -> None:
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
