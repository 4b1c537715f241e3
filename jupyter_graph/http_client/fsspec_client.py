"""The HTTP client that fsspec gets: the host rules hold for its requests too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_graph.errors import AccessDeniedError
from jupyter_graph.http_client.host_rules import OPEN_RULES, CheckedResolver, check_url

if TYPE_CHECKING:
    from aiohttp import ClientSession


_READS_OTHER_URLS = ("reference", "generic")
"""Schemes whose files name URLs that fsspec then opens with a client of its own."""


def http_options(url: str) -> dict[str, Any]:
    """Return the keyword arguments of ``fsspec.core.url_to_fs`` for a URL.

    They hold the checked client for each part of a URL (``zip://*::https://…``) that is
    read over HTTP, and are empty for any other URL.

    Raises:
        AccessDeniedError: the URL's host may not be called, or what is called cannot
            be checked.

    >>> http_options("memory://rows.csv")
    {}
    """
    options: dict[str, Any] = {}
    for part in url.split("::"):  # as fsspec does, also within an IPv6 address
        scheme, mark, _ = part.partition("://")
        if scheme in _READS_OTHER_URLS:
            raise AccessDeniedError(
                f"{scheme}:// is not read: it opens URLs that are named elsewhere, "
                "whose hosts cannot be checked; give the URL of the file itself"
            )
        if scheme in ("http", "https"):
            if mark:
                _check_part(part)
            options[scheme] = {"get_client": checked_session}
        elif scheme in ("webhdfs", "webHDFS"):
            # it calls this for what it asks, and for where that sends it
            options[scheme] = {"data_proxy": _checked_place}
    return options


def _check_part(url: str) -> None:
    host = re.split(r"[/?#]", url.partition("://")[2])[0].rpartition("@")[2]
    if "[" in host and "]" not in host:
        raise AccessDeniedError(
            f"{host}:: ends a part of a chained URL; write an IPv6 address in full, as "
            "[0:0:0:0:0:0:0:1]"
        )
    check_url(url)


def _checked_place(url: str) -> str:
    """Return a URL that WebHDFS is about to ask, when it may be called."""
    from jupyter_graph.http_client.checked_requests import addresses_of

    check_url(url)
    parts = urlsplit(url)
    for address in addresses_of(str(parts.hostname), parts.port):
        OPEN_RULES.check_address(str(parts.hostname), address)
    return url


def reason_of(error: BaseException) -> str:
    """Return the text of an error, or of the refused request behind it.

    fsspec raises FileNotFoundError for whatever failed in a request.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AccessDeniedError):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return f"{error}"


async def checked_session(*, loop: Any = None, **options: Any) -> ClientSession:
    """Open a session whose every connection obeys the rules, redirects included."""
    import aiohttp

    class CheckedConnector(aiohttp.TCPConnector):
        # called for each hop of a request; the resolver is not, for a literal address
        async def connect(self, req: Any, *args: Any, **kwargs: Any) -> Any:
            OPEN_RULES.check_url(str(req.url))
            return await super().connect(req, *args, **kwargs)

    resolver: Any = CheckedResolver(aiohttp.ThreadedResolver(), OPEN_RULES)
    return aiohttp.ClientSession(
        connector=CheckedConnector(resolver=resolver), **options
    )
