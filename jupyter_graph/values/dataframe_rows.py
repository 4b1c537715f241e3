"""Tables of pandas and Arrow: what is one, and its rows; neither is imported here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from jupyter_graph.errors import UnprocessableError
from jupyter_graph.values.whole_numbers import frame_of_arrow


def is_frame(value: Any) -> bool:
    """Return whether a value is a table: pandas', Arrow's, or one that gives Arrow.

    >>> is_frame({"a": 1}), is_frame([{"a": 1}])
    (False, False)
    """
    if type(value) is dict:  # nearly every body; the look-ups below cost more
        return False
    return is_pandas(value) or _is_arrow(value)


def is_pandas(value: Any) -> bool:
    """Return whether a value is a pandas DataFrame."""
    if type(value) is dict:
        return False
    # A process that has not imported pandas has no frame of it.
    kind = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return kind is not None and isinstance(value, kind)


def _is_arrow(value: Any) -> bool:
    gives = hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")
    return gives and not _is_column(value)


def _is_column(value: Any) -> bool:
    """Return whether a value that gives Arrow is one column; structs are rows."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(value, arrow.Array | arrow.ChunkedArray):
        return not arrow.types.is_struct(value.type)
    return hasattr(type(value), "dtype")  # Series of pandas 3 and Polars


def name_twice(names: Iterable[Any]) -> Any:
    """Return the first name that comes a second time; None when all differ.

    >>> name_twice(["a", "b", "a"]), name_twice(["a", "b"])
    ('a', None)
    """
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def refuse_same_names(names: Iterable[Any]) -> None:
    """Refuse a table whose rows cannot be dicts.

    Raises:
        UnprocessableError: two columns have one name.
    """
    if (twice := name_twice(names)) is not None:
        raise UnprocessableError(
            f"the table has two columns named {twice!r}; a row can hold one of them"
        )


def has_named_index(frame: Any) -> bool:
    """Return whether the index of a pandas frame has a name, at every level."""
    return all(name is not None for name in frame.index.names)


def with_index(frame: Any) -> Any:
    """Return a pandas frame whose index, where it has a name, comes first as columns.

    Raises:
        UnprocessableError: a column has the name of the index.
    """
    if not has_named_index(frame):
        return frame
    try:
        return frame.reset_index()
    except ValueError as error:
        raise UnprocessableError(f"the index of a frame: {error}") from None


def table_of(frame: Any) -> Any:
    """Return a frame as a ``pyarrow.Table``; an index without a name is left out.

    Raises:
        UnprocessableError: it gives Arrow, but no table.
    """
    import pyarrow

    if is_pandas(frame):
        table = pyarrow.Table.from_pandas(frame, preserve_index=has_named_index(frame))
        return table.replace_schema_metadata(None)
    if isinstance(frame, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([frame])
    if isinstance(frame, pyarrow.Table):
        return frame
    try:
        return pyarrow.table(frame)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        kind = type(frame).__name__
        raise UnprocessableError(f"a {kind} is no table: {error}") from None


def pandas_of(frame: Any) -> Any:
    """Return a frame as pandas' own."""
    return frame if is_pandas(frame) else frame_of_arrow(table_of(frame))


def rows_of_frame(frame: Any, size: int = 10_000) -> Iterator[dict[str, Any]]:
    """Yield the rows of a frame, some thousand at a time in memory.

    An index with a name comes first, one without is left out.

    Raises:
        UnprocessableError: two columns, or a column and the index, have one name.
    """
    if not is_pandas(frame):
        table = table_of(frame)
        refuse_same_names(table.column_names)
        for batch in table.to_batches(max_chunksize=size):
            yield from batch.to_pylist()
        return
    frame = with_index(frame)
    refuse_same_names(frame.columns)
    for start in range(0, len(frame), size):
        yield from frame.iloc[start : start + size].to_dict("records")
