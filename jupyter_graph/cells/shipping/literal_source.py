"""Write a plain value as Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

MOST_CHARACTERS = 2_000


def literal(
    value: Any, name_of: Callable[[Any], str | None] | None = None
) -> str | None:
    """Return the Python text of a small plain value; None for anything else.

    Args:
        value: what is to be written.
        name_of: returns the name under which an object of another kind is known.

    >>> literal({"a": (1, 2.5), "b": {True}}), literal(object())
    ("{'a': (1, 2.5), 'b': {True}}", None)
    """
    text = _written(value, name_of or (lambda _: None), 0)
    return text if text is not None and len(text) <= MOST_CHARACTERS else None


def _written(
    value: Any, name_of: Callable[[Any], str | None], depth: int
) -> str | None:
    kind = type(value)
    if kind in (int, bool, str, bytes, type(None), type(...)):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if kind in (list, tuple, set, frozenset, dict) and depth < 20:
        return _container(value, name_of, depth + 1)
    return name_of(value)


def _container(
    value: Any, name_of: Callable[[Any], str | None], depth: int
) -> str | None:
    if type(value) is dict:
        keys = [_written(key, name_of, depth) for key in value]
        items = [_written(item, name_of, depth) for item in value.values()]
        if None in keys or None in items:
            return None
        pairs = zip(keys, items, strict=True)
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    parts = [_written(item, name_of, depth) for item in value]
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    if type(value) is list:
        return f"[{', '.join(texts)}]"
    if type(value) is tuple:
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    body = ", ".join(sorted(texts))
    if type(value) is set:
        return f"{{{body}}}" if texts else "set()"
    return f"frozenset({{{body}}})" if texts else "frozenset()"
