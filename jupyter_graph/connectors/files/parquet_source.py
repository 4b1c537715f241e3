"""Parquet files and folders of them, read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.files.places import Place, Where, place_to_read
from jupyter_graph.connectors.rows import checked_columns
from jupyter_graph.connectors.source_base import ByBatches


class ParquetSource(ByBatches):
    """The rows of a Parquet file or of a folder of them, with flat memory.

    Row groups are read one after the other, in the order of the files' names; the
    parts ``COLUMN=VALUE`` of folders are columns.

    Args:
        where: a path or fsspec URL of a file or a folder.
        columns: the columns to give, by default all.

    Raises:
        SpecError: there is no such file, or pyarrow is missing.
        ValueError: (while reading) a file is no Parquet file.

    Source: https://parquet.apache.org/docs/file-format

    >>> import tempfile
    >>> from jupyter_graph.connectors.files.parquet_target import ParquetTarget
    >>> path = tempfile.mkdtemp() + "/by_user"
    >>> target = ParquetTarget(path, ["user"])
    >>> _ = target.do([{"user": "ada", "amount": 5}, {"user": "bob", "amount": 2}])
    >>> target.close(); list(ParquetSource(path))
    [{'amount': 5, 'user': 'ada'}, {'amount': 2, 'user': 'bob'}]
    """

    def __init__(
        self, where: Where | Place, *, columns: Sequence[str] | None = None
    ) -> None:
        self._arrow = needed("pyarrow", "batch", "ParquetSource")
        self._place = where if isinstance(where, Place) else place_to_read(where)
        self._columns = checked_columns(columns)

    def _record_batches(self, size: int) -> Iterator[Any]:
        is_folder = self._place.is_folder()
        try:
            yield from (self._of_folder if is_folder else self._of_file)(size)
        except self._arrow.ArrowInvalid as error:
            raise ValueError(f"{self} cannot be read as Parquet: {error}") from error

    def _of_file(self, size: int) -> Iterator[Any]:
        from pyarrow import parquet

        with self._place.raw() as file:
            opened = parquet.ParquetFile(file, buffer_size=1 << 20)
            yield from opened.iter_batches(batch_size=size, columns=self._columns)

    def _of_folder(self, size: int) -> Iterator[Any]:
        from pyarrow import dataset

        fs: Any = None
        path: Any = self._place.path
        if path is None:
            fs, path = self._place.file_system()
        whole = dataset.dataset(
            path, filesystem=fs, format="parquet", partitioning="hive"
        )
        yield from whole.scanner(
            columns=self._columns,
            batch_size=size,
            batch_readahead=1,
            fragment_readahead=1,
        ).to_batches()
