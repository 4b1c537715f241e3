"""Dotted paths into bodies: ``user.zip``, ``items.0.price``, ``items.*.price``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jupyter_graph.errors import SpecError

Get = Callable[[Any], Any]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The value of a field that is not there."""


def keys_of(path: Any) -> tuple[str, ...]:
    """Return the keys of a path; "" is the body itself.

    Raises:
        SpecError: it is no text, or a key in it is empty.

    >>> keys_of("user.address.zip"), keys_of("")
    (('user', 'address', 'zip'), ())
    """
    if not isinstance(path, str):
        raise SpecError(f"a field must be a text such as 'user.zip', got {path!r}")
    keys = tuple(path.split(".")) if path else ()
    if not all(keys):
        raise SpecError(f"field {path!r} has an empty part; 'user.zip' is right")
    return keys


def getter(keys: tuple[str, ...]) -> Get:
    """Return the function that takes a value out of an object, or ``MISSING``.

    >>> getter(("a", "0"))({"a": [7]}), getter(("a", "b"))({"a": None})
    (7, MISSING)
    """
    if not keys:
        return lambda body: body
    if len(keys) == 1:
        [key] = keys
        return lambda body: body.get(key, MISSING)
    first, *rest = keys
    steps = [(key, int(key) if key.isdecimal() else None) for key in rest]

    def get(body: Any) -> Any:
        found = body.get(first, MISSING)
        for key, place in steps:
            if type(found) is dict:
                found = found.get(key, MISSING)
            else:
                found = _inside(found, key, place)
        return found

    return get


def _inside(found: Any, key: str, place: int | None) -> Any:
    if isinstance(found, Mapping):
        return found.get(key, MISSING)
    if place is not None and isinstance(found, list | tuple) and place < len(found):
        return found[place]
    return MISSING


def spread(keys: tuple[str, ...], body: Any) -> Iterator[tuple[str, Any]]:
    """Yield all values at a path with ``*`` in it, each with its own path.

    >>> list(spread(("items", "*", "n"), {"items": [{"n": 1}, {}]}))
    [('items.0.n', 1), ('items.1.n', MISSING)]
    """
    yield from _spread((), keys, body)


def _spread(
    before: tuple[str, ...], keys: tuple[str, ...], found: Any
) -> Iterator[tuple[str, Any]]:
    if not keys:
        yield ".".join(before), found
        return
    key, *rest = keys
    if key != "*":
        place = int(key) if key.isdecimal() else None
        yield from _spread((*before, key), tuple(rest), _inside(found, key, place))
        return
    if isinstance(found, Mapping):
        items: list[tuple[Any, Any]] = list(found.items())
    elif isinstance(found, list | tuple):
        items = list(enumerate(found))
    else:  # nothing to go through: the path itself says what is missing
        yield ".".join((*before, *keys)), MISSING
        return
    for inner, value in items:
        yield from _spread((*before, str(inner)), tuple(rest), value)
