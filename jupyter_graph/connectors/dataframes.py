"""Frames: rows that come from a DataFrame, and rows collected into one."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.rows import checked_columns, rows_of, snapshot
from jupyter_graph.connectors.source_base import (
    BATCH,
    ByRows,
    check_batches,
    in_kind,
)
from jupyter_graph.errors import SpecError
from jupyter_graph.types import Body
from jupyter_graph.values.dataframe_rows import (
    is_frame,
    pandas_of,
    refuse_same_names,
    rows_of_frame,
    table_of,
    with_index,
)
from jupyter_graph.values.whole_numbers import frame_of_rows, of_one_kind


class DataFrameTarget:
    """Collect rows in memory; ``frame`` gives them as a pandas DataFrame.

    Body in: a dict, a list of dicts or a frame. Body out: the same.

    Args:
        columns: what to keep, in this order; by default every key of every row.
        keep_last: rows to keep at most, the latest ones; None keeps all.

    Raises:
        SpecError: an argument has a wrong value, or pandas is missing.
        BadRequestError: (from ``do``) the body is no row.

    State: all rows are in memory; a restart loses them, each worker has its own, a
        swap to other arguments begins with none. Late events come last.

    >>> target = DataFrameTarget()
    >>> target.do({"user": "ada", "amount": 5})
    {'user': 'ada', 'amount': 5}
    >>> target.frame.to_dict("records")
    [{'user': 'ada', 'amount': 5}]
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        keep_last: int | None = None,
        context: Any = None,
    ) -> None:
        needed("pandas", "batch", "DataFrameTarget")
        is_right = keep_last is None or is_count(keep_last)
        require(is_right, "keep_last must be 1 row or more", keep_last)
        self._columns = checked_columns(columns)
        self._keep_last = keep_last
        self._is_parity = bool(getattr(context, "is_parity", False))
        self._parts: deque[Any] = deque()  # dict rows, and frames
        self._count = 0
        self._lock = threading.Lock()

    def do(self, body: Body) -> Body:
        """Keep the rows of a body and give the body back."""
        if self._is_parity:
            return body
        parts = _parts_of(body)
        with self._lock:
            self._parts.extend(parts)
            self._count += sum(map(_length, parts))
            if self._keep_last is not None:
                self._forget(self._keep_last)
        return body

    def _forget(self, keep: int) -> None:
        while self._parts and self._count - _length(self._parts[0]) >= keep:
            self._count -= _length(self._parts.popleft())

    def __len__(self) -> int:
        return min(self._count, self._keep_last or self._count)

    @property
    def frame(self) -> Any:
        """All rows so far, in the order in which they came, with a new index."""
        import pandas

        with self._lock:
            frames = list(_frames(self._parts))
        frames = of_one_kind(frames or [pandas.DataFrame()])
        whole = pandas.concat(frames, ignore_index=True)
        if self._keep_last is not None:
            whole = whole.tail(self._keep_last).reset_index(drop=True)
        return whole if self._columns is None else whole.reindex(columns=self._columns)

    def flush(self, *, end: bool) -> list[Any]:
        """Do nothing: rows are in the frame at once."""
        return []

    def close(self) -> None:
        """Do nothing: the frame stays."""

    def clear(self) -> None:
        """Forget all rows."""
        with self._lock:
            self._parts.clear()
            self._count = 0


def _parts_of(body: Body) -> list[Any]:
    if not is_frame(body):
        return [snapshot(row) for row in rows_of(body, "DataFrameTarget")]
    frame = with_index(pandas_of(body).copy())
    refuse_same_names(frame.columns)
    return [frame] if len(frame) else []


def _length(part: Any) -> int:
    return 1 if isinstance(part, dict) else len(part)


def _frames(parts: deque[Any]) -> Iterator[Any]:
    """Yield the parts as frames, neighbouring rows together."""
    for kind, some in itertools.groupby(parts, key=type):
        if kind is dict:
            yield frame_of_rows(list(some))
        else:
            yield from some


class DataFrameSource(ByRows):
    """The rows of a frame: pandas', Arrow's, or one that gives Arrow (Polars').

    A pandas index with a name comes as the first columns, one without is left out.

    Args:
        frame: the table.
        columns: the columns to give, by default all.

    Raises:
        SpecError: it is no table, or a column is missing.

    >>> import pandas
    >>> list(DataFrameSource(pandas.DataFrame({"a": [1, 2]})))
    [{'a': 1}, {'a': 2}]
    """

    _place = "the frame"

    def __init__(self, frame: Any, *, columns: Sequence[str] | None = None) -> None:
        needed("pyarrow", "batch", "DataFrameSource")
        if not is_frame(frame):
            raise SpecError(
                f"a DataFrame or an Arrow table was expected, got {type(frame)!r}"
            )
        names = checked_columns(columns)
        if names is not None:
            there = getattr(frame, "column_names", None) or list(frame.columns)
            if missing := [name for name in names if name not in there]:
                raise SpecError(f"the frame has no column {missing[0]!r}, only {there}")
            frame = frame[names] if hasattr(frame, "iloc") else frame.select(names)
        self._frame = frame

    def __len__(self) -> int:
        return len(self._frame)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return rows_of_frame(self._frame)

    def batches(self, size: int = BATCH, *, kind: str = "arrow") -> Iterator[Any]:
        """Return the rows in frames of ``size`` rows, the last one may be shorter."""
        check_batches(size, kind)
        starts = range(0, len(self._frame), size)
        if not hasattr(self._frame, "iloc"):
            table = (table_of(self._frame).slice(start, size) for start in starts)
            return in_kind(_record_batches(table), kind)
        parts = (self._frame.iloc[start : start + size] for start in starts)
        return parts if kind == "pandas" else _record_batches(map(table_of, parts))


def _record_batches(tables: Iterable[Any]) -> Iterator[Any]:
    for table in tables:
        yield from table.combine_chunks().to_batches()
