"""Tables in SQL databases: our own of key and value, or one that is there already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.tables.table import MISSING, Change, KeyLocks, masked
from jupyter_graph.connectors.tables.table_json import encode, kept
from jupyter_graph.errors import (
    GatewayTimeoutError,
    InternalServerError,
    ServiceUnavailableError,
    SpecError,
    UnprocessableError,
    did_you_mean,
)

T = TypeVar("T")


class SqlTable:
    """A table of a database; what ``put`` returned from is committed.

    A table that is not there is made, with the columns ``key`` and ``value`` (JSON).
    One that is there with other columns gives its rows as objects and takes objects.

    Args:
        url: an SQLAlchemy URL.
        name: the table, ``schema.table`` where it stands in another schema.
        key_column: the column that holds the key, by default the primary key.
        timeout_s: how long a call waits, for a connection and for others that write;
            for PostgreSQL and MySQL also for the answer.

    Raises:
        SpecError: SQLAlchemy or the driver is not installed, or the URL is wrong.
    """

    def __init__(
        self, url: str, name: str, *, key_column: str | None, timeout_s: float
    ) -> None:
        self.name = f"{masked(url)}#{name}"
        self._table_name = name
        self._key_column = key_column
        self._timeout_s = timeout_s
        self._engine = _engine(url, timeout_s)
        self._locks = KeyLocks()
        self._lock = threading.Lock()
        self._known: _Shape | None = None

    def get(self, key: str, default: Any = None) -> Any:
        return self._ask(lambda shape, connection: shape.read(connection, key, default))

    def put(self, key: str, value: Any) -> None:
        self._write(key, lambda _: value, reads=False, default=None)

    def update(self, key: str, change: Change, default: Any = None) -> Any:
        with self._locks.of(key):
            return self._write(key, change, reads=True, default=default)

    def delete(self, key: str) -> None:
        self._ask(lambda shape, connection: shape.delete(connection, key))

    def keys(self) -> Iterator[str]:
        return iter(self._ask(lambda shape, connection: shape.keys(connection)))

    def close(self) -> None:
        self._engine.dispose()

    def _write(self, key: str, change: Change, *, reads: bool, default: Any) -> Any:
        from sqlalchemy.exc import IntegrityError

        def write(shape: _Shape, connection: Any) -> Any:
            old = MISSING
            if reads:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                old = shape.read(connection, key, MISSING, locks=True)
            value = change(default if old is MISSING else old)
            # a row that another process puts in meanwhile must not be overwritten
            shape.write(connection, key, value, is_new=reads and old is MISSING)
            return value

        for is_last in (False, False, False, True):
            try:
                return self._ask(write)
            except InternalServerError as error:
                if is_last or not isinstance(error.__cause__, IntegrityError):
                    raise  # else: another process put the key in first
        raise AssertionError("not reached")

    def _ask(self, question: Callable[[_Shape, Any], T]) -> T:
        from sqlalchemy.exc import SQLAlchemyError

        asked = False
        try:
            shape = self._shape()
            with self._engine.begin() as connection:
                asked = True
                answer = question(shape, connection)
            return answer  # committed: leaving the block above may fail, too
        except SQLAlchemyError as error:
            raise self._failed(error, asked=asked) from error

    def _shape(self) -> _Shape:
        with self._lock:
            if self._known is None:
                self._known = _shape_of(
                    self._engine, self._table_name, self._key_column, self.name
                )
            return self._known

    def _failed(self, error: Exception, *, asked: bool) -> Exception:
        from sqlalchemy import exc

        text = f"{getattr(error, 'orig', None) or error}".strip().partition("\n")[0]
        words = ("timeout", "timed out", "locked", "lock wait")
        is_late = any(word in text.lower() for word in words)
        if isinstance(error, exc.TimeoutError) or is_late:
            return GatewayTimeoutError(
                f"table {self.name!r} did not answer within {self._timeout_s:g} s: "
                f"{text}"
            )
        is_gone = bool(getattr(error, "connection_invalidated", False))
        is_cut = isinstance(error, exc.OperationalError | exc.InterfaceError)
        if is_gone or (is_cut and not asked):
            return ServiceUnavailableError(
                f"table {self.name!r} cannot be reached: {text}"
            )
        return InternalServerError(f"table {self.name!r} refused: {text}")


class _Shape:
    """The columns of a table: how a key's value is read and written."""

    def __init__(self, where: str, table: Any, key: Any, value: Any = None) -> None:
        self._where, self._table = where, table
        self._key = key
        self._value = value

    def read(
        self, connection: Any, key: str, default: Any, *, locks: bool = False
    ) -> Any:
        if (typed := self._typed(key)) is MISSING:
            return default
        query = self._table.select().where(self._key == typed)
        row = connection.execute(query.with_for_update() if locks else query).first()
        if row is None:
            return default
        values = dict(row._mapping)
        if self._value is None:
            return values
        return kept(values[self._value.name], self._table.name, key)

    def write(self, connection: Any, key: str, value: Any, *, is_new: bool) -> None:
        """Put a value in the place of the key's old one; a new key is only added.

        Raises:
            IntegrityError: ``is_new`` and the key has a value by now.
        """
        columns = self._columns(key, value)
        if is_new:
            connection.execute(self._table.insert().values(columns))
            return
        change = self._table.update().where(self._key == columns[self._key.name])
        if connection.execute(change.values(columns)).rowcount == 0:
            connection.execute(self._table.insert().values(columns))

    def delete(self, connection: Any, key: str) -> None:
        if (typed := self._typed(key)) is not MISSING:
            connection.execute(self._table.delete().where(self._key == typed))

    def keys(self, connection: Any) -> list[str]:
        query = self._table.select().with_only_columns(self._key)
        return [str(key) for key in connection.execute(query).scalars()]

    def _columns(self, key: str, value: Any) -> dict[str, Any]:
        typed, where = self._typed(key), self._where
        if typed is MISSING:
            raise UnprocessableError(
                f"table {where!r}: key {key!r} is no {self._key.type!r}"
            )
        if self._value is not None:
            text = encode(value, f"table {where!r}, key {key!r}")
            return {self._key.name: typed, self._value.name: text}
        if not isinstance(value, Mapping):
            raise TypeError(
                f"table {where!r} has columns, so an object is kept there, "
                f"got {type(value).__name__}"
            )
        known = set(self._table.columns.keys())
        for name in value:
            if name not in known:
                raise UnprocessableError(
                    f"table {where!r} has no column {name!r}{did_you_mean(name, known)}"
                )
        return {**value, self._key.name: typed}

    def _typed(self, key: str) -> Any:
        """Return the key as its column has it; MISSING when it cannot be one."""
        try:
            kind = self._key.type.python_type
            return kind(key) if kind in (int, float) else key
        except NotImplementedError:
            return key
        except ValueError:
            return MISSING


