"""Rows of the value table for numpy, pandas and Arrow, known by name, not imported."""

from __future__ import annotations

import math
import sys
from typing import Any, Final

from jupyter_graph.errors import UnprocessableError
from jupyter_graph.values.dataframe_rows import with_index
from jupyter_graph.values.json_python import duration
from jupyter_graph.values.json_rules import Form, NotJSON, Row

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


def _array(value: Any, depth: int, form: Form) -> Any:
    """Return numbers and (nested) lists; the shape stays, a 0-d array is a scalar."""
    kind = value.dtype.kind
    if kind in "biuU" or (kind == "f" and _all_finite(value)):
        return value.tolist()
    if value.ndim == 0:
        return form.convert(value.item() if kind in "OST" else value[()], depth + 1)
    return form.items(value, depth)


def _all_finite(value: Any) -> bool:
    if value.dtype.itemsize > 8:  # a long double stays one in tolist()
        return False
    return bool(sys.modules["numpy"].isfinite(value).all())


def _scalar(value: Any, depth: int, form: Form) -> Any:
    """Return the Python number, text or bool of a numpy scalar."""
    kind = value.dtype.kind
    if kind in "Mm" and str(value) == "NaT":
        return None
    if kind == "M":
        return _datetime64(str(value))
    if kind == "m":
        return _timedelta64(value)
    if kind == "f":
        number = float(value)
        return number if math.isfinite(number) else None
    if kind == "V" and value.dtype.names:
        return form.record(((name, value[name]) for name in value.dtype.names), depth)
    if kind == "V":
        return form.convert(value.tobytes(), depth)
    if kind == "c":
        raise NotJSON("a complex number has no JSON form; give its parts")
    return form.convert(value.item(), depth + 1)


def _datetime64(text: str) -> str:
    """Return ISO 8601 with as many digits as pandas would write."""
    whole, dot, fraction = text.partition(".")
    digits = fraction.rstrip("0")
    count = 0 if not digits else 6 if len(digits) <= 6 else len(fraction)
    return whole + (dot + fraction.ljust(6, "0")[:count] if count else "")


def _timedelta64(value: Any) -> str:
    count, unit = int(value.astype("int64")), value.dtype.str[4:-1]
    step = "".join(char for char in unit if char.isdigit())
    unit = unit.removeprefix(step)
    if unit in ("Y", "M"):
        return f"P{count * int(step or 1)}{unit}"
    if unit not in _NANOSECONDS:
        raise NotJSON(f"a numpy duration in the unit {unit or 'generic'!r}")
    return duration(count * int(step or 1) * _NANOSECONDS[unit])


def _series(value: Any, depth: int, form: Form) -> list[Any]:
    if type(value.dtype).__module__.partition(".")[0] == "numpy":
        return list(_array(value.to_numpy(), depth, form))
    return form.items(value.tolist(), depth)


def _frame(value: Any, depth: int, form: Form) -> list[dict[str, Any]]:
    """Return one record a row: ``[{"column": value, …}, …]``.

    The index is left out, except where the policy keeps one that has a name.
    """
    if form.policy.keeps_index:
        try:
            value = with_index(value)
        except UnprocessableError as error:
            raise NotJSON(f"{error}") from None
    names = list(form.record(((name, None) for name in value.columns), depth))
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(_series(value.iloc[:, position], depth, form))
        except NotJSON as error:  # the row's number comes before the column's name
            error.keys[-1:] = [f"[{name!r}]", *error.keys[-1:]]
            raise
    if not names:
        return [{} for _ in range(len(value))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _arrow_table(value: Any, depth: int, form: Form) -> list[Any]:
    form.record(((name, None) for name in value.schema.names), depth)  # no name twice
    return form.items(value.to_pylist(), depth)


def arrow_stream(value: Any, depth: int, form: Form) -> list[Any]:
    """Return the records of a table of another library that hands it over as Arrow.

    Source: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """
    import pyarrow

    try:
        table = pyarrow.table(value)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise NotJSON(f"a {type(value).__name__} is no table: {error}") from None
    return _arrow_table(table, depth, form)


def _items(value: Any, depth: int, form: Form) -> list[Any]:
    return form.items(value.tolist(), depth)


ROWS: Final[dict[str, Row]] = {
    "numpy.ndarray": _array,
    "numpy.generic": _scalar,
    "numpy.MaskedArray": lambda value, depth, form: form.convert(
        value.tolist(), depth + 1
    ),
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "pandas.Index": _series,
    "pandas.MultiIndex": _items,
    "pandas.ExtensionArray": _items,
    "pandas.NAType": lambda value, depth, form: None,
    "pandas.NaTType": lambda value, depth, form: None,
    "pandas.Period": lambda value, depth, form: str(value),
    "pyarrow.Table": _arrow_table,
    "pyarrow.RecordBatch": _arrow_table,
    "pyarrow.Array": _items,
    "pyarrow.ChunkedArray": lambda value, depth, form: form.items(
        value.to_pylist(), depth
    ),
    "pyarrow.Scalar": lambda value, depth, form: form.convert(value.as_py(), depth + 1),
}
