"""All rows of a table through a graph: what ``Runner.run_batch`` does."""

from __future__ import annotations

import threading
from contextlib import closing, nullcontext
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
from jupyter_graph.run.batch.chunk import ChunkRun
from jupyter_graph.run.batch.dask_payload import MakeRunner
from jupyter_graph.run.batch.dask_run import is_dask, run_on_dask
from jupyter_graph.run.batch.graph_parts import GraphParts
from jupyter_graph.run.batch.progress import progress_bar
from jupyter_graph.run.batch.row_chunks import FRAME_ROWS, ROWS, Chunk, chunks_of
from jupyter_graph.run.batch.stateful_steps import BufferedAnswers, buffered_answers
from jupyter_graph.run.batch.vectorised import plain
from jupyter_graph.run.lifecycle import GraphInstance

if TYPE_CHECKING:
    from jupyter_graph.run.batch.answer_writer import AnswerWriter


def run_batch(
    instance: GraphInstance,
    data: Any,
    options: BatchOptions,
    make_runner: MakeRunner,
    stopped: threading.Event | None = None,
) -> BatchResult:
    """Send all rows of the data through an open graph.

    Args:
        instance: the graph.
        data: the rows.
        options: how.
        make_runner: makes a runner of a compiled graph, in a worker of Dask's.
        stopped: set when nobody waits for the answers any more.
    """
    batch = object()
    try:
        instance.batches.add(batch)  # a swap meanwhile closes no step of this one
        dispatcher, steps = instance.dispatcher, instance.steps
        if is_dask(data):
            return run_on_dask(instance, data, options, make_runner)
        with buffered_answers(instance) as buffered:
            function, noted = dispatcher.function, instance.noted
            parts = GraphParts(dispatcher.compiled, steps, function, noted)
            with closing(parts):
                run = Batch(instance, parts, options, buffered)
                return run.of(data, stopped or threading.Event())
    finally:
        instance.batches.discard(batch)


class Batch:
    """One batch run.

    Args:
        instance: the open graph.
        parts: the graph, cut.
        options: how it is run.
        buffered: holds the answers that come of buffered steps.
    """

    def __init__(
        self,
        instance: GraphInstance,
        parts: GraphParts,
        options: BatchOptions,
        buffered: BufferedAnswers | None,
    ) -> None:
        self._instance, self._parts, self._options = instance, parts.all, options
        self._row_by_row = parts.row_by_row
        self._dispatcher, self._buffered = instance.dispatcher, buffered
        self._errors: list[RowError] = []
        self._raises = options.on_error == "raise"
        self._answered = self._count = 0
        self._is_checked = not options.check

    def of(self, data: Any, stopped: threading.Event) -> BatchResult:
        """Run all rows of the data."""
        options, spec = self._options, self._dispatcher.compiled.spec
        usual = FRAME_ROWS if self._parts[0].is_vectorized else ROWS
        chunks, total = chunks_of(data, options.batch_rows or usual)
        out = self._output(options.target)
        progress = progress_bar(options.progress, name=spec.name, total=total)
        last: Any = None
        with progress as bar, self._caller() as caller:
            for chunk in chunks:
                if stopped.is_set() or not self._instance.is_open:
                    raise ClosedError("nobody waits for this batch any more")
                self._through(chunk, caller, out)
                last = chunk.labels[-1]
                if bar is not None:
                    bar.update(len(chunk))
            self._flush(caller, out, last)
        out.finish(self._count)
        return BatchResult(
            count=self._count,
            answered=self._answered,
            errors=self._errors,
            frames=out.frames if isinstance(out, Gathered) else None,
            target=out.name,
            row_by_row=self._row_by_row,
        )

    def _output(self, target: Any) -> Gathered | AnswerWriter:
        if target is not None:
            from jupyter_graph.run.batch.answer_writer import AnswerWriter

            return AnswerWriter(target, self._not_written)
        from jupyter_graph.connectors.extras import needed

        needed("pandas", "batch", "run_batch without a target")
        return Gathered()

    def _caller(self) -> Any:
        dispatcher, spec = self._dispatcher, self._dispatcher.compiled.spec
        if dispatcher.compiled.is_async:
            from jupyter_graph.run.batch.async_calls import CallsOnLoop

            in_order = spec.order_by is not None
            return nullcontext(CallsOnLoop(dispatcher.tasks(), in_order=in_order))
        return Calls(spec.name, dispatcher.timeout_s)

    def _through(
        self, chunk: Chunk, caller: Caller, out: Gathered | AnswerWriter
    ) -> None:
        run = ChunkRun(chunk, caller, raises=self._raises, is_checked=self._is_checked)
        some = run.through(self._parts)
        self._count += len(chunk)
        self._errors += run.errors
        if some:
            self._is_checked = True
            self._answered += len(some)
            out.take(run.labels(some.places), some.bodies)

    def _not_written(self, label: Any, error: JupyterGraphError) -> None:
        if self._raises:
            error.add_note(f"row {plain(label)!r} of the data")
            raise error
        self._answered -= 1
        self._errors.append(row_error_of(plain(label), error))

    def _flush(self, caller: Caller, out: Gathered | AnswerWriter, last: Any) -> None:
        """Flush buffered steps; what comes of it belongs to the last row."""
        held = self._buffered
        if held is None:
            return
        flush = held.flush_async if held.is_async else held.flush
        run = caller.run(lambda _: flush(end=True), [None])
        for error in (*(failure.error for failure in run.failures), *held.errors):
            if self._raises:
                raise error
            self._errors.append(row_error_of(None, error))
        if held.answers:
            self._answered += len(held.answers)
            out.take([last] * len(held.answers), held.answers)
