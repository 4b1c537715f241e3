"""Dotted paths into bodies: ``user.zip``, ``items.0.price``, ``items.*.price``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
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
        part = body.get(first, MISSING)
        for key, place in steps:
            if type(part) is dict:
                part = part.get(key, MISSING)
            else:
                part = _inside(part, key, place)
        return part

    return get


def find(body: Any, path: str) -> Any:
    """Return the part of any body at a path, or ``MISSING``.

    >>> find({"a": ["x"]}, "a.0"), find("text", "a")
    ('x', MISSING)
    """
    for key in path.split("."):
        body = _inside(body, key, int(key) if key.isdecimal() else None)
    return body


def _inside(part: Any, key: str, place: int | None) -> Any:
    if isinstance(part, Mapping):
        return part.get(key, MISSING)
    if place is not None and isinstance(part, list | tuple) and place < len(part):
        return part[place]
    return MISSING


def spread(
    keys: tuple[str, ...], body: Any, before: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield all values at a path with ``*`` in it, each with its own path.

    Args:
        keys: the path.
        body: where it begins.
        before: the keys that led to the body.

    >>> list(spread(("items", "*", "n"), {"items": [{"n": 1}, {}]}))
    [('items.0.n', 1), ('items.1.n', MISSING)]
    """
    if not keys:
        yield ".".join(before), body
        return
    key, *rest = keys
    if key != "*":
        items: Iterable[tuple[Any, Any]] = [(key, find(body, key))]
    elif isinstance(body, Mapping):
        items = list(body.items())
    elif isinstance(body, list | tuple):
        items = list(enumerate(body))
    else:  # nothing to go through: the path itself says what is missing
        yield ".".join((*before, *keys)), MISSING
        return
    for inner, value in items:
        yield from spread(tuple(rest), value, (*before, str(inner)))


# -- input_path and result_path, as MLRun's engines read them -----------------


def get_path(body: Any, path: str) -> Any:
    """Return the part of a body at a dotted path, None where there is none.

    Source: MLRun's ``input_path``.

    Raises:
        TypeError: the body, or what the path leads through, is a number or the like,
            which has no parts.

    >>> get_path({"a": {"b": 1}}, "a.b"), get_path({}, "a.b"), get_path([1], "a")
    (1, None, None)
    """
    if not hasattr(body, "__getitem__"):
        raise TypeError(_only_objects("input_path", path, body))
    part: Any = body
    for key in path.split("."):
        if isinstance(part, Mapping):
            part = part.get(key)
        elif part is None or hasattr(part, "__contains__"):
            return None
        else:
            kind = type(part).__name__
            raise TypeError(
                f"input_path {path!r} leads through {part!r}: "
                f"argument of type {kind!r} is not iterable"
            )
    return part


def get_path_sync(body: Any, path: str) -> Any:
    """As ``get_path``, but nothing is found in a number, as in MLRun's sync engine.

    >>> get_path_sync({"a": 5}, "a.b")
    """
    if not hasattr(body, "__getitem__"):
        raise TypeError(_only_objects("input_path", path, body))
    return part_of(body, path)


def put_path(body: Any, path: str, value: Any) -> Any:
    """Return a body with a value at a dotted path; the one given stays as it is.

    Only the objects that the path leads through are new, the others are shared.

    Source: MLRun's ``result_path``, which changes the body itself.

    Raises:
        TypeError: the body, or what the path leads through, is no object.

    >>> body = {"a": 1}
    >>> put_path(body, "b.c", 2), body
    ({'a': 1, 'b': {'c': 2}}, {'a': 1})
    """
    if body is None:
        body = {}
    if not isinstance(body, Mapping):
        raise TypeError(_only_objects("result_path", path, body))
    body = copied_along(body, path)
    *parents, last = path.split(".")
    place = body
    for key in parents:
        if (inner := place.get(key)) is None:
            inner = place[key] = {}
        elif not isinstance(inner, Mapping):
            raise TypeError(
                f"result_path {path!r}: argument of type {type(inner).__name__!r} at "
                f"{key!r} is no object and does not support item assignment"
            )
        place = inner
    place[last] = value
    return body


def copied_along(body: Any, path: str) -> Any:
    """Return a body whose objects along a dotted path are copies, the last key apart.

    >>> body = {"a": {"b": 1}, "c": {}}
    >>> copied = copied_along(body, "a.b")
    >>> copied == body, copied["a"] is body["a"], copied["c"] is body["c"]
    (True, False, True)
    """
    if not isinstance(body, Mapping):
        return body
    whole = place = _copy_of(body)
    for key in path.split(".")[:-1]:
        inner = place.get(key)
        if not isinstance(inner, Mapping):
            break
        copied = place[key] = _copy_of(inner)
        place = copied
    return whole


def _copy_of(mapping: Mapping[Any, Any]) -> Any:
    """Return a copy that takes keys: of the same type where that is possible."""
    if type(mapping) is dict:
        return mapping.copy()
    if isinstance(mapping, MutableMapping):
        try:
            copied = copy.copy(mapping)
        except Exception:  # it refuses to be copied, or is not whole without a place
            return dict(mapping)
        if copied is not mapping and isinstance(copied, MutableMapping):
            return copied
    return dict(mapping)


_NO_ITEMS: Final[dict[type, str]] = {
    list: "list indices must be integers or slices, not str",
    str: "'str' object does not support item assignment",
}
"""Python's message where a body that is no object gets a key."""


def _only_objects(parameter: str, path: str, body: Any) -> str:
    what = f"{parameter} {path!r}: the parameter supports only dict-like event bodies"
    reason = _NO_ITEMS.get(type(body), f"got {type(body).__name__}")
    return f"{what}; {reason}"


# -- the same for routers and models, which take bodies as they come ----------


def part_of(body: Any, path: str | None) -> Any:
    """Return the part of a body at a dotted path, None where there is none.

    Without a path it is the body itself.

    >>> part_of({"user": {"id": 7}}, "user.id"), part_of([1], "user.id")
    (7, None)
    >>> part_of([1], None)
    [1]
    """
    part = body
    for key in path.split(".") if path else ():
        if not isinstance(part, Mapping):
            return None
        part = part.get(key)
    return part


def with_part(body: Any, path: str | None, value: Any) -> Any:
    """Return a copy of a body with a value at a dotted path; without one the value.

    Raises:
        TypeError: the body is no object.

    >>> with_part({"a": 1}, "b.c", 2)
    {'a': 1, 'b': {'c': 2}}
    """
    if not path:
        return value
    if body is not None and not isinstance(body, Mapping):
        raise TypeError(
            f"result_path {path!r} needs a body that is an object, "
            f"got {type(body).__name__}"
        )
    key, _, rest = path.partition(".")
    whole = dict(body or {})
    inner = whole.get(key)
    whole[key] = with_part(inner if isinstance(inner, Mapping) else {}, rest, value)
    return whole
