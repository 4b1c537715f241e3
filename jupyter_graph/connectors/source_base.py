"""What all sources share: rows one by one, and batches of a stated size."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Protocol, runtime_checkable

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.connectors.extras import needed
from jupyter_graph.errors import SpecError, short
from jupyter_graph.values.whole_numbers import frame_of_arrow

BATCH = 10_000
"""Rows of a batch by default."""
KINDS = ("arrow", "pandas")


@runtime_checkable
class Source(Protocol):
    """Rows, as often as one asks; memory does not grow with their number."""

    def __iter__(self) -> Iterator[Any]:
        """Return the rows, in their order."""

    def batches(self, size: int = BATCH, *, kind: str = "arrow") -> Iterator[Any]:
        """Return the rows in frames of ``size`` rows, the last one may be shorter.

        Args:
            size: rows of a batch, 1 or more.
            kind: ``arrow``: ``pyarrow.RecordBatch``; ``pandas``: ``DataFrame``.
        """


@runtime_checkable
class Readable(Protocol):
    """Something that can be opened to read; ``str`` names it in messages."""

    def reading(self) -> AbstractContextManager[BinaryIO]: ...


class _Batched(ABC):
    _place: Any
    """Where the rows are, as messages show it."""

    def __str__(self) -> str:
        return str(self._place)

    @abstractmethod
    def _record_batches(self, size: int) -> Iterator[Any]:
        """Return record batches of about ``size`` rows."""

    def batches(self, size: int = BATCH, *, kind: str = "arrow") -> Iterator[Any]:
        """Return the rows in frames of ``size`` rows, the last one may be shorter."""
        check_batches(size, kind)
        return in_kind(sized(self._record_batches(size), size), kind)


class ByBatches(_Batched):
    """A source that reads columns; rows are cut from its batches."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._record_batches(BATCH):
            yield from batch.to_pylist()


class ByRows(_Batched):
    """A source that reads rows; batches are put together from them.

    The columns and types of each batch are those of its rows.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """Return the rows, in their order."""

    def _record_batches(self, size: int) -> Iterator[Any]:
        rows = iter(self)
        start = 0
        while some := list(itertools.islice(rows, size)):
            yield batch_of(some, f"{self} from row {start} on")
            start += len(some)


def batch_of(rows: list[Any], where: str) -> Any:
    """Return rows as one ``pyarrow.RecordBatch``, with every key that a row has."""
    arrow = needed("pyarrow", "batch", "batches()")
    names: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            raise TypeError(f"{where}: a batch needs rows that are dicts, got {row!r}")
        names.update(dict.fromkeys(row))
    arrays = []
    for name in names:
        try:
            arrays.append(arrow.array([row.get(name) for row in rows]))
        except arrow.ArrowException as error:
            raise ValueError(
                f"{where}: the values of column {name!r} have no type in common: "
                f"{error}"
            ) from error
    return arrow.RecordBatch.from_arrays(arrays, names=list(map(str, names)))


def sized(batches: Iterable[Any], size: int) -> Iterator[Any]:
    """Cut and join record batches to ``size`` rows each; the last may be shorter."""
    kept: list[Any] = []
    count = 0
    for batch in batches:
        at = 0
        while at < batch.num_rows:
            part = batch.slice(at, size - count)
            at += part.num_rows
            count += part.num_rows
            kept.append(part)
            if count == size:
                yield _joined(kept)
                kept, count = [], 0
    if kept:
        yield _joined(kept)


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    import pyarrow

    [whole] = pyarrow.Table.from_batches(parts).combine_chunks().to_batches()
    return whole


def in_kind(batches: Iterator[Any], kind: str) -> Iterator[Any]:
    """Return record batches as they are, or as pandas frames."""
    if kind == "arrow":
        return batches
    needed("pandas", "batch", "batches(kind='pandas')")
    return map(frame_of_arrow, batches)


def check_batches(size: Any, kind: Any) -> None:
    """Check the arguments of ``batches``.

    Raises:
        SpecError: one of them has a wrong value.
    """
    if not is_count(size):
        raise SpecError(f"size must be 1 row or more, got {short(size)}")
    require(kind in KINDS, f"kind must be one of {', '.join(KINDS)}", kind)
