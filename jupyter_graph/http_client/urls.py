"""URLs and headers as text: what is looked at before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from jupyter_graph.errors import AccessDeniedError, BadRequestError
from jupyter_graph.http_client.addresses import literal

if TYPE_CHECKING:
    from yarl import URL

LONGEST_URL = 8_192
HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*", re.IGNORECASE)
"""The name of a host, as ASCII."""

_NUMBER = re.compile(r"0x[0-9a-f]*|\d+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\n-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def plain_url(text: Any) -> URL:
    """Return a URL that is plain http or https and means one thing only.

    Raises:
        AccessDeniedError: it has another scheme, a user name, a host in disguise, or
            characters that are read in more ways than one.

    >>> plain_url("http://models.internal/v1").host
    'models.internal'
    """
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_URL:
        raise AccessDeniedError(
            f"a URL must be a text of 1 to {LONGEST_URL} characters, got {text!r:.80}"
        )
    return _read(text)


@lru_cache(maxsize=256)  # most steps call one URL again and again
def _read(text: str) -> URL:
    from yarl import URL

    scheme, _, rest = text.partition("://")
    if scheme.lower() not in ("http", "https"):
        raise AccessDeniedError(
            f"{(scheme if rest else text)!r:.40} begins no http:// or https:// URL; "
            "other schemes are not called"
        )
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if any(ord(letter) <= 32 or letter in "\\\x7f" for letter in text):
        raise AccessDeniedError(
            f"the URL of host {authority.rpartition('@')[2]!r:.80} holds a blank, a "
            "backslash or a control character"
        )
    if "@" in authority:
        raise AccessDeniedError(
            "a URL with a user name is not called; send an Authorization header"
        )
    try:
        url = URL(text)
        host = url.raw_host
    except ValueError as error:
        raise AccessDeniedError(f"{authority!r:.80} is no host: {error}") from None
    if not host:
        raise AccessDeniedError(f"{text!r:.80} names no host")
    if literal(host) is None:
        _check_name(host)
    return url


def _check_name(host: str) -> None:
    name = host.removesuffix(".")
    if is_number(name):
        raise AccessDeniedError(
            f"host {host!r:.80} is an address in disguise; write it as 192.0.2.1"
        )
    if len(name) > 253 or not HOST.fullmatch(name):
        raise AccessDeniedError(f"{host!r:.80} is no name of a host")


def is_number(name: str) -> bool:
    """Tell whether a name ends as a number, which systems read as an address.

    >>> is_number("2130706433"), is_number("0x7f.1"), is_number("7.example.com")
    (True, True, False)
    """
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def shown_url(url: URL) -> str:
    """Return a URL for messages: without the parts that may hold secrets."""
    bare = str(url.with_query(None).with_fragment(None))
    return bare if len(bare) <= 200 else f"{bare[:200]}…"


def without_password(url: str) -> str:
    """Return a URL whose password is hidden.

    >>> without_password("ftp://ada:secret@host/rows.csv")
    'ftp://ada:***@host/rows.csv'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # it cannot be read, and is shown all the same
        return re.sub(r"//.*@", "//***@", url)
    user, mark, host = parts.netloc.rpartition("@")
    if not mark or ":" not in user:
        return url
    netloc = f"{user.partition(':')[0]}:***@{host}"
    return urlunsplit(parts._replace(netloc=netloc))


def without_user(url: str) -> str:
    """Return a URL without the user name and password in it.

    >>> without_user("http://ada:secret@host/rows.csv")
    'http://host/rows.csv'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def sent_url(url: str) -> str:
    """Return a URL as ``requests`` sends it: one spelling for all that mean the same.

    Raises:
        AccessDeniedError: it is no URL.

    >>> sent_url("HTTP://Bücher.example/%7eada")
    'http://xn--bcher-kva.example/~ada'
    """
    import requests

    try:
        return str(requests.Request("GET", url).prepare().url)
    except ValueError as error:  # as requests' own about URLs are
        shown = re.sub(r"//[^/?#]*@", "//", url)
        raise AccessDeniedError(f"{shown!r:.80} is no URL that can be sent") from error


def leads_upwards(path: str) -> bool:
    """Tell whether a server may read a path as one that leaves its folder.

    >>> leads_upwards("/img/%2e%2e/secret"), leads_upwards("/img/a..b")
    (True, False)
    """
    parts = unquote(path).replace("\\", "/").split("/")
    return any(part.partition(";")[0] == ".." for part in parts)


def check_headers(headers: Any) -> dict[str, str]:
    """Return headers as they may be sent; numbers become text, None leaves one out.

    Raises:
        BadRequestError: a name or a value cannot stand in a header.

    >>> check_headers({"X-Count": 3, "X-None": None})
    {'X-Count': '3'}
    """
    if not isinstance(headers, Mapping):
        raise BadRequestError(
            f"headers must be an object of names and texts, got {headers!r:.80}"
        )
    return {
        _name(name): _value(name, value)
        for name, value in headers.items()
        if value is not None
    }


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise BadRequestError(f"{name!r:.80} cannot be the name of a header")
    return name


def _value(name: Any, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kind = type(value).__name__
        raise BadRequestError(f"header {name!r:.80} must be a text, got a {kind}")
    text = str(value)
    if _CONTROL.search(text):
        raise BadRequestError(
            f"header {name!r} holds a line break or another control character"
        )
    return text
