"""One table of a SQL database: found or created, and how rows get into it."""

from __future__ import annotations

import itertools
from typing import Any

from jupyter_graph.connectors.rows import json_text
from jupyter_graph.errors import UnprocessableError, said

UPSERTING = ("mariadb", "mysql", "postgresql", "sqlite")
"""Databases in which a row can replace the one with the same key."""


class SQLTable:
    """A table, as far as it is known; all methods take an open connection.

    Args:
        name: of the table.
        schema: that it is in, None for the connection's.
        key: columns that say which row it is, [] when rows are only added.
    """

    def __init__(self, name: str, schema: str | None, key: list[str]) -> None:
        self._name, self._schema, self._key = name, schema, key
        self._table: Any = None
        self.columns: dict[str, bool] | None = None
        """Each column, and whether it holds JSON; None while they are not known."""
        self.whole_numbers: list[str] = []
        """The columns of whole numbers, which have 64 bits at most."""

    def _is(self, table: Any) -> None:
        from sqlalchemy import JSON, Integer

        self._table = table
        self.whole_numbers = [
            name
            for name, column in table.columns.items()
            if isinstance(column.type, Integer)
        ]
        self.columns = {
            name: isinstance(column.type, JSON)
            for name, column in table.columns.items()
        }

    def look(self, connection: Any) -> bool:
        """Read the columns of the table; return whether there is one."""
        import sqlalchemy as sql

        if not sql.inspect(connection).has_table(self._name, schema=self._schema):
            return False
        table = sql.Table(
            self._name, sql.MetaData(), schema=self._schema, autoload_with=connection
        )
        self._is(table)
        return True

    def forget(self) -> None:
        """Forget the columns of the table."""
        self._table = self.columns = None

    def create_for(self, connection: Any, types: dict[str, Any]) -> None:
        """Create the table with these columns, unless it was created meanwhile."""
        import sqlalchemy as sql

        columns = [
            sql.Column(column, kind, primary_key=column in self._key)
            for column, kind in types.items()
        ]
        table = sql.Table(self._name, sql.MetaData(), *columns, schema=self._schema)
        try:
            # a savepoint: in PostgreSQL a failed statement spoils the whole transaction
            with connection.begin_nested():
                table.create(connection)
        except sql.exc.DBAPIError:
            if not self.look(connection):
                raise
        else:
            self._is(table)

    def empty(self, connection: Any) -> None:
        """Take out all rows."""
        if self._table is not None:
            connection.execute(self._table.delete())

    def insert(
        self, connection: Any, rows: list[dict[str, Any]]
    ) -> dict[int, Exception]:
        """Store rows; return the positions of those that cannot be, and why.

        Raises:
            SQLAlchemyError: the database, and no row, is at fault.
        """
        from sqlalchemy.exc import ProgrammingError

        fitting = [self._fitting(row) for row in rows]
        if (whole := self._refusal(connection, fitting)) is None:
            return {}
        each = [self._refusal(connection, [row]) for row in fitting]
        # each row alone fails as bad SQL: it is the table, not the rows
        if len(rows) > 1 and all(isinstance(one, ProgrammingError) for one in each):
            raise whole  # such as a table that is gone
        return {at: error for at, error in enumerate(each) if error is not None}

    def _refusal(self, connection: Any, rows: list[dict[str, Any]]) -> Exception | None:
        """Store all rows or none; return why they cannot be stored."""
        import sqlalchemy as sql

        try:
            with connection.begin_nested():
                # one statement takes rows of the same columns; their order is kept
                for names, some in itertools.groupby(rows, key=tuple):
                    connection.execute(self._statement(connection, names), list(some))
        # the connection is at fault, not a row: trying rows one by one would not help
        except sql.exc.OperationalError:
            raise
        except (sql.exc.StatementError, sql.exc.CompileError) as error:
            return error
        # What drivers raise for a value that they cannot send: a number beyond 64 bits,
        # a text that no encoding has or that holds a NUL.
        except (ArithmeticError, TypeError, ValueError) as error:
            return UnprocessableError(f"the row cannot be stored: {said(error)}")
        return None

    def _fitting(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row in which only JSON columns hold dicts and lists."""
        holds_json = self.columns or {}
        deep = [
            name
            for name, value in row.items()
            if isinstance(value, dict | list) and not holds_json.get(name)
        ]
        return {**row, **{name: json_text(row[name]) for name in deep}} if deep else row

    def _statement(self, connection: Any, names: tuple[str, ...]) -> Any:
        if not self._key:
            return self._table.insert()
        rest = [name for name in names if name not in self._key]
        dialect = connection.dialect.name
        if dialect in ("mysql", "mariadb"):
            from sqlalchemy.dialects import mysql

            add = mysql.insert(self._table)
            kept = {name: add.inserted[name] for name in rest or self._key}
            return add.on_duplicate_key_update(kept)
        from sqlalchemy.dialects import postgresql, sqlite

        put = (sqlite if dialect == "sqlite" else postgresql).insert(self._table)
        # a row that is nothing but its key has nothing to replace
        if not rest:
            return put.on_conflict_do_nothing(index_elements=self._key)
        kept = {name: put.excluded[name] for name in rest}
        return put.on_conflict_do_update(index_elements=self._key, set_=kept)
