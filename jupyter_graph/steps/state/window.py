"""Steps that see one event among others: sampling, and aggregations over time."""

from __future__ import annotations

import threading
import time
from typing import Any

from jupyter_graph.argument_checks import at_least, is_real, require
from jupyter_graph.connectors.event_key import KeySpec, body_of, key_reader
from jupyter_graph.connectors.tables.table import TIMEOUT_S
from jupyter_graph.errors import UnprocessableError
from jupyter_graph.steps.state.aggregate_store import KeptInMemory, KeptInTable
from jupyter_graph.steps.state.aggregation_spec import read_aggregations
from jupyter_graph.steps.state.durations import (
    TimeSpec,
    duration,
    time_reader,
    time_zone,
)
from jupyter_graph.steps.state.keyed_steps import (
    object_in,
    one_key,
    state_table,
    with_body,
)
from jupyter_graph.types import NOTHING, Clock


class SampleWindow:
    """Let one body in ``window_size`` through, of each key; the others end here.

    Body in, body out: anything, unchanged.

    Args:
        window_size: 2 or more.
        emit_period: ``first`` or ``last`` of the window.
        emit_before_termination: at the end, the last body that came goes on as well,
            unless it did already.
        key: the field by which bodies are counted apart, see ``Batch``.
        max_keys: 1 or more; with more keys the one not seen for longest is forgotten,
            and begins a new window when it comes back.

    Raises:
        SpecError: an argument is wrong.
        BadRequestError: (from ``do``) the body has no such key.

    State:
        In memory, one number a key. A restart begins new windows; a hot swap keeps
        them while the step's arguments stay; each worker counts its own events. Time
        plays no part, so no event is late.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> sample = SampleWindow(window_size=3)
    >>> [sample.do(n) for n in range(5)]
    [0, NOTHING, NOTHING, 3, NOTHING]
    """

    may_drop = True

    def __init__(
        self,
        window_size: int,
        *,
        emit_period: str = "first",
        emit_before_termination: bool = False,
        key: KeySpec | None = None,
        max_keys: int | None = None,
    ) -> None:
        at_least("window_size", window_size, 2)
        at_least("max_keys", max_keys, 1, or_none=True)
        is_known = emit_period in ("first", "last")
        require(is_known, "emit_period must be 'first' or 'last'", emit_period)
        self.window_size = window_size
        self._picked = 1 if emit_period == "first" else window_size
        self._keeps_last = emit_before_termination
        self._key = key_reader(key) if key is not None else None
        self._max_keys = max_keys
        self._counts: dict[str, int] = {}
        self._last: Any = NOTHING
        self._lock = threading.Lock()

    def do(self, body: Any) -> Any:
        key = self._key(body) if self._key is not None else ""
        with self._lock:
            count = self._counts.pop(key, 0) + 1
            self._counts[key] = count % self.window_size
            if self._max_keys is not None and len(self._counts) > self._max_keys:
                del self._counts[next(iter(self._counts))]
            is_picked = count == self._picked
            if self._keeps_last:
                self._last = NOTHING if is_picked else body
            return body if is_picked else NOTHING

    def flush(self, *, end: bool) -> list[Any]:
        """Return the last body at the end, if it is still held back and wanted."""
        if not end:
            return []
        with self._lock:
            last, self._last = self._last, NOTHING
            return [] if last is NOTHING else [body_of(last)]


