"""Operators on data, types, flags and paths: those that run none of the user's code."""

from __future__ import annotations

import ast
import enum
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    NotReproducible,
    SameObject,
    is_data,
    real,
)

_TYPE_FORMS = (type, types.GenericAlias, types.UnionType, typing.TypeVar)
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


def unary(op: ast.unaryop, value: Any) -> Any:
    """Return what a unary operator gives for data."""
    return _UNARY[type(op)](value)


def binary(op: ast.operator, left: Any, right: Any) -> Any:
    """Return what an operator gives; NotReproducible where it may run the user's code.

    >>> binary(ast.Add(), 1, 2)
    3
    """
    if is_data(left) and is_data(right):
        _check_size(op, left, right)
        return _BINARY[type(op)](left, right)
    if isinstance(op, ast.BitOr) and (
        is_type(left) or is_type(right) or (_is_flag(left) and _is_flag(right))
    ):
        return EqualObject(real(left) | real(right), operator.eq)
    if isinstance(op, ast.Div) and _is_path(left) and is_data(right):
        return EqualObject(left.again / right, left.compare)
    raise NotReproducible("an operator on an object")


def is_type(value: Any) -> bool:
    """Tell whether it is a type or an annotation, whose ``|`` and ``[]`` are Python's.

    Classes of the notebook may have a metaclass of their own: only generic ones count.
    """
    thing = (
        value.value if isinstance(value, SameObject) else getattr(value, "again", None)
    )
    if isinstance(thing, type) and getattr(thing, "__module__", "") == "__main__":
        return issubclass(thing, typing.Generic)
    module = type(thing).__module__
    return isinstance(thing, _TYPE_FORMS) or module in ("typing", "typing_extensions")


def _is_flag(value: Any) -> bool:
    """Tell whether it is a flag like ``re.I``, whose ``|`` is Python's own."""
    if not isinstance(value, SameObject | EqualObject):
        return False
    thing = real(value)
    return isinstance(thing, enum.Flag) and type(thing).__or__ is enum.Flag.__or__


def _is_path(value: Any) -> bool:
    pathlib = sys.modules.get("pathlib")
    again = value.again if isinstance(value, EqualObject) else None
    return pathlib is not None and isinstance(again, pathlib.PurePath)


def _check_size(op: ast.operator, left: Any, right: Any) -> None:
    """Refuse what would take long to work out again."""
    if isinstance(op, ast.Pow) and type(right) is int and abs(right) > 10_000:
        raise NotReproducible("a large power")
    if isinstance(op, ast.LShift) and right > 100_000:
        raise NotReproducible("a large shift")
