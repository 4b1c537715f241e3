"""The feature step that puts other values in place of a feature's own.

Source: MLRun's step of this name,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import UnprocessableError
from jupyter_graph.steps.data.features import features_of, mapping_of
from jupyter_graph.values.dataframe_rows import is_pandas

RANGES: Final = "ranges"

Change = Callable[[Any], Any]


class MapValues:
    """Put other values in place of those that features have.

    Body in:   ``{"feature": value, ...}`` or a DataFrame
    Body out:  the mapped features alone, or with ``with_original_features`` the body
    plus ``{"feature_mapped": value}``. A value that the mapping does not name, or that
    lies in no range, stays; a feature that is not there is not added.

    Args:
        mapping: feature to ``{old: new, ...}``, or to ranges
            ``{"ranges": {"new": [low, high], ...}}``: low belongs to a range, high
            does not, ``"-inf"`` and ``"inf"`` leave an end open, the first range that
            holds the value counts. Values beside ``"ranges"`` count where none does.
            Numbers as keys may stand as texts, which is how JSON writes them.
        with_original_features: keep the features of the body.
        suffix: what ends the names of the mapped features then, after a ``_``.

    Raises:
        SpecError: an argument has a wrong shape; the text names the feature.
        UnprocessableError: (from ``do``) a value cannot be compared with the ranges,
            or cannot be a key; the text names the feature.
        BadRequestError: (from ``do``) the body is neither an object nor a DataFrame.

    >>> ages = {"ranges": {"child": [0, 18], "adult": [18, "inf"]}}
    >>> MapValues({"age": ages, "sex": {"f": 1, "m": 0}}).do({"age": 18, "sex": "f"})
    {'age': 'adult', 'sex': 1}
    """

    def __init__(
        self,
        mapping: Mapping[str, Mapping[Any, Any]],
        with_original_features: bool = False,
        suffix: str = "mapped",
    ) -> None:
        require(isinstance(suffix, str), "MapValues: suffix must be a text", suffix)
        self.with_original_features = bool(with_original_features)
        self.suffix = suffix
        self._changes = {
            feature: _change(feature, values)
            for feature, values in mapping_of(mapping, "MapValues").items()
        }
        ending = f"_{suffix}" if with_original_features else ""
        self._names = {feature: f"{feature}{ending}" for feature in self._changes}

    def do(self, body: Any) -> Any:
        if is_pandas(body):
            return self._frame(body)
        changes, names = self._changes, self._names
        record = features_of(body, "MapValues")
        mapped = {
            names[feature]: _changed(changes[feature], feature, value)
            for feature, value in record.items()
            if feature in changes
        }
        return {**mapped, **record} if self.with_original_features else mapped

    def _frame(self, frame: Any) -> Any:
        import pandas as pd

        columns = {
            self._names[feature]: [
                _changed(self._changes[feature], feature, value)
                for value in frame[feature].tolist()
            ]
            for feature in frame.columns
            if feature in self._changes
        }
        mapped = pd.DataFrame(columns, index=frame.index)
        if not self.with_original_features:
            return mapped
        new = [name for name in mapped.columns if name not in frame.columns]
        return pd.concat([frame, mapped[new]], axis=1)


def _changed(change: Change, feature: str, value: Any) -> Any:
    try:
        return change(value)
    except TypeError as error:
        raise UnprocessableError(
            f"feature {feature!r}: {value!r} cannot be mapped: {error}"
        ) from error


def _change(feature: str, values: Any) -> Change:
    """Return the function that maps one feature's values."""
    rule = f"mapping of feature {feature!r} must be an object of old to new values"
    require(isinstance(values, Mapping), f"MapValues: {rule}", values)
    table = _table(values)
    if RANGES not in values:
        return lambda value: table.get(value, value)
    ranges = _ranges(feature, values[RANGES])

    def by_range(value: Any) -> Any:
        for low, high, new in ranges:
            if value >= low and value < high:
                return new
        return table.get(value, value)

    return by_range


def _table(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return old values to new; a number that JSON made a text counts as both.

    >>> _table({"12": "dozen", "x": 1})
    {'12': 'dozen', 'x': 1, 12: 'dozen'}
    """
    table = {old: new for old, new in values.items() if old != RANGES}
    for old, new in values.items():
        if isinstance(old, str) and (plain := _scalar(old)) is not old:
            table.setdefault(plain, new)
    return table


def _scalar(text: str) -> Any:
    """Return the number, bool or None that JSON writes so as a key, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_key = value is None or isinstance(value, int | float)
    return value if is_key and json.dumps(value) == text else text


def _ranges(feature: str, ranges: Any) -> list[tuple[Any, Any, Any]]:
    where = f"of feature {feature!r} must be"
    rule = f"MapValues: ranges {where} an object of new values to [low, high]"
    require(isinstance(ranges, Mapping), rule, ranges)
    read = []
    for new, bounds in ranges.items():
        is_pair = isinstance(bounds, list | tuple) and len(bounds) == 2
        require(is_pair, f"MapValues: range {new!r} {where} [low, high]", bounds)
        low, high = bounds
        low = -math.inf if low == "-inf" else low
        read.append((low, math.inf if high == "inf" else high, new))
    return read
