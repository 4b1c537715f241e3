"""One HTTP request to a host that may be called, and its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.errors import AccessDeniedError, StatusError
from jupyter_graph.http_client.host_rules import CheckedResolver, HostRules
from jupyter_graph.http_client.sessions import HttpPool
from jupyter_graph.http_client.urls import shown_url

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import AbstractResolver
    from yarl import URL

CONNECTIONS = 100
MOST_REDIRECTS = 5
MOST_BYTES = 64 * 1024**2
"""An answer may have so many bytes, unpacked."""


class HttpRequest(NamedTuple):
    """A request as it goes out; ``payload`` is None for one without a body."""

    method: str
    url: str
    headers: Mapping[str, str]
    payload: bytes | None = None


class HttpReply(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    payload: bytes


class HttpClient:
    """An HTTP client that calls only what its rules allow.

    It keeps connections open, follows redirects within one host only, reads no proxy
    settings and keeps no cookies. Safe from several threads and loops.

    Args:
        rules: which hosts may be called.
        connections: how many connections each loop may have at once; further requests
            wait for one.
        verify: check the certificates of https hosts.
        resolver: finds the addresses of names; by default the system's.

    Source: https://docs.aiohttp.org/en/stable/client_advanced.html
    """

    def __init__(
        self,
        rules: HostRules,
        *,
        connections: int = CONNECTIONS,
        verify: bool = True,
        resolver: AbstractResolver | None = None,
    ) -> None:
        import aiohttp  # noqa: F401 - now, so that no event waits for the import

        self.rules = rules
        self._connections = connections
        self._verify = verify
        self._resolver = resolver
        self._pool = HttpPool(self._session)

    def _session(self) -> ClientSession:
        import aiohttp

        inner = self._resolver or aiohttp.ThreadedResolver()
        checked: Any = CheckedResolver(inner, self.rules)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, resolver=checked, ssl=self._verify
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "jupyter_graph"},
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    @asynccontextmanager
    async def open(self, request: HttpRequest) -> AsyncIterator[ClientResponse]:
        """Send a request and yield the answer, whatever its status, its body unread.

        Raises:
            AccessDeniedError: the host, or one it redirects to, may not be called.
            StatusError: 502, there are too many redirects.
            aiohttp.ClientError, OSError: the host cannot be reached.
        """
        session = await self._pool.session()
        url = self.rules.check_url(request.url)
        for _ in range(MOST_REDIRECTS + 1):
            async with session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.payload,
                allow_redirects=False,
            ) as response:
                if (target := _target(response, url)) is None:
                    yield response
                    return
            url = self.rules.check_url(str(target))
            request = _redirected(request, response.status)
        raise StatusError(
            f"{shown_url(url)} is at the end of more than {MOST_REDIRECTS} redirects",
            status_code=502,
        )

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send a request and read its answer; errors as of ``open``."""
        async with self.open(request) as response:
            return HttpReply(response.status, response.headers, await read(response))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


async def read(response: ClientResponse, most_bytes: int = MOST_BYTES) -> bytes:
    """Read the body of an answer.

    Raises:
        StatusError: 502, it has too many bytes.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most_bytes:
            raise StatusError(
                f"the answer of {shown_url(response.url)} has more than "
                f"{most_bytes:,} bytes",
                status_code=502,
            )
        parts.append(part)
    return b"".join(parts)


def connections_of(max_in_flight: Any) -> int:
    """Return how many connections a step may have.

    >>> connections_of(None)
    100
    """
    if max_in_flight is None:
        return CONNECTIONS
    require(is_count(max_in_flight), "max_in_flight must be 1 or more", max_in_flight)
    return int(max_in_flight)


def _target(response: ClientResponse, url: URL) -> URL | None:
    """Return where an answer redirects to, None when it does not."""
    from yarl import URL

    place = response.headers.get("Location")
    if response.status not in (301, 302, 303, 307, 308) or place is None:
        return None
    with suppress(ValueError):
        target = url.join(URL(place))
        if _is_same_host(url, target):
            return target
    raise AccessDeniedError(
        f"{shown_url(url)} redirects to another host, {place!r:.80}, which is not "
        "followed; call that host itself"
    )


def _is_same_host(url: URL, target: URL) -> bool:
    if target.origin() == url.origin():
        return True
    is_upgrade = (url.scheme, target.scheme) == ("http", "https")
    are_usual = url.is_default_port() and target.is_default_port()
    return url.raw_host == target.raw_host and is_upgrade and are_usual


def _redirected(request: HttpRequest, status: int) -> HttpRequest:
    becomes_get = status == 303 or (status in (301, 302) and request.method == "POST")
    if not becomes_get or request.method == "HEAD":
        return request
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() != "content-type"
    }
    return HttpRequest("GET", request.url, headers)
