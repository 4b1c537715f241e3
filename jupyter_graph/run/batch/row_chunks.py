"""The rows of a batch run: read in chunks, as bodies or as a frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.open_source import open_source
from jupyter_graph.connectors.source_base import ByBatches
from jupyter_graph.errors import SpecError
from jupyter_graph.values.dataframe_rows import is_frame, is_pandas, name_twice
from jupyter_graph.values.whole_numbers import (
    exact_columns,
    frame_of_arrow,
    frame_of_rows,
)

ROWS = 8_192
"""Rows of a chunk whose rows go through the graph one by one."""
FRAME_ROWS = 32_768
"""Rows of a chunk that vectorised steps get as a whole."""


class Chunk:
    """Some rows that follow each other, and the label of each.

    Args:
        labels: the rows' labels in the data's index, else their numbers.
        held: a list of bodies, a DataFrame or a ``pyarrow.RecordBatch``.
    """

    def __init__(self, labels: Sequence[Any], held: Any) -> None:
        self.labels = labels
        self._held = held

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_columns(self) -> bool:
        """Whether the rows were read as a frame; ``frame`` is for these alone."""
        return not isinstance(self._held, list)

    def bodies(self) -> list[Any]:
        """Return each row as a body: a dict of plain values."""
        held = self._held
        if isinstance(held, list):
            return held
        if is_pandas(held):
            names = list(held.columns)
            columns = [_plain_values(held.iloc[:, at]) for at in range(len(names))]
        else:
            names = held.schema.names
            columns = [_values(column) for column in held.columns]
        return _dicts(names, columns, len(held))

    def frame(self) -> Any:
        """Return the rows as a DataFrame of its own, the labels as its index."""
        held = self._held
        if is_pandas(held):
            return held.copy()
        frame = frame_of_arrow(held)
        frame.index = index_of(self.labels)
        return frame


def index_of(labels: Any) -> Any:
    """Return labels as a pandas index."""
    import pandas as pd

    if isinstance(labels, range):
        return pd.RangeIndex(labels)
    return labels if isinstance(labels, pd.Index) else pd.Index(labels)


def frame_of_bodies(
    bodies: list[Any], labels: Any, as_row: Callable[[Any], dict[Any, Any]] = dict
) -> Any:
    """Return rows as a DataFrame; a key that one of them has not is missing there.

    Whole numbers stay what they are beside missing values.

    Args:
        bodies: the rows.
        labels: their labels.
        as_row: makes a dict of a row; plain dicts of the same keys need it not.
    """
    import pandas as pd

    columns, index = columns_of(bodies), index_of(labels)
    if columns is None:
        rows = list(map(as_row, bodies))
        columns = columns_of(rows)
        if columns is None:
            return frame_of_rows(rows, index)
    return exact_columns(pd.DataFrame(columns, index), columns)


def bodies_of_frame(frame: Any) -> list[Any]:
    """Return each row of a DataFrame as a dict of plain values."""
    return Chunk(range(len(frame)), frame).bodies()


def columns_of(bodies: list[Any]) -> dict[Any, list[Any]] | None:
    """Return dicts of the same keys by column; None for anything else.

    >>> columns_of([{"a": 1}, {"a": 2}]), columns_of([{"a": 1}, {"b": 2}])
    ({'a': [1, 2]}, None)
    """
    if set(map(type, bodies)) != {dict}:
        return None
    first = bodies[0]
    if set(map(len, bodies)) != {len(first)}:
        return None
    try:
        return {key: [body[key] for body in bodies] for key in first}
    except KeyError:
        return None


def _dicts(names: list[Any], columns: list[list[Any]], count: int) -> list[Any]:
    if not columns:
        return [{} for _ in range(count)]
    # dict(zip(names, values)) takes half as long again: a zip is made for each row
    pairs = map(zip, map(itertools.repeat, names), columns)
    return list(map(dict, zip(*pairs)))  # noqa: B905 - columns are equally long


def _plain_values(series: Any) -> list[Any]:
    """Return a pandas column as plain values; NaT and NA become None, NaN stays."""
    import pandas as pd

    is_extended = isinstance(series.dtype, pd.api.extensions.ExtensionDtype)
    if getattr(series.dtype, "kind", "O") in "biufcO" and not is_extended:
        return series.tolist()  # type: ignore[no-any-return]
    missing = series.isna()
    values: list[Any] = series.astype(object).tolist()
    if not missing.any():
        return values
    return [
        None if is_missing else value
        for value, is_missing in zip(values, missing, strict=True)
    ]


def _values(column: Any) -> list[Any]:
    """Return an Arrow column as plain values; what needs no look at each is faster."""
    import pyarrow.types as of

    kind = column.type
    is_number = of.is_integer(kind) or of.is_boolean(kind)
    is_number = is_number or of.is_float32(kind) or of.is_float64(kind)
    is_text = of.is_string(kind) or of.is_large_string(kind)
    if is_text or (is_number and not column.null_count):
        as_numpy = column.to_numpy(zero_copy_only=False)
        return as_numpy.tolist()  # type: ignore[no-any-return]
    return list(column.to_pylist())


# -- from data to chunks --------------------------------------------------------


def chunks_of(data: Any, size: int) -> tuple[Iterator[Chunk], int | None]:
    """Return the data in chunks of ``size`` rows, and how many rows it has, if known.

    Args:
        data: a DataFrame, a path or URL, a source, or an iterable of bodies.
        size: rows of a chunk, 1 or more.

    Raises:
        SpecError: nothing reads it, there is no such file, or two columns have one
            name; that of a file is told when it is read.
    """
    if is_pandas(data):
        _refuse_same_names(data.columns)
        return _of_pandas(data, size), len(data)
    source = open_source(data)
    is_columnar = isinstance(source, ByBatches) or is_frame(data)
    chunks = _of_batches(source, size) if is_columnar else _of_rows(source, size)
    return chunks, _length(data, source)


def _length(data: Any, source: Any) -> int | None:
    if isinstance(source, ParquetSource) and isinstance(data, str | PathLike):
        from pyarrow import parquet

        path = Path(data)
        return int(parquet.read_metadata(path).num_rows) if path.is_file() else None
    is_countable = hasattr(data, "__len__") and not isinstance(data, str)
    return len(data) if is_countable else None


def _of_pandas(frame: Any, size: int) -> Iterator[Chunk]:
    for start in range(0, len(frame), size):
        part = frame.iloc[start : start + size]
        yield Chunk(part.index, part)


def _of_batches(source: Any, size: int) -> Iterator[Chunk]:
    start = 0
    for batch in source.batches(size):
        _refuse_same_names(batch.schema.names)
        yield Chunk(range(start, start + batch.num_rows), batch)
        start += batch.num_rows


def _refuse_same_names(names: Any) -> None:
    if (twice := name_twice(names)) is not None:
        raise SpecError(
            f"the data has two columns named {twice!r}; rename one of them, a row can "
            "hold only one"
        )


def _of_rows(source: Any, size: int) -> Iterator[Chunk]:
    rows, start = iter(source), 0
    while some := list(itertools.islice(rows, size)):
        yield Chunk(range(start, start + len(some)), some)
        start += len(some)
