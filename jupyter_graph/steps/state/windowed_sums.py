"""Windowed aggregations of one key: sums per stretch of time, and windows over them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final


@dataclass(slots=True, eq=False)
class Sums:
    """What is kept of the values in one stretch of time, a *bucket*.

    Attributes:
        index: the number of the bucket since 1970, in buckets.
        count, total, squares, low, high: of the values.
        first, last: the value with the earliest and the latest time; of equal times
            the first that came, and the last.
    """

    index: int = 0
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    first: float = math.nan
    first_ms: float = math.inf
    last: float = math.nan
    last_ms: float = -math.inf

    def add(self, value: float, time_ms: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value
        if value < self.low:
            self.low = value
        if value > self.high:
            self.high = value
        # strict here, not strict below: of equal times the first that came is the
        # first, the last that came the last
        if time_ms < self.first_ms:
            self.first = value
            self.first_ms = time_ms
        if time_ms >= self.last_ms:
            self.last = value
            self.last_ms = time_ms

    def then(self, later: Sums) -> Sums:
        """Return the sums of this and of a later stretch of time."""
        if not later.count:
            return self
        if not self.count:
            return later
        both = Sums.__new__(Sums)
        both.index = later.index
        both.count = self.count + later.count
        both.total = self.total + later.total
        both.squares = self.squares + later.squares
        both.low = self.low if self.low <= later.low else later.low
        both.high = self.high if self.high >= later.high else later.high
        both.first, both.first_ms = self.first, self.first_ms
        both.last, both.last_ms = later.last, later.last_ms
        return both


_numbers = attrgetter(*(one.name for one in fields(Sums)))
NONE: Final = Sums()


def variance(sums: Sums) -> float:
    """Return the sample variance; NaN for fewer than two values."""
    n = sums.count
    if n < 2:
        return math.nan
    result = (n * sums.squares - sums.total * sums.total) / (n * (n - 1))
    return max(result, 0.0)  # rounding may leave a little less than nothing


OPERATIONS: Final[dict[str, Callable[[Sums], float]]] = {
    "count": lambda sums: sums.count,
    "sum": lambda sums: sums.total if sums.count else math.nan,
    "sqr": lambda sums: sums.squares if sums.count else math.nan,
    "avg": lambda sums: sums.total / sums.count if sums.count else math.nan,
    "min": lambda sums: sums.low if sums.count else math.nan,
    "max": lambda sums: sums.high if sums.count else math.nan,
    "stdvar": variance,
    "stddev": lambda sums: math.sqrt(variance(sums)),
    "first": lambda sums: sums.first,
    "last": lambda sums: sums.last,
}
"""Operation to its number; without values it is NaN, a count 0."""


class Window:
    """The sums of the closed buckets of one window, as time goes on.

    Two stacks make a queue: ``_front`` holds for each of its buckets the sums from it
    to the end of the front, so that the oldest is dropped without subtracting, which
    would lose digits. On average each bucket is added up twice.
    """

    __slots__ = ("_back", "_front", "_rest", "buckets", "closed", "is_fixed")

    def __init__(self, buckets: int, *, is_fixed: bool) -> None:
        self.buckets = buckets
        self.is_fixed = is_fixed
        self.closed = NONE
        self._front: list[tuple[int, Sums]] = []
        self._back: list[Sums] = []
        self._rest = NONE

    def start(self, index: int) -> int:
        """Return the first bucket of the window that bucket ``index`` is the end of."""
        if self.is_fixed:
            return index - index % self.buckets
        return index - self.buckets + 1

    def close(self, bucket: Sums, now: int) -> None:
        """Take in a bucket that got its last value, the current one being ``now``."""
        self._back.append(bucket)
        self._rest = self._rest.then(bucket)
        start = self.start(now)
        # ``_turn`` fills the front with running sums, newest bucket first, so that the
        # oldest lies on top and is dropped in one step
        while (self._front or self._turn()) and self._front[-1][0] < start:
            self._front.pop()
        self.closed = self._front[-1][1].then(self._rest) if self._front else self._rest

    def _turn(self) -> bool:
        sums = NONE
        for bucket in reversed(self._back):
            sums = bucket.then(sums)
            self._front.append((bucket.index, sums))
        self._back.clear()
        self._rest = NONE
        return bool(self._front)


class Timeline:
    """The buckets of one key and one column, newest last, and the windows over them.

    A value's time may lie before the newest: it counts in its own bucket as long as
    that lies in the longest window before the newest value, else ``add`` refuses it.

    Args:
        period_ms: length of a bucket in milliseconds, 1 or more.
        windows: lengths of the windows in buckets.
        is_fixed: the windows begin at whole multiples of their length.

    >>> line = Timeline(1000, (2,), is_fixed=False)
    >>> line.add(1.0, 100), line.add(2.0, 1100), line.add(3.0, 2100)
    (True, True, True)
    >>> [sums.total for sums in line.sums(2100)]
    [5.0]
    """

    __slots__ = ("_buckets", "_is_stale", "_longest", "newest", "period_ms", "windows")

    def __init__(
        self, period_ms: int, windows: Iterable[int], *, is_fixed: bool
    ) -> None:
        self.period_ms = period_ms
        self.windows = [Window(n, is_fixed=is_fixed) for n in windows]
        self.newest: Sums | None = None
        self._longest = max(window.buckets for window in self.windows)
        self._buckets: list[Sums] = []
        self._is_stale = False

    def add(self, value: float, time_ms: float) -> bool:
        """Count a value; return False when it comes too late for every window."""
        index = int(time_ms // self.period_ms)
        newest = self.newest
        if newest is not None and index <= newest.index:
            if index == newest.index:
                newest.add(value, time_ms)
                return True
            return self._add_late(index, value, time_ms, newest.index)
        self.newest = bucket = Sums(index)
        bucket.add(value, time_ms)
        self._buckets.append(bucket)
        if newest is not None:
            self._forget(index)
            # stale windows are rebuilt from the buckets when they are asked for
            if not self._is_stale:
                for window in self.windows:
                    window.close(newest, index)
        return True

    def sums(self, time_ms: float) -> list[Sums]:
        """Return the sums of each window that ends at this time; none when late."""
        index = int(time_ms // self.period_ms)
        newest = self.newest
        if newest is None or index <= newest.index - self._longest:
            return [NONE] * len(self.windows)
        # asked for a time without values: rare, so it is added up from the buckets
        if index != newest.index:
            return [self.sums_of(window, time_ms) for window in self.windows]
        if self._is_stale:
            self._rebuild(newest)
        return [window.closed.then(newest) for window in self.windows]

    def sums_of(self, window: Window, time_ms: float) -> Sums:
        """Return the sums of a window that ends at this time, as far as it is kept."""
        index = int(time_ms // self.period_ms)
        return self._counted(window.start(index), index)

    def to_list(self) -> list[list[Any]]:
        """Return the numbers of each bucket as ``Sums`` takes them, for JSON."""
        return [list(_numbers(bucket)) for bucket in self._buckets]

    def load(self, buckets: Iterable[Iterable[Any]]) -> None:
        """Take over what ``to_list`` gave."""
        self._buckets = [Sums(*numbers) for numbers in buckets]
        self.newest = self._buckets[-1] if self._buckets else None
        self._is_stale = True

    def is_past(self, time_ms: float) -> bool:
        """Tell whether no window that ends at this time or later reaches a value."""
        end = int(time_ms // self.period_ms)
        return self.newest is None or end - self._longest >= self.newest.index

    def _add_late(self, index: int, value: float, time_ms: float, now: int) -> bool:
        if index <= now - self._longest:
            return False
        place = bisect_left(self._buckets, index, key=lambda bucket: bucket.index)
        if self._buckets[place].index != index:
            self._buckets.insert(place, Sums(index))
        self._buckets[place].add(value, time_ms)
        self._is_stale = True
        return True

    def _forget(self, now: int) -> None:
        """Drop what no window reaches, not even that of a late value."""
        # a late value may lie one longest window back, and its own window as far again
        oldest, place = now - 2 * self._longest + 1, 0
        while self._buckets[place].index < oldest:
            place += 1
        if place:
            del self._buckets[:place]

    def _counted(self, start: int, end: int) -> Sums:
        place = bisect_left(self._buckets, start, key=lambda bucket: bucket.index)
        sums = NONE
        for bucket in self._buckets[place:]:
            if bucket.index > end:
                break
            sums = sums.then(bucket)
        return sums

    def _rebuild(self, newest: Sums) -> None:
        self.windows = [Window(w.buckets, is_fixed=w.is_fixed) for w in self.windows]
        for bucket in self._buckets[:-1]:
            for window in self.windows:
                window.close(bucket, newest.index)
        self._is_stale = False
