"""Parquet files, and folders of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import is_count, one_of, require
from jupyter_graph.connectors.buffered_target import Buffered, Refused
from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.files.growing_schema import GrowingSchema, own_copy
from jupyter_graph.connectors.files.parquet_files import (
    SUFFIXES,
    ParquetFile,
    ParquetFolder,
    check_folder,
    check_folders,
)
from jupyter_graph.connectors.files.places import Where, place_to_write
from jupyter_graph.connectors.rows import (
    arrow_types,
    checked_columns,
    rows_of,
    snapshot,
)
from jupyter_graph.errors import UnprocessableError
from jupyter_graph.types import Body
from jupyter_graph.values.dataframe_rows import is_frame

_COMPRESSIONS = ("zstd", "snappy", "gzip", "lz4", "brotli", "none")


class ParquetTarget(Buffered):
    """Store rows in a Parquet file, or in a folder of Parquet files.

    Body in: a dict, a list of dicts or a frame. Body out: the same.

    A path that ends with ``.parquet`` or ``.pq`` is one file. Any other path, and
    every path with ``partition_cols``, is a folder: ``COLUMN=VALUE/part-….parquet``.
    All is written beside its place (``.NAME.….part``) and replaces the old file or
    folder when the runner closes. With ``append`` a folder gets a whole file at each
    flush, and a file is written again with the new rows after the old ones.

    The columns and their types are those of all rows before the first write
    (``max_events`` of them at most); a column with nothing but None is text. Then a
    row with another column, or a value that does not fit, is refused. An empty dict is
    stored as None.

    Args:
        path: a path or fsspec URL; ``{worker}`` becomes the worker's number.
        partition_cols: columns whose values name the folders.
        columns: what to store; other keys are left out.
        types: column to type, when the first rows do not tell: ``bool``, ``bytes``,
            ``date``, ``float32``, ``float64``, ``int32``, ``int64``, ``string``,
            ``timestamp``, ``timestamp_utc``.
        append: keep what is there, and add to it.
        row_group_rows: rows of a row group; in a folder, of a flushed batch.
        compression: ``zstd``, ``snappy``, ``gzip``, ``lz4``, ``brotli`` or ``none``.
        max_events: rows to keep as dicts at most, before they become columns.
        flush_every_s: seconds until an appending folder gets its next file.

    Raises:
        SpecError: an argument has a wrong value, pyarrow is missing, or the folder to
            replace holds other files.
        BadRequestError: (from ``do``) the body is no row.
        UnprocessableError: (from ``do``) a row does not fit.
        OSError: (from ``do`` and ``flush``) the file cannot be written.

    State: up to ``row_group_rows`` rows are in memory, a restart loses them and
        leaves the ``.part`` file behind. A swap to other arguments begins anew.
        Several workers need ``{worker}`` in the path, or a folder with ``append``.
        Late events come last.

    Source: https://parquet.apache.org/docs/file-format

    >>> import tempfile
    >>> from jupyter_graph.connectors.files.parquet_source import ParquetSource
    >>> path = tempfile.mkdtemp() + "/out.parquet"
    >>> target = ParquetTarget(path)
    >>> target.do({"user": "ada", "amount": 5})
    {'user': 'ada', 'amount': 5}
    >>> target.close(); list(ParquetSource(path))
    [{'user': 'ada', 'amount': 5}]
    """

    def __init__(
        self,
        path: Where,
        partition_cols: Sequence[str] | None = None,
        *,
        columns: Sequence[str] | None = None,
        types: Mapping[str, str] | None = None,
        append: bool = False,
        row_group_rows: int = 131_072,
        compression: str = "zstd",
        max_events: int = 10_000,
        flush_every_s: float | None = 60.0,
        name: str = "",
        context: Any = None,
    ) -> None:
        needed("pyarrow.parquet", "batch", "ParquetTarget")
        place = place_to_write(path, context)
        super().__init__(place, name, context, max_events, flush_every_s)
        require(isinstance(append, bool), "append must be True or False", append)
        is_rows = is_count(row_group_rows)
        require(is_rows, "row_group_rows must be 1 or more", row_group_rows)
        one_of("compression", compression, _COMPRESSIONS)
        self._group_rows = row_group_rows
        partitions = checked_columns(partition_cols, "partition_cols") or []
        self._schema = GrowingSchema(
            place, checked_columns(columns), arrow_types(types)
        )
        packing = None if compression == "none" else compression
        self._out: ParquetFile | ParquetFolder
        if place.kind in SUFFIXES and not partitions:
            self._out = ParquetFile(place, self._schema, packing, append=append)
        else:
            self._out = ParquetFolder(place, partitions, packing, append=append)
        self._partitions = partitions
        self._tables: list[Any] = []
        self._table_rows = 0

    def _take(self, body: Body) -> list[Any]:
        self._out.open()
        self._schema.begin()
        try:
            return [self._table(body)] if is_frame(body) else self._rows(body)
        except BaseException:
            self._schema.undo()
            raise

    def _table(self, frame: Any) -> Any:
        table = own_copy(frame)
        check_folders(self._partitions, table.column_names, self._where)
        for name in self._partitions:
            for value in _different(table[name]):
                check_folder(name, value, self._where)
        self._schema.check_table(table)
        return table

    def _rows(self, body: Body) -> list[Any]:
        rows = [_without_empty(snapshot(row)) for row in rows_of(body, self._where)]
        for row in rows:
            if self._partitions:
                check_folders(self._partitions, row, self._where)
                for name in self._partitions:
                    check_folder(name, row[name], self._where)
            self._schema.check_row(row)
        return rows

    def _is_full(self) -> bool:
        return super()._is_full() or not isinstance(self._waiting[-1], dict)

    def _write(self, items: list[Any]) -> None:
        tables, refused = self._as_tables(items)
        before = self._tables, self._table_rows
        self._tables = [*self._tables, *tables]
        self._table_rows += sum(table.num_rows for table in tables)
        whole = self._table_rows
        try:
            while self._table_rows >= self._group_rows:
                self._write_group()
        except BaseException:
            # `Buffered` keeps these rows for the next attempt, or takes them back.
            if self._table_rows == whole:
                self._tables, self._table_rows = before
            raise
        if refused:
            raise Refused(refused)

    def _as_tables(self, items: list[Any]) -> tuple[list[Any], dict[int, Exception]]:
        """Turn items to tables of the same columns; note those that cannot be."""
        start, refused = 0, dict[int, Exception]()
        tables: list[Any] = []
        for kind, group in itertools.groupby(items, key=type):
            some = list(group)  # rows, or tables
            if kind is dict:
                tables.append(self._columns_of(some, start, refused))
            else:
                for at, table in enumerate(some, start):
                    try:
                        tables.append(self._schema.cast(table))
                    except UnprocessableError as error:
                        refused[at] = error
            start += len(some)
        return tables, refused

    def _columns_of(
        self, rows: list[Any], start: int, refused: dict[int, Exception]
    ) -> Any:
        """Turn rows to columns; note the rows that cannot be."""
        import pyarrow

        schema = self._schema.fix()
        try:
            return pyarrow.Table.from_pylist(rows, schema=schema)
        except (pyarrow.ArrowException, OverflowError, TypeError, ValueError):
            good = []
            for at, row in enumerate(rows):
                try:
                    pyarrow.Table.from_pylist([row], schema=schema)
                    good.append(row)
                except (
                    pyarrow.ArrowException,
                    OverflowError,
                    TypeError,
                    ValueError,
                ) as error:
                    refused[start + at] = UnprocessableError(f"{error}")
            return pyarrow.Table.from_pylist(good, schema=schema)

    def _write_group(self) -> None:
        """Write the oldest rows, at most a row group of them."""
        import pyarrow

        whole = pyarrow.concat_tables(self._tables)
        self._out.write(whole.slice(0, self._group_rows))
        rest = whole.slice(self._group_rows)
        self._tables = [rest] if rest.num_rows else []
        self._table_rows = rest.num_rows

    def _settle(self, *, end: bool) -> None:
        if self._table_rows and (end or self._out.shows_at_once):
            self._write_group()
        if end:
            self._out.commit()


def _different(column: Any) -> list[Any]:
    """Return the values of an Arrow column, each once; one of lists or structs."""
    import pyarrow

    try:
        return list(column.unique().to_pylist())
    except pyarrow.ArrowNotImplementedError:
        return list(column.slice(0, 1).to_pylist())


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    """Return None for an empty dict: Parquet has no columns without names inside."""
    if dict in map(type, row.values()):
        return {key: None if _is_empty(value) else value for key, value in row.items()}
    return row


def _is_empty(value: Any) -> bool:
    return isinstance(value, dict) and not value
