"""How the predictions of several models become one: majority or weighted mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import found_in, is_number, require

Row = Sequence[Any]


def weights_of(
    weights: Mapping[str, float] | None, routes: Mapping[str, Any]
) -> dict[str, float]:
    """Return each route's weight; a sum below 1 is scaled up to 1.

    Args:
        weights: weights by route, a route that is not there weighs 0; None = all alike.
        routes: the routes.

    Raises:
        SpecError: a weight is no finite number, is that of no route, or all of them
            sum to 0 or less.

    >>> weights_of({"a": 0.2, "b": 0.3}, {"a": 1, "b": 2, "c": 3})
    {'a': 0.4, 'b': 0.6, 'c': 0.0}
    """
    if weights is None:
        return {name: 1 / len(routes) for name in routes}
    require(isinstance(weights, Mapping), "weights must be numbers by route", weights)
    check_weights(weights, routes, "a number")
    total = sum(weights.values())
    scale = total if 1.0 - total > 1e-5 else 1.0
    return {name: weights.get(name, 0.0) / scale for name in routes}


def check_weights(
    weights: Mapping[str, float],
    routes: Mapping[str, Any],
    kind: str,
    *,
    least: float = -math.inf,
) -> None:
    """Check weights by route: finite numbers of ``least`` or more, not all of them 0.

    Raises:
        SpecError: one is none, or that of no route; ``kind`` says what it must be.
    """
    for name, weight in weights.items():
        found_in(routes, name, f"weights has {name!r}, which is no route")
        is_weight = is_number(weight) and weight >= least
        require(is_weight, f"the weight of {name!r} must be {kind}", weight)
    is_more = sum(weights.values()) > 0
    require(is_more, "weights must sum to more than 0", dict(weights))


def are_classes(predictions: Sequence[Row]) -> bool:
    """Tell whether all predictions are whole numbers, or texts, as classes are.

    >>> are_classes([[1, 2.0]]), are_classes([[1, 2.5]]), are_classes([["cat", "dog"]])
    (True, False, True)
    """
    return all(_is_class(value) for row in predictions for value in row)


def _is_class(value: Any) -> bool:
    return isinstance(value, str) or float(value).is_integer()


def majority(predictions: Sequence[Row], weights: Sequence[float]) -> list[Any]:
    """Return for each sample the class that weighs most, the lowest where several do.

    >>> majority([[1, 2, 2], [3, 1, 2]], [1, 1, 1])
    [2, 1]
    """
    votes: list[Any] = []
    for row in predictions:
        sums: dict[Any, float] = {}
        for value, weight in zip(row, weights, strict=True):
            label = value if isinstance(value, str) else int(value)
            sums[label] = sums.get(label, 0.0) + float(weight)
        most = max(sums.values())
        lowest = [label for label, weight in sums.items() if weight == most]
        votes.append(min(lowest, key=lambda label: (isinstance(label, str), label)))
    return votes


def mean(predictions: Sequence[Row], weights: Sequence[float]) -> list[Any]:
    """Return for each sample the sum of the predictions times their weights.

    A prediction may itself be a list of numbers.

    >>> mean([[1, 3], [10, 20]], [0.5, 0.5]), mean([[[1, 2], [3, 4]]], [0.5, 0.5])
    ([2.0, 15.0], [[2.0, 3.0]])
    """
    return [_mean_of(row, weights) for row in predictions]


def _mean_of(values: Row, weights: Sequence[float]) -> Any:
    if any(isinstance(value, list | tuple) for value in values):
        return [_mean_of(part, weights) for part in zip(*values, strict=True)]
    pairs = zip(values, weights, strict=True)
    return sum(float(value) * float(weight) for value, weight in pairs)
