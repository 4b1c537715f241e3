"""Rows that go to a table of a SQL database, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.connectors.buffered_target import Buffered, Refused
from jupyter_graph.connectors.rows import (
    checked_columns,
    checked_text,
    rows_of,
    snapshot,
)
from jupyter_graph.connectors.sql.database import (
    ColumnKinds,
    checked_number,
    engine_of,
    shown,
    value_for,
)
from jupyter_graph.connectors.sql.sql_table import UPSERTING, SQLTable
from jupyter_graph.errors import SpecError, UnprocessableError
from jupyter_graph.http_client.secrets import secret_of
from jupyter_graph.types import Body


class SQLTarget(Buffered):
    """Store rows in a table of a SQL database.

    Body in: a dict, a list of dicts or a frame. Body out: the same.

    Each batch is one transaction. Rows that the database refuses (a broken constraint,
    a value out of range) are taken out, the others are stored.

    Args:
        url: SQLAlchemy's: ``sqlite:///rows.db``, ``postgresql://user@host/database``.
        table: the table's name.
        schema: the schema it is in, by default the connection's.
        columns: what to store; other keys are left out. By default every key of a row
            must be a column.
        create: create the table when there is none. Its columns and types are those
            of the first batch: bigint, double, boolean, text (also when there are only
            None), timestamp, date, time, numeric, blob, json.
        append: add to the rows that are there. False takes them out and puts in the
            new ones in one transaction, which ends when the runner closes.
        key: columns that say which row it is; a row with the same key replaces the
            one that is there (SQLite, PostgreSQL, MySQL, MariaDB).
        batch: rows of a transaction, 1 or more.
        flush_every_s: seconds until a batch is written that is not full.
        password_secret: the name of a secret that is the password of the URL.

    Raises:
        SpecError: an argument has a wrong value, or a package is missing.
        BadRequestError: (from ``do``) the body is no row.
        UnprocessableError: (from ``do``) a row has a key that is no column.
        OSError: (from ``do`` and ``flush``) the database refuses or is away; the rows
            of earlier events stay for the next attempt.

    State: a batch that is not full is in memory; a restart loses it. Several workers
        may share a table when they append. Late events are stored last.

    Source: https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls

    >>> target = SQLTarget("sqlite://", "payments")
    >>> target.do({"user": "ada", "amount": 5})
    {'user': 'ada', 'amount': 5}
    >>> target.close()
    """

    def __init__(
        self,
        url: str,
        table: str,
        *,
        schema: str | None = None,
        columns: Sequence[str] | None = None,
        create: bool = True,
        append: bool = True,
        key: Sequence[str] | None = None,
        batch: int = 1000,
        flush_every_s: float | None = 3.0,
        password_secret: str | None = None,
        name: str = "",
        context: Any = None,
    ) -> None:
        require(isinstance(table, str) and table != "", "table must be a name", table)
        require(isinstance(create, bool), "create must be True or False", create)
        require(isinstance(append, bool), "append must be True or False", append)
        require(is_count(batch), "batch must be 1 row or more", batch)
        secret = secret_of(context, password_secret) if password_secret else None
        self._engine = engine_of(url, password=secret, by="SQLTarget")
        where = f"table {table!r} of {shown(self._engine.url)}"
        super().__init__(where, name, context, batch, flush_every_s)
        keys = checked_columns(key, "key") or []
        if keys and self._engine.dialect.name not in UPSERTING:
            raise SpecError(
                f"key= works with {', '.join(UPSERTING)}, not with "
                f"{self._engine.dialect.name}"
            )
        self._columns = checked_columns(columns)
        self._create = create
        self._replaces = not append
        self._table = SQLTable(table, schema, keys)
        self._kinds = ColumnKinds()
        self._lasting: Any = None  # the connection of a replacing transaction
        self._is_broken = False

    # -- rows in ------------------------------------------------------------------

    def _take(self, body: Body) -> list[dict[str, Any]]:
        rows = [self._row(row) for row in rows_of(body, self._where)]
        if rows and self._table.columns is None:
            self._look()
        columns = self._table.columns
        if columns is None:
            self._kinds.add_all(rows, self._where, self._engine.dialect.name)
            return rows
        for row in rows:
            for name in self._table.whole_numbers:
                checked_number(row.get(name), f"column {name!r} of {self._where}")
        if self._columns is None:
            for row in rows:
                if not columns.keys() >= row.keys():
                    unknown = next(name for name in row if name not in columns)
                    raise UnprocessableError(
                        f"{self._where} has no column {unknown!r}; its columns are "
                        f"{list(columns)}, columns= says which keys to store"
                    )
        return rows

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        kept = row
        if self._columns is not None:
            kept = {name: row.get(name) for name in self._columns}
        return {
            self._column(key): checked_text(
                value_for(value, f"column {key!r}"), f"column {key!r} of {self._where}"
            )
            for key, value in snapshot(kept).items()
        }

    def _column(self, key: Any) -> str:
        if key == "" or (isinstance(key, str) and "\0" in key):
            raise UnprocessableError(
                f"a column of {self._where} needs a name, got {key!r}"
            )
        return str(checked_text(str(key), f"the name of a column of {self._where}"))

    def _look(self) -> None:
        """Read the columns of a table that exists."""
        try:
            with self._engine.connect() as connection:
                is_there = self._table.look(connection)
        except Exception as error:
            raise self._failure(error) from error
        if not is_there and not self._create:
            raise self._failure(LookupError("no such table, and create is False"))

    # -- writing ------------------------------------------------------------------

    def _write(self, items: list[Any]) -> None:
        is_new = self._table.columns is None
        try:
            with self._transaction() as connection:
                if is_new:
                    self._table.create_for(connection, self._kinds.types())
                refused = self._table.insert(connection, items)
        except BaseException:
            if is_new:
                self._table.forget()  # it was taken back with its rows
            raise
        if refused:
            raise Refused(refused)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Return a connection; what is done with it is done at once, or not at all."""
        # replacing rows is one transaction over all batches, on a connection that is
        # kept; a reader sees the old rows until the runner closes
        if not self._replaces:
            with self._engine.begin() as connection:
                yield connection
            return
        self._check_lasting()
        is_new = self._lasting is None
        if is_new:
            self._lasting = self._engine.connect()
        try:
            if is_new:
                self._table.empty(self._lasting)
            yield self._lasting
        except BaseException:
            # earlier batches of it are lost with the transaction, so what follows must
            # not be stored as if it were all
            self._is_broken = not is_new
            self._release()
            raise

    def _check_lasting(self) -> None:
        if self._is_broken:
            raise OSError("the transaction that replaces the rows was lost")

    def _release(self) -> None:
        lasting, self._lasting = self._lasting, None
        if lasting is not None:
            lasting.close()

    def _settle(self, *, end: bool) -> None:
        if not end:
            return
        self._check_lasting()
        try:
            if self._lasting is not None:
                self._lasting.commit()
                self._replaces = False  # rows that come later come after these
        except Exception:
            self._is_broken = True
            raise
        finally:
            self._release()

    def _disconnect(self) -> None:
        self._engine.dispose()
