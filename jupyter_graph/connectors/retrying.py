"""HTTP requests that are tried again while the server is away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jupyter_graph.connectors.buffered_target import is_positive
from jupyter_graph.connectors.files.places import without_password
from jupyter_graph.connectors.rows import short
from jupyter_graph.errors import (
    GatewayTimeoutError,
    ServiceUnavailableError,
    SpecError,
    StatusError,
)

_AGAIN = frozenset({429, 500, 502, 503, 504})
_LONGEST_S = 30.0


class Retrying:
    """How long to wait for a server, and how often to ask it again.

    Args:
        timeout_s: seconds to connect, and to wait for the next bytes.
        retries: further attempts, 0 or more.
        backoff_s: seconds before the first of them, 0 or more; each next waits twice
            as long, 30 s at most.

    Raises:
        SpecError: a number is out of range.
    """

    def __init__(self, timeout_s: Any, retries: Any, backoff_s: Any) -> None:
        if not is_positive(timeout_s):
            raise SpecError(f"timeout_s must be seconds above 0, got {timeout_s!r}")
        if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
            raise SpecError(f"retries must be 0 or more, got {retries!r}")
        if backoff_s != 0 and not is_positive(backoff_s):
            raise SpecError(f"backoff_s must be seconds, 0 or more, got {backoff_s!r}")
        self._timeout_s = timeout_s
        self._retries = retries
        self._backoff_s = float(backoff_s)

    def send(
        self,
        session: Any,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: bytes | None = None,
        stream: bool = False,
        refused: frozenset[int] = frozenset(),
    ) -> Any:
        """Return the answer of a server that took the request.

        Args:
            session: of ``requests``.
            method: of the request; only a GET follows redirects.
            url: where to.
            headers: of the request.
            data: its body.
            stream: leave the body of the answer to be read.
            refused: statuses to give back although they are failures.

        Raises:
            ServiceUnavailableError: the server stays away.
            GatewayTimeoutError: it does not answer in time.
            OSError: it answers with another failure.
        """
        attempt = 0
        while True:
            wait_s = min(self._backoff_s * 2**attempt, _LONGEST_S)
            try:
                response = session.request(
                    method,
                    url,
                    headers=headers,
                    data=data,
                    stream=stream,
                    timeout=self._timeout_s,
                    allow_redirects=method == "GET",
                )
            except OSError as error:  # requests' own are OSErrors
                failure = _of_error(error, url)
            else:
                if response.status_code < 300 or response.status_code in refused:
                    return response
                failure = _of_status(response, method, url)
                wait_s = _told_to_wait(response, wait_s)
                response.close()
            if attempt >= self._retries or not isinstance(failure, StatusError):
                raise failure
            time.sleep(wait_s)
            attempt += 1


def _of_error(error: OSError, url: str) -> Exception:
    import requests

    shown = without_password(url)
    if isinstance(error, requests.Timeout):
        failure: Exception = GatewayTimeoutError(f"{shown} did not answer in time")
    elif isinstance(error, requests.ConnectionError):
        failure = ServiceUnavailableError(f"{shown} cannot be reached: {error}")
    else:
        failure = OSError(f"{shown}: {error}")
    failure.__cause__ = error
    return failure


def _of_status(response: Any, method: str, url: str) -> Exception:
    status = f"{response.status_code} {response.reason}"
    text = f"{method} {without_password(url)} answered {status}"
    if response.status_code in _AGAIN:
        return ServiceUnavailableError(text)
    if response.is_redirect:
        text += f"; the place is now {response.headers['Location']!r}"
    return OSError(text)


def _told_to_wait(response: Any, wait_s: float) -> float:
    told = response.headers.get("Retry-After", "")
    return min(float(told), _LONGEST_S) if told.isdigit() else wait_s


def checked_url(url: Any) -> str:
    """Return an HTTP URL.

    Raises:
        SpecError: it is none.
    """
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(f"url must begin with http:// or https://, got {url!r}")
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
