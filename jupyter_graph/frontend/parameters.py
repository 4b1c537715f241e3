"""What a handler gets beside the body: parameters of path, query and body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError

URL_INFO = ("mlrun_request_path", "mlrun_request_method")


class MappedBody(dict[str, Any]):
    """The parameters of a request; ``original_body`` is the body they came with.

    A function gets the body and, as keywords, the parameters. Where something looks
    at the body itself (a router, a choice, ``full_event``), it sees the parameters.

    Attributes:
        original_body: the body as it came.
        from_query: the names that come from the query.
        is_lenient: a function gets only the parameters that it names.

    >>> MappedBody({"model": "m"}, {"id": 7}).original_body
    {'id': 7}
    """

    __slots__ = ("from_query", "is_lenient", "original_body")

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        original_body: Any = None,
        from_query: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(parameters or {})
        self.original_body = original_body
        self.from_query = from_query
        self.is_lenient = False


def joined(
    from_body: Mapping[str, Any],
    from_query: Mapping[str, Any],
    from_path: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the parameters of all three places.

    Raises:
        BadRequestError: a name comes from more than one of them.

    >>> joined({"a": 1}, {"b": "2"}, {})
    {'a': 1, 'b': '2'}
    """
    parameters = {**from_body, **from_query, **from_path}
    if len(parameters) < len(from_body) + len(from_query) + len(from_path):
        places = {"body_map": from_body, "query": from_query, "path": from_path}
        clashes = []
        for name in parameters:
            where = [place for place, names in places.items() if name in names]
            if len(where) > 1:
                clashes.append(f"{name!r} appears in {' and '.join(where)}")
        raise BadRequestError(
            f"Parameter name conflict: {', '.join(clashes)}; a parameter comes from "
            "one of path, query and body_map"
        )
    return parameters


def split_path(text: str) -> tuple[str, str]:
    """Return the path and the query of a path as the caller wrote it.

    >>> split_path("/items?q=a"), split_path("")
    (('/items', 'q=a'), ('/', ''))
    """
    path, _, query = text.partition("#")[0].partition("?")
    return path or "/", query
