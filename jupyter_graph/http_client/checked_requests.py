"""Sessions of ``requests`` that call only what the rules allow."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_auth_from_url
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from jupyter_graph.http_client.addresses import literal
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.urls import without_user

CONNECTIONS = 32
"""Kept open for each host."""


class CheckedSession(requests.Session):
    """A session that checks each URL, redirects included, and each connection.

    A redirect to another host is followed without the caller's headers. Behind a proxy
    that the environment names, the proxy resolves names: there only the URL is checked.

    Args:
        rules: which hosts may be called.
        netrc: requests without credentials, in a header or in the URL, get those of
            the user's ``.netrc``.
    """

    def __init__(self, rules: HostRules, *, netrc: bool = True) -> None:
        super().__init__()
        self._netrc = netrc
        self._rules = rules
        self._checked: str | None = None
        for scheme in ("http://", "https://"):
            self.mount(scheme, _CheckedAdapter(rules))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Keep ``.netrc`` from a request that it is not for.

        ``requests`` itself lets it replace a header and the user in a URL.
        """
        if request.auth is None:
            in_url: Any = get_auth_from_url(str(request.url))
            names = {name.lower() for name in request.headers}
            if any(in_url):
                request.auth = in_url
            elif not self._netrc or "authorization" in names:
                request.auth = lambda prepared: prepared
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> Any:
        # a target sends to one URL again and again; rules do not change
        if request.url != self._checked:
            self._rules.check_url(without_user(str(request.url)))
            self._checked = request.url
        return super().send(request, **kwargs)

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Take the caller's headers off a redirect to another host.

        ``requests`` itself takes off ``Authorization`` alone, and has set the cookies
        and the proxy's header anew by now.
        """
        headers = prepared_request.headers
        urls = response.request.url, prepared_request.url
        if self.should_strip_auth(*urls):  # type: ignore[no-untyped-call]
            kept = {*self.headers, "Cookie", "Proxy-Authorization"}
            lower = {name.lower() for name in kept}
            for name in [name for name in headers if name.lower() not in lower]:
                del headers[name]
        if self._netrc and "Authorization" not in headers:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]


class _CheckedAdapter(HTTPAdapter):
    def __init__(self, rules: HostRules) -> None:
        self._rules = rules
        super().__init__(pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _checked(HTTPConnectionPool, self._rules),
            "https": _checked(HTTPSConnectionPool, self._rules),
        }


def _checked(pool: type[Any], rules: HostRules) -> type[Any]:
    """Return a kind of connection pool whose connections are checked."""
    plain: Any = pool.ConnectionCls

    class Connection(plain):  # type: ignore[misc]
        def connect(self) -> None:
            for address in addresses_of(self.host, self.port):
                rules.check_address(self.host.lower(), address)
            super().connect()
            # the name may have been resolved to something else by now (rebinding);
            # nothing has been sent yet
            if (peer := literal(self.sock.getpeername()[0])) is not None:
                rules.check_address(self.host.lower(), peer)

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})


def addresses_of(host: str, port: int | None) -> Iterable[Any]:
    """Return the addresses that a host has now, none when it is not found."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()  # connecting says it in its own words
    return filter(None, (literal(str(answer[4][0])) for answer in answers))
