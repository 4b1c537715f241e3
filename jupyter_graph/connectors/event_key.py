"""What a body is filed under: a key, read from the body or from its event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from jupyter_graph.errors import BadRequestError, SpecError, did_you_mean
from jupyter_graph.types import Body

KeySpec: TypeAlias = str | Sequence[str] | Callable[[Any], Any]
"""A field, several fields, ``$`` and an attribute of the event, or a function."""

MISSING_KEY = "[null]"
"""The text of a key that is missing."""

EVENT_ATTRIBUTES = (
    "content_type",
    "id",
    "key",
    "method",
    "offset",
    "path",
    "shard_id",
    "time",
    "topic",
)


def key_reader(key: KeySpec, argument: str = "key") -> Callable[[Any], str]:
    """Return the function that reads a key, as text, from what a step is given.

    Args:
        key: ``"user"`` reads that field of the body, ``["country", "city"]`` several,
            ``"$path"`` an attribute of the event (the step then needs
            ``full_event=True``); a function is called with what the step is given.
        argument: the name of the argument, for the error.

    Raises:
        SpecError: it is none of these. From the function: the key is an attribute of
            the event, but the step takes bodies.
        BadRequestError: (from the function) the body has no such field.

    >>> key_reader("user")({"user": 7}), key_reader(["a", "b"])({"a": 1, "b": "x"})
    ('7', '["1", "x"]')
    """
    if isinstance(key, str) and key.startswith("$"):
        return _attribute_reader(key, argument)
    if isinstance(key, str) and key:
        return _key_of_field(key)
    if callable(key):
        return lambda item: key_text(key(item))
    is_list = isinstance(key, list | tuple) and len(key) > 0
    if is_list and all(isinstance(name, str) and name for name in key):
        readers = [_part_reader(name, argument) for name in key]
        return lambda item: key_text([read(item) for read in readers])
    raise SpecError(
        f"{argument} must be a field's name, a list of names, '$' and an attribute of "
        f"the event, or a function, got {key!r}"
    )


def key_text(key: Any) -> str:
    """Return a key as the text that every table knows it by.

    A missing one (None, NaN, NaT, NA) is a key of its own, no text "None"; a float
    that is a whole number reads like it, which is what pandas makes of numbers in a
    column where one is missing.

    >>> key_text("ann"), key_text(7), key_text(7.0), key_text(("a", 1))
    ('ann', '7', '7', '["a", 1]')
    >>> key_text(None), key_text(float("nan"))
    ('[null]', '[null]')
    """
    if isinstance(key, list | tuple):
        return json.dumps(list(map(_part, key)), default=str, ensure_ascii=False)
    if is_missing(key):
        return MISSING_KEY
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)


def is_missing(key: Any) -> bool:
    """Tell whether a value stands for no key: None, NaN, NaT or pandas' NA.

    >>> is_missing(None), is_missing(float("nan")), is_missing(""), is_missing(0)
    (True, True, False, False)
    """
    if key is None:
        return True
    # NA and NaT are recognised without pandas, which need not be there.
    return type(key).__name__ in ("NAType", "NaTType") or (
        isinstance(key, float) and key != key
    )


def _part(value: Any) -> Any:
    """Return one of several values of a key as it stands in its text."""
    if is_missing(value):
        return None
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def is_event(item: Any) -> bool:
    """Tell whether a step was given an event, not a body."""
    return (
        type(item) is not dict
        and hasattr(item, "headers")
        and hasattr(item, "body")
        and hasattr(item, "path")
    )


def body_of(item: Any) -> Body:
    """Return the body of an event; a body is given as it is."""
    return item.body if is_event(item) else item


def _part_reader(name: str, argument: str) -> Callable[[Any], str | None]:
    """Return what reads one of several parts of a key; None where it is missing."""
    read = _reader(name, argument)

    def part(item: Any) -> str | None:
        value = read(item)
        return None if is_missing(value) else key_text(value)

    return part


def _reader(name: str, argument: str) -> Callable[[Any], Any]:
    is_attribute = name.startswith("$")
    return _attribute_value(name, argument) if is_attribute else _field_value(name)


def _key_of_field(field: str) -> Callable[[Any], str]:
    read = _field_value(field)

    def text(item: Any) -> str:
        key = read(item)
        return key if type(key) is str else key_text(key)

    return text


def _field_value(field: str) -> Callable[[Any], Any]:
    def read(item: Any) -> Any:
        body = item if type(item) is dict else body_of(item)
        try:
            return body[field]
        except (KeyError, TypeError, IndexError):
            raise _no_field(field, body) from None

    return read


def _no_field(field: str, body: Any) -> BadRequestError:
    if not isinstance(body, Mapping):
        return BadRequestError(
            f"the body must be an object with the field {field!r}, "
            f"got {type(body).__name__}"
        )
    return BadRequestError(
        f"the body has no field {field!r}{did_you_mean(field, map(str, body))}"
    )


def _attribute_reader(key: str, argument: str) -> Callable[[Any], str]:
    read = _attribute_value(key, argument)
    return lambda item: key_text(read(item))


def _attribute_value(key: str, argument: str) -> Callable[[Any], Any]:
    attribute = key[1:]
    if attribute not in EVENT_ATTRIBUTES:
        known = ", ".join(f"${name}" for name in EVENT_ATTRIBUTES)
        near = did_you_mean(attribute, EVENT_ATTRIBUTES)
        raise SpecError(f"{argument} {key!r} is unknown{near} (known: {known})")

    def read(item: Any) -> Any:
        if not is_event(item):
            raise SpecError(
                f"{argument} {key!r} reads the event, but the step takes bodies; "
                "give the step full_event=True"
            )
        return getattr(item, attribute, None)

    return read
