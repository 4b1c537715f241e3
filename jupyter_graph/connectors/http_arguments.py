"""Arguments of the HTTP source and the HTTP target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jupyter_graph.argument_checks import is_count, is_positive, require
from jupyter_graph.errors import AccessDeniedError, SpecError, short
from jupyter_graph.http_client.blocking_client import BlockingClient
from jupyter_graph.http_client.host_rules import OPEN_RULES, check_url
from jupyter_graph.http_client.retry import RetryPolicy


@dataclass(frozen=True)
class ConnectorRetries(RetryPolicy):
    """How long a source or target waits for a server, and how often it asks again.

    Raises:
        SpecError: a number is out of range.
    """

    longest_wait_s: float = 30.0

    def __post_init__(self) -> None:
        timeout_s, retries, backoff_s = self.timeout_s, self.retries, self.backoff_s
        require(is_positive(timeout_s), "timeout_s must be seconds above 0", timeout_s)
        require(is_count(retries, 0), "retries must be 0 or more", retries)
        is_wait = backoff_s == 0 or is_positive(backoff_s)
        require(is_wait, "backoff_s must be seconds, 0 or more", backoff_s)


def http_client(timeout_s: Any, retries: Any, backoff_s: Any) -> BlockingClient:
    """Return the client of a source or target; SpecError for a wrong number."""
    return BlockingClient(OPEN_RULES, ConnectorRetries(retries, backoff_s, timeout_s))


def checked_url(url: Any) -> str:
    """Return an HTTP URL whose host may be called.

    Raises:
        SpecError: it is none, or the host may not.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError as error:  # such as half an IPv6 address
        raise SpecError(f"url cannot be read: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(f"url must begin with http:// or https://, got {url!r}")
    try:
        check_url(url)
    except AccessDeniedError as error:
        raise SpecError(f"url: {error}") from None
    return str(url)


def checked_headers(headers: Any) -> dict[str, str]:
    """Return header names to texts.

    Raises:
        SpecError: they are something else.
    """
    if headers is None:
        return {}
    is_texts = isinstance(headers, Mapping) and all(
        isinstance(part, str) and not {"\r", "\n"} & set(part)
        for pair in headers.items()
        for part in pair
    )
    if not is_texts:
        raise SpecError(f"headers must map names to texts, got {short(headers)}")
    return dict(headers)
