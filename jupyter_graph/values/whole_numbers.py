"""Whole numbers that stay whole numbers in frames: beside missing values, in chunks.

pandas makes floats of them where a value is missing, and from 2**53 on a float is
another number: an id would be the id of somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

LARGEST = 2**53
"""Up to here every whole number is a float as well."""


def exact_columns(frame: Any, columns: Mapping[Any, list[Any]]) -> Any:
    """Return a frame whose whole numbers are those of the lists it was made of.

    >>> import pandas as pd
    >>> given = {"id": [2**60 + 1, None], "x": [0.5, None]}
    >>> exact_columns(pd.DataFrame(given), given)["id"].tolist()
    [1152921504606846977, <NA>]
    """
    for at, values in enumerate(columns.values()):
        # Only as floats have they changed; text, dates and the like were looked at.
        if frame.dtypes.iloc[at] == "float64":
            kept = _exact(values)
            if kept is not None:
                frame.isetitem(at, kept)
    return frame


def frame_of_rows(rows: Sequence[Mapping[Any, Any]], index: Any = None) -> Any:
    """Return rows as a DataFrame; a key that a row has not is missing there.

    >>> frame_of_rows([{"id": 2**60 + 1}, {"n": 1}])["id"].tolist()
    [1152921504606846977, <NA>]
    """
    import pandas as pd

    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    index = range(len(rows)) if index is None else index
    return exact_columns(pd.DataFrame(columns, index), columns)


def frame_of_arrow(table: Any) -> Any:
    """Return an Arrow table or batch as a DataFrame that keeps whole numbers."""
    import pyarrow.types as of

    # An index that pandas noted in a file is a column here, as it is in rows.
    frame = table.to_pandas(ignore_metadata=True)
    for at, column in enumerate(table.columns):
        if column.null_count and of.is_integer(column.type):
            frame.isetitem(at, column.to_pandas(types_mapper=_dtype_of).array)
    return frame


def _exact(values: list[Any]) -> Any:
    """Return values as an array that keeps whole numbers; None where floats do."""
    import pandas as pd

    kinds = set(map(type, values))
    whole = {kind for kind in kinds if hasattr(kind, "__index__") and kind is not bool}
    if not whole:
        return None
    if kinds - whole <= {type(None), type(pd.NA)}:
        return _nullable(values)
    if any(type(value) in whole and abs(int(value)) > LARGEST for value in values):
        return pd.array(values, dtype=object).to_numpy()
    return None


def _nullable(values: list[Any]) -> Any:
    import pandas as pd

    for dtype in ("Int64", "UInt64"):
        with suppress(OverflowError, TypeError, ValueError):
            return pd.array(values, dtype=dtype)
    return None


def _dtype_of(kind: Any) -> Any:
    """Return pandas' type of whole numbers, some of which may be missing."""
    import pandas as pd

    return pd.api.types.pandas_dtype(str(kind).replace("i", "I").replace("u", "U", 1))


def of_one_kind(frames: Sequence[Any]) -> list[Any]:
    """Return frames that pandas joins without making floats of whole numbers.

    A column that a frame lacks, or where nothing stands, counts as missing values.
    """
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    changed = [frame.copy(deep=False) for frame in frames]
    for name in names:
        having = [frame for frame in changed if name in frame.columns]
        columns = [frame[name] for frame in having]
        whole = [column for column in columns if column.dtype.kind in "iu"]
        if not whole or _join_well(columns, is_everywhere=len(having) == len(frames)):
            continue
        dtype = _common([column for column in columns if not _is_empty(column)])
        for frame in having if dtype is not None else ():
            frame[name] = frame[name].astype(dtype)
    return changed


def _join_well(columns: list[Any], *, is_everywhere: bool) -> bool:
    kinds = {str(column.dtype) for column in columns}
    return is_everywhere and (len(kinds) == 1 or kinds <= {"int32", "int64"})


def _is_empty(column: Any) -> bool:
    return column.dtype == object and bool(column.isna().all())


def _common(columns: list[Any]) -> Any:
    """Return the type that holds all values as they are; None where pandas' does."""
    if all(column.dtype.kind in "iu" for column in columns):
        is_signed = any(column.dtype.kind == "i" for column in columns)
        if not any(column.dtype.kind == "u" for column in columns):
            return "Int64"
        is_negative = is_signed and any((column < 0).any() for column in columns)
        return object if is_negative else "UInt64"
    numbers = [column for column in columns if column.dtype.kind in "iu"]
    has_large = any((column.abs() > LARGEST).any() for column in numbers)
    return object if has_large else None