def _shape_of(engine: Any, name: str, key_column: str | None, where: str) -> _Shape:
    import sqlalchemy as sa

    schema, _, table_name = name.rpartition(".")
    metadata = sa.MetaData(schema=schema or None)
    _make(engine, table_name, metadata)
    table = sa.Table(table_name, metadata, autoload_with=engine)
    columns = table.columns
    if set(columns.keys()) == {"key", "value"} and key_column in (None, "key"):
        return _Shape(where, table, columns["key"], columns["value"])
    primary = [column.name for column in table.primary_key.columns]
    chosen = key_column or (primary[0] if len(primary) == 1 else "")
    if chosen not in columns:
        raise SpecError(
            f"table {where!r} has the columns {', '.join(columns.keys())}; say which "
            f"holds the key, got {key_column!r}"
        )
    return _Shape(where, table, columns[chosen])


def _make(engine: Any, name: str, metadata: Any) -> None:
    """Make our own table when there is none of that name."""
    import sqlalchemy as sa

    def is_there() -> bool:
        return bool(sa.inspect(engine).has_table(name, schema=metadata.schema))

    if is_there():
        return
    text = sa.Text().with_variant(sa.Text(2**24), "mysql", "mariadb")
    key = sa.Column("key", sa.String(512), primary_key=True)
    made = sa.Table(name, sa.MetaData(schema=metadata.schema), key)
    made.append_column(sa.Column("value", text, nullable=False))
    try:
        made.create(engine)
    except sa.exc.SQLAlchemyError:
        if not is_there():  # else another process has just made it
            raise


def _engine(url: str, timeout_s: float) -> Any:
    shown = f"table {masked(url)!r}"
    sqlalchemy = needed("sqlalchemy", "sql", shown, "SQLAlchemy")
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.get_backend_name() == "sqlite" and not parsed.database:
            raise SpecError("'sqlite://' has no file; use 'memory' or 'sqlite:///path'")
        options = _options(parsed.get_backend_name(), parsed, timeout_s)
        return sqlalchemy.create_engine(parsed, **options)
    except NoSuchModuleError:
        raise SpecError(
            f"there is no {shown}: {url.partition(':')[0]!r} is neither "
            "memory, store, redis nor a database that SQLAlchemy knows"
        ) from None
    except ArgumentError as error:
        raise SpecError(f"{shown}: {error}") from None
    except ImportError as error:
        raise SpecError(
            f"{shown} needs the database's driver: pip install {error.name or 'it'}"
        ) from None


def _options(backend: str, url: Any, timeout_s: float) -> dict[str, Any]:
    seconds = max(1, round(timeout_s))
    more: dict[str, Any] = {}
    if backend == "sqlite":
        more = {"timeout": timeout_s, "isolation_level": None}
    elif backend == "postgresql" and url.get_driver_name() in ("psycopg", "psycopg2"):
        limit = round(timeout_s * 1000)
        more = {
            "connect_timeout": seconds,
            "options": f"-c statement_timeout={limit} -c lock_timeout={limit}",
        }
    elif backend in ("mysql", "mariadb") and url.get_driver_name() == "pymysql":
        more = dict.fromkeys(
            ("connect_timeout", "read_timeout", "write_timeout"), seconds
        )
    given = {key: value for key, value in more.items() if key not in url.query}
    return {"connect_args": given, "pool_timeout": timeout_s, "pool_pre_ping": True}
