"""Rows: what bodies become in a table, its columns, and plain values of text files."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import (
    BadRequestError,
    SpecError,
    UnprocessableError,
    did_you_mean,
    short,
)
from jupyter_graph.values.dataframe_rows import is_frame, rows_of_frame
from jupyter_graph.values.json_form import to_json
from jupyter_graph.values.json_rules import TARGET
from jupyter_graph.values.whole_texts import broken_text, is_whole

Row: TypeAlias = Mapping[str, Any]
"""Column names to values."""

FLAT = frozenset(
    {type(None), bool, int, float, str, bytes, datetime, date, time, Decimal, UUID}
)
"""Types of values that cannot be changed in place."""


def rows_of(body: Any, where: object) -> Iterable[Row]:
    """Return the rows of a body: one, several, or those of a frame.

    Raises:
        BadRequestError: the body is none of these.

    >>> rows_of([{"a": 1}, {"a": 2}], "x")
    [{'a': 1}, {'a': 2}]
    """
    if isinstance(body, dict | Mapping):  # dict first, it is faster
        return (body,)
    if isinstance(body, list | tuple) and all(isinstance(r, Mapping) for r in body):
        return body
    if is_frame(body):
        return rows_of_frame(body)
    raise BadRequestError(
        f"{where} takes a dict, a list of dicts or a frame, got {short(body)}"
    )


def snapshot(row: Row) -> dict[str, Any]:
    """Return a copy of a row that later steps cannot change."""
    if all(type(value) in FLAT for value in row.values()):
        return dict(row)
    return copy.deepcopy(dict(row))


def bare(value: Any) -> Any:
    """Return the Python value in an Enum, a float of numpy or a scalar of Arrow.

    A subclass of text or of a number becomes exactly that; others stay as they are.

    >>> bare(type("Loud", (str,), {"__str__": lambda self: "!"})("a"))
    'a'
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) else int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Enum):
        return bare(value.value)
    if hasattr(value, "as_py"):
        return bare(value.as_py())
    if getattr(getattr(value, "dtype", None), "kind", "") == "f" and value.ndim == 0:
        return float(value)
    return value


def json_text(value: Any) -> str:
    """Return one line of JSON, by the value table of docs/answers.md.

    Raises:
        UnprocessableError: a value has no form in JSON, or a text is half a surrogate
            pair, which most readers of JSON refuse.

    >>> json_text({"at": date(2026, 1, 2), "x": float("nan")})
    '{"at": "2026-01-02", "x": null}'
    """
    text = to_json(value, "body", TARGET).decode()
    if "\\ud" in text and (where := broken_text(json.loads(text))) is not None:
        raise not_a_text(where)
    return text


def not_a_text(where: str) -> UnprocessableError:
    """Return the error of a text that cannot be encoded."""
    return UnprocessableError(
        f"{where} holds half a surrogate pair, which is no character; "
        "text.encode(errors='replace').decode() puts '?' there"
    )


def checked_text(value: Any, where: str) -> Any:
    """Return a value; a text must be one that can be encoded.

    Raises:
        UnprocessableError: it is half a surrogate pair somewhere.
    """
    if isinstance(value, str) and not is_whole(value):
        raise not_a_text(where)
    return value


def json_texts(body: Any, where: object, end: str = "") -> list[str]:
    """Return the items of a body as JSON, each with ``end`` after it.

    A list holds several items, a frame its rows; anything else is one.

    Raises:
        UnprocessableError: an item has no form in JSON.

    >>> json_texts([{"a": 1}, 2], "x")
    ['{"a": 1}', '2']
    """
    if is_frame(body):
        body = rows_of_frame(body)
    elif not isinstance(body, list):
        body = (body,)
    try:
        return [json_text(item) + end for item in body]
    except UnprocessableError as error:
        raise UnprocessableError(f"{where}: {error}") from None


def checked_columns(columns: Any, what: str = "columns") -> list[str] | None:
    """Return the names of columns as a list, None for None.

    Raises:
        SpecError: it is no list of different, non-empty texts.
    """
    if columns is None:
        return None
    is_list = isinstance(columns, list | tuple) and len(columns) > 0
    is_right = is_list and all(isinstance(name, str) and name for name in columns)
    require(is_right, f"{what} must be a list of names", columns)
    if len(set(columns)) < len(columns):
        raise SpecError(f"{what} names a column twice: {columns!r}")
    return list(columns)


WORDS = {
    "bool": ["bool_"],
    "bytes": ["binary"],
    "date": ["date32"],
    "float32": ["float32"],
    "float64": ["float64"],
    "int32": ["int32"],
    "int64": ["int64"],
    "string": ["string"],
    "timestamp": ["timestamp", "us"],
    "timestamp_utc": ["timestamp", "us", "UTC"],
}
"""What ``types={column: word}`` may say: to pyarrow's function and its arguments."""


def arrow_types(types: Any) -> dict[str, Any]:
    """Return column to Arrow type, {} for None.

    Raises:
        SpecError: it is no mapping to words, or holds an unknown one.

    >>> arrow_types({"amount": "float64"})
    {'amount': DataType(double)}
    """
    if types is None:
        return {}
    require(isinstance(types, Mapping), "types must map columns to words", types)
    for column, word in types.items():
        if not isinstance(word, str) or word not in WORDS:
            raise SpecError(
                f"types[{column!r}] is {word!r}, which is no type"
                f"{did_you_mean(str(word), WORDS)} (known: {', '.join(WORDS)})"
            )
    import pyarrow

    calls = {column: WORDS[word] for column, word in types.items()}
    return {
        column: getattr(pyarrow, of)(*args) for column, (of, *args) in calls.items()
    }
