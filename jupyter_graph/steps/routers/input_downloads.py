"""Inputs that a request names by their URL."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from jupyter_graph.errors import BadRequestError, SpecError, TooLargeError

TIMEOUT_S = 30.0
MOST_BYTES = 64 * 1024 * 1024


def checked_prefixes(prefixes: Sequence[str] | str) -> tuple[str, ...]:
    """Return the beginnings of URLs that requests may name.

    Raises:
        SpecError: one is no beginning of a web address, or its host may go on.

    >>> checked_prefixes("https://images.example.com")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: data_url_prefixes must look like \
'https://images.example.com/', got 'https://images.example.com' [JG110]
    """
    found = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes)
    for prefix in found:
        parts = urlsplit(prefix if isinstance(prefix, str) else "")
        is_web = parts.scheme in ("http", "https") and parts.netloc
        if not is_web or not parts.path.startswith("/"):
            raise SpecError(
                "data_url_prefixes must look like 'https://images.example.com/', "
                f"got {prefix!r}"
            )
    return found


def download(url: Any, allowed: Sequence[str]) -> BytesIO:
    """Return what stands behind a URL, at most 64 MiB, within 30 seconds.

    Raises:
        BadRequestError: it begins with none of ``allowed``, leads elsewhere, or does
            not answer.
        TooLargeError: it is larger.
    """
    from http.client import HTTPException
    from urllib.request import build_opener

    _check(url, allowed)
    try:
        opener = build_opener(_within(allowed))
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            data = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, BadRequestError):
            raise
        raise BadRequestError(f"data_url {url!r} cannot be read: {error}") from error
    if len(data) > MOST_BYTES:
        raise TooLargeError(f"data_url {url!r} holds more than {MOST_BYTES:,} bytes")
    return BytesIO(data)


def _check(url: Any, allowed: Sequence[str]) -> None:
    if not allowed:
        raise BadRequestError(
            "'data_url' is not allowed here: the router downloads nothing unless its "
            "data_url_prefixes name what requests may ask for"
        )
    if not isinstance(url, str) or not url.startswith(tuple(allowed)):
        raise BadRequestError(
            f"data_url must begin with {' or '.join(allowed)}, got {url!r}"
        )


def _within(allowed: Sequence[str]) -> Any:
    """Return a handler of redirects that follows those to allowed URLs only."""
    from urllib.request import HTTPRedirectHandler

    class Within(HTTPRedirectHandler):
        def redirect_request(
            self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
        ) -> Any:
            _check(newurl, allowed)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return Within()
