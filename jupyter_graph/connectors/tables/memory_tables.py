"""Tables in this process: memory, given rows, and a scratch layer over another."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.connectors.event_key import MISSING_KEY, key_text
from jupyter_graph.connectors.tables.table import MISSING, Change, KeyLocks, Table
from jupyter_graph.errors import SpecError
from jupyter_graph.values.dataframe_rows import pandas_of


class MemoryTable:
    """A table in this process; values are kept as they are, not copied.

    Args:
        name: what errors call it.
        max_keys: at most so many keys; the one not used for longest goes first.
    """

    def __init__(self, name: str = "memory", *, max_keys: int | None = None) -> None:
        self.name = name
        self._max_keys = max_keys
        self._values: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._locks = KeyLocks()

    def get(self, key: str, default: Any = None) -> Any:
        if self._max_keys is None:
            return self._values.get(key, default)
        with self._lock:
            if (value := self._values.pop(key, MISSING)) is MISSING:
                return default
            self._values[key] = value
            return value

    def put(self, key: str, value: Any) -> None:
        if self._max_keys is None:
            self._values[key] = value
            return
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            while len(self._values) > self._max_keys:
                del self._values[next(iter(self._values))]

    def update(self, key: str, change: Change, default: Any = None) -> Any:
        with self._locks.of(key):
            value = change(self.get(key, default))
            self.put(key, value)
            return value

    def delete(self, key: str) -> None:
        with self._locks.of(key):
            self._values.pop(key, None)

    def keys(self) -> Iterator[str]:
        return iter(list(self._values))

    def close(self) -> None:
        """Do nothing: there is no connection."""


class GivenRows:
    """Rows of the notebook: a dict, a list of rows or a DataFrame. For lookups.

    A dict is looked at anew each time, so rows that the notebook adds are seen; a list
    and a frame are read once.

    Args:
        rows: key to row, or rows that hold their key.
        key_column: the field or column that holds the key; for a frame its index
            when there is none. A row whose key is missing (None, NaN) is left out.

    Raises:
        SpecError: a row has no key, or two have the same.
    """

    def __init__(self, rows: Any, *, key_column: str | None = None) -> None:
        self.name = f"the given {type(rows).__name__}"
        self._key_column = key_column
        self._rows: Mapping[Any, Any] = self._by_key(rows)
        self._texts: dict[str, Any] = {}
        self._known = 0

    def get(self, key: str, default: Any = None) -> Any:
        row = self._rows.get(key, MISSING)
        return self._rows.get(self._raw(key), default) if row is MISSING else row

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise SpecError(
            f"{self.name} can only be looked up; to write, use a table such as "
            "'memory', 'store' or 'redis://…'"
        )

    put = update = delete = _refuse

    def keys(self) -> Iterator[str]:
        return iter([key_text(key) for key in list(self._rows)])

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _raw(self, key: str) -> Any:
        """Return the key of the dict that is no text itself but reads like this one."""
        if len(self._rows) != self._known:
            raw = [key for key in list(self._rows) if not isinstance(key, str)]
            self._texts = {key_text(key): key for key in raw}
            self._known = len(self._rows)
        return self._texts.get(key, MISSING)

    def _by_key(self, rows: Any) -> Mapping[Any, Any]:
        if isinstance(rows, Mapping):
            return rows
        if isinstance(rows, list):
            keys = [self._key_of(row) for row in rows]
        else:
            keys, rows = self._frame(rows)
        by_key = dict(zip(keys, rows, strict=True))
        # Rows without a key are nobody's, however many there are.
        by_key.pop(MISSING_KEY, None)
        keys = [key for key in keys if key != MISSING_KEY]
        if len(by_key) < len(keys):
            twice = next(key for key in by_key if keys.count(key) > 1)
            raise SpecError(
                f"{self.name} has several rows of the key {twice!r}; one each is needed"
            )
        return by_key

    def _key_of(self, row: Any) -> str:
        column = self._key_column
        if column is None or not isinstance(row, Mapping) or column not in row:
            raise SpecError(
                f"each row of {self.name} must be an object with its key in the field "
                f"{column!r}, got {row!r:.80}"
            )
        return key_text(row[column])

    def _frame(self, frame: Any) -> tuple[list[str], list[dict[Any, Any]]]:
        frame, column = pandas_of(frame), self._key_column
        if column is not None and column not in frame.columns:
            raise SpecError(
                f"{self.name} has no column {column!r} "
                f"(it has: {', '.join(map(str, frame.columns))})"
            )
        keys = frame.index if column is None else frame[column]
        return [key_text(key) for key in keys.tolist()], frame.to_dict("records")


class ScratchTable(MemoryTable):
    """What is written stays in this process; what is read comes from the table below.

    A run that only compares answers leaves the world as it is this way.
    """

    def __init__(self, below: Table) -> None:
        super().__init__(below.name)
        self._below = below
        self._gone: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        if (value := super().get(key, MISSING)) is not MISSING:
            return value
        return default if key in self._gone else self._below.get(key, default)

    def delete(self, key: str) -> None:
        self._gone.add(key)
        super().delete(key)

    def keys(self) -> Iterator[str]:
        below = set(self._below.keys()) - self._gone
        return iter(dict.fromkeys([*below, *super().keys()]))

    def close(self) -> None:
        self._below.close()
