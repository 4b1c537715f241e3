"""Steps that add what a table knows about a body's key."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import at_least, is_real, require
from jupyter_graph.connectors.event_key import KeySpec, key_reader
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.connectors.tables.table import MISSING, TIMEOUT_S, Table
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.state.aggregate_store import PREFIX, query
from jupyter_graph.steps.state.durations import TimeSpec, duration, time_reader
from jupyter_graph.steps.state.keyed_steps import object_in, one_key, with_body
from jupyter_graph.steps.state.windowed_sums import OPERATIONS
from jupyter_graph.types import NOTHING, Clock


class JoinWithTable:
    """Add the fields of the table's row that the body's key names.

    Body in: ``{key: …, …}``. Body out: the same plus the row's fields, which win over
    fields of the same name; without a row the body is unchanged. A row that is no
    object, such as a number, comes as the field ``value``.

    Args:
        table: what is looked up: ``store``, ``store:///path``, ``redis://…``, an SQL
            URL, each with ``#NAME`` of the table there; ``memory://NAME``; or a dict
            from key to row, a list of rows, a DataFrame.
        key: the field that holds the key, see ``Batch``.
        attributes: only these fields of the row; all by default.
        inner: end the events here that have no row.
        aliases: field of the row to its name in the body.
        join_function: called as ``join_function(body, row)`` instead (with ``{}`` for
            no row), gives the body that goes on; None ends the event.
        table_key: the column of a frame, a list or an SQL table that holds the key; by
            default the column called like ``key``, else a frame's index or an SQL
            table's primary key.
        cache_s: seconds for which a row that was read counts as known, 0 or more.
        max_cached: rows known at once, 1 or more; the one read first goes.
        timeout_s: seconds that the table may take, above 0.
        clock: gives seconds that only grow.

    Raises:
        SpecError: an argument is wrong, or a package is missing.
        BadRequestError: (from ``do``) the body is no object or has no such key.
        StatusError: (from ``do``) the table failed, see ``Table``.

    State:
        None of its own but the cache, which a restart empties and each worker has for
        itself; a row changed elsewhere is seen after ``cache_s`` at the latest. A late
        event gets the row as it is now.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> users = {"ann": {"age": 31, "city": "Oslo"}}
    >>> JoinWithTable(users, key="user", attributes=["age"]).do({"user": "ann"})
    {'user': 'ann', 'age': 31}
    """

    may_drop = True

    def __init__(
        self,
        table: Any,
        key: KeySpec,
        *,
        attributes: Sequence[str] | None = None,
        inner: bool = False,
        aliases: Mapping[str, str] | None = None,
        join_function: Callable[[Any, Any], Any] | None = None,
        table_key: str | None = None,
        cache_s: float = 0,
        max_cached: int = 10_000,
        timeout_s: float = TIMEOUT_S,
        clock: Clock = time.monotonic,
    ) -> None:
        is_right = join_function is None or callable(join_function)
        rule = "join_function must be a function of two arguments"
        require(is_right, rule, join_function)
        self._key = key_reader(key)
        self._attributes = _names("attributes", attributes)
        self._aliases = _aliases(aliases)
        self._inner = inner
        self._join = join_function
        self.table = _lookup_table(table, key, table_key, timeout_s)
        self._rows = _Rows(self.table, cache_s, max_cached, clock)

    def do(self, body: Any) -> Any:
        inner = body
        if self._join is None and type(body) is not dict:
            inner = object_in(body, "joined")
        row = self._rows.get(self._key(body))
        if row is MISSING and self._inner:
            return NOTHING
        fields = {} if row is MISSING else self._picked(row)
        if self._join is not None:
            joined = self._join(body, fields)
            return NOTHING if joined is None else joined
        return with_body(body, inner, {**inner, **fields})

    def close(self) -> None:
        self.table.close()

    def _picked(self, row: Any) -> Any:
        row = row if isinstance(row, Mapping) else {"value": row}
        if self._attributes is not None:
            row = {name: row[name] for name in self._attributes if name in row}
        if self._aliases:
            row = {self._aliases.get(name, name): row[name] for name in row}
        return row


class QueryByKey:
    """Add features by name: aggregations that ``Aggregate`` keeps, and fields of rows.

    Body in: ``{key: …, …}``. Body out: the same plus each of ``features``; fields that
    the body has already stay. A feature that the table does not know of this key is
    None.

    Args:
        features: names such as ``price_avg_1h`` (of an ``Aggregate`` with the same
            table; any window up to its longest that its period divides) and fields of
            the row under the key.
        table: ``store``, ``store:///path``, ``redis://…``, an SQL URL or
            ``memory://NAME``, with ``#NAME`` of the table there: that of an
            ``Aggregate`` is called like its step unless it says otherwise.
        key: the field that holds the key, see ``Batch``. ``key_field`` is MLRun's word.
        aliases: feature to its name in the body.
        time_field: the field with the time at which windows end, or a function; now
            by default. ``time_format`` and ``time_unit``: see ``Aggregate``.
        timeout_s: seconds that the table may take, above 0.
        clock: gives seconds since 1970.

    Raises:
        SpecError: an argument is wrong, or a package is missing; (from ``do``) a
            window is no multiple of the period that is kept.
        BadRequestError: (from ``do``) the body is no object, has no such key or time.
        StatusError: (from ``do``) the table failed, see ``Table``.

    State:
        None of its own; it reads what is in the table at that moment, as every worker
        does. A late event gets the windows that end at its time, as far as they are
        still kept, and the row as it is now.

    Source: https://docs.mlrun.org/en/stable/feature-store/feature-store.html

    >>> from jupyter_graph.steps.state.window import Aggregate
    >>> prices = {"column": "price", "operations": ["avg"], "windows": ["1h"]}
    >>> fill = Aggregate(prices, key="user", table="memory://doc")
    >>> _ = fill.do({"user": "ann", "price": 3})
    >>> query = QueryByKey(["price_avg_1h", "city"], "memory://doc", key="user")
    >>> query.do({"user": "ann"})
    {'price_avg_1h': 3.0, 'city': None, 'user': 'ann'}
    """

    def __init__(
        self,
        features: Sequence[str],
        table: Any,
        *,
        key: KeySpec | None = None,
        key_field: KeySpec | None = None,
        aliases: Mapping[str, str] | None = None,
        time_field: TimeSpec = None,
        time_format: str | None = None,
        time_unit: str = "s",
        timeout_s: float = TIMEOUT_S,
        clock: Clock = time.time,
    ) -> None:
        names = _names("features", features)
        if not names:
            raise SpecError("features must be a list of one name or more")
        key = one_key(key, key_field)
        self._key = key_reader(key) if key is not None else None
        self._features = [_Feature(name) for name in names]
        self._aliases = _aliases(aliases)
        self._time = time_reader(time_field, time_format, time_unit, clock)
        self.table = _lookup_table(table, key, None, timeout_s)
        self._has_windows = any(feature.operation for feature in self._features)

    def do(self, body: Any) -> Any:
        inner = body if type(body) is dict else object_in(body, "enriched")
        key = self._key(body) if self._key is not None else ""
        features = self._found(key, body, inner)
        features.update(inner)
        return with_body(body, inner, features)

    def close(self) -> None:
        self.table.close()

    def _found(self, key: str, body: Any, inner: Any) -> dict[str, Any]:
        kept = self.table.get(PREFIX + key, {}) if self._has_windows else {}
        time_ms = self._time(body, inner) if kept else 0.0
        is_row_asked = any(feature.column not in kept for feature in self._features)
        row = self.table.get(key) if is_row_asked else None
        row = row if isinstance(row, Mapping) else {}
        features: dict[str, Any] = {}
        for feature in self._features:
            name = self._aliases.get(feature.name, feature.name)
            if feature.column in kept:
                column = kept[feature.column]
                sums = query(column, feature.window_ms, time_ms, feature.name)
                features[name] = OPERATIONS[feature.operation](sums)
            else:
                features[name] = row.get(feature.name)
        return features


class _Feature:
    """A feature's name, taken apart when it is that of an aggregation.

    ``column`` and ``operation`` of another are "", which no aggregation is called.
    """

    __slots__ = ("column", "name", "operation", "window_ms")

    def __init__(self, name: str) -> None:
        self.name = name
        self.column = self.operation = ""
        self.window_ms = 0
        match = re.fullmatch(r"(.+)_([a-z]+)_(\d+[smhd])", name)
        if match and match[2] in OPERATIONS and int(match[3][:-1]) > 0:
            self.column, self.operation = match[1], match[2]
            self.window_ms = duration(match[3], "feature").ms


class _Rows:
    """Rows of a table, those read lately without asking it again."""

    def __init__(
        self, table: Table, cache_s: float, max_cached: int, clock: Clock
    ) -> None:
        at_least("max_cached", max_cached, 1)
        require(is_real(cache_s), "cache_s must be a number of seconds", cache_s)
        require(cache_s >= 0, "cache_s must be 0 seconds or more", cache_s)
        self._table = table
        self._cache_s = cache_s
        self._most = max_cached
        self._clock = clock
        self._known: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self.get = self._cached if cache_s else lambda key: table.get(key, MISSING)

    def _cached(self, key: str) -> Any:
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        row = self._table.get(key, MISSING)
        # the table was asked without the lock: a slow one holds up no row that is known
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = (now + self._cache_s, row)
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return row


def _lookup_table(
    table: Any, key: KeySpec | None, table_key: str | None, timeout_s: float
) -> Table:
    if isinstance(table, str) and table == "memory":
        raise SpecError(
            "table='memory' is this step's own and would stay empty; "
            "use 'memory://NAME' in the step that fills it, too"
        )
    if table_key is None and isinstance(key, str):
        is_column = isinstance(table, list) or key in getattr(table, "columns", ())
        table_key = key if is_column else None
    opened = open_table(table, key_column=table_key, timeout_s=timeout_s)
    if table_key is not None and isinstance(table, Mapping):
        raise SpecError(
            f"table_key={table_key!r} is for rows that hold their key; {opened.name} "
            "is looked up by its keys"
        )
    return opened


def _names(argument: str, names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    if is_list and all(isinstance(name, str) and name for name in names):
        return tuple(names)
    raise SpecError(f"{argument} must be a list of names, got {names!r}")


def _aliases(aliases: Any) -> Mapping[str, str]:
    if aliases is None:
        return {}
    is_mapping = isinstance(aliases, Mapping)
    if is_mapping and all(isinstance(name, str) for name in aliases.values()):
        return dict(aliases)
    raise SpecError(f"aliases must be an object of names to names, got {aliases!r}")
