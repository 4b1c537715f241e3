"""Path, query and headers of a request, in the one form that steps see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote


class RequestHeaders(dict[str, str]):
    """Headers by their names in small letters; they are found in any letters.

    >>> headers = RequestHeaders({"X-User": "ann"})
    >>> headers["x-user"], headers.get("X-USER"), "x-User" in headers, dict(headers)
    ('ann', 'ann', True, {'x-user': 'ann'})
    """

    __slots__ = ()

    def __init__(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> None:
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        super().__init__((str(name).lower(), value) for name, value in pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def request_target(target: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the query's fields of what a request asks for.

    >>> request_target("/a%20b?x=1&x=2&y=")
    ('/a b', {'x': ['1', '2'], 'y': ''})
    """
    path, _, query = target.partition("?")
    return unquote(path), query_parameters(query, {}) if query else {}


def query_parameters(query: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a query; a name that is there twice has a list.

    Args:
        query: what stood after ``?`` in the path; it goes before ``fields``.
        fields: what the server read from the query.

    >>> query_parameters("q=a&q=b&z=", {})
    {'q': ['a', 'b'], 'z': ''}
    >>> query_parameters("", {"q": ["a"]})
    {'q': 'a'}
    """
    in_path: Mapping[str, Any] = parse_qs(query, True) if query else {}
    return {name: _one(value) for name, value in (in_path or fields).items()}


def _one(value: Any) -> Any:
    if not isinstance(value, list) or len(value) > 1:
        return value
    return value[0] if value else None
