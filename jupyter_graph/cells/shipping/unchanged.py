"""What a line would give if it ran again, and whether a live value still is that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, EllipsisType, FunctionType, MethodType
from typing import Any

from jupyter_graph.cells.shipping.constructors import Compare

_SCALARS = (int, float, complex, str, bytes, bool, type(None), EllipsisType, range)
_LAZY_FLAGS = 0x1FF0000  # bits of `from __future__`, they change no code


class Expected:
    """Stands for a value that is not made again, only recognised.

    ``is_certain`` is false where only a live value can tell that it is right.
    """

    is_certain = True

    def is_met_by(self, live: Any) -> bool:
        raise NotImplementedError


@dataclass(eq=False)
class SameObject(Expected):
    """This very object."""

    value: Any

    def is_met_by(self, live: Any) -> bool:
        return live is self.value


@dataclass(eq=False)
class EqualObject(Expected):
    """An equal object, by the rule of the constructor that makes it."""

    again: Any
    compare: Compare

    def is_met_by(self, live: Any) -> bool:
        try:
            return self.compare(live, self.again)
        except Exception:  # a foreign __eq__ may do anything
            return False


@dataclass(eq=False)
class Function(Expected):
    """A function with one of these codes."""

    codes: tuple[CodeType, ...]
    defaults: tuple[Any, ...] = ()
    keyword_defaults: Mapping[str, Any] | None = None

    def is_met_by(self, live: Any) -> bool:
        return (
            isinstance(live, FunctionType)
            and set(live.__code__.co_freevars) <= {"__class__"}
            and any(same_code(live.__code__, code) for code in self.codes)
            and still(list(live.__defaults__ or ()), list(self.defaults))
            and still(live.__kwdefaults__ or {}, dict(self.keyword_defaults or {}))
        )


@dataclass(eq=False)
class Method(Expected):
    """A bound method of this very object."""

    owner: Any
    name: str

    def is_met_by(self, live: Any) -> bool:
        owner = getattr(live, "__self__", None)
        is_method = isinstance(live, MethodType) or type(live).__name__.startswith(
            ("builtin_function", "method-wrapper")
        )
        named = getattr(live, "__name__", None) == self.name
        return is_method and named and owner is self.owner


@dataclass(eq=False)
class InstanceOf(Expected):
    """An instance of this class with these attributes."""

    kind: type
    attributes: Mapping[str, Any]

    def is_met_by(self, live: Any) -> bool:
        if type(live) is not self.kind:
            return False
        own = {name: getattr(live, name, self) for name in self.attributes}
        extra = set(getattr(live, "__dict__", {})) - set(self.attributes)
        return not extra and still(own, dict(self.attributes))


def still(live: Any, expected: Any) -> bool:
    """Tell whether a live value is what its line would give again.

    Types must be the same, a NaN is equal to a NaN, the order of a dict counts.

    >>> still([1, {"a": float("nan")}], [1, {"a": float("nan")}]), still([1], [1.0])
    (True, False)
    """
    return _still(live, expected, 0)


def _still(live: Any, expected: Any, depth: int) -> bool:
    if isinstance(expected, Expected):
        return expected.is_met_by(live)
    if type(live) is not type(expected) or depth > 200:
        return False
    if isinstance(expected, float | complex):
        return repr(live) == repr(expected)
    if isinstance(expected, list | tuple):
        same_length = len(live) == len(expected)
        pairs = zip(live, expected, strict=False)
        return same_length and all(_still(a, b, depth + 1) for a, b in pairs)
    if isinstance(expected, dict):
        if len(live) != len(expected):
            return False
        rows = zip(live.items(), expected.items(), strict=True)
        return all(
            _still(k, j, depth + 1) and _still(v, w, depth + 1)
            for (k, v), (j, w) in rows
        )
    return bool(live == expected)


def is_certain(expected: Any, depth: int = 0) -> bool:
    """Tell whether what a line gives again is known without its live value."""
    if isinstance(expected, Expected):
        return expected.is_certain
    if depth > 100 or not isinstance(expected, list | tuple | dict):
        return depth <= 100
    parts = expected.values() if isinstance(expected, dict) else expected
    return all(is_certain(part, depth + 1) for part in parts)


def is_data(value: Any, depth: int = 0) -> bool:
    """Tell whether a value is plain built-in data, whose operators run no user code.

    >>> is_data({"a": [1, (2.0, None)]}), is_data([object()])
    (True, False)
    """
    if type(value) in _SCALARS:
        return True
    if depth > 100:
        return False
    if type(value) in (list, tuple, set, frozenset, slice):
        return all(is_data(item, depth + 1) for item in _items(value))
    if type(value) is dict:
        parts = (*value, *value.values())
        return all(is_data(item, depth + 1) for item in parts)
    return type(value) is bytearray


def _items(value: Any) -> Iterator[Any]:
    if type(value) is slice:
        yield from (value.start, value.stop, value.step)
    else:
        yield from value


def same_code(one: CodeType, two: CodeType) -> bool:
    """Tell whether two code objects do the same, wherever their lines are."""
    return (
        one.co_code == two.co_code
        and one.co_names == two.co_names
        and one.co_varnames == two.co_varnames
        and one.co_freevars == two.co_freevars
        and one.co_argcount == two.co_argcount
        and one.co_posonlyargcount == two.co_posonlyargcount
        and one.co_kwonlyargcount == two.co_kwonlyargcount
        and one.co_flags & ~_LAZY_FLAGS == two.co_flags & ~_LAZY_FLAGS
        and len(one.co_consts) == len(two.co_consts)
        and all(map(_same_constant, one.co_consts, two.co_consts))
    )


def _same_constant(one: Any, two: Any) -> bool:
    if isinstance(one, CodeType) and isinstance(two, CodeType):
        return same_code(one, two)
    if isinstance(one, frozenset):
        return bool(one == two)
    return type(one) is type(two) and repr(one) == repr(two)


def inner_code(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of every function inside a function, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from inner_code(constant)
