"""What a line would give if it ran again, and whether a live value still is that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, EllipsisType, FunctionType
from typing import Any

from jupyter_graph.cells.shipping.bytecode import same_code
from jupyter_graph.cells.shipping.constructors import Compare

_SCALARS = (int, float, complex, str, bytes, bool, type(None), EllipsisType, range)
_DEEPEST = 100


class NotReproducible(Exception):
    """Running the expression again is not known to give the same value."""


def ensure(is_sure: object, why: str) -> None:
    """Raise NotReproducible where something is not sure."""
    if not is_sure:
        raise NotReproducible(why)


class Expected:
    """Stands for a value that is not made again, only recognised.

    ``is_certain`` is false where only a live value can tell that it is right.
    """

    is_certain = True

    def matches(self, live: Any) -> bool:
        raise NotImplementedError


class _Unsure(Expected):
    """What an expression gives that is not known to give the same again."""

    is_certain = False

    def matches(self, live: Any) -> bool:
        return False


UNSURE = _Unsure()


def tried(evaluate: Callable[..., Any], *args: Any) -> Any:
    """Return what an evaluation gives, UNSURE where it is NotReproducible."""
    try:
        return evaluate(*args)
    except NotReproducible:
        return UNSURE


@dataclass(eq=False)
class SameObject(Expected):
    """This very object."""

    value: Any

    def matches(self, live: Any) -> bool:
        return live is self.value


class ObjectKey(SameObject):
    """This very object as the key of a dict."""

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectKey) and other.value is self.value


@dataclass(eq=False)
class EqualObject(Expected):
    """An equal object, by the rule of the constructor that makes it."""

    again: Any
    compare: Compare

    def matches(self, live: Any) -> bool:
        try:
            return self.compare(live, self.again)
        except Exception:  # a foreign __eq__ may do anything
            return False


@dataclass(eq=False)
class Function(Expected):
    """A function with one of these codes."""

    codes: tuple[CodeType, ...]
    defaults: tuple[Any, ...] = ()
    keyword_defaults: dict[str, Any] | None = None

    def matches(self, live: Any) -> bool:
        return (
            isinstance(live, FunctionType)
            and set(live.__code__.co_freevars) <= {"__class__"}
            and any(same_code(live.__code__, code) for code in self.codes)
            and is_unchanged(live.__defaults__ or (), self.defaults)
            and is_unchanged(live.__kwdefaults__ or {}, self.keyword_defaults or {})
        )


@dataclass(eq=False)
class InstanceOf(Expected):
    """An instance of this class with these attributes."""

    kind: type
    attributes: Mapping[str, Any]

    def matches(self, live: Any) -> bool:
        if type(live) is not self.kind:
            return False
        own = {name: getattr(live, name, self) for name in self.attributes}
        extra = set(getattr(live, "__dict__", {})) - set(self.attributes)
        return not extra and is_unchanged(own, dict(self.attributes))


def is_unchanged(live: Any, expected: Any, depth: int = 0) -> bool:
    """Tell whether a live value is what its line would give again.

    Types must be the same, a NaN is equal to a NaN, the order of a dict counts.

    >>> is_unchanged([1, {"a": float("nan")}], [1, {"a": float("nan")}])
    True
    >>> is_unchanged([1], [1.0])
    False
    """
    if isinstance(expected, Expected):
        return expected.matches(live)
    if type(live) is not type(expected) or depth > 2 * _DEEPEST:
        return False
    if isinstance(expected, float | complex):  # a NaN, and 0.0 beside -0.0
        return repr(live) == repr(expected)
    if isinstance(expected, dict):
        live, expected = list(live.items()), list(expected.items())
    if isinstance(expected, list | tuple):
        pairs = zip(live, expected, strict=False)
        return len(live) == len(expected) and all(
            is_unchanged(a, b, depth + 1) for a, b in pairs
        )
    return bool(live == expected)


def is_certain(expected: Any, depth: int = 0) -> bool:
    """Tell whether what a line gives again is known without its live value."""
    if isinstance(expected, Expected):
        return expected.is_certain
    if depth > _DEEPEST or not isinstance(expected, list | tuple | dict):
        return depth <= _DEEPEST
    parts = expected.values() if isinstance(expected, dict) else expected
    return all(is_certain(part, depth + 1) for part in parts)


def is_data(value: Any, depth: int = 0) -> bool:
    """Tell whether a value is plain built-in data, whose operators run no user code.

    >>> is_data({"a": [1, (2.0, None)]}), is_data([object()])
    (True, False)
    """
    # By type(): a subclass may have operators of its own.
    if type(value) in _SCALARS or type(value) is bytearray:
        return True
    if depth > _DEEPEST or type(value) not in (
        list, tuple, set, frozenset, dict, slice,
    ):  # fmt: skip
        return False
    return all(is_data(part, depth + 1) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if type(value) is slice:
        yield from (value.start, value.stop, value.step)
    else:
        yield from value
    if type(value) is dict:
        yield from value.values()


def wrapped(value: Any) -> Any:
    """Return data as it is, and any other object as one to recognise."""
    return value if is_data(value) else SameObject(value)


def real(value: Any) -> Any:
    """Return the object itself for an argument of a cheap constructor."""
    if isinstance(value, SameObject):
        return value.value
    if isinstance(value, EqualObject):
        return value.again
    ensure(not isinstance(value, Expected), "an object that is not made again")
    if type(value) in (list, tuple):
        return type(value)(map(real, value))
    if type(value) is dict:
        return {real(key): real(item) for key, item in value.items()}
    return value
