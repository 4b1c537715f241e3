"""All rows of a table through a graph: what ``Runner.run_batch`` does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import ClosedError, JupyterGraphError
from jupyter_graph.run.batch.batch_options import BatchOptions
from jupyter_graph.run.batch.batch_result import (
    BatchResult,
    Gathered,
    RowError,
    row_error_of,
)
from jupyter_graph.run.batch.calls import Caller, Calls
from jupyter_graph.run.batch.chunk import ChunkRun, plain_label
from jupyter_graph.run.batch.graph_parts import GraphPart, GraphParts
from jupyter_graph.run.batch.progress import Progress
from jupyter_graph.run.batch.row_chunks import FRAME_ROWS, ROWS, Chunk, chunks_of
from jupyter_graph.run.batch.stateful_steps import KeptAnswers, kept_answers

if TYPE_CHECKING:
    from jupyter_graph.run.batch.answer_writer import AnswerWriter
    from jupyter_graph.run.runner import Runner


def run_batch(
    runner: Runner,
    data: Any,
    options: BatchOptions,
    stopped: threading.Event | None = None,
) -> BatchResult:
    """Send all rows of the data through an open runner's graph.

    Args:
        runner: the runner.
        data: the rows.
        options: how.
        stopped: set when nobody waits for the answers any more.
    """
    from jupyter_graph.run.batch.dask_run import is_dask, run_on_dask

    runner._opened()
    if is_dask(data):
        return run_on_dask(runner, data, options)
    with kept_answers(runner) as kept:
        parts = GraphParts(runner.compiled, runner._opened(), runner._function)
        try:
            run = Batch(runner, parts.all, options, kept)
            return run.of(data, stopped or threading.Event())
        finally:
            parts.close()


class Batch:
    """One batch run.

    Args:
        runner: the open runner.
        parts: its graph, cut.
        options: how it is run.
        kept: holds what steps give later.
    """

    def __init__(
        self,
        runner: Runner,
        parts: Sequence[GraphPart],
        options: BatchOptions,
        kept: KeptAnswers | None,
    ) -> None:
        self._runner, self._parts, self._options = runner, parts, options
        self._kept = kept
        self._errors: list[RowError] = []
        self._raises = options.on_error == "raise"
        self._answered = self._count = 0
        self._is_checked = not options.check

    def of(self, data: Any, stopped: threading.Event) -> BatchResult:
        """Run all rows of the data."""
        options, runner = self._options, self._runner
        usual = FRAME_ROWS if self._parts[0].is_vectorized else ROWS
        chunks, total = chunks_of(data, options.batch_rows or usual)
        out = self._output(options.target)
        progress = Progress(options.progress, name=runner.spec.name, total=total)
        last: Any = None
        try:
            with self._caller() as caller:
                for chunk in chunks:
                    if stopped.is_set() or not runner.is_open:
                        raise ClosedError("nobody waits for this batch any more")
                    self._through(chunk, caller, out)
                    last = chunk.labels[-1]
                    progress.add(len(chunk))
                self._take_kept(caller, out, last)
        finally:
            progress.close()
        out.finish()
        return BatchResult(
            count=self._count,
            answered=self._answered,
            errors=self._errors,
            frames=out.frames if isinstance(out, Gathered) else None,
            target=out.name,
        )

    def _output(self, target: Any) -> Gathered | AnswerWriter:
        if target is not None:
            from jupyter_graph.run.batch.answer_writer import AnswerWriter

            return AnswerWriter(target, self._not_written)
        from jupyter_graph.connectors.extras import needed

        needed("pandas", "batch", "run_batch without a target")
        return Gathered()

    def _caller(self) -> Any:
        runner = self._runner
        if runner.compiled.is_async:
            from jupyter_graph.run.batch.async_calls import CallsOnLoop

            return CallsOnLoop(
                runner._tasks_(), in_order=runner.spec.order_by is not None
            )
        return Calls(runner.spec.name, runner.timeout_s)

    def _through(
        self, chunk: Chunk, caller: Caller, out: Gathered | AnswerWriter
    ) -> None:
        passage = ChunkRun(
            chunk, caller, raises=self._raises, is_checked=self._is_checked
        )
        some = passage.through(self._parts)
        self._count += len(chunk)
        self._errors += passage.errors
        if some:
            self._is_checked = True
            self._answered += len(some)
            out.take(passage.labels(some.places), some.bodies)

    def _not_written(self, label: Any, error: JupyterGraphError) -> None:
        if self._raises:
            error.add_note(f"row {plain_label(label)!r} of the data")
            raise error
        self._answered -= 1
        self._errors.append(row_error_of(plain_label(label), error))

    def _take_kept(
        self, caller: Caller, out: Gathered | AnswerWriter, last: Any
    ) -> None:
        """Let what steps kept go on; it belongs to the last row."""
        kept = self._kept
        if kept is None:
            return
        if self._runner.compiled.is_async:
            given = caller.run(lambda _: kept.flush_async(end=True), [None])
        else:
            given = caller.run(lambda _: kept.flush(end=True), [None])
        for error in (*(failure.error for failure in given.failures), *kept.errors):
            if self._raises:
                raise error
            self._errors.append(row_error_of(None, error))
        if kept.answers:
            self._answered += len(kept.answers)
            out.take([last] * len(kept.answers), kept.answers)
