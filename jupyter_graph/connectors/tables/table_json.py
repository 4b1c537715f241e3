"""How a table's values travel and rest: JSON, never pickle."""

from __future__ import annotations

import datetime
import decimal
import json
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import InternalServerError
from jupyter_graph.spec.argument_values import (
    DEEPEST,
    ITEMS_KEY,
    TAGS,
    TUPLE_KEY,
    untagged,
)

_AS_TEXT = (decimal.Decimal, pathlib.PurePath, uuid.UUID)


def encode(value: Any, where: str) -> str:
    """Return the JSON of a value; tuples and keys that are no text survive.

    Times come back as ISO 8601 text, decimals, paths and UUIDs as text, numpy's
    numbers and arrays as numbers and lists.

    Raises:
        TypeError: it holds something else, or itself; the text says where.

    >>> encode({"n": 1, "at": (1, 2)}, "table 'x'")
    '{"n":1,"at":{"$tuple":[1,2]}}'
    """
    return json.dumps(_plain(value, where, 0), separators=(",", ":"))


def decode(text: str) -> Any:
    """Return the value that ``encode`` made a text of.

    Raises:
        ValueError: it is no JSON.

    >>> decode('{"n":1,"at":{"$tuple":[1,2]}}')
    {'n': 1, 'at': (1, 2)}
    """
    value = json.loads(text)
    is_tagged = f'"{TUPLE_KEY}"' in text or f'"{ITEMS_KEY}"' in text
    return untagged(value) if is_tagged else value


def kept(text: str, table: str, key: str) -> Any:
    """Return the value that a table keeps under a key as this text.

    Raises:
        InternalServerError: it is no JSON.
    """
    try:
        return decode(text)
    except ValueError as error:
        raise InternalServerError(
            f"table {table!r}, key {key!r}: what is kept there is no JSON"
        ) from error


def _plain(value: Any, where: str, depth: int) -> Any:
    if value is None or type(value) in (str, int, float, bool):
        return value
    if depth > DEEPEST:
        raise TypeError(f"{where}: it holds itself, or more than {DEEPEST} levels")
    if isinstance(value, list):
        return [_plain(item, where, depth + 1) for item in value]
    if isinstance(value, tuple):
        return {TUPLE_KEY: [_plain(item, where, depth + 1) for item in value]}
    if isinstance(value, Mapping):
        return _object(value, where, depth + 1)
    return _leaf(value, where, depth)


def _object(value: Mapping[Any, Any], where: str, depth: int) -> dict[str, Any]:
    is_plain = all(isinstance(key, str) for key in value)
    if is_plain and TAGS.isdisjoint(value):
        return {key: _plain(item, where, depth) for key, item in value.items()}
    pairs = [
        [_plain(key, where, depth), _plain(item, where, depth)]
        for key, item in value.items()
    ]
    return {ITEMS_KEY: pairs}


def _leaf(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if callable(to_list := getattr(value, "tolist", None)):  # numpy
        return _plain(to_list(), where, depth + 1)
    raise TypeError(
        f"{where}: a {type(value).__name__} cannot be kept there, use texts, numbers, "
        f"lists and objects; got {value!r:.80}"
    )
