"""Features of a record: missing values filled in, features left out.

Every feature step takes one record, an object of features, or many as a DataFrame,
and gives for a row of the DataFrame what it gives for that record.

Source: MLRun's steps of these names,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

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
        if not isinstance(method, str):
            raise SpecError(f"Imputer: method must be a text, got {method!r}")
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
        if not is_list or not all(isinstance(name, str) for name in features):
            raise SpecError(
                f"DropFeatures: features must be a list of names, got {features!r}"
            )
        if len(set(features)) < len(features):
            raise SpecError(
                f"DropFeatures: features names a feature twice, got {features!r}"
            )
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


def mapping_of(mapping: Any, block: str) -> Record:
    """Return an argument that maps features to something.

    Raises:
        SpecError: it does not.
    """
    if isinstance(mapping, Mapping):
        return mapping
    raise SpecError(
        f"{block}: mapping must be an object with a feature for each key, "
        f"got {mapping!r}"
    )


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
