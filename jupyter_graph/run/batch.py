"""All rows of a table through a graph: what ``Runner.run_batch`` does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import ClosedError, JupyterGraphError, SpecError
from jupyter_graph.run.batch_calls import Caller, Calls, Items, Pass
from jupyter_graph.run.batch_check import agree
from jupyter_graph.run.batch_columns import through, watched
from jupyter_graph.run.batch_kept import KeptAnswers, kept_answers
from jupyter_graph.run.batch_parts import Part, Parts
from jupyter_graph.run.batch_progress import Progress
from jupyter_graph.run.batch_result import (
    BatchResult,
    Gathered,
    RowError,
    row_error_of,
    together,
)
from jupyter_graph.run.batch_rows import (
    FRAME_ROWS,
    ROWS,
    Chunk,
    bodies_of_frame,
    chunks_of,
    frame_of_bodies,
    is_pandas,
)
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.run.batch_target import Written
    from jupyter_graph.run.runner import Runner


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; see ``Runner.run_batch``.

    Raises:
        SpecError: one of them has a wrong value.
    """

    target: Any = None
    on_error: str = "collect"
    progress: bool | None = None
    batch_rows: int | None = None
    check: bool = False
    meta: Any = None

    def __post_init__(self) -> None:
        if self.on_error not in ("collect", "raise"):
            raise SpecError(
                f"on_error must be 'collect' or 'raise', got {self.on_error!r}"
            )
        rows = self.batch_rows
        is_count = isinstance(rows, int) and not isinstance(rows, bool)
        if rows is not None and (not is_count or rows < 1):
            raise SpecError(f"batch_rows must be 1 row or more, got {rows!r}")
        for name in ("progress", "check"):
            value = getattr(self, name)
            if value not in (True, False) and not (
                name == "progress" and value is None
            ):
                raise SpecError(f"{name} must be True or False, got {value!r}")


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
    from jupyter_graph.run.batch_dask import is_dask, run_on_dask

    runner._opened()
    if is_dask(data):
        return run_on_dask(runner, data, options)
    with kept_answers(runner) as kept:
        parts = Parts(runner.compiled, runner._opened(), runner._function, watched)
        try:
            run = Batch(runner, parts.all, options, kept)
            return run.of(data, stopped or threading.Event())
        finally:
            parts.close()


