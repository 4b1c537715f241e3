"""The one table that says which JSON value a Python value becomes."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from jupyter_graph.errors import AnswerError
from jupyter_graph.threads.start import run_in_thread

MAX_DEPTH: Final = 200
"""Containers inside containers; the same in every process, whatever its stack."""

_MAX_DIGITS: Final = 4300  # what a reader in Python takes by default
_MAX_INT: Final = 10**_MAX_DIGITS
_LEAVES: Final = frozenset((str, int, float, bool, type(None)))
_STR_ONLY: Final = frozenset((str,))

Convert = Callable[[Any, int], Any]


class NotJSON(Exception):
    """A value is not in the table; ``keys`` leads to it, innermost first."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.keys: list[str] = []


def to_jsonable(value: Any, path: str = "answer") -> Any:
    """Return the JSON value of a Python value: dict, list, text, number, bool or None.

    Raises:
        AnswerError: a value is not in the table; the text names the key that holds it.

    >>> to_jsonable({1: {"b", "a"}, "at": float("nan"), "raw": b"hi"})
    {'1': ['a', 'b'], 'at': None, 'raw': 'aGk='}
    >>> to_jsonable({"a": [1, object()]})
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.AnswerError: answer['a'][1]: object of type object has no ...
    """
    try:
        return convert(value, 0)
    except NotJSON as error:
        keys = error.keys[::-1]
        shown = "".join(keys) if len(keys) <= 8 else "".join(keys[:4]) + "[…]"
        raise AnswerError(f"{path}{shown}: {error}") from None
    except RecursionError:  # the caller's own stack is deep: the limit is ours alone
        return run_in_thread(to_jsonable, value, path)


def is_plain(value: Any) -> bool:
    """Say whether a value is already made of JSON's own types only.

    Numbers that JSON does not know (NaN, infinity) are not looked for.

    >>> is_plain({"a": [1, None]}), is_plain({1: "a"}), is_plain({"a": b"x"})
    (True, False, False)
    """
    if type(value) in _LEAVES:
        return True
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                if not _STR_ONLY.issuperset(map(type, item)):
                    return False
                parts: Iterable[Any] = item.values()
            elif kind is list or kind is tuple:
                parts = item
            else:
                return False
            if not _LEAVES.issuperset(map(type, parts)):
                deeper += [part for part in parts if type(part) not in _LEAVES]
        if not deeper:
            return True
        level = deeper
    return False


