"""The HTTP client that fsspec gets: the host rules hold for its requests too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import AccessDeniedError
from jupyter_graph.http_client.checked_resolver import CheckedResolver
from jupyter_graph.http_client.open_rules import OPEN_RULES, check_url

if TYPE_CHECKING:
    from aiohttp import ClientSession


_CHAINED = re.compile(r"::(?![^\[\]]*\])")
"""Between the parts of a chained URL, not within an IPv6 address."""


def http_options(url: str) -> dict[str, Any]:
    """Return the keyword arguments of ``fsspec.core.url_to_fs`` for a URL.

    They hold the checked client for each part of a URL (``zip://*::https://…``) that is
    read over HTTP, and are empty for any other URL.

    Raises:
        AccessDeniedError: the URL's host may not be called.

    >>> http_options("memory://rows.csv")
    {}
    """
    options: dict[str, Any] = {}
    for part in _CHAINED.split(url):
        scheme = part.partition("://")[0]
        if scheme in ("http", "https"):
            if "://" in part:
                check_url(part)
            options[scheme] = {"get_client": checked_session}
    return options


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

    resolver: Any = CheckedResolver(aiohttp.ThreadedResolver(), OPEN_RULES)  # type: ignore[arg-type]
    return aiohttp.ClientSession(
        connector=CheckedConnector(resolver=resolver), **options
    )
