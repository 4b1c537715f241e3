"""Where the rows of a ParquetTarget go: one file, or a folder of files."""

from __future__ import annotations

import uuid
from collections.abc import Container
from datetime import date, time
from decimal import Decimal
from types import NoneType
from typing import Any
from urllib.parse import quote

from jupyter_graph.connectors.files.atomic_files import Stage, StagedFolder
from jupyter_graph.connectors.files.growing_schema import GrowingSchema
from jupyter_graph.connectors.files.places import Place
from jupyter_graph.errors import SpecError, UnprocessableError, short
from jupyter_graph.values.whole_texts import is_whole

SUFFIXES = (".parquet", ".pq")
"""Of paths that are files; every other path is a folder."""
LONGEST_NAME = 255
"""Bytes that file systems take as the name of a folder."""

_NAMING = (str, int, float, Decimal, date, time, NoneType)


class ParquetFile(Stage):
    """One Parquet file, put in its place when it is whole."""

    shows_at_once = False

    def __init__(
        self,
        place: Place,
        schema: GrowingSchema,
        compression: str | None,
        *,
        append: bool,
    ) -> None:
        if place.path is not None and place.path.is_dir():
            raise SpecError(f"{place} is a folder, a file was expected")
        super().__init__(place, keep=append)
        self._schema = schema
        self._compression = compression
        self._writer: Any = None
        self._is_broken = False

    def open(self) -> None:
        """Take the columns of the file that rows are added to."""
        if self._keeps() and not self._schema.is_fixed:
            from pyarrow import parquet

            with self.place.raw() as old:
                self._schema.take(parquet.read_schema(old))

    def write(self, table: Any) -> None:
        self._check()
        try:
            if self._writer is None:
                self._open_writer(table.schema)
            self._writer.write_table(table)
        except BaseException:
            self._is_broken = True
            raise

    def _check(self) -> None:
        if self._is_broken:
            raise ValueError(
                f"an earlier write to {self.path} failed in its midst, so the file "
                "never becomes whole"
            )

    def _open_writer(self, schema: Any) -> None:
        from pyarrow import parquet

        path = self.start()
        writer = parquet.ParquetWriter(path, schema, compression=self._compression)
        if self._keeps():
            with self.place.raw() as file:
                old = parquet.ParquetFile(file)
                for group in range(old.num_row_groups):
                    writer.write_table(old.read_row_group(group))
        self._writer = writer

    def _keeps(self) -> bool:
        return self._writer is None and self.keep and self.place.exists()

    def commit(self) -> None:
        self._check()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        super().commit()


def check_folders(names: list[str], row: Container[str], where: object) -> None:
    """Refuse a row that lacks a column which names its folder.

    Raises:
        UnprocessableError: the text names the column.
    """
    if missing := [name for name in names if name not in row]:
        raise UnprocessableError(
            f"the row has no {missing[0]!r}, which names its folder in {where}"
        )


def check_folder(name: str, value: Any, where: object) -> None:
    """Refuse a value that can name no folder; None has one of its own.

    Raises:
        UnprocessableError: it is empty, too long, or no text, number or time.
    """
    text = value if isinstance(value, str) else str(value)
    if not isinstance(value, _NAMING) or text == "":
        why = "is empty" if text == "" else f"is a {type(value).__name__}"
    elif not is_whole(text):
        why = "holds half a surrogate pair"
    elif len(f"{name}={quote(text, safe='')}") > LONGEST_NAME:
        why = f"is longer than the {LONGEST_NAME} bytes of a folder's name"
    else:
        return
    raise UnprocessableError(
        f"{name!r} of the row names its folder in {where}, and {short(value)} {why}"
    )


class ParquetFolder(StagedFolder):
    """A folder of Parquet files, each of them whole when it gets its name."""

    def __init__(
        self,
        place: Place,
        partitions: list[str],
        compression: str | None,
        *,
        append: bool,
    ) -> None:
        super().__init__(place, append=append, suffix=".parquet")
        self._partitions = partitions
        self._compression = compression
        self._run = uuid.uuid4().hex[:12]
        self._count = 0

    def open(self) -> None:
        """Do nothing: each file has its own columns."""

    def write(self, table: Any) -> None:
        # The same names again after a failure: what is there of it is written over.
        part = f"part-{self._count:05d}-{self._run}-"
        try:
            self._write(table, part)
            self.file_written()
        except BaseException:
            for file in self.start().rglob(f"{part}*"):
                file.unlink(missing_ok=True)
            raise
        self._count += 1

    def _write(self, table: Any, part: str) -> None:
        import pyarrow
        from pyarrow import dataset

        kinds = [table.schema.field(name) for name in self._partitions]
        dataset.write_dataset(
            table,
            self.start(),
            format="parquet",
            basename_template=f"{part}{{i}}.parquet",
            partitioning=dataset.partitioning(pyarrow.schema(kinds), flavor="hive"),
            file_options=dataset.ParquetFileFormat().make_write_options(
                compression=self._compression
            ),
            existing_data_behavior="overwrite_or_ignore",
            max_partitions=max(1, table.num_rows),
            use_threads=False,  # with threads, chunks of a table may change places
        )