class Some:
    """Rows of a chunk on their way: where they stand in it, and their bodies."""

    def __init__(self, places: Sequence[int], bodies: Any) -> None:
        self.places = places
        self.bodies = bodies  # a list or a DataFrame

    def __len__(self) -> int:
        return len(self.places)

    def as_list(self) -> list[Any]:
        held = self.bodies
        return bodies_of_frame(held) if is_pandas(held) else held

    def as_frame(self, labels: Any) -> Any:
        held = self.bodies
        return held if is_pandas(held) else frame_of_bodies(held, labels)


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
        parts: Sequence[Part],
        options: BatchOptions,
        kept: KeptAnswers | None,
    ) -> None:
        self._runner, self._parts, self._options = runner, parts, options
        self._kept = kept
        self._errors: list[RowError] = []
        self._in_chunk: list[tuple[int, JupyterGraphError]] = []
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

    def _output(self, target: Any) -> Gathered | Written:
        if target is not None:
            from jupyter_graph.run.batch_target import Written

            return Written(target, self._not_written)
        from jupyter_graph.connectors.extras import needed

        needed("pandas", "batch", "run_batch without a target")
        return Gathered()

    def _caller(self) -> Any:
        runner = self._runner
        if runner.compiled.is_async:
            from jupyter_graph.run.batch_async import CallsOnLoop

            return CallsOnLoop(runner._tasks_())
        return Calls(runner.spec.name, runner.timeout_s)

    # -- one chunk --------------------------------------------------------------

    def _through(self, chunk: Chunk, caller: Caller, out: Gathered | Written) -> None:
        is_frame = self._parts[0].is_vectorized and chunk.has_columns
        held = chunk.frame() if is_frame else chunk.bodies()
        some = Some(range(len(chunk)), held)
        for part in self._parts:
            if not some:
                break
            if part.is_vectorized:
                some = self._columns(part, some, chunk, caller)
            else:
                some = self._rows(part, some, chunk, caller)
        self._count += len(chunk)
        self._note_errors(chunk)
        if some:
            self._take(chunk, some, out)

    def _rows(self, part: Part, some: Some, chunk: Chunk, caller: Caller) -> Some:
        given = caller.run(
            part.function, some.as_list(), streams=part.streams, stops=self._raises
        )
        for failure in given.failures:
            self._failed(some.places[failure.at], failure.error, chunk)
        if given.is_plain:
            return Some(some.places, given.answers)
        return _with_answers(some.places, given)

    def _columns(self, part: Part, some: Some, chunk: Chunk, caller: Caller) -> Some:
        some = self._objects(part, some, chunk)
        if not some:
            return some
        frame = some.as_frame(_labels(chunk, some.places))
        if not self._is_checked:
            agree(part, frame, caller)
        places = some.places

        def failed(at: int, error: JupyterGraphError) -> None:
            self._failed(places[at], error, chunk)

        is_first = part is self._parts[0] and chunk.has_columns
        again = chunk.frame if is_first else None
        came = through(part.function, frame, caller, failed, again=again)
        found = [(at, frame) for at, frame in came if frame is not NOTHING]
        if len(found) == 1 and len(found[0][1]) == len(places):
            return Some(places, found[0][1])
        left = [place for at, it in found for place in places[at : at + len(it)]]
        return Some(left, together([frame for _, frame in found]))

    def _objects(self, part: Part, some: Some, chunk: Chunk) -> Some:
        """Give the rows that can be rows of a frame; the others fail."""
        if is_pandas(some.bodies):
            return some
        from collections.abc import Mapping

        from jupyter_graph.errors import StepError

        wrong = [
            at for at, body in enumerate(some.bodies) if not isinstance(body, Mapping)
        ]
        if not wrong:
            return some
        step = part.names[0]
        for at in wrong:
            kind = type(some.bodies[at]).__name__
            cause = TypeError(f"a vectorised step takes objects of fields, got {kind}")
            self._failed(some.places[at], StepError(step, None, cause), chunk)
        left = [at for at in range(len(some)) if at not in set(wrong)]
        return Some([some.places[at] for at in left], [some.bodies[at] for at in left])

    def _take(self, chunk: Chunk, some: Some, out: Gathered | Written) -> None:
        labels = _labels(chunk, some.places)
        out.take(labels, some.bodies)
        self._answered += len(some)
        self._is_checked = True

    # -- what fails -------------------------------------------------------------

    def _failed(self, place: int, error: JupyterGraphError, chunk: Chunk) -> None:
        if self._raises:
            error.add_note(f"row {_plain(chunk.labels[place])!r} of the data")
            raise error
        self._in_chunk.append((place, error))

    def _note_errors(self, chunk: Chunk) -> None:
        self._in_chunk.sort(key=lambda pair: pair[0])
        self._errors += [
            row_error_of(_plain(chunk.labels[place]), error)
            for place, error in self._in_chunk
        ]
        self._in_chunk.clear()

    def _not_written(self, label: Any, error: JupyterGraphError) -> None:
        if self._raises:
            raise error
        self._answered -= 1
        self._errors.append(row_error_of(_plain(label), error))

    # -- what steps kept --------------------------------------------------------

    def _take_kept(self, caller: Caller, out: Gathered | Written, last: Any) -> None:
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
            some = Some(range(len(kept.answers)), kept.answers)
            self._take(Chunk([last] * len(some), kept.answers), some, out)


def _with_answers(places: Sequence[int], given: Pass) -> Some:
    """Give the rows that have an answer, once for each answer."""
    left: list[int] = []
    answers: list[Any] = []
    for place, found in zip(places, given.answers, strict=False):
        if type(found) is Items:
            left += [place] * len(found)
            answers += found
        elif found is not NOTHING:
            left.append(place)
            answers.append(found)
    return Some(left, answers)


def _labels(chunk: Chunk, places: Sequence[int]) -> Any:
    labels = chunk.labels
    if len(places) == len(labels) and isinstance(places, range):
        return labels
    if hasattr(labels, "take"):
        return labels.take(list(places))
    return [labels[place] for place in places]


def _plain(label: Any) -> Any:
    """Give Python's own number for one of numpy's."""
    return label.item() if hasattr(label, "item") else label
