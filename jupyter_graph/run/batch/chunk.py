"""One chunk of a batch on its way through the parts of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import JupyterGraphError, StepError
from jupyter_graph.event import Event
from jupyter_graph.run.batch.batch_result import RowError, row_error_of, together
from jupyter_graph.run.batch.calls import Caller, Items, Pass
from jupyter_graph.run.batch.columns import through
from jupyter_graph.run.batch.graph_parts import GraphPart
from jupyter_graph.run.batch.row_chunks import (
    Chunk,
    bodies_of_frame,
    frame_of_bodies,
)
from jupyter_graph.run.batch.sample_check import agree
from jupyter_graph.run.batch.vectorised import plain
from jupyter_graph.types import NOTHING
from jupyter_graph.values.dataframe_rows import is_pandas


class Some:
    """Rows that are left: where they stand in their chunk, and their bodies.

    Args:
        places: their numbers in the chunk, from 0; one may come several times.
        bodies: a list or a DataFrame.
    """

    def __init__(self, places: Sequence[int], bodies: Any) -> None:
        self.places = places
        self.bodies = bodies

    def __len__(self) -> int:
        return len(self.places)

    def as_list(self) -> list[Any]:
        held = self.bodies
        return bodies_of_frame(held) if is_pandas(held) else held

    def as_frame(self, labels: Any) -> Any:
        held = self.bodies
        return held if is_pandas(held) else frame_of_bodies(held, labels)


class ChunkRun:
    """Sends one chunk through all parts.

    Args:
        chunk: the rows.
        caller: calls the parts.
        raises: the first failure is raised.
        is_checked: vectorised steps need not be compared with themselves any more.
    """

    def __init__(
        self, chunk: Chunk, caller: Caller, *, raises: bool, is_checked: bool
    ) -> None:
        self._chunk, self._caller = chunk, caller
        self._raises, self._is_checked = raises, is_checked
        self._failures: list[tuple[int, JupyterGraphError]] = []
        self._events: dict[int, Event] = {}

    def through(self, parts: Sequence[GraphPart]) -> Some:
        """Return the answers and whose they are."""
        chunk = self._chunk
        is_frame = parts[0].is_vectorized and chunk.has_columns
        held = chunk.frame() if is_frame else chunk.bodies()
        some = Some(range(len(chunk)), held)
        for part in parts:
            if not some:
                break
            if part.is_vectorized:
                # The chunk can make its frame again only before the first part.
                some = self._columns(part, some, is_first=is_frame)
                is_frame = False
            else:
                some = self._rows(part, some)
        return some

    def labels(self, places: Sequence[int]) -> Any:
        """Return the labels of some rows."""
        labels: Any = self._chunk.labels
        if len(places) == len(labels) and isinstance(places, range):
            return labels
        if hasattr(labels, "take"):
            return labels.take(list(places))
        return [labels[place] for place in places]

    @property
    def errors(self) -> list[RowError]:
        """The rows that failed, in their order."""
        self._failures.sort(key=lambda failure: failure[0])
        labels = self._chunk.labels
        return [row_error_of(plain(labels[at]), error) for at, error in self._failures]

    def _rows(self, part: GraphPart, some: Some) -> Some:
        empty = Pass(streams=part.streams, stops=self._raises)
        bodies = some.as_list()
        if part.takes_event:
            bodies = list(map(self._event, some.places, bodies))
        given = self._caller.run(part.function, bodies, empty)
        for failure in given.failures:
            self._failed(some.places[failure.at], failure.error)
        if given.is_plain:
            return Some(some.places, given.answers)
        return _with_answers(some.places, given)

    def _event(self, place: int, body: Any) -> Event:
        """Return the event of a row, with what steps before have set in it."""
        event = self._events.get(place)
        if event is None:
            event = self._events[place] = Event(body)
        event.body = body
        return event

    def _columns(self, part: GraphPart, some: Some, *, is_first: bool) -> Some:
        some = self._objects(part, some)
        if not some:
            return some
        places = some.places
        frame = some.as_frame(self.labels(places))
        if not self._is_checked:
            agree(part, frame, self._caller)
        came = through(
            part.function,
            frame,
            self._caller,
            lambda at, error: self._failed(places[at], error),
            again=self._chunk.frame if is_first else None,
        )
        frames = [(at, frame) for at, frame in came if frame is not NOTHING]
        if len(frames) == 1 and len(frames[0][1]) == len(places):
            return Some(places, frames[0][1])
        left = [place for at, it in frames for place in places[at : at + len(it)]]
        return Some(left, together([frame for _, frame in frames]))

    def _objects(self, part: GraphPart, some: Some) -> Some:
        """Return the rows that can be rows of a frame; the others fail."""
        bodies = some.bodies
        if is_pandas(bodies) or all(isinstance(body, Mapping) for body in bodies):
            return some
        left: list[int] = []
        for at, body in enumerate(bodies):
            if isinstance(body, Mapping):
                left.append(at)
                continue
            kind = type(body).__name__
            cause = TypeError(f"a vectorised step takes objects of fields, got {kind}")
            self._failed(some.places[at], StepError(part.names[0], None, cause))
        return Some([some.places[at] for at in left], [bodies[at] for at in left])

    def _failed(self, place: int, error: JupyterGraphError) -> None:
        if self._raises:
            label = plain(self._chunk.labels[place])
            error.add_note(f"row {label!r} of the data")
            raise error
        self._failures.append((place, error))


def _with_answers(places: Sequence[int], given: Pass) -> Some:
    """Return the rows that have an answer, once for each answer."""
    left: list[int] = []
    answers: list[Any] = []
    for place, answer in zip(places, given.answers, strict=True):
        if type(answer) is Items:
            left += [place] * len(answer)
            answers += answer
        elif answer is not NOTHING:
            left.append(place)
            answers.append(answer)
    return Some(left, answers)
