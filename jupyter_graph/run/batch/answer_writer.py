"""Where the answers of a batch run are written as they come."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from os import PathLike, fspath
from typing import Any

from jupyter_graph.connectors.dataframes import DataFrameTarget
from jupyter_graph.connectors.files.atomic_files import Stage
from jupyter_graph.connectors.files.csv_target import CSVTarget
from jupyter_graph.connectors.files.jsonlines import JSONLinesTarget
from jupyter_graph.connectors.files.line_target import LinesTarget
from jupyter_graph.connectors.files.parquet_files import SUFFIXES
from jupyter_graph.connectors.files.parquet_target import ParquetTarget
from jupyter_graph.connectors.files.places import Place, place_to_write
from jupyter_graph.errors import JupyterGraphError, RunError, SpecError, said, short
from jupyter_graph.run.batch.batch_result import as_row
from jupyter_graph.run.batch.row_chunks import (
    FRAME_ROWS,
    bodies_of_frame,
    columns_of,
)
from jupyter_graph.values.dataframe_rows import is_pandas

LINES = (".json", ".jsonl", ".ndjson")
GROUP_BYTES, MOST_GROUP_ROWS = 48 << 20, 1 << 20
Failed = Callable[[Any, JupyterGraphError], None]


class AnswerWriter:
    """Answers of a run with a target.

    Args:
        target: a path or URL of a ``.parquet``, ``.csv``, ``.tsv``, ``.jsonl`` file or
            of a folder of Parquet files; or a target.
        failed: called with the label of each answer that cannot be written, and why.

    Raises:
        SpecError: nothing writes such a file, or the object is no target.
    """

    def __init__(self, target: Any, failed: Failed) -> None:
        self._failed = failed
        self._place: Place | None = None
        if isinstance(target, str | PathLike):
            self._where = fspath(target)
            self._place = place_to_write(target)
            self._target, self.name = _of_path(target, self._place), str(self._place)
        else:
            self._target, self.name = _checked(target), type(target).__name__
        self._count = 0

    def take(self, labels: Any, answers: Any) -> None:
        """Write the answers of some rows."""
        target = self._target
        if isinstance(target, ParquetTarget):
            if self._place is not None and not self._count:
                target = self._target = _grouped(self._where, answers)
            # As one Arrow table: all of them, or none.
            self._write(lambda some: target.do(_table(some)), labels, answers)
        elif isinstance(target, LinesTarget | DataFrameTarget):
            rows = _listed(answers)
            if not isinstance(target, JSONLinesTarget):
                rows = list(map(as_row, rows))
            self._write(target.do, labels, rows)
        else:
            for label, answer in zip(labels, _listed(answers), strict=True):
                self._write(lambda one: target.do(one[0]), [label], [answer])

    def _write(self, write: Callable[[Any], Any], labels: Any, answers: Any) -> None:
        """Write answers; halves show which cannot be written."""
        try:
            write(answers)
        except Exception as error:
            cause = error.__cause__ or error
            if isinstance(cause, OSError) and not isinstance(cause, JupyterGraphError):
                raise  # the disk is full, the network away: no row's fault
            if len(labels) == 1:
                text = f"the answer cannot be written: {said(error)}"
                self._failed(labels[0], RunError(text))
                return
        else:
            self._count += len(labels)
            return
        half = len(labels) // 2
        for some in (slice(half), slice(half, None)):
            part = answers.iloc[some] if is_pandas(answers) else answers[some]
            self._write(write, labels[some], part)

    def finish(self, rows: int) -> None:
        """Make the file whole.

        Args:
            rows: how many were read. Of some without an answer an empty file is left;
                a run of no rows leaves what an earlier one has written.
        """
        if callable(flush := getattr(self._target, "flush", None)):
            flush(end=True)
        if self._place is None:
            return
        self._target.close()
        is_left = not rows and self._place.exists()
        if not self._count and self._place.kind and not is_left:
            _write_empty(self._place)


def _of_path(path: Any, place: Place) -> Any:
    kind, where = place.kind, fspath(path)
    if kind in SUFFIXES or (not kind and not place.packing):
        return ParquetTarget(where, flush_every_s=None)
    if kind in LINES:
        return JSONLinesTarget(where, flush_every_s=None)
    if kind in (".csv", ".tsv"):
        delimiter = "\t" if kind == ".tsv" else ","
        return CSVTarget(where, delimiter=delimiter, flush_every_s=None)
    known = ", ".join((".csv", ".tsv", *LINES, *SUFFIXES))
    raise SpecError(
        f"target {str(place)!r}: nothing writes {kind or place.packing!r} files "
        f"(known: {known}, and folders of Parquet files)"
    )


def _checked(target: Any) -> Any:
    do = getattr(target, "do", None)
    if not callable(do) or inspect.isclass(target):
        raise SpecError(
            f"a target is a path, a URL or an object with do(body), got {short(target)}"
        )
    if inspect.iscoroutinefunction(do):
        raise SpecError(
            f"the do of target {type(target).__name__} must be a plain function, "
            "not a coroutine"
        )
    return target


def _listed(answers: Any) -> list[Any]:
    if not is_pandas(answers):
        return list(answers)
    is_odd = [str(kind) == "object" for kind in answers.dtypes]
    for name in answers.columns[is_odd]:  # Arrow's lists are arrays in a frame
        if any(hasattr(value, "tolist") for value in answers[name]):
            answers = answers.assign(**{name: answers[name].map(_as_list)})
    return bodies_of_frame(answers)


def _as_list(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _grouped(where: str, answers: Any) -> ParquetTarget:
    """Return the target whose row groups take 48 MiB in memory."""
    bytes_of_row = max(1, _bytes_of(answers) // len(answers))
    rows = min(max(GROUP_BYTES // bytes_of_row, FRAME_ROWS), MOST_GROUP_ROWS)
    return ParquetTarget(
        where, row_group_rows=rows, compression="snappy", flush_every_s=None
    )


def _bytes_of(answers: Any) -> int:
    try:
        return int(_table(answers).nbytes)
    except Exception:
        return GROUP_BYTES  # what cannot be a table fails when it is written


def _table(answers: Any) -> Any:
    import pyarrow

    if is_pandas(answers):
        return pyarrow.Table.from_pandas(answers, preserve_index=False, nthreads=1)
    columns = columns_of(answers)
    if columns is None:
        rows = [as_row(answer) for answer in answers]
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: [row.get(name) for row in rows] for name in names}
    return pyarrow.table({key: _array(values) for key, values in columns.items()})


def _array(values: list[Any]) -> Any:
    """Return a column; empty dicts are None, Parquet has no columns without names."""
    import pyarrow

    column = pyarrow.array(values)
    is_empty = pyarrow.types.is_struct(column.type) and not column.type.num_fields
    return pyarrow.nulls(len(values)) if is_empty else column


def _write_empty(place: Place) -> None:
    """Put a file without rows in its place, so that no older one stands there."""
    stage = Stage(place)
    path = stage.start()
    if place.kind in SUFFIXES:
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({}), path)
    else:
        path.touch()
    stage.commit()
