"""The feature step that makes a 0/1 feature of each category.

Source: MLRun's step of this name,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.data.features import features_of, mapping_of
from jupyter_graph.values.dataframe_rows import is_pandas


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
