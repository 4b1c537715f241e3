"""Rows of the value table for numpy and pandas, known by name and never imported."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, Final

from jupyter_graph.values.json_form import (
    NotJSON,
    convert,
    duration,
    items_of,
    record_of,
)

_NANOSECONDS: Final = {
    "W": 604_800 * 10**9,
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}


def _array(value: Any, depth: int) -> Any:
    """Return numbers and (nested) lists; the shape stays, a 0-d array is a scalar."""
    kind = value.dtype.kind
    if kind in "biuU" or (kind == "f" and _all_finite(value)):
        return value.tolist()
    if value.ndim == 0:
        return convert(value.item() if kind in "OST" else value[()], depth + 1)
    return items_of(value, depth)


def _all_finite(value: Any) -> bool:
    if value.dtype.itemsize > 8:  # a long double stays one in tolist()
        return False
    return bool(sys.modules["numpy"].isfinite(value).all())


def _scalar(value: Any, depth: int) -> Any:
    """Return the Python number, text or bool of a numpy scalar."""
    kind = value.dtype.kind
    if kind == "M":
        return _datetime64(value)
    if kind == "m":
        return _timedelta64(value)
    if kind == "f":
        number = float(value)
        return number if math.isfinite(number) else None
    if kind == "V" and value.dtype.names:
        return record_of(((name, value[name]) for name in value.dtype.names), depth)
    if kind == "V":
        return convert(value.tobytes(), depth)
    if kind == "c":
        raise NotJSON("a complex number has no JSON form; give its parts")
    return convert(value.item(), depth + 1)


def _datetime64(value: Any) -> str | None:
    """Return ISO 8601 with as many digits as pandas would write."""
    text = str(value)
    if text == "NaT":
        return None
    whole, dot, fraction = text.partition(".")
    kept = fraction.rstrip("0")
    digits = 0 if not kept else 6 if len(kept) <= 6 else len(fraction)
    return whole + (dot + fraction.ljust(6, "0")[:digits] if digits else "")


def _timedelta64(value: Any) -> str | None:
    text = str(value)
    if text == "NaT":
        return None
    count, unit = int(value.astype("int64")), value.dtype.str[4:-1]
    step = "".join(char for char in unit if char.isdigit())
    unit = unit.removeprefix(step)
    if unit in ("Y", "M"):
        return f"P{count * int(step or 1)}{unit}"
    if unit not in _NANOSECONDS:
        raise NotJSON(f"a numpy duration in the unit {unit or 'generic'!r}")
    return duration(count * int(step or 1) * _NANOSECONDS[unit])


def _pandas_timedelta(value: Any, _: int) -> str:
    seconds = value.days * 86_400 + value.seconds
    return duration((seconds * 10**6 + value.microseconds) * 1000 + value.nanoseconds)


def _series(value: Any, depth: int) -> list[Any]:
    dtype = value.dtype
    if type(dtype).__module__.partition(".")[0] == "numpy":
        return list(_array(value.to_numpy(), depth))
    return items_of(value.tolist(), depth)


def _frame(value: Any, depth: int) -> list[dict[str, Any]]:
    """Return one record a row: ``[{"column": value, …}, …]``, the index left out."""
    names = list(record_of(((name, None) for name in value.columns), depth))
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(_series(value.iloc[:, position], depth))
        except NotJSON as error:
            error.keys[-1:] = [f"[{name!r}]", *error.keys[-1:]]
            raise
    if not names:
        return [{} for _ in range(len(value))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


FOREIGN: Final[dict[str, Callable[[Any, int], Any]]] = {
    "numpy.ndarray": _array,
    "numpy.generic": _scalar,
    "numpy.MaskedArray": lambda value, depth: convert(value.tolist(), depth + 1),
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "pandas.Index": _series,
    "pandas.MultiIndex": lambda value, depth: items_of(value.tolist(), depth),
    "pandas.ExtensionArray": lambda value, depth: items_of(value.tolist(), depth),
    "pandas.NAType": lambda value, _: None,
    "pandas.NaTType": lambda value, _: None,
    "pandas.Timedelta": _pandas_timedelta,
    "pandas.Period": lambda value, _: str(value),
}
