"""JSONPath expressions, compiled; plain ones are looked up without a library."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from jupyter_graph.errors import SpecError

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PLAIN: Final = re.compile(rf"(?:\$\.)?{_NAME}(?:\.{_NAME})*")
_RESERVED: Final = frozenset(("where", "wherenot"))


@dataclass(frozen=True, slots=True)
class JsonPath:
    """One expression.

    Attributes:
        text: the expression in its one spelling: ``$['a']`` is ``$.a``.
        keys: the keys of a plain expression such as ``$.a.b``, else None.
        find: returns every value that the expression names in a body.
    """

    text: str
    keys: tuple[str, ...] | None
    find: Callable[[Any], list[Any]] = field(compare=False)


@lru_cache(maxsize=1024)
def json_path(expression: str) -> JsonPath:
    """Compile an expression of the grammar that jsonpath-ng reads.

    Raises:
        SpecError: it is no JSONPath.

    Source: https://github.com/h2non/jsonpath-ng

    >>> json_path("$.user.name").find({"user": {"name": "ann"}})
    ['ann']
    >>> json_path("$.items[*].id").find({"items": [{"id": 1}, {"id": 2}]})
    [1, 2]
    """
    plain = _PLAIN.fullmatch(expression)
    keys = tuple(expression.removeprefix("$.").split(".")) if plain else ()
    if keys and _RESERVED.isdisjoint(keys):
        return JsonPath(expression, keys, _lookup(keys))
    from jsonpath_ng.parser import parse

    try:
        parsed = parse(expression)
    except Exception as error:
        raise SpecError(f"{expression!r} is no JSONPath: {error}") from None

    def find(body: Any) -> list[Any]:
        return [match.value for match in parsed.find(body)]

    return JsonPath(str(parsed), None, find)


def _lookup(keys: tuple[str, ...]) -> Callable[[Any], list[Any]]:
    def find(body: Any) -> list[Any]:
        part = body
        for key in keys:
            if not isinstance(part, dict) or key not in part:
                return []
            part = part[key]
        return [part]

    return find