class Aggregate:
    """Add to each body the aggregations of its key over windows of time.

    Body in: ``{key: …, column: number, …}``. Body out: the same plus a number for
    each operation and window, ``{column}_{operation}_{window}``, such as
    ``price_avg_1h``; a field that the body has already stays as it is.

    Each entry of ``aggregates`` is an object with

    - ``column``: the field (or a function of the body); bodies without it, or with
      None or NaN in it, do not count. ``name``: the first part of the results' names.
    - ``operations``: of ``count sum sqr avg min max stddev stdvar first last`` (sqr is
      the sum of the squares; stddev and stdvar are the sample's). Without values a
      count is 0 and all else NaN.
    - ``windows``: ``"30s"``, ``"10m"``, ``"1h"``, ``"7d"`` or seconds.
    - ``period``: the windows slide by this step: a window ends with the period that
      the event lies in. It must divide the windows; half a unit of the smallest
      window by default. ``kind``: ``sliding``, or ``fixed`` for windows that begin at
      full hours and the like (in UTC); fixed when no period is given.
    - ``max_value``: larger results are cut to it. ``aggregation_filter``: a function
      of the body that says whether it counts.

    Args:
        aggregates: one such object or a list of them.
        key: the field by which events are kept apart, see ``Batch``; None: all are
            one. ``key_field`` is MLRun's word for it.
        time_field: the field that holds the event's time, or a function; by default
            the event's own (on a step with ``full_event=True``) or the clock's.
        time_format: how text in it is read, as ``datetime.strptime`` does; ISO 8601 by
            default. Times without a zone are UTC.
        time_unit: of numbers in it, ``s`` or ``ms`` since 1970.
        table: where state is kept, see ``connectors.tables.open_table``.
        max_keys: 1 or more, for ``memory``: with more keys, the one not seen for
            longest is forgotten.
        allowed_lateness: seconds, or ``"10m"`` and the like, that an event may be older
            than the newest of its key and count; by default the longest window.
        max_ahead: the same, that an event's time may lie ahead of the clock; by default
            any time is taken.
        zone: where days begin, such as ``Europe/Berlin``, of aggregates whose windows
            are whole days; UTC by default.
        timeout_s: seconds that a table may take, above 0.
        clock: gives seconds since 1970.

    Raises:
        SpecError: an argument is wrong, or a package is missing.
        BadRequestError: (from ``do``) the body is no object, has no such key or no
            time.
        UnprocessableError: (from ``do``) a column holds no number, or one beyond
            floats; the event's time is further ahead than ``max_ahead``.
        StatusError: (from ``do``) the table failed, see ``Table``.

    State:
        Sums per key and period, as far back as twice the longest window. In ``memory``
        a restart loses them, a hot swap keeps them while the step's arguments stay,
        and each worker sees its own events only; a key is forgotten once no window
        can reach it. Any other table outlives restart, swap and redeploy and is right
        for many workers, each event reads and writes its key (tens of microseconds in
        the store, a network's round trips elsewhere). A late event, one older than the
        newest of its key, counts in its own period as long as it is at most
        ``allowed_lateness`` older, and carries the windows that end at its own time; a
        later one does not count, goes on with the numbers of empty windows, and is
        counted in ``late_events``. An event that is further ahead than that may have a
        wrong time: those that go on where its key stood before count as ever.

    Source: https://docs.mlrun.org/en/stable/feature-store/transformations.html

    >>> step = Aggregate(
    ...     {"column": "price", "operations": ["sum", "max"], "windows": ["1h"]},
    ...     key="user", time_field="at")
    >>> _ = step.do({"user": "ann", "price": 3, "at": "2024-05-01T10:10:00Z"})
    >>> step.do({"user": "ann", "price": 4, "at": "2024-05-01T10:50:00Z"})
    {'price_sum_1h': 7.0, 'price_max_1h': 4.0, 'user': 'ann', 'price': 4, 'at': ...}
    """

    def __init__(
        self,
        aggregates: Any,
        *,
        key: KeySpec | None = None,
        key_field: KeySpec | None = None,
        time_field: TimeSpec = None,
        time_format: str | None = None,
        time_unit: str = "s",
        table: Any = "memory",
        max_keys: int | None = None,
        allowed_lateness: Any = None,
        max_ahead: Any = None,
        zone: str | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock = time.time,
        name: str = "aggregates",
        context: Any = None,
    ) -> None:
        at_least("max_keys", max_keys, 1, or_none=True)
        key = one_key(key, key_field)
        self.aggregations = read_aggregations(
            aggregates,
            lateness_ms=_length(allowed_lateness, "allowed_lateness"),
            zone=None if zone is None else time_zone(zone),
        )
        self._max_ahead_ms = _length(max_ahead, "max_ahead")
        self._clock = clock
        self._key = key_reader(key) if key is not None else None
        self._time = time_reader(time_field, time_format, time_unit, clock)
        self._kept: KeptInMemory | KeptInTable
        if isinstance(table, str) and table == "memory":
            self._kept = KeptInMemory(self.aggregations, max_keys=max_keys, clock=clock)
        else:
            opened = state_table(table, name, max_keys, timeout_s, context)
            self._kept = KeptInTable(self.aggregations, opened)

    @property
    def late_events(self) -> int:
        """The number of events so far that came too late for one of their windows."""
        return self._kept.late_events

    def do(self, body: Any) -> Any:
        inner = body if type(body) is dict else object_in(body, "aggregated")
        key = self._key(body) if self._key is not None else ""
        time_ms = self._time(body, inner)
        if self._max_ahead_ms is not None:
            self._check_ahead(time_ms)
        features = self._kept.count(key, inner, time_ms)
        features.update(inner)
        return features if inner is body else with_body(body, inner, features)

    def _check_ahead(self, time_ms: float) -> None:
        ahead_ms = time_ms - self._clock() * 1000
        most_ms = self._max_ahead_ms or 0.0
        if ahead_ms > most_ms:
            raise UnprocessableError(
                f"the event's time is {ahead_ms / 1000:,.0f} s ahead of the clock, "
                f"more than max_ahead ({most_ms / 1000:g} s)"
            )

    def close(self) -> None:
        self._kept.close()


def _length(value: Any, argument: str) -> float | None:
    """Return a length of time in milliseconds, 0 included; None stays None."""
    if value is None:
        return None
    return 0.0 if value == 0 and is_real(value) else float(duration(value, argument).ms)
