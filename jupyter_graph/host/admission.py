"""Who may call: Host, Origin, token, load and method, before the body is read."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    MethodNotAllowedError,
    OverloadError,
    ServiceUnavailableError,
    StatusError,
    UnauthorizedError,
)
from jupyter_graph.host.asgi import HeaderView, Scope
from jupyter_graph.host.host_options import LOOPBACK

_REFUSED_METHODS: Final = frozenset(("TRACE", "CONNECT"))
_OPEN_PAGES: Final = frozenset(("/healthz", "/readyz", "/__internal/health"))


class MisdirectedError(StatusError):
    """421: the Host header names a server that this is not."""

    status_code = 421


@dataclass(eq=False)
class Admission:
    """Admits requests or raises why not; counts those in flight.

    Args:
        max_in_flight: requests at a time; more are answered 429.
        allow_hosts: names that Host and Origin may hold besides the loopback's;
            ``*`` allows every name.
        token: what ``Authorization: Bearer`` must carry; None asks for nothing.
    """

    max_in_flight: int
    allow_hosts: frozenset[str]
    token: str | None

    def __post_init__(self) -> None:
        self.in_flight = 0
        self.is_draining = False
        self._names = LOOPBACK | self.allow_hosts
        self._good_hosts: set[bytes] = set()

    def admit(self, scope: Scope) -> HeaderView:
        """Return the headers of a request that may come in.

        Raises:
            StatusError: it may not; Host, Origin, token, load or method is wrong.
        """
        headers = HeaderView(scope["headers"])
        raw = headers.raw
        # The usual Host has been checked before; a web page that rebinds a name to
        # this address sends another one.
        host = raw.get(b"host")
        if host not in self._good_hosts:
            self._check_host(host)
        # Equal lengths mean that no name came twice; the count alone is cheap.
        if len(raw) != len(scope["headers"]):
            _check_twice(scope["headers"])
        if b"origin" in raw:
            self._check_origin(raw[b"origin"])
        if self.token is not None and scope["path"] not in _OPEN_PAGES:
            self._check_token(headers.get("authorization", ""))
        if self.is_draining:
            raise ServiceUnavailableError("the function is being stopped")
        if self.in_flight > self.max_in_flight:
            raise OverloadError(f"more than {self.max_in_flight} requests in flight")
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
        if len(self._good_hosts) < 100:  # callers choose ports: no end to them
            self._good_hosts.add(host)

    def _check_origin(self, origin: bytes) -> None:
        name = _name(origin.decode("latin-1").partition("://")[2])
        if name not in self._names and "*" not in self._names:
            raise AccessDeniedError("pages of other origins may not call this function")

    def _check_token(self, authorization: str) -> None:
        kind, _, token = authorization.partition(" ")
        wanted = (self.token or "").encode()
        given = token.strip().encode("utf-8", "replace")
        # compare_digest takes the same time wherever the texts differ.
        if kind.lower() != "bearer" or not hmac.compare_digest(given, wanted):
            raise UnauthorizedError("a bearer token is needed")


def _check_twice(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse what two servers in a row could read differently."""
    names = [name for name, _ in headers]
    for name in (b"host", b"content-length", b"origin"):
        if names.count(name) > 1:
            raise BadRequestError(f"two {name.decode()} headers")


def _name(host: str) -> str:
    """Return the name in a Host header or an origin, without its port.

    >>> _name("LocalHost:8080"), _name("[::1]:80"), _name("a.example")
    ('localhost', '::1', 'a.example')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
