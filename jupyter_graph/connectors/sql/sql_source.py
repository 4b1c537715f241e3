"""Rows that are read from a SQL database, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.connectors.rows import checked_columns
from jupyter_graph.connectors.source_base import BATCH, ByRows
from jupyter_graph.connectors.sql.database import engine_of, shown
from jupyter_graph.errors import SpecError


class SQLSource(ByRows):
    """The rows of a query or table of a SQL database, with flat memory.

    Args:
        where: SQLAlchemy's URL: ``sqlite:///rows.db``,
            ``postgresql://user@host/database``.
        query: a SELECT; ``:name`` stands for a value of ``params``.
        table: instead of a query, the table to read.
        schema: the schema that the table is in.
        columns: of the table, by default all.
        params: name to value.
        chunk_rows: rows that the database sends at once, 1 or more.

    Raises:
        SpecError: an argument has a wrong value, or a package is missing.
        OSError: (while reading) the database refuses or is away.

    Source: https://docs.sqlalchemy.org/en/20/core/connections.html

    >>> list(SQLSource("sqlite://", query="SELECT :n AS n", params={"n": 5}))
    [{'n': 5}]
    """

    def __init__(
        self,
        where: str,
        *,
        query: str | None = None,
        table: str | None = None,
        schema: str | None = None,
        columns: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        chunk_rows: int = BATCH,
    ) -> None:
        if (query is None) == (table is None):
            raise SpecError("give SQLSource either query= or table=")
        if query is not None and (columns or schema):
            raise SpecError("columns= and schema= go with table=, not with query=")
        is_rows = isinstance(chunk_rows, int) and chunk_rows >= 1
        require(is_rows, "chunk_rows must be 1 or more", chunk_rows)
        self._url = where
        url = engine_of(where, by="SQLSource").url
        self._shown = shown(url)
        file = url.database if url.get_backend_name() == "sqlite" else None
        if file and not file.startswith(":") and not Path(file).exists():
            raise SpecError(f"there is no file {str(Path(file).absolute())!r}")
        self._query, self._named = query, (table, schema)
        self._columns = checked_columns(columns)
        self._params = dict(params or {})
        self._chunk = chunk_rows

    def __str__(self) -> str:
        what = f"table {self._named[0]!r}" if self._named[0] else "the query"
        return f"{what} of {self._shown}"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        import sqlalchemy as sql

        engine = engine_of(self._url, by="SQLSource")
        try:
            with engine.connect() as connection:
                streaming = connection.execution_options(yield_per=self._chunk)
                result = streaming.execute(self._statement(), self._params)
                names = self._names(result)
                for part in result.partitions():
                    for values in part:
                        yield dict(zip(names, values, strict=True))
        except sql.exc.SQLAlchemyError as error:
            raise OSError(f"{self} cannot be read: {error}") from error
        finally:
            engine.dispose()

    def _statement(self) -> Any:
        import sqlalchemy as sql

        if self._query is not None:
            return sql.text(self._query)
        name, schema = self._named
        there = sql.table(str(name), schema=schema)
        names: list[Any] = [sql.column(column) for column in self._columns or ()]
        return sql.select(*(names or [sql.text("*")])).select_from(there)

    def _names(self, result: Any) -> list[str]:
        names = list(result.keys())
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"{self} has two columns {twice[0]!r}; name them apart with AS"
            )
        return names
