"""What to aggregate: columns, operations and windows, as a graph describes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from reprlib import repr as short
from typing import Any
from zoneinfo import ZoneInfo

from jupyter_graph.argument_checks import all_known, found_in, is_real, require
from jupyter_graph.errors import SpecError, UnprocessableError
from jupyter_graph.steps.state.durations import Duration, duration
from jupyter_graph.steps.state.windowed_sums import OPERATIONS, Sums, Timeline

MOST_BUCKETS = 100_000
DAY_MS = 86_400_000
FIELDS = (
    "aggregation_filter",
    "column",
    "kind",
    "max_value",
    "name",
    "operations",
    "period",
    "windows",
)
Output = tuple[str, Callable[[Sums], float]]


@dataclass(frozen=True)
class Aggregation:
    """One column's aggregations.

    Attributes:
        name: the first part of the results' names.
        column: the field, or a function of the body.
        counts_only: values need not be numbers.
        period_ms: length of a bucket.
        windows: lengths of the windows in buckets.
        is_fixed: the windows begin at whole multiples of their length.
        outputs: per window the results' names and operations.
        keeps: tells which bodies count; None means all.
        max_value: results are at most this.
        lateness_ms: how old a value may be beside the newest of its key, None for the
            longest window.
        zone: where days begin, None for UTC.
    """

    name: str
    column: str | Callable[[Any], Any]
    counts_only: bool
    period_ms: int
    windows: tuple[int, ...]
    is_fixed: bool
    outputs: tuple[tuple[Output, ...], ...]
    keeps: Callable[[Any], Any] | None
    max_value: float | None
    lateness_ms: float | None = None
    zone: ZoneInfo | None = None

    def timeline(self) -> Timeline:
        return Timeline(
            self.period_ms,
            self.windows,
            is_fixed=self.is_fixed,
            lateness_ms=self.lateness_ms,
        )

    def value(self, body: Mapping[str, Any]) -> float | None:
        """Return the number that a body counts with, None when it does not count.

        Raises:
            UnprocessableError: there is a value, but it is no number.
        """
        if self.keeps is not None and not self.keeps(body):
            return None
        column = self.column
        value = body.get(column) if isinstance(column, str) else column(body)
        if type(value) is not float:
            if value is None:
                return None
            if self.counts_only:
                return 0.0
            value = self._number(value)
        return None if math.isnan(value) else value

    def features(self, line: Timeline, time_ms: float) -> dict[str, float]:
        """Return the results of the windows that end at this time."""
        features = {}
        for sums, outputs in zip(line.sums(time_ms), self.outputs, strict=True):
            for name, operation in outputs:
                features[name] = operation(sums)
        if self.max_value is not None:
            for name, number in features.items():
                if number > self.max_value:
                    features[name] = self.max_value
        return features

    def _number(self, value: Any) -> float:
        if isinstance(value, int | float) or hasattr(value, "__float__"):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number) or isinstance(value, float):
                return number
            if math.isnan(number):
                return number
            raise UnprocessableError(
                f"field {self.column!r} holds a number beyond floats, {short(value)}"
            )
        raise UnprocessableError(
            f"field {self.column!r} must hold a number to be aggregated, got {value!r}"
        )


def read_aggregations(
    described: Any, *, lateness_ms: float | None = None, zone: ZoneInfo | None = None
) -> tuple[Aggregation, ...]:
    """Read the argument ``aggregates`` of a step.

    Args:
        described: the argument.
        lateness_ms: of all its entries, see ``Aggregation``.
        zone: of those whose windows are whole days.

    Raises:
        SpecError: it is wrong; the text says where.
    """
    if isinstance(described, Mapping):
        described = [described]
    if not isinstance(described, Sequence) or isinstance(described, str):
        raise SpecError(f"aggregates must be a list of objects, got {described!r}")
    aggregations = tuple(
        _read(one, f"aggregates[{i}]") for i, one in enumerate(described)
    )
    if zone is not None:
        aggregations = tuple(_in_zone(one, zone) for one in aggregations)
        if all(one.zone is None for one in aggregations):
            raise SpecError(
                "a zone is where days begin, and no aggregation has windows of whole "
                "days alone; give those an entry of their own, or take zone away"
            )
    aggregations = tuple(replace(one, lateness_ms=lateness_ms) for one in aggregations)
    names = [one.name for one in aggregations]
    twice = [name for name in names if names.count(name) > 1]
    if twice or not aggregations:
        raise SpecError(
            f"aggregates have the name {twice[0]!r} twice; give one another name"
            if twice
            else "aggregates must not be empty"
        )
    return aggregations


def _in_zone(one: Aggregation, zone: ZoneInfo) -> Aggregation:
    """Let the days of an aggregation begin in a zone, if it counts in whole days."""
    is_in_days = all(n * one.period_ms % DAY_MS == 0 for n in one.windows)
    return replace(one, zone=zone) if is_in_days and not DAY_MS % one.period_ms else one


def _read(one: Any, where: str) -> Aggregation:
    example = "{'column': 'price', 'operations': ['sum'], 'windows': ['1h']}"
    rule = f"{where} must be an object such as {example}"
    require(isinstance(one, Mapping), rule, one)
    for field in one:
        found_in(FIELDS, field, f"{where} has an unknown field {field!r}")
    try:
        return _aggregation(one)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None


def _aggregation(one: Mapping[str, Any]) -> Aggregation:
    column = one.get("column")
    if not callable(column) and not (isinstance(column, str) and column):
        raise SpecError(f"column must be a field's name, got {column!r}")
    name = one.get("name", column)
    if not isinstance(name, str) or not name:
        raise SpecError(f"name must be a text, got {name!r}")
    keeps = one.get("aggregation_filter")
    if keeps is not None and not callable(keeps):
        raise SpecError(f"aggregation_filter must be a function, got {keeps!r}")
    operations = _operations(one.get("operations"))
    windows = _windows(one.get("windows"))
    is_fixed = _is_fixed(one)
    period_ms = _period_ms(one.get("period"), windows, is_fixed=is_fixed)
    most = one.get("max_value")
    require(most is None or is_real(most), "max_value must be a number", most)
    return Aggregation(
        name=name,
        column=column,
        counts_only=operations == ["count"],
        period_ms=period_ms,
        windows=tuple(window.ms // period_ms for window in windows),
        is_fixed=is_fixed,
        outputs=tuple(
            tuple((f"{name}_{op}_{window.label}", OPERATIONS[op]) for op in operations)
            for window in windows
        ),
        keeps=keeps,
        max_value=None if most is None else float(most),
    )


def _operations(given: Any) -> list[str]:
    operations = [given] if isinstance(given, str) else given
    is_list = isinstance(operations, list | tuple) and len(operations) > 0
    require(is_list, f"operations must be a list of {', '.join(OPERATIONS)}", given)
    all_known("unknown operation", operations, OPERATIONS)
    return list(dict.fromkeys(operations))


def _windows(given: Any) -> list[Duration]:
    windows = given if isinstance(given, list | tuple) else [given]
    if not windows:
        raise SpecError("windows must not be empty")
    durations = [duration(window, "windows") for window in windows]
    return sorted(dict.fromkeys(durations), key=lambda window: window.ms)


def _is_fixed(one: Mapping[str, Any]) -> bool:
    kind = one.get("kind", "fixed" if one.get("period") is None else "sliding")
    require(kind in ("fixed", "sliding"), "kind must be 'fixed' or 'sliding'", kind)
    return bool(kind == "fixed")


def _period_ms(given: Any, windows: list[Duration], *, is_fixed: bool) -> int:
    if given is not None:
        period = duration(given, "period").ms
    elif is_fixed:
        period = math.gcd(*(window.ms for window in windows))
    else:
        period = max(windows[0].unit_ms // 2, 1)  # storey's rule: half of "h" in "6h"
    for window in windows:
        if window.ms % period:
            raise SpecError(
                "each window must be a multiple of the period, "
                f"{window.label} is none of {given or f'{period / 1000:g} s'!r}"
            )
    if windows[-1].ms // period > MOST_BUCKETS:
        raise SpecError(
            f"the window {windows[-1].label} has more than {MOST_BUCKETS:,} "
            "periods; give a longer period"
        )
    return period
