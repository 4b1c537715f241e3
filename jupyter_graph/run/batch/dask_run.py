"""Batch runs on Dask: the same graph in every worker, over each partition."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from jupyter_graph.connectors.extras import needed
from jupyter_graph.errors import RunError, SpecError
from jupyter_graph.run.batch.batch_options import BatchOptions
from jupyter_graph.run.batch.batch_result import BatchResult, RowError
from jupyter_graph.run.batch.dask_payload import DaskPayload, MakeRunner
from jupyter_graph.run.lifecycle import GraphInstance

SAMPLE = 5


def is_dask(data: Any) -> bool:
    """Tell whether it is a DataFrame of Dask's, without importing Dask."""
    is_theirs = type(data).__module__.partition(".")[0].startswith("dask")
    return is_theirs and hasattr(data, "map_partitions") and hasattr(data, "columns")


class DaskBatch(BatchResult):
    """The answers of a Dask DataFrame; nothing runs before somebody asks.

    ``frame`` is a lazy Dask DataFrame; ``compute()`` returns a ``BatchResult`` with its
    failures. ``count``, ``answered`` and ``errors`` compute, once.

    Args:
        data: the Dask DataFrame.
        payload: the graph as the workers get it.
        meta: a frame with the columns of the answers.
    """

    def __init__(self, data: Any, payload: DaskPayload, meta: Any) -> None:
        self._data, self._payload, self._meta = data, payload, meta
        self._computed: BatchResult | None = None
        self.target = None

    @property
    def frame(self) -> Any:
        """The answers as a lazy Dask DataFrame."""
        answers = functools.partial(_answers, self._payload, self._meta)
        return self._data.map_partitions(
            answers, meta=self._meta, enforce_metadata=False
        )

    def compute(self, **options: Any) -> BatchResult:
        """Run all partitions and return their answers and failures.

        Args:
            **options: those of ``dask.compute``, such as ``scheduler="processes"``.
        """
        dask = needed("dask", "dask", "run_batch of a Dask DataFrame")
        run = dask.delayed(self._payload, pure=False, traverse=False)
        parts = dask.compute(*map(run, self._data.to_delayed()), **options)
        frames = [part.frame for part in parts if part.answered]
        self._computed = BatchResult(
            count=sum(part.count for part in parts),
            answered=sum(part.answered for part in parts),
            errors=[error for part in parts for error in part.errors],
            row_by_row=parts[0].row_by_row if parts else (),
            frames=frames or [self._meta],
        )
        return self._computed

    @property
    def _whole(self) -> BatchResult:
        return self.compute() if self._computed is None else self._computed

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many rows there are; computes."""
        return self._whole.count

    @property
    def answered(self) -> int:  # type: ignore[override]
        """How many answers there are; computes."""
        return self._whole.answered

    @property
    def errors(self) -> list[RowError]:  # type: ignore[override]
        """The rows that failed; computes."""
        return self._whole.errors

    @property
    def row_by_row(self) -> tuple[str, ...]:  # type: ignore[override]
        """The vectorised steps that got one row at a time; computes."""
        return self._whole.row_by_row

    def __repr__(self) -> str:
        parts = self._data.npartitions
        return f"<batch of a Dask DataFrame: {parts} partitions, run when asked>"


def run_on_dask(
    instance: GraphInstance, data: Any, options: BatchOptions, make_runner: MakeRunner
) -> DaskBatch:
    """Return the answers of a Dask DataFrame, not run yet.

    Raises:
        SpecError: there is a target, or the columns of the answers are not known.
    """
    if options.target is not None:
        raise SpecError(
            "a batch of a Dask DataFrame takes no target; write its answers with "
            "run_batch(data).frame.to_parquet(...)"
        )
    needed("dask", "dask", "run_batch of a Dask DataFrame")
    payload = DaskPayload.of(instance, options, make_runner)
    meta = options.meta if options.meta is not None else _meta(payload, data)
    return DaskBatch(data, payload, meta.iloc[:0])


def _meta(payload: DaskPayload, data: Any) -> Any:
    """Run a few rows, with nothing written, to see which columns come out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer rows there than asked for
        rows = data.head(SAMPLE)
        rows = rows if len(rows) else data.head(SAMPLE, npartitions=-1)
    sample = payload.tried(rows)
    if not sample.answered:
        why = f": {sample.errors[0].error}" if sample.errors else ""
        raise SpecError(
            "the first rows gave no answer, so the columns of the answers are not "
            f"known; name them with meta=, an empty DataFrame{why}"
        )
    return sample.frame


def _answers(payload: DaskPayload, meta: Any, part: Any) -> Any:
    """Return the answers of a partition, with the columns that Dask expects."""
    result = payload(part)
    if not result.answered:
        return meta
    frame = result.frame
    extra = [name for name in frame.columns if name not in meta.columns]
    if extra:
        raise RunError(
            f"a partition has the column {extra[0]!r} in its answers, which the first "
            f"rows had not ({list(meta.columns)}); name all columns with meta="
        )
    return frame.reindex(columns=meta.columns)
