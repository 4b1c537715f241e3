"""The one table that says which JSON value a Python value becomes, and its writers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final

from jupyter_graph.threads.start import run_in_thread
from jupyter_graph.values import json_pandas, json_python
from jupyter_graph.values.json_private_api import Write, json_writer
from jupyter_graph.values.json_rules import (
    ANSWER,
    MAX_DEPTH,
    Form,
    LenientForm,
    NotJSON,
    Policy,
    Row,
    names_of,
)

_TABLE: Final = {**json_pandas.ROWS, **json_python.ROWS}
_LEAVES: Final = frozenset((str, int, float, bool, type(None)))
_STR_ONLY: Final = frozenset((str,))
_write: Final = json_writer()
_write_ascii: Final = json_writer(ascii_only=True)


def to_json(value: Any, path: str = "answer", policy: Policy = ANSWER) -> bytes:
    """Return the JSON bytes of any value of the table.

    Args:
        value: the value.
        path: what messages call it.
        policy: what differs where it goes to.

    Raises:
        Exception: of the policy's class; a value is not in the table, and the text
            names the key that holds it.

    >>> to_json({"n": 1.5, "names": ("ann", "é")}).decode()
    '{"n": 1.5, "names": ["ann", "é"]}'
    """
    write = _write_ascii if policy.is_ascii else _write
    # Most values need no conversion, and finding that out is cheaper than converting.
    try:
        if is_plain(value):
            return _dump(value, write)
    except ValueError:  # NaN, infinity, an integer with too many digits
        pass
    except RecursionError:
        return run_in_thread(_dump, value, write)
    value = to_jsonable(value, path, policy)
    try:
        return _dump(value, write)
    except RecursionError:
        return run_in_thread(_dump, value, write)


def to_jsonable(value: Any, path: str = "answer", policy: Policy = ANSWER) -> Any:
    """Return the JSON value of a Python value: dict, list, text, number, bool or None.

    Raises:
        Exception: of the policy's class; a value is not in the table, and the text
            names the key that holds it.

    >>> to_jsonable({1: {"b", "a"}, "at": float("nan"), "raw": b"hi"})
    {'1': ['a', 'b'], 'at': None, 'raw': 'aGk='}
    >>> to_jsonable({"a": [1, object()]})
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.AnswerError: answer['a'][1]: object of type object has no ...
    """
    try:
        return _form_of(policy).convert(value, 0)
    except NotJSON as error:
        raise policy.error(error.at(path)) from None
    except RecursionError:  # the caller's own stack is deep: the limit is ours alone
        return run_in_thread(to_jsonable, value, path, policy)


def is_plain(value: Any, *, tuples: bool = True) -> bool:
    """Return whether a value is already made of JSON's own types only.

    Numbers that JSON does not know (NaN, infinity) are not looked for. ``tuples`` are
    lists to JSON; without, a value that holds one is not plain.

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
            elif kind is list or (kind is tuple and tuples):
                parts = item
            else:
                return False
            if not _LEAVES.issuperset(map(type, parts)):
                deeper += [part for part in parts if type(part) not in _LEAVES]
        if not deeper:
            return True
        level = deeper
    return False


@cache
def _form_of(policy: Policy) -> Form:
    kind = LenientForm if policy.unknown_as_text else Form
    return kind(policy, _row_of)


@lru_cache(maxsize=1024)
def _row_of(kind: Any) -> Row:
    """Return the row of the table for a type: the nearest of its bases that has one.

    Types of other packages go by name, so that nothing is imported to know them.
    An Enum goes by its value, also where it is a decimal or a date besides.
    """
    if issubclass(kind, Enum) and not issubclass(kind, str | int | float):
        return json_python.enum_value
    for name in names_of(kind):
        if row := _TABLE.get(name):
            return row
    if hasattr(kind, "__dataclass_fields__"):
        return json_python.fields
    if hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__arrow_c_array__"):
        return json_pandas.arrow_stream
    return json_python.unknown


def _dump(value: Any, write: Write) -> bytes:
    try:
        return write(value).encode()
    except UnicodeEncodeError:  # half a surrogate pair: JSON can say it in ASCII only
        return _write_ascii(value).encode()
