"""Windowed aggregations of one key: sums per stretch of time, and windows over them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
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
MOST_HEADS: Final = 4
"""Places that a line can go back to."""


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


def _finite(time_ms: float) -> float | None:
    return time_ms if math.isfinite(time_ms) else None


def _known(time_ms: float | None) -> float:
    return -math.inf if time_ms is None else time_ms


def _fewer(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return stretches of time in order, the nearest two as one while they are many."""
    stretches = sorted(stretches)
    while len(stretches) > MOST_HEADS:
        gaps = [b[0] - a[1] for a, b in pairwise(stretches)]
        at = gaps.index(min(gaps))
        (start, first), (_, second) = stretches[at : at + 2]
        stretches[at : at + 2] = [(start, max(first, second))]
    return stretches


class Timeline:
    """The buckets of one key and one column, in order, and the windows over them.

    A value may be older than the newest: it counts in its own bucket as long as it is
    at most ``lateness_ms`` older, else ``add`` refuses it. A value that comes so far
    ahead that its forerunners would be late may have a wrong time: where the line stood
    before is remembered, and values that go on there move it back.

    Args:
        period_ms: length of a bucket in milliseconds, 1 or more.
        windows: lengths of the windows in buckets.
        is_fixed: the windows begin at whole multiples of their length.
        lateness_ms: milliseconds that a value may be older than the newest; by default
            the longest window.

    >>> line = Timeline(1000, (2,), is_fixed=False)
    >>> line.add(1.0, 100), line.add(2.0, 1100), line.add(3.0, 2100)
    (True, True, True)
    >>> [sums.total for sums in line.sums(2100)]
    [5.0]
    """

    __slots__ = (
        "_buckets", "_heads", "_is_stale", "_kept", "_longest", "_lost", "_since",
        "lateness_ms", "newest", "period_ms", "windows",
    )  # fmt: skip

    def __init__(
        self,
        period_ms: int,
        windows: Iterable[int],
        *,
        is_fixed: bool,
        lateness_ms: float | None = None,
    ) -> None:
        self.period_ms = period_ms
        self.windows = [Window(n, is_fixed=is_fixed) for n in windows]
        self.newest: Sums | None = None
        self._longest = max(window.buckets for window in self.windows)
        own = self._longest * period_ms
        self.lateness_ms = own if lateness_ms is None else lateness_ms
        self._buckets: list[Sums] = []
        # Where the line stood before it leapt, and since which time it went on there.
        self._heads: list[tuple[Sums, float]] = []
        self._since = -math.inf
        self._lost: list[tuple[float, float]] = []
        self._kept = 0
        self._is_stale = False

    def add(self, value: float, time_ms: float) -> bool:
        """Count a value; return False when it comes too late."""
        index = int(time_ms // self.period_ms)
        newest = self.newest
        if newest is not None:
            ahead = time_ms - newest.last_ms
            if index == newest.index:
                newest.add(value, time_ms)
                return True
            if ahead < -self.lateness_ms:
                return self._turn_back(time_ms) and self.add(value, time_ms)
            if index < newest.index:
                self._bucket(index).add(value, time_ms)
                self._is_stale = True
                return True
            if ahead > self.lateness_ms:
                self._put_aside(newest)
                self._since = time_ms
        self.newest = bucket = self._bucket(index)
        bucket.add(value, time_ms)
        if newest is not None:
            # stale windows are rebuilt from the buckets when they are asked for
            if not self._is_stale:
                for window in self.windows:
                    window.close(newest, index)
            self._forget(index)
        return True

    def sums(self, time_ms: float) -> list[Sums]:
        """Return the sums of each window that ends at this time; none when late."""
        index = int(time_ms // self.period_ms)
        newest = self.newest
        if newest is None:
            return [NONE] * len(self.windows)
        is_late = newest.last_ms - time_ms > self.lateness_ms and not any(
            self._is_near(head, time_ms) for head, _ in self._heads
        )
        if is_late and index != newest.index:
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

    def history(self) -> dict[str, Any]:
        """Return where the line stood before it leapt, for JSON; {} where it never did.

        ``heads`` are indexes of buckets and the times since which the line went on
        there, the present one last; ``lost`` are stretches of time that are forgotten.
        """
        if not self._heads or self.newest is None:
            return {}
        stood = [*self._heads, (self.newest, self._since)]
        heads = [[head.index, _finite(since)] for head, since in stood]
        lost = [[_finite(start), end] for start, end in self._lost]
        return {"heads": heads, "lost": lost}

    def load(
        self, buckets: Iterable[Iterable[Any]], history: Mapping[str, Any] | None = None
    ) -> None:
        """Take over what ``to_list`` and ``history`` gave."""
        self._buckets = [Sums(*numbers) for numbers in buckets]
        known = {bucket.index: bucket for bucket in self._buckets}
        history = history or {}
        stood = [
            (known[index], _known(since))
            for index, since in history.get("heads", ())
            if index in known
        ]
        stood = stood or [(last, -math.inf) for last in self._buckets[-1:]]
        if stood:
            *self._heads, (self.newest, self._since) = stood
        self._lost = [(_known(start), end) for start, end in history.get("lost", ())]
        self._is_stale = True

    def is_past(self, time_ms: float) -> bool:
        """Tell whether no window that ends at this time or later reaches a value."""
        end = int(time_ms // self.period_ms)
        return self.newest is None or end - self._longest >= self.newest.index

    def _bucket(self, index: int) -> Sums:
        """Return the bucket of this index, a new one where there is none."""
        buckets = self._buckets
        if not buckets or buckets[-1].index < index:
            if buckets and buckets[-1] is not self.newest:
                self._is_stale = True  # of a stretch before: no window knows it yet
            buckets.append(Sums(index))
            return buckets[-1]
        place = bisect_left(buckets, index, key=lambda bucket: bucket.index)
        if buckets[place].index != index:
            buckets.insert(place, Sums(index))
        self._is_stale = True  # others lie behind it
        return buckets[place]

    def _turn_back(self, time_ms: float) -> bool:
        """Go on where the line stood before, if this value is not too late there."""
        # Beyond its own stretch a line may go on where its windows meet no other one.
        start_ms = time_ms - self._longest * self.period_ms
        is_free = time_ms < self._since - self.lateness_ms
        is_free &= not any(a <= time_ms and start_ms <= b for a, b in self._lost)
        near = [
            (head, since)
            for head, since in self._heads
            if self._is_near(head, time_ms) or (is_free and head.last_ms < time_ms)
        ]
        if not near or self.newest is None:
            return False
        head, since = max(near, key=lambda one: one[0].index)
        self._heads = [one for one in self._heads if one[0] is not head]
        self._put_aside(self.newest)
        self.newest, self._since = head, since
        self._is_stale = True
        return True

    def _put_aside(self, head: Sums) -> None:
        heads = [*self._heads, (head, self._since)]
        for lost, since in heads[:-MOST_HEADS]:
            stretch = (since - self.lateness_ms, lost.last_ms)
            self._lost = _fewer([*self._lost, stretch])
        self._heads = heads[-MOST_HEADS:]

    def _is_near(self, head: Sums, time_ms: float) -> bool:
        return abs(time_ms - head.last_ms) <= self.lateness_ms

    def _forget(self, now: int) -> None:
        """Drop what no window reaches, not even that of a late value."""
        # a late value may lie this far back, and its own window as far again
        late = math.ceil(self.lateness_ms / self.period_ms)
        reach = late + self._longest
        if not self._heads:
            oldest, place = now - reach, 0
            while self._buckets[place].index < oldest:
                place += 1
            if place:
                del self._buckets[:place]
        elif len(self._buckets) > self._kept + 8:  # rarely, so it may take a while
            ends = [now, *(head.index for head, _ in self._heads)]
            self._buckets = [
                one
                for one in self._buckets
                if any(end - reach <= one.index <= end + late for end in ends)
            ]
            self._kept = len(self._buckets)

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
        for bucket in self._buckets:
            if bucket.index >= newest.index:
                break
            for window in self.windows:
                window.close(bucket, newest.index)
        self._is_stale = False
