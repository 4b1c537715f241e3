"""Open the table that a URL, a mapping or a frame names."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.connectors.tables.memory_tables import (
    GivenRows,
    MemoryTable,
    ScratchTable,
)
from jupyter_graph.connectors.tables.table import TIMEOUT_S, Table, masked
from jupyter_graph.errors import SpecError
from jupyter_graph.threads.module_lock import module_lock
from jupyter_graph.values.dataframe_rows import is_frame

DEFAULT_NAME = "rows"
WHERE = (
    "'memory', 'store', 'redis://host', an SQL URL such as 'postgresql://host/db', "
    "or a dict, a list of rows or a DataFrame"
)


def open_table(
    where: Any,
    *,
    name: str = DEFAULT_NAME,
    key_column: str | None = None,
    max_keys: int | None = None,
    timeout_s: float = TIMEOUT_S,
    context: Any = None,
) -> Table:
    """Return the table that lies there; nothing is connected before its first use.

    Args:
        where: ``memory`` (this table's own), ``memory://NAME`` (shared in this
            process), ``store`` (a file in the user's state folder), ``store:///path``
            (that file), ``redis://…``, an SQLAlchemy URL, a dict, a list of rows, a
            DataFrame, or a ``Table``. ``#NAME`` behind a place names the table there,
            ``#SCHEMA.NAME`` in a database.
        name: the table's name where the place does not say it.
        key_column: the column that holds the key, of rows and of SQL tables that
            somebody else made.
        max_keys: for ``memory``: forget the key not used for longest.
        timeout_s: seconds that one call may take, above 0.
        context: a step's; where its run only compares answers, nothing is written.

    Raises:
        SpecError: there is no such place, or a package is missing.

    >>> table = open_table("memory")
    >>> table.update("ann", lambda n: n + 1, 0), table.get("bob"), list(table.keys())
    (1, None, ['ann'])
    """
    require(timeout_s > 0, "timeout_s must be above 0 seconds", timeout_s)
    table = _table(where, name, key_column, max_keys, timeout_s)
    is_own = isinstance(where, str) and where == "memory"
    if not getattr(context, "is_parity", False) or is_own:
        return table
    if isinstance(table, GivenRows):
        return table
    if (recorded := getattr(context, "recorded", None)) is not None:
        recorded.tables.append(masked(where) if isinstance(where, str) else repr(where))
    return ScratchTable(table)


def _table(
    where: Any,
    name: str,
    key_column: str | None,
    max_keys: int | None,
    timeout_s: float,
) -> Table:
    if isinstance(where, Mapping | list) or is_frame(where):
        return GivenRows(where, key_column=key_column)
    if isinstance(where, Table):
        return where
    if not isinstance(where, str):
        raise SpecError(f"a table is {WHERE}, got {where!r:.80}")
    place, _, fragment = where.partition("#")
    if fragment and not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", fragment):
        raise SpecError(
            f"a table's name is made of letters, digits, '_', '.' and '-', "
            f"got {fragment!r} in {masked(where)!r}"
        )
    name = fragment or name.replace(".", "_")
    scheme = place.partition(":")[0]
    if max_keys is not None and scheme != "memory":
        raise SpecError(
            f"max_keys is for tables in memory, {masked(where)!r} is none; leave it out"
        )
    if scheme == "memory":
        return _memory(place, where, max_keys)
    if scheme == "store":
        from jupyter_graph.connectors.tables.sqlite_table import StoreTable, store_path

        return StoreTable(store_path(place), name, timeout_s=timeout_s)
    if scheme in ("redis", "rediss"):
        from jupyter_graph.connectors.tables.redis_table import RedisTable

        return RedisTable(place, name, timeout_s=timeout_s)
    if "://" in place:
        from jupyter_graph.connectors.tables.sql_key_table import SqlTable

        return SqlTable(place, name, key_column=key_column, timeout_s=timeout_s)
    raise SpecError(f"there is no table {where!r}; it is {WHERE}")


_shared: weakref.WeakValueDictionary[str, MemoryTable] = weakref.WeakValueDictionary()
_shared_lock = module_lock()


def _memory(place: str, where: str, max_keys: int | None) -> MemoryTable:
    if place == "memory" and "#" not in where:
        return MemoryTable(max_keys=max_keys)
    name = place.removeprefix("memory").removeprefix("://")
    if "#" in where or not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
        raise SpecError(
            f"a table in memory is 'memory', or 'memory://NAME' where steps share it, "
            f"got {where!r}"
        )
    table = MemoryTable(f"memory://{name}", max_keys=max_keys)
    with _shared_lock:
        return _shared.setdefault(name, table)
