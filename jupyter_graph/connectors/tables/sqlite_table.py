"""The embedded store: tables in one SQLite file, for the processes of one machine."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_graph.connectors.tables.table import Change
from jupyter_graph.connectors.tables.table_json import encode, kept
from jupyter_graph.errors import (
    GatewayTimeoutError,
    InternalServerError,
    ServiceUnavailableError,
    SpecError,
    said,
)

FILE = "tables.sqlite"
_CREATE = (
    'CREATE TABLE IF NOT EXISTS kept ("table" TEXT NOT NULL, "key" TEXT NOT NULL, '
    '"value" TEXT NOT NULL, PRIMARY KEY ("table", "key")) WITHOUT ROWID'
)
_GET = 'SELECT "value" FROM kept WHERE "table" = ? AND "key" = ?'
_PUT = (
    'INSERT INTO kept ("table", "key", "value") VALUES (?, ?, ?) '
    'ON CONFLICT ("table", "key") DO UPDATE SET "value" = excluded."value"'
)
_DELETE = 'DELETE FROM kept WHERE "table" = ? AND "key" = ?'
_KEYS = 'SELECT "key" FROM kept WHERE "table" = ?'


def store_path(place: str) -> Path:
    """Return the file of ``store`` or ``store:///path``.

    Raises:
        SpecError: it is neither.
    """
    if place == "store":
        chosen = os.environ.get("JUPYTER_GRAPH_STATE_DIR")
        if not chosen:
            from platformdirs import user_state_dir

            chosen = user_state_dir("jupyter_graph")
        return Path(chosen) / FILE
    path = place.removeprefix("store://")
    is_drive = len(path) > 2 and path[0] == "/" and path[2] == ":"
    if not place.startswith("store://") or not path.strip("/"):
        raise SpecError(f"a store is 'store' or 'store:///path/file', got {place!r}")
    return Path(path[1:] if is_drive else path)


class StoreTable:
    """A table in an SQLite file; what ``put`` returned from outlives the process.

    Several processes of a machine may use the file at once; a machine that loses its
    power may lose the last moments.

    Args:
        path: the file; it and its folder are made, closed to other users.
        name: the table in it.
        timeout_s: how long a call waits for others that write.
    """

    def __init__(self, path: Path, name: str, *, timeout_s: float) -> None:
        self.name = f"store://{path}#{name}"
        self._path = path
        self._table = name
        self._timeout_s = timeout_s
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str, default: Any = None) -> Any:
        with self._lock:
            row = self._run(_GET, self._table, key).fetchone()
        return kept(row[0], self.name, key) if row else default

    def put(self, key: str, value: Any) -> None:
        text = encode(value, f"table {self.name!r}, key {key!r}")
        with self._lock:
            self._run(_PUT, self._table, key, text)

    def update(self, key: str, change: Change, default: Any = None) -> Any:
        with self._lock:
            # IMMEDIATE: two readers that both want to write would block each other.
            self._run("BEGIN IMMEDIATE")
            try:
                value = change(self.get(key, default))
                self.put(key, value)
                self._run("COMMIT")
            except BaseException:
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.rollback()
                raise
            return value

    def delete(self, key: str) -> None:
        with self._lock:
            self._run(_DELETE, self._table, key)

    def keys(self) -> Iterator[str]:
        with self._lock:
            rows = self._run(_KEYS, self._table).fetchall()
        return (row[0] for row in rows)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _run(self, statement: str, *values: str) -> sqlite3.Cursor:
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(statement, values)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error

    def _open(self) -> sqlite3.Connection:
        folder = self._path.parent
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
        # SQLite would make the file readable for everybody.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path,
            timeout=self._timeout_s,
            isolation_level=None,  # a transaction begins where it says BEGIN
            check_same_thread=False,  # the lock sees to it
        )
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        """Make what a new file needs; SQLite itself does not wait for others here."""
        end = time.monotonic() + self._timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(_CREATE)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.005)
            else:
                return

    def _failed(self, error: Exception) -> Exception:
        text = str(error)
        if "locked" in text or "busy" in text:
            return GatewayTimeoutError(
                f"table {self.name!r}: another process has been writing for longer "
                f"than {self._timeout_s:g} s"
            )
        if isinstance(error, OSError | sqlite3.OperationalError):
            return ServiceUnavailableError(
                f"table {self.name!r} cannot be used: {said(error)}"
            )
        return InternalServerError(f"table {self.name!r} failed: {said(error)}")
