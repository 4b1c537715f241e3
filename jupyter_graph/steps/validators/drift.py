"""Statistics of a moving window against a reference."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jupyter_graph.argument_checks import is_finite, require
from jupyter_graph.errors import SpecError, did_you_mean

LEAST_SHARE = 1e-4
"""A bin without values counts as this share, since the PSI has no value at 0."""
ALPHA = 0.001


class Window(ABC):
    """The last values, and how far they are from the reference."""

    usual_limit: ClassVar[float]

    def __init__(self, size: int) -> None:
        self._values: deque[Any] = deque(maxlen=size)

    @property
    def count(self) -> int:
        return len(self._values)

    @abstractmethod
    def add(self, value: Any) -> None: ...

    @abstractmethod
    def statistic(self) -> float: ...

    def limit(self) -> float:
        """Return the greatest statistic that is no drift, if the user names none."""
        return self.usual_limit


class MeanWindow(Window):
    """How many standard errors the mean of the window is from the reference's.

    ``z = |mean - reference mean| / (reference std / sqrt(n))``, with a limit of 4.

    Source: https://www.itl.nist.gov/div898/handbook/eda/section3/eda3552.htm

    >>> window = MeanWindow(4, {"mean": 10, "std": 2})
    >>> for value in (11, 12, 13, 12): window.add(value)
    >>> window.statistic()
    2.0
    """

    usual_limit = 4.0

    def __init__(self, size: int, reference: Any) -> None:
        super().__init__(size)
        self._mean, self._std = _mean_and_std(reference)
        self._sum = 0.0
        self._turns = 0

    def add(self, value: float) -> None:
        values = self._values
        if len(values) == values.maxlen:
            self._sum -= values[0]
        values.append(value)
        self._sum += value
        self._turns += 1
        if self._turns >= 1000:  # adding and subtracting piles up rounding errors
            self._sum, self._turns = math.fsum(values), 0

    def statistic(self) -> float:
        count = len(self._values)
        return abs(self._sum / count - self._mean) * math.sqrt(count) / self._std


class BinWindow(Window):
    """The population stability index over bins of numbers, or over categories.

    ``PSI = sum((share - reference share) * ln(share / reference share))``; a bin
    without values counts as a share of 0.0001. From a sample the bins are its
    quantiles. Limit 0.25.

    Source: Siddiqi, "Credit Risk Scorecards" (2006); Yurdakul, "Statistical Properties
    of Population Stability Index" (2018), https://scholarworks.wmich.edu/dissertations/3208

    >>> window = BinWindow(4, {"categories": {"app": 0.5, "web": 0.5}}, bins=10)
    >>> for value in ("app", "app", "app", "web"): window.add(value)
    >>> round(window.statistic(), 4)
    0.2747
    """

    usual_limit = 0.25

    def __init__(self, size: int, reference: Any, bins: int) -> None:
        super().__init__(size)
        self._edges, self._names, shares = _bins_of(reference, bins)
        total = math.fsum(shares)
        self._shares = [max(share / total, LEAST_SHARE) for share in shares]
        self._counts = [0] * len(shares)

    @property
    def is_named(self) -> bool:
        """Whether its values are categories, not numbers."""
        return self._names is not None

    def add(self, value: Any) -> None:
        places = self._values
        if len(places) == places.maxlen:
            # the deque drops its oldest place with the append below
            self._counts[places[0]] -= 1
        if self._names is None:
            place = bisect_left(self._edges, value)
        else:
            place = self._names.get(value, len(self._names))
        places.append(place)
        self._counts[place] += 1

    def statistic(self) -> float:
        count = len(self._values)
        total = 0.0
        for number, expected in zip(self._counts, self._shares, strict=True):
            # an empty bin would be log(0)
            share = max(number / count, LEAST_SHARE)
            total += (share - expected) * math.log(share / expected)
        return total


class SampleWindow(Window):
    """The two-sample Kolmogorov-Smirnov statistic, the greatest distance of the ECDFs.

    ``D = sup |F_window(x) - F_reference(x)|``; the limit is the critical value for
    alpha = 0.001, ``sqrt(-ln(alpha / 2) / 2 * (n + m) / (n * m))``.

    Source: https://en.wikipedia.org/wiki/Kolmogorov-Smirnov_test

    >>> window = SampleWindow(2, [1, 2, 3, 4])
    >>> for value in (3.5, 5): window.add(value)
    >>> window.statistic()
    0.75
    """

    def __init__(self, size: int, reference: Any) -> None:
        super().__init__(size)
        self._reference = sorted(_numbers(reference))
        self._sorted: list[float] = []

    def add(self, value: float) -> None:
        values = self._values
        if len(values) == values.maxlen:
            # kept sorted as it grows: sorting all of it for each statistic costs more
            del self._sorted[bisect_left(self._sorted, values[0])]
        values.append(value)
        insort(self._sorted, value)

    def statistic(self) -> float:
        own, reference = self._sorted, self._reference
        n, m = len(own), len(reference)
        largest, place = 0.0, 0
        while place < n:  # the distance is greatest at, or just before, an own value
            value = own[place]
            # just before the value both functions still have their lower step, at it
            # both the upper
            before = abs(place / n - bisect_left(reference, value) / m)
            place = bisect_right(own, value, place)
            at = abs(place / n - bisect_right(reference, value) / m)
            largest = max(largest, before, at)
        return largest

    def limit(self) -> float:
        n, m = len(self._values), len(self._reference)
        return math.sqrt(-math.log(ALPHA / 2) / 2 * (n + m) / (n * m))


def is_usable(value: Any) -> bool:
    """Tell whether a value is a number that a distribution can count."""
    return not isinstance(value, bool | str | bytes) and is_finite(value)


def _listed(reference: Any) -> Any:
    tolist = getattr(reference, "tolist", None)
    return tolist() if callable(tolist) else reference


def _numbers(reference: Any) -> list[float]:
    values = _listed(reference)
    if isinstance(values, Sequence) and not isinstance(values, str) and values:
        try:
            if all(map(is_usable, values)):
                return [float(value) for value in values]
        except TypeError:
            pass
    raise SpecError(
        "reference must be a list of finite numbers, or an object, "
        f"got {type(reference).__name__}"
    )


def _mean_and_std(reference: Any) -> tuple[float, float]:
    if isinstance(reference, Mapping):
        _has(reference, {"mean", "std"})
        mean, std = _numbers([reference["mean"], reference["std"]])
    else:
        values = _numbers(reference)
        mean = math.fsum(values) / len(values)
        square = math.fsum((value - mean) ** 2 for value in values)
        std = math.sqrt(square / max(len(values) - 1, 1))
    require(std > 0, "the reference's std must be above 0", std)
    return mean, std


def _has(reference: Mapping[str, Any], keys: set[str]) -> None:
    if set(reference) != keys:
        wrong = min(map(str, set(reference) ^ keys))
        raise SpecError(
            f"reference must have {' and '.join(map(repr, sorted(keys)))}, "
            f"{wrong!r} does not fit{did_you_mean(wrong, keys)}"
        )


Bins = tuple[list[float], dict[Any, int] | None, list[float]]


def _bins_of(reference: Any, bins: int) -> Bins:
    """Return edges, or categories, and the share of each bin."""
    if isinstance(reference, Mapping) and "categories" in reference:
        _has(reference, {"categories"})
        known = reference["categories"]
        if not isinstance(known, Mapping) or not known:
            raise SpecError(f"categories must map names to shares, got {known!r}")
        shares = _shares(list(known.values()))
        return [], {name: place for place, name in enumerate(known)}, [*shares, 0.0]
    if isinstance(reference, Mapping):
        _has(reference, {"edges", "shares"})
        edges, shares = _numbers(reference["edges"]), _shares(reference["shares"])
        if sorted(set(edges)) != edges or len(shares) != len(edges) + 1:
            raise SpecError(
                "edges must grow, and shares be one more than edges, "
                f"got {len(edges)} edges and {len(shares)} shares"
            )
        return edges, None, shares
    values = _listed(reference)
    if isinstance(values, list | tuple) and values and isinstance(values[0], str):
        return _bins_of({"categories": dict(Counter(values))}, bins)
    return _quantile_bins(sorted(_numbers(reference)), bins)


def _quantile_bins(values: list[float], bins: int) -> Bins:
    count = len(values)
    cuts = {values[math.ceil(count * i / bins) - 1] for i in range(1, bins)}
    edges = sorted(cuts - {values[-1]})
    if not edges:
        raise SpecError("the reference has too few different values for bins")
    ends = [bisect_right(values, edge) for edge in edges]
    starts = [0, *ends]
    shares = [end - start for start, end in zip(starts, [*ends, count], strict=True)]
    return edges, None, [share / count for share in shares]


def _shares(given: Any) -> list[float]:
    shares = _numbers(given)
    if min(shares) < 0 or math.fsum(shares) <= 0:
        raise SpecError(f"shares must be 0 or more and not all 0, got {given!r}")
    return shares
