"""CSV files, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.files.csv_target import checked_delimiter
from jupyter_graph.connectors.files.places import Where, place_to_read
from jupyter_graph.connectors.rows import arrow_types, checked_columns
from jupyter_graph.connectors.source_base import ByBatches, Readable
from jupyter_graph.errors import SpecError

_INFER_BYTES = 1 << 20


class CSVSource(ByBatches):
    r"""The rows of a CSV file, typed, with flat memory.

    The types of the columns come from the first MiB: whole numbers, floats, booleans,
    else text (dates stay text, as in a live event's JSON). An empty cell is None.

    Args:
        where: a path or fsspec URL; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip``
            are unpacked.
        columns: the columns to give, by default all.
        types: column to type, instead of what the first MiB says: ``int64``,
            ``float64``, ``bool``, ``string``, ``timestamp``, ``timestamp_utc`` (with
            an offset), ``date``.
        header: True: the first line names the columns; a list: these are the names,
            and the first line is a row.
        delimiter: one character between the values.

    Raises:
        SpecError: no such file, or an argument has a wrong value.
        ValueError: (while reading) a cell does not fit the type of its column.

    Source: https://arrow.apache.org/docs/python/csv.html

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "in.csv"
    >>> _ = path.write_text("user,amount\nada,5\n")
    >>> list(CSVSource(path))
    [{'user': 'ada', 'amount': 5}]
    """

    def __init__(
        self,
        where: Where | Readable,
        *,
        columns: Sequence[str] | None = None,
        types: Mapping[str, str] | None = None,
        header: bool | Sequence[str] = True,
        delimiter: str = ",",
    ) -> None:
        self._arrow = needed("pyarrow", "batch", "CSVSource")
        self._csv = needed("pyarrow.csv", "batch", "CSVSource")
        self._place = where if isinstance(where, Readable) else place_to_read(where)
        self._columns = checked_columns(columns)
        self._types = arrow_types(types)
        if not isinstance(header, bool):
            header = checked_columns(header, "header") or True
        elif not header:
            raise SpecError(
                "header=False does not say the names of the columns; give them as a "
                "list, header=['a', 'b']"
            )
        self._header = header
        self._delimiter = checked_delimiter(delimiter)

    def _record_batches(self, size: int) -> Iterator[Any]:
        with self._place.reading() as file:
            if not (start := _read_fully(file, _INFER_BYTES)):
                return
            whole = self._arrow.PythonFile(_Again(start, file), "r")
            try:
                yield from self._opened(whole, _INFER_BYTES, self._inferred(start))
            except self._arrow.ArrowInvalid as error:
                raise ValueError(
                    f"{self}: {error}; types={{'COLUMN': 'string'}} says the type "
                    "of a column"
                ) from error

    def _inferred(self, start: bytes) -> dict[str, Any]:
        """Return the type of each column, from the start of the file."""
        is_all = len(start) < _INFER_BYTES
        block = len(start) + 1 if is_all else len(start) * 3 // 4
        try:
            reader = self._opened(self._arrow.BufferReader(start), block, {})
        except self._arrow.ArrowInvalid as error:
            raise ValueError(f"{self} is no CSV file: {error}") from error
        kept = {"int64", "double", "bool"}
        text = self._arrow.string()
        types = {
            field.name: field.type if str(field.type) in kept else text
            for field in reader.schema
        }
        return {**types, **self._types}

    def _opened(self, file: Any, block: int, types: dict[str, Any]) -> Any:
        names = None if self._header is True else self._header
        return self._csv.open_csv(
            file,
            self._csv.ReadOptions(block_size=block, column_names=names),
            self._csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            self._csv.ConvertOptions(
                column_types=types,
                include_columns=self._columns or [],
                null_values=[""],
                strings_can_be_null=True,
            ),
        )


class _Again:
    """The start of a file that was read already, then the rest of it."""

    def __init__(self, start: bytes, rest: Any) -> None:
        self._start = memoryview(start)
        self._rest = rest
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        if not self._start:
            return bytes(self._rest.read(size))
        taken = bytes(self._start[:size] if size >= 0 else self._start)
        self._start = self._start[len(taken) :]
        return taken

    def close(self) -> None:
        self.closed = True


def _read_fully(file: Any, size: int) -> bytes:
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