def convert(value: Any, depth: int) -> Any:
    """Return the JSON value; ``NotJSON`` when the table has no row for it."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if depth > MAX_DEPTH:
        raise NotJSON(f"nested deeper than {MAX_DEPTH} levels, or holds itself")
    return converter(kind)(value, depth)  # type: ignore[arg-type]  # types do hash


@lru_cache(maxsize=1024)
def converter(kind: Any) -> Convert:
    """Return the row of the table for a type: the nearest of its bases that has one.

    Types of other packages go by name, so that nothing is imported to know them.
    """
    from jupyter_graph.values.json_pandas import FOREIGN

    for base in kind.__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        found = _TABLE.get(name) or FOREIGN.get(name)
        if found:
            return found
    return _fields if hasattr(kind, "__dataclass_fields__") else _unknown


def items_of(values: Iterable[Any], depth: int) -> list[Any]:
    """Return a list of JSON values; a failure remembers its index."""
    result: list[Any] = []
    for item in values:
        try:
            result.append(convert(item, depth + 1))
        except NotJSON as error:
            error.keys.append(f"[{len(result)}]")
            raise
    return result


def record_of(pairs: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
    """Return a JSON object; keys become text by the same table."""
    result: dict[str, Any] = {}
    for key, item in pairs:
        try:
            name = key if type(key) is str else key_text(key)
            if name in result:
                raise NotJSON(f"two keys become the text {name!r}")  # noqa: TRY301
            result[name] = convert(item, depth + 1)
        except NotJSON as error:
            error.keys.append(f"[{_shown(key)}]")
            raise
    return result


def _shown(key: Any) -> str:
    short = isinstance(key, int) and abs(key) < 10**18
    return repr(key) if short or isinstance(key, str) else f"a {type(key).__name__}"


def key_text(key: Any) -> str:
    """Return the text of a key that is not text: its JSON value, as text.

    >>> key_text(1), key_text(None), key_text((1, "a")), key_text(b"hi")
    ('1', 'null', '[1, "a"]', 'aGk=')
    """
    value = convert(key, 0)
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _int(value: int, _: int) -> int:
    exact = int.__int__(value)
    if exact.bit_length() > 14_000 and abs(exact) >= _MAX_INT:
        raise NotJSON(f"an integer of more than {_MAX_DIGITS} digits; give it as text")
    return exact


def _float(value: float, _: int) -> float | None:
    exact = float.__float__(value)
    return exact if math.isfinite(exact) else None


def _set(value: Iterable[Any], depth: int) -> list[Any]:
    items = items_of(value, depth)
    try:
        return sorted(items)
    except TypeError:  # kinds that cannot be compared: the order of their JSON text
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _fields(value: Any, depth: int) -> dict[str, Any]:
    names = type(value).__dataclass_fields__
    return record_of(((name, getattr(value, name)) for name in names), depth)


def _decimal(value: Any, _: int) -> str | None:
    return str(value) if value.is_finite() else None


def _model(value: Any, depth: int) -> Any:
    dump = getattr(value, "model_dump", None)
    return convert(dump() if dump else dict(value), depth + 1)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    return record_of(value.items(), depth)


def _bytes(value: Any, _: int) -> str:
    return b64encode(value).decode("ascii")


def _timedelta(value: Any, _: int) -> str:
    whole = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return duration(whole * 1000)


def duration(nanoseconds: int) -> str:
    """Return an ISO 8601 duration in days, hours, minutes and seconds.

    >>> duration(90_061_500_000_000), duration(-60_000_000_000), duration(0)
    ('P1DT1H1M1.5S', '-PT1M', 'PT0S')
    """
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    clock = "".join(
        (
            f"{hour}H" if hour else "",
            f"{minute}M" if minute else "",
            f"{second}{tail}S" if second or tail else "",
        )
    )
    text = (f"{day}D" if day else "") + (f"T{clock}" if clock else "")
    return ("-P" if nanoseconds < 0 else "P") + (text or "T0S")


def _unknown(value: Any, _: int) -> Any:
    kind = type(value)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__", "steps"):
        name = f"{kind.__module__}.{name}"
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        raise NotJSON(f"a {name} inside an answer cannot stream; give a list of it")
    said = "return a dict, a list, text or a number instead"
    raise NotJSON(f"object of type {name} has no JSON form; {said}")


_TABLE: Final[dict[str, Convert]] = {
    "builtins.NoneType": lambda value, _: value,
    "builtins.bool": lambda value, _: value,
    "builtins.str": lambda value, _: str.__str__(value),
    "builtins.int": _int,
    "builtins.float": _float,
    "builtins.dict": _mapping,
    "builtins.mappingproxy": _mapping,
    "collections.Mapping": _mapping,
    "builtins.list": items_of,
    "builtins.tuple": items_of,
    "builtins.range": items_of,
    "builtins.dict_keys": items_of,
    "builtins.dict_values": items_of,
    "builtins.dict_items": items_of,
    "collections.deque": items_of,
    "collections.UserList": items_of,
    "array.array": items_of,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.memoryview": _bytes,
    "datetime.datetime": lambda value, _: value.isoformat(),
    "datetime.date": lambda value, _: value.isoformat(),
    "datetime.time": lambda value, _: value.isoformat(),
    "datetime.timedelta": _timedelta,
    "decimal.Decimal": _decimal,
    "enum.Enum": lambda value, depth: convert(value.value, depth + 1),
    "uuid.UUID": lambda value, _: str(value),
    "pathlib.PurePath": lambda value, _: str(value),
    "pydantic.BaseModel": _model,
}
