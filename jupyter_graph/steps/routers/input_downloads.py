"""Inputs that a request names by their URL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    SpecError,
    StatusError,
    TooLargeError,
)
from jupyter_graph.http_client.blocking_client import BlockingClient
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryPolicy
from jupyter_graph.http_client.urls import leads_upwards, sent_url

TIMEOUT_S = 30.0
_ONCE = RetryPolicy(retries=0, backoff_s=0, timeout_s=TIMEOUT_S)
MOST_BYTES = 64 * 1024 * 1024


def checked_prefixes(prefixes: Sequence[str] | str) -> tuple[str, ...]:
    """Return the beginnings of URLs that requests may name, spelt as they are sent.

    Raises:
        SpecError: one is no beginning of a web address, or its host may go on.

    >>> checked_prefixes("https://images.example.com")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: data_url_prefixes must look like \
'https://images.example.com/', got 'https://images.example.com' [JG110]
    """
    checked = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes)
    return tuple(map(_checked_prefix, checked))


def _checked_prefix(prefix: Any) -> str:
    try:
        parts = urlsplit(prefix if isinstance(prefix, str) else "")
        is_web = parts.scheme in ("http", "https") and parts.netloc
        if is_web and parts.path.startswith("/"):
            # the letter keeps an end like "?" or "/." as it is
            return sent_url(f"{prefix}x").removesuffix("x")
    except (AccessDeniedError, ValueError):
        pass
    raise SpecError(
        "data_url_prefixes must look like 'https://images.example.com/', "
        f"got {prefix!r}"
    )


def download(url: Any, allowed: Sequence[str]) -> BytesIO:
    """Return the content of a URL, at most 64 MiB, within 30 seconds.

    Raises:
        AccessDeniedError: its host has a link-local, metadata or reserved address.
        BadRequestError: it begins with none of ``allowed``, leads upwards, redirects
            elsewhere, or does not answer.
        TooLargeError: it is larger.
    """
    _check(url, _sent(url), allowed)
    try:
        rules = _PrefixRules(allowed)
        # a request chooses the URL, so it gets no credentials of this machine
        with closing(BlockingClient(rules, _ONCE, netrc=False)) as client:
            data = _read(client, url)
    except (AccessDeniedError, BadRequestError):
        raise
    except (OSError, StatusError, ValueError) as error:
        raise BadRequestError(f"data_url {url!r} cannot be read: {error}") from error
    if len(data) > MOST_BYTES:
        raise TooLargeError(f"data_url {url!r} holds more than {MOST_BYTES:,} bytes")
    return BytesIO(data)


def _read(client: BlockingClient, url: str) -> bytes:
    import urllib3

    request = HttpRequest("GET", url, {"Accept-Encoding": "identity"})
    with client.open(request, stream=True, accepted=range(300, 600)) as answer:
        if answer.status_code >= 300:
            raise OSError(f"HTTP Error {answer.status_code}: {answer.reason}")
        try:
            return bytes(answer.raw.read(MOST_BYTES + 1))
        except urllib3.exceptions.HTTPError as error:
            raise OSError(f"{error}") from error


def _check(url: Any, sent: str, allowed: Sequence[str]) -> None:
    if not allowed:
        raise BadRequestError(
            "'data_url' is not allowed here: the router downloads nothing unless its "
            "data_url_prefixes name what requests may ask for"
        )
    if leads_upwards(urlsplit(sent).path):
        raise BadRequestError(f"data_url {url!r} leads upwards")
    if not _sent(sent).startswith(tuple(allowed)):
        raise BadRequestError(
            f"data_url must begin with {' or '.join(allowed)}, got {url!r}"
        )


def _sent(url: Any) -> str:
    try:
        return sent_url(url) if isinstance(url, str) else ""
    except AccessDeniedError:
        return ""


class _PrefixRules(HostRules):
    """Lets pass what begins as allowed, at each redirect too."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(None)
        self._allowed = allowed

    def check_url(self, text: Any) -> Any:
        _check(text, text, self._allowed)
        return super().check_url(text)
