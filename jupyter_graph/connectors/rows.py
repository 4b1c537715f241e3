"""Rows: what bodies become in a table, and the plain values a text file can hold."""

from __future__ import annotations

import base64
import copy
import dataclasses
import functools
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from os import PathLike
from typing import Any, TypeAlias
from uuid import UUID

from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError

Row: TypeAlias = Mapping[str, Any]
"""Column names to values."""

FLAT = frozenset(
    {type(None), bool, int, float, str, bytes, datetime, date, time, Decimal, UUID}
)
"""Types of values that nobody can change in place."""


def is_frame(body: Any) -> bool:
    """Tell whether a body is a table: pandas', Arrow's, or one that gives Arrow."""
    return is_pandas(body) or _is_arrow(body)


def is_pandas(body: Any) -> bool:
    """Tell whether it is a DataFrame, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(body, pandas.DataFrame)


def _is_arrow(body: Any) -> bool:
    return hasattr(body, "__arrow_c_stream__") or hasattr(body, "__arrow_c_array__")


def table_of(frame: Any) -> Any:
    """Return a frame as a ``pyarrow.Table``; an index without a name is left out."""
    import pyarrow

    if is_pandas(frame):
        keeps = all(name is not None for name in frame.index.names)
        table = pyarrow.Table.from_pandas(frame, preserve_index=keeps)
        return table.replace_schema_metadata(None)
    if isinstance(frame, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([frame])
    return frame if isinstance(frame, pyarrow.Table) else pyarrow.table(frame)


def pandas_of(frame: Any) -> Any:
    """Return a frame as pandas' own."""
    return frame if is_pandas(frame) else table_of(frame).to_pandas()


def rows_of_frame(frame: Any, size: int = 10_000) -> Iterator[dict[str, Any]]:
    """Yield the rows of a frame, some thousand at a time in memory.

    An index with a name comes first, one without is left out.
    """
    if not is_pandas(frame):
        for batch in table_of(frame).to_batches(max_chunksize=size):
            yield from batch.to_pylist()
        return
    if all(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    for start in range(0, len(frame), size):
        yield from frame.iloc[start : start + size].to_dict("records")


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


def short(value: Any) -> str:
    """Return a value's repr, cut to what a message can hold."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def json_text(value: Any) -> str:
    """Return one line of JSON; NaN and infinity become null.

    Datetimes are ISO 8601, decimals, paths and UUIDs text, bytes base64, sets sorted
    lists, arrays lists, enums their value.

    Raises:
        TypeError: a value has no form in JSON.

    >>> json_text({"at": date(2026, 1, 2), "x": float("nan")})
    '{"at": "2026-01-02", "x": null}'
    """
    try:
        return _encoder().encode(value)
    except ValueError:  # there is a NaN or an infinity
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


@functools.cache
def _encoder() -> json.JSONEncoder:
    """Return the one that ``json.dumps`` would make anew for each value."""
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=plain)


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
    except (TypeError, ValueError, RecursionError) as error:
        raise UnprocessableError(f"{where}: {error}") from error


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    return _finite(plain(value))


def plain(value: Any) -> Any:
    """Return what stands in JSON for a value that JSON does not know."""
    if isinstance(value, datetime | date | time):
        return _iso(value)
    if isinstance(value, Decimal | UUID | PathLike):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if is_frame(value):
        return list(rows_of_frame(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return _by_its_own_method(value)


def _iso(value: datetime | date | time) -> str | None:
    text = value.isoformat()
    return None if text == "NaT" else text


def _by_its_own_method(value: Any) -> Any:
    for method in ("tolist", "model_dump"):  # numpy and Series, pydantic
        if callable(found := getattr(value, method, None)):
            return found()
    if repr(value) == "<NA>":  # pandas' own missing value
        return None
    raise TypeError(f"{short(value)} of type {type(value).__name__} has no JSON form")


def checked_columns(columns: Any, what: str = "columns") -> list[str] | None:
    """Return the names of columns as a list, None for None.

    Raises:
        SpecError: it is no list of different, non-empty texts.
    """
    if columns is None:
        return None
    is_list = isinstance(columns, list | tuple) and len(columns) > 0
    if not is_list or not all(isinstance(name, str) and name for name in columns):
        raise SpecError(f"{what} must be a list of names, got {columns!r}")
    if len(set(columns)) < len(columns):
        raise SpecError(f"{what} names a column twice: {columns!r}")
    return list(columns)
