"""Write a plain value as Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

MOST_CHARACTERS = 2_000


def literal(value: Any, name_of: Callable[[Any], str | None]) -> str | None:
    """Return the Python text of a small plain value; None for anything else.

    Args:
        value: what is to be written.
        name_of: returns the name under which an object of another kind is known.

    >>> literal({"a": (1, 2.5), "b": {True}}, lambda thing: None)
    "{'a': (1, 2.5), 'b': {True}}"
    >>> literal([object()], lambda thing: None) is None
    True
    """
    try:
        text = _written(value, name_of, 0)
    except _NotPlain:
        return None
    return text if len(text) <= MOST_CHARACTERS else None


class _NotPlain(Exception):
    """The value, or a part of it, is of another kind and has no name."""


def _written(value: Any, name_of: Callable[[Any], str | None], depth: int) -> str:
    kind = type(value)
    if kind in (int, bool, str, bytes, type(None), type(...)):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if kind in (list, tuple, set, frozenset, dict) and depth < 20:
        return _container(value, lambda part: _written(part, name_of, depth + 1))
    if (name := name_of(value)) is None:
        raise _NotPlain
    return name


def _container(value: Any, written: Callable[[Any], str]) -> str:
    texts = [written(part) for part in value]
    if type(value) is dict:
        pairs = zip(texts, map(written, value.values()), strict=True)
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if type(value) is list:
        return f"[{', '.join(texts)}]"
    if type(value) is tuple:
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    body = ", ".join(sorted(texts))
    if type(value) is set:
        return f"{{{body}}}" if texts else "set()"
    return f"frozenset({{{body}}})" if texts else "frozenset()"
