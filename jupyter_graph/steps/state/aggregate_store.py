"""Where the windows of all keys are kept: in this process, or in a table."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from jupyter_graph.connectors.tables.table import Table
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.state.aggregation_spec import Aggregation
from jupyter_graph.steps.state.durations import wall_ms
from jupyter_graph.steps.state.windowed_sums import Sums, Timeline
from jupyter_graph.types import Clock

PREFIX: Final = "$aggregates:"
"""Before the keys of windows, so that a table may hold rows of the same keys too."""

SWEEP_EVENTS = 1024


def _count(
    aggregations: Sequence[Aggregation],
    lines: Sequence[Timeline],
    body: Mapping[str, Any],
    time_ms: float,
) -> tuple[dict[str, float], bool]:
    """Count a body; give all results, and whether it came too late for one."""
    values = [one.value(body) for one in aggregations]  # all or none of it counts
    features: dict[str, float] = {}
    is_late = False
    for one, line, value in zip(aggregations, lines, values, strict=True):
        at_ms = time_ms if one.zone is None else wall_ms(time_ms, one.zone)
        if value is not None and not line.add(value, at_ms):
            is_late = True
        features.update(one.features(line, at_ms))
    return features, is_late


@dataclass(slots=True, eq=False)
class _Windows:
    """The timelines of one key, one per aggregation."""

    lines: Sequence[Timeline]
    touched: int = 0


class KeptInMemory:
    """The windows of all keys in this process.

    A key goes when no window can reach it any more: when the newest time seen is
    beyond all its windows, and as much time has passed on the clock since it was seen,
    so that replaying one key after another loses none.
    """

    def __init__(
        self,
        aggregations: Sequence[Aggregation],
        *,
        max_keys: int | None,
        clock: Clock,
    ) -> None:
        self.late_events = 0
        self._aggregations = aggregations
        self._max_keys = max_keys
        self._clock = clock
        self._windows: dict[str, _Windows] = {}
        self._lock = threading.Lock()
        self._newest_ms = float("-inf")
        self._events = self._round = 0
        self._swept_at = clock()
        self._span_s = (
            max(one.period_ms * max(one.windows) for one in aggregations) / 1e3
        )

    def count(
        self, key: str, body: Mapping[str, Any], time_ms: float
    ) -> dict[str, float]:
        with self._lock:
            windows = self._of(key)
            lines = windows.lines
            features, is_late = _count(self._aggregations, lines, body, time_ms)
            # a key that was seen in this round is not swept, whatever its times say: a
            # replay may send one key after another
            windows.touched = self._round
            if is_late:
                self.late_events += 1
            if time_ms > self._newest_ms:
                self._newest_ms = time_ms
            self._events += 1
            if self._events % SWEEP_EVENTS == 0:
                self._sweep()
        return features

    def __len__(self) -> int:
        return len(self._windows)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _of(self, key: str) -> _Windows:
        # with a limit a key is put in again at the end: the dict is in order of use,
        # the first key goes first
        take = self._windows.get if self._max_keys is None else self._windows.pop
        windows = take(key, None)
        if windows is None:
            windows = _Windows([one.timeline() for one in self._aggregations])
        self._windows[key] = windows
        if self._max_keys is not None and len(self._windows) > self._max_keys:
            del self._windows[next(iter(self._windows))]
        return windows

    def _sweep(self) -> None:
        now = self._clock()
        if now - self._swept_at < self._span_s:
            return
        self._windows = {
            key: windows
            for key, windows in self._windows.items()
            if windows.touched == self._round
            or not all(line.is_past(self._newest_ms) for line in windows.lines)
        }
        self._swept_at = now
        self._round += 1


class KeptInTable:
    """The windows of all keys in a table; each event reads and writes its key."""

    def __init__(self, aggregations: Sequence[Aggregation], table: Table) -> None:
        self.late_events = 0
        self._aggregations = aggregations
        self._table = table
        self._lock = threading.Lock()

    def count(
        self, key: str, body: Mapping[str, Any], time_ms: float
    ) -> dict[str, float]:
        features: dict[str, float] = {}
        is_late = False

        # the table may call this again when another worker wrote the key meanwhile, so
        # it builds everything anew from what it is given
        def change(kept: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal features, is_late
            lines = [load(one, kept, self._table.name) for one in self._aggregations]
            features, is_late = _count(self._aggregations, lines, body, time_ms)
            pairs = zip(self._aggregations, lines, strict=True)
            return {**kept, **{one.name: dump(one, line) for one, line in pairs}}

        self._table.update(PREFIX + key, change, {})
        if is_late:
            with self._lock:
                self.late_events += 1
        return features

    def close(self) -> None:
        self._table.close()


def dump(one: Aggregation, line: Timeline) -> dict[str, Any]:
    """Return a timeline as a table holds it."""
    return {
        "period_ms": one.period_ms,
        "is_fixed": one.is_fixed,
        "buckets": line.to_list(),
        **line.history(),
        **({"zone": one.zone.key} if one.zone is not None else {}),
    }


def load(one: Aggregation, kept: Mapping[str, Any], table: str) -> Timeline:
    """Return the timeline that a table holds, an empty one when it holds none.

    Raises:
        SpecError: it was kept with another period.
    """
    line = one.timeline()
    stored = kept.get(one.name)
    if stored is None:
        return line
    if stored["period_ms"] != one.period_ms:
        raise SpecError(
            f"table {table!r} keeps {one.name!r} in periods of "
            f"{stored['period_ms'] / 1000:g} s, the step asks for "
            f"{one.period_ms / 1000:g} s; name another table, or another aggregation"
        )
    line.load(stored["buckets"], stored)
    return line


def query(
    kept: Mapping[str, Any], window_ms: int, time_ms: float, feature: str
) -> Sums:
    """Return the sums of a window over what ``dump`` gave, ending at this time.

    Raises:
        SpecError: the window is no multiple of the period that is kept.
    """
    period_ms = kept["period_ms"]
    if window_ms % period_ms:
        raise SpecError(
            f"feature {feature!r} cannot be told from periods of "
            f"{period_ms / 1000:g} s; its window must be a multiple of that"
        )
    buckets = window_ms // period_ms
    line = Timeline(period_ms, [buckets], is_fixed=kept["is_fixed"])
    line.load(kept["buckets"])
    zone = kept.get("zone")
    return line.sums_of(line.windows[0], wall_ms(time_ms, zone and ZoneInfo(zone)))
