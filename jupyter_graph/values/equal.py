"""Whether a value that was saved and read back is still the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jupyter_graph.values import file_formats
from jupyter_graph.values.field_objects import fields_of


def same(first: Any, second: Any) -> bool:
    """Return whether two values are equal and of equal types, all the way down.

    >>> same((1, float("nan")), (1, float("nan"))), same([1], [1.0]), same(0.0, -0.0)
    (True, False, False)
    """
    if type(first) is not type(second):
        return False
    if isinstance(first, float):
        return _same_float(first, second)
    if isinstance(first, Mapping):
        if getattr(first, "default_factory", 0) != getattr(
            second, "default_factory", 0
        ):
            return False
        return len(first) == len(second) and all(
            same(*pair) for pair in zip(first.items(), second.items(), strict=True)
        )
    if isinstance(first, (list, tuple)) or type(first).__name__ == "deque":
        return len(first) == len(second) and all(map(same, first, second))
    return _same_foreign(first, second)


def _same_float(first: float, second: float) -> bool:
    if math.isnan(first):
        return math.isnan(second)
    # 0.0 equals -0.0, and 1 / x tells them apart.
    return first == second and math.copysign(1, first) == math.copysign(1, second)


def _same_foreign(first: Any, second: Any) -> bool:
    package = type(first).__module__.partition(".")[0]
    if package == "numpy" and hasattr(first, "dtype"):
        return _same_array(first, second)
    if package == "pandas":
        return _same_pandas(first, second)
    kind = file_formats.format_of(first)
    if kind is not None:  # models have no equality of their own: their files have
        first, second = (file_formats.write(it, kind).data for it in (first, second))
    if kind == "skops":
        first, second = map(file_formats.skops_content, (first, second))
    elif kind is None and (fields := fields_of(first)) is not None:
        return same(fields, fields_of(second))
    # What differs from itself is a NaN, such as a decimal one.
    return bool(first == second or (first != first and second != second))


def _same_array(first: Any, second: Any) -> bool:
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    if first.dtype.names:
        return all(_same_array(first[name], second[name]) for name in first.dtype.names)
    if first.dtype.hasobject:
        return same(first.ravel().tolist(), second.ravel().tolist())
    return bool(first.tobytes() == second.tobytes())  # NaN equals itself there


def _same_pandas(first: Any, second: Any) -> bool:
    import pandas as pd

    if first is second:
        return True
    tests: dict[type, Any] = {
        pd.DataFrame: pd.testing.assert_frame_equal,
        pd.Series: pd.testing.assert_series_equal,
        pd.Index: pd.testing.assert_index_equal,
        pd.api.extensions.ExtensionArray: pd.testing.assert_extension_array_equal,
    }
    test = next((tests[kind] for kind in tests if isinstance(first, kind)), None)
    if test is None:
        return bool(first == second)
    try:
        test(first, second, check_exact=True)
    except AssertionError:
        return False
    return _same_objects(first, second)


def _same_objects(first: Any, second: Any) -> bool:
    """Look into columns of objects: pandas takes 1 and True, [1] and (1,) for equal."""
    if str(getattr(first, "dtype", "")) == "object":
        return same(list(first), list(second))
    if getattr(first, "ndim", 1) == 2:
        pairs = zip(first.items(), second.items(), strict=True)
        return all(_same_objects(one[1], two[1]) for one, two in pairs)
    return True
