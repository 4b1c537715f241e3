"""Objects in the place of data while an expression is worked out again."""

from __future__ import annotations

import ast
import enum
import sys
import types
import typing
from typing import Any

from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    Expected,
    SameObject,
    is_data,
)

_TYPE_FORMS = (type, types.GenericAlias, types.UnionType, typing.TypeVar)


class NotPlain(Exception):
    """The expression is none that ships as code."""


class Key(Expected):
    """An object as the key of a dict."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def is_met_by(self, live: Any) -> bool:
        return live is self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.value is self.value


def wrapped(value: Any) -> Any:
    """Return data as it is, and any other object as one to recognise."""
    return value if is_data(value) else SameObject(value)


def real(value: Any) -> Any:
    """Return the object itself for an argument of a cheap constructor."""
    if isinstance(value, SameObject):
        return value.value
    if isinstance(value, EqualObject):
        return value.again
    if isinstance(value, Expected):
        raise NotPlain("an object that is not made again")
    if type(value) in (list, tuple):
        return type(value)(map(real, value))
    if type(value) is dict:
        pairs = value.items()
        return {k.value if isinstance(k, Key) else k: real(v) for k, v in pairs}
    return value


def is_type(value: Any) -> bool:
    thing = (
        value.value if isinstance(value, SameObject) else getattr(value, "again", None)
    )
    if isinstance(thing, type) and getattr(thing, "__module__", "") == "__main__":
        return issubclass(thing, typing.Generic)
    module = type(thing).__module__
    return isinstance(thing, _TYPE_FORMS) or module in ("typing", "typing_extensions")


def is_flag(value: Any) -> bool:
    """Tell whether it is a flag like ``re.I``, whose ``|`` is Python's own."""
    if not isinstance(value, SameObject | EqualObject):
        return False
    thing = real(value)
    return isinstance(thing, enum.Flag) and type(thing).__or__ is enum.Flag.__or__


def check_size(op: ast.operator, left: Any, right: Any) -> None:
    """Refuse what would take long to work out again."""
    if isinstance(op, ast.Pow) and type(right) is int and abs(right) > 10_000:
        raise NotPlain("a large power")
    if isinstance(op, ast.LShift) and right > 100_000:
        raise NotPlain("a large shift")


def joined_path(left: EqualObject, right: Any) -> EqualObject:
    pathlib = sys.modules.get("pathlib")
    if pathlib is None or not isinstance(left.again, pathlib.PurePath):
        raise NotPlain("an operator on an object")
    return EqualObject(left.again / right, left.compare)
