"""Plain Python values as JSON that gives back an equal object of equal types."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path as LocalPath
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final
from uuid import UUID

TAG: Final = "$"
"""The key that marks a JSON object as something JSON has no word for."""

Part = Callable[[Any, str], Any]

_MAX_DEPTH: Final = 100
_LARGE: Final = 2**1023


class NotTaggable(Exception):
    """No row stands for a value; ``where`` leads to it."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


def encode(value: Any, part: Part, where: str = "", depth: int = 0) -> Any:
    """Return the JSON value; what is not plain goes to ``part(value, where)``.

    Raises:
        NotTaggable: the value holds itself, or is nested deeper than 100 levels.

    >>> encode({"a": (1, b"x")}, part=lambda value, where: None)
    {'a': {'$': 'tuple', 'of': [1, {'$': 'bytes', 'of': 'eA=='}]}}
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if depth > _MAX_DEPTH:
        raise NotTaggable(
            "is nested deeper than 100 levels, or holds itself", where[:40]
        )
    if (row := _ROWS.get(kind)) is None:
        return part(value, where)
    return row(value, lambda item, key: encode(item, part, where + key, depth + 1))


def encode_plain(value: Any) -> Any:
    """Return the JSON value of plain Python values alone.

    Raises:
        NotTaggable: the value holds something else, holds itself, or is too deep.

    >>> encode_plain((1, 2))
    {'$': 'tuple', 'of': [1, 2]}
    """
    return encode(value, _no_form)


def _no_form(value: Any, where: str) -> Any:
    raise NotTaggable("has no form", where)


def decode(value: Any, part: Callable[[Any], Any]) -> Any:
    """Return what ``encode`` took; objects with an unknown tag go to ``part``.

    >>> decode({"$": "set", "of": [1, 2]}, part=lambda value: None)
    {1, 2}
    """
    if isinstance(value, list):
        return [decode(item, part) for item in value]
    if not isinstance(value, dict):
        return value
    if (tag := value.get(TAG)) is None:
        return {key: decode(item, part) for key, item in value.items()}
    if tag not in _BACK:
        return part(value)
    content = value["of"]
    return _BACK[tag](decode(content, part) if tag in _NESTED else content)


Encode = Callable[[Any, str], Any]


def tagged(tag: str, of: Any) -> dict[str, Any]:
    """Return the object that stands for something JSON has no word for."""
    return {TAG: tag, "of": of}


def _is_json(value: Any) -> bool:
    """Return whether JSON has the value itself, which most items are."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is int:  # longer ones may be more digits than a reader takes
        return bool(-_LARGE < value < _LARGE)
    return kind is str or kind is bool or value is None


def _int(value: int, _: Encode) -> Any:
    return value if _is_json(value) else tagged("int", hex(value))


def _float(value: float, _: Encode) -> Any:
    return value if _is_json(value) else tagged("float", repr(value))


def _list(value: Any, inner: Encode) -> Any:
    return [
        item if _is_json(item) else inner(item, f"[{index}]")
        for index, item in enumerate(value)
    ]


def _dict(value: dict[Any, Any], inner: Encode) -> Any:
    if TAG not in value and all(type(key) is str for key in value):
        return {
            key: item if _is_json(item) else inner(item, f"[{key!r}]")
            for key, item in value.items()
        }
    return tagged("dict", _pairs(value, inner))


def _pairs(value: dict[Any, Any], inner: Encode) -> list[Any]:
    return [[inner(key, "."), inner(item, "[…]")] for key, item in value.items()]


def _set(value: Any, inner: Encode) -> Any:
    return sorted(_list(value, inner), key=repr)


def _texts(tag: str, text: Callable[[Any], Any]) -> Callable[[Any, Encode], Any]:
    return lambda value, _: tagged(tag, text(value))


def _lists(
    tag: str, items: Callable[[Any, Encode], Any] = _list
) -> Callable[[Any, Encode], Any]:
    return lambda value, inner: tagged(tag, items(value, inner))


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


_ROWS: Final[dict[type, Callable[[Any, Encode], Any]]] = {
    int: _int,
    float: _float,
    list: _list,
    dict: _dict,
    tuple: _lists("tuple"),
    set: _lists("set", _set),
    frozenset: _lists("frozenset", _set),
    OrderedDict: _lists("ordered", _pairs),
    deque: lambda value, inner: tagged("deque", [_list(value, inner), value.maxlen]),
    bytes: _texts("bytes", _base64),
    bytearray: _texts("bytearray", _base64),
    complex: _texts("complex", lambda value: [repr(value.real), repr(value.imag)]),
    Decimal: _texts("decimal", str),
    Fraction: _texts("fraction", lambda value: [value.numerator, value.denominator]),
    UUID: _texts("uuid", str),
    range: _texts("range", lambda value: [value.start, value.stop, value.step]),
    slice: lambda value, inner: tagged(
        "slice", _list((value.start, value.stop, value.step), inner)
    ),
    date: _texts("date", date.isoformat),
    timedelta: _texts("timedelta", lambda it: [it.days, it.seconds, it.microseconds]),
    type(LocalPath()): _texts("path", lambda value: value.as_posix()),
    PurePosixPath: _texts("posix-path", str),
    PureWindowsPath: _texts("windows-path", str),
}


def _clock(tag: str) -> Callable[[Any, Encode], Any]:
    """Return the row of datetime or time; the name of a zone is kept, too."""

    def row(value: Any, _: Encode) -> Any:
        key = getattr(value.tzinfo, "key", None)
        plain = value if key is None else value.replace(tzinfo=None)
        return tagged(tag, [plain.isoformat(), key, value.fold])

    return row


def _from_clock(kind: Any) -> Callable[[list[Any]], Any]:
    def back(content: list[Any]) -> Any:
        text, key, fold = content
        value = kind.fromisoformat(text).replace(fold=fold)
        if key is None:
            return value
        from zoneinfo import ZoneInfo

        return value.replace(tzinfo=ZoneInfo(key))

    return back


_ROWS.update({datetime: _clock("datetime"), time: _clock("time")})

_NESTED: Final = frozenset(
    ("tuple", "set", "frozenset", "dict", "ordered", "deque", "slice")
)
_BACK: Final[dict[str, Callable[[Any], Any]]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "ordered": OrderedDict,
    "deque": lambda content: deque(content[0], content[1]),
    "slice": lambda content: slice(*content),
    "bytes": b64decode,
    "bytearray": lambda text: bytearray(b64decode(text)),
    "complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "decimal": Decimal,
    "fraction": lambda parts: Fraction(*parts),
    "uuid": UUID,
    "range": lambda parts: range(*parts),
    "date": date.fromisoformat,
    "datetime": _from_clock(datetime),
    "time": _from_clock(time),
    "timedelta": lambda parts: timedelta(*parts),
    "path": LocalPath,
    "posix-path": PurePosixPath,
    "windows-path": PureWindowsPath,
}
