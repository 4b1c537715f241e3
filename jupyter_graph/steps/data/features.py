"""Features of a record: missing values filled in, some left out, some encoded.

Every feature step takes one record, an object of features, or many as a DataFrame,
and gives for a row of the DataFrame what it gives for that record.

Source: MLRun's steps of these names,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import BadRequestError, InvalidArgumentError, SpecError
from jupyter_graph.values.dataframe_rows import is_pandas

Record = Mapping[str, Any]
_NEVER = frozenset((str, int, bool, list, dict, tuple))


class Imputer:
    """Fill in values for features that are missing.

    Body in:   ``{"feature": value | None, ...}`` or a DataFrame
    Body out:  the same features; a value that is None, NaN, NaT or NA is replaced.
    A feature that is not there is not added. Without a value to fill in, a record
    gets None and a DataFrame keeps what it has.

    Args:
        method: kept for MLRun's documents; it changes nothing, as there.
        default_value: for features that ``mapping`` does not name.
        mapping: feature to the value that is filled in.

    Raises:
        SpecError: ``mapping`` is no object, or ``method`` no text.
        BadRequestError: (from ``do``) the body is neither an object nor a DataFrame.

    >>> Imputer(mapping={"age": 40}, default_value=0).do({"age": None, "n": None})
    {'age': 40, 'n': 0}
    """

    def __init__(
        self,
        method: str = "avg",
        default_value: Any = None,
        mapping: Record | None = None,
    ) -> None:
        require(isinstance(method, str), "Imputer: method must be a text", method)
        self.method = method
        self.default_value = default_value
        self.mapping = dict(mapping_of(mapping or {}, "Imputer"))

    def do(self, body: Any) -> Any:
        filled, default = self.mapping, self.default_value
        if is_pandas(body):
            return self._frame(body)
        return {
            feature: filled.get(feature, default) if is_missing(value) else value
            for feature, value in features_of(body, "Imputer").items()
        }

    def _frame(self, frame: Any) -> Any:
        filled = frame.copy(deep=False)
        for feature in frame.columns:
            value = self.mapping.get(feature, self.default_value)
            missing = frame[feature].isna()
            if value is not None and missing.any():
                filled[feature] = frame[feature].mask(missing, value)
        return filled


class DropFeatures:
    """Leave features out.

    Body in:   ``{"feature": value, ...}`` or a DataFrame
    Body out:  a new one without these features

    Args:
        features: their names; every body must have them all (``Drop`` does not mind).

    Raises:
        SpecError: ``features`` is no list of names, or names one twice.
        InvalidArgumentError: (from ``do``) the body has no such feature.
        BadRequestError: (from ``do``) the body is neither an object nor a DataFrame.

    >>> DropFeatures(["age"]).do({"age": 40, "n": 1})
    {'n': 1}
    """

    def __init__(self, features: Sequence[str]) -> None:
        is_list = isinstance(features, list | tuple)
        has_names = is_list and all(isinstance(name, str) for name in features)
        require(has_names, "DropFeatures: features must be a list of names", features)
        is_once = len(set(features)) == len(features)
        require(is_once, "DropFeatures: features names a feature twice", features)
        self.features = list(features)

    def do(self, body: Any) -> Any:
        there = body if is_pandas(body) else features_of(body, "DropFeatures")
        for feature in self.features:
            if feature not in there:
                raise InvalidArgumentError(
                    "The ingesting data doesn't contain a feature named "
                    f"{feature!r}; it has: {', '.join(map(str, there)) or 'none'}"
                )
        if is_pandas(body):
            return body.drop(columns=self.features)
        gone = self.features
        return {name: value for name, value in there.items() if name not in gone}


class OneHotEncoder:
    """Put a 0 or 1 for each category in place of a feature that holds one of them.

    Body in:   ``{"d": "mon", ...}`` or a DataFrame
    Body out:  ``{"d_mon": 1, "d_tue": 0, ...}``, in place of ``d``; all are 0 where the
    value is no category or missing. Spaces and ``-`` of a category become ``_`` in the
    name. A feature that is not there is not added.

    Args:
        mapping: feature to its categories, texts or whole numbers; one that is named
            twice counts once, and a feature without any stays as it is.

    Raises:
        SpecError: ``mapping`` does not hold lists of texts and whole numbers; the
            text names the feature.
        BadRequestError: (from ``do``) the body is neither an object nor a DataFrame.

    >>> OneHotEncoder({"d": ["mon", "tue"]}).do({"d": "tue", "x": 1})
    {'d_mon': 0, 'd_tue': 1, 'x': 1}
    """

    def __init__(self, mapping: Mapping[str, Sequence[int | str]]) -> None:
        self.mapping = {
            feature: _categories(feature, categories)
            for feature, categories in mapping_of(mapping, "OneHotEncoder").items()
        }
        self._names = {
            feature: {value: f"{feature}_{_clean(value)}" for value in categories}
            for feature, categories in self.mapping.items()
            if categories
        }
        self._zeros = {
            feature: dict.fromkeys(names.values(), 0)
            for feature, names in self._names.items()
        }

    def do(self, body: Any) -> Any:
        if is_pandas(body):
            return self._frame(body)
        encoded: dict[str, Any] = {}
        for feature, value in features_of(body, "OneHotEncoder").items():
            zeros = self._zeros.get(feature)
            if zeros is None:
                encoded[feature] = value
                continue
            encoded |= zeros
            name = _name_of(value, self._names[feature])
            if name is not None:
                encoded[name] = 1
        return encoded

    def _frame(self, frame: Any) -> Any:
        import numpy as np
        import pandas as pd

        columns: dict[Any, Any] = {}
        for feature in frame.columns:
            if feature not in self._names:
                columns[feature] = frame[feature]
                continue
            names = self._names[feature]
            labels = [_name_of(value, names) for value in frame[feature].tolist()]
            there = np.array(labels, dtype=object)
            for name in self._zeros[feature]:
                columns[name] = (there == name).astype("int64")
        return pd.DataFrame(columns, index=frame.index)


def features_of(body: Any, block: str) -> Record:
    """Return the body as a record.

    Raises:
        BadRequestError: it is none.
    """
    if type(body) is dict or isinstance(body, Mapping):
        return body
    kind = type(body).__name__
    raise BadRequestError(
        f"{block} needs an object of features or a DataFrame; {kind!r} object has no "
        "features or items"
    )


def mapping_of(mapping: Record, block: str) -> Record:
    """Return an argument that maps features to something.

    Raises:
        SpecError: it does not.
    """
    rule = f"{block}: mapping must be an object with a feature for each key"
    require(isinstance(mapping, Mapping), rule, mapping)
    return mapping


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for a missing one, without importing pandas.

    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing([None])
    (True, True, False, False)
    """
    if type(value) in _NEVER:
        return False
    if value is None:
        return True
    if isinstance(value, float):  # numpy's float64 is one too
        return value != value
    if isinstance(value, Decimal):
        return value.is_nan()
    pandas = sys.modules.get("pandas")  # what it knows to be missing needs it loaded
    is_foreign = type(value).__module__.partition(".")[0] in ("numpy", "pandas")
    if pandas is None or not (is_foreign or isinstance(value, complex)):
        return bool(isinstance(value, complex) and value != value)
    return bool(pandas.api.types.is_scalar(value) and pandas.isna(value))


def _name_of(value: Any, names: Mapping[Any, str]) -> str | None:
    try:
        return names.get(value)
    except TypeError:
        return None  # a list or an object is no category


def _categories(feature: str, categories: Any) -> list[int | str]:
    is_list = isinstance(categories, list | tuple)
    if is_list and all(_is_category(value) for value in categories):
        return list(dict.fromkeys(categories))
    raise SpecError(
        f"OneHotEncoder: you must provide a list of int or string categories in the "
        f"mapping of feature {feature!r}, got {categories!r}"
    )


def _is_category(value: Any) -> bool:
    if isinstance(value, str | int):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return type(value).__module__ == "numpy" and kind in ("i", "u")


def _clean(category: int | str) -> int | str:
    return re.sub("[ -]", "_", category) if isinstance(category, str) else category
