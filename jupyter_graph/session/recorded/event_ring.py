"""The events that went through the notebook's graphs: the last thousand."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_graph.errors import MagicError, RunError, StepError, did_you_mean, said
from jupyter_graph.run.record import SENT, RecordedInput, came_of, private_copy
from jupyter_graph.session.shown_table import Table, attributes

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.answer.raw_response import RawResponse
    from jupyter_graph.session.recorded.event_lines import RecordedEvent
    from jupyter_graph.spec.model import GraphSpec

LONGEST_RING = 1000
TRACES_KEPT = 50
SMALL_BYTES = 65_536
"""An answer that is as small is kept for every event of the ring."""

REQUEST = ("path", "method", "headers")
"""What an event brings besides its body."""


@dataclass(slots=True)
class EventRecord:
    """One event that went through a graph.

    Attributes:
        event_id: its id.
        time: when it was sent.
        graph: the graph's name.
        step: the step that failed, None when none did.
        body: the body it entered with.
        error: what went wrong, None when nothing did.
        status: the status of the answer.
        attempts: how often it was sent.
        answer: the answer; None for events too old to keep it.
        is_whole: it went through the whole graph, not through a part of it.
        raw: the answer's bytes; None for events too old to keep many of them.
        cell: the number of the cell that sent it.
        runner: a number of the runner that it went through.
        nth: how many events that runner had seen before.
        revision: how often that runner had taken new code.
        outputs: what steps with effects outside gave, where no trace tells it.
    """

    event_id: str
    time: datetime
    graph: str
    body: Any
    path: str = "/"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    step: str | None = None
    error: BaseException | None = None
    status: int = 200
    attempts: int = 1
    answer: Answer | None = None
    is_whole: bool = True
    raw: RawResponse | None = None
    cell: int | None = None
    runner: int = 0
    nth: int = 0
    revision: int = 0
    outputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def input(self, effects: Collection[str] = (), **facts: Any) -> RecordedInput:
        """Return what entered the graph and what came of it, for parity checks.

        Args:
            effects: the steps with effects outside.
            **facts: further fields.
        """
        known = {key: getattr(self, key) for key in SENT}
        came: dict[str, Any] = {"answer": self.raw, "outputs": self.outputs}
        if self.answer is not None and self.answer.trace is not None:
            came = came_of(self.answer, effects)
            came["outputs"] = self.outputs or came["outputs"]
        facts = {**known, "headers": dict(self.headers), **came, **facts}
        return RecordedInput(cell=self.cell, time=self.time, **facts)

    def shrink(self) -> None:
        """Forget what takes memory: the trace, and an answer that is long."""
        self.answer = None
        if self.raw is not None and len(self.raw.payload) > SMALL_BYTES:
            self.raw = None

    def recorded(self, effects: Collection[str] = ()) -> RecordedEvent:
        """Return the event and its answer, for a file.

        Args:
            effects: the steps with effects outside.
        """
        from jupyter_graph.session.recorded.event_lines import RecordedEvent

        return RecordedEvent(
            input=self.input(effects),
            answer=self.raw,
            time=self.time,
            is_whole=self.is_whole,
            step=self.step,
            error=said(self.error) if self.error else None,
        )

    @classmethod
    def of_recorded(cls, graph: str, event: RecordedEvent) -> EventRecord:
        """Return the record of an event that was read from a file."""
        from jupyter_graph.answer.answer import Answer

        facts = {name: getattr(event.input, name) for name in (*SENT, "outputs")}
        own = facts["event_id"] = event.input.event_id or uuid4().hex
        answer = None if event.answer is None else Answer(event.answer, own)
        return cls(
            raw=event.answer,
            time=event.time,
            graph=graph,
            error=RunError(event.error) if event.error else None,
            status=200 if event.answer is None else event.answer.status_code,
            step=event.step,
            answer=answer,
            is_whole=event.is_whole,
            **facts,
        )

    def input_of(self, step: str) -> Any:
        """Return what a step received.

        Raises:
            MagicError: the event did not reach the step, or its input is not kept.
        """
        trace = self.answer.trace if self.answer is not None else None
        for row in trace or ():
            is_kept = row.input.value is not None or row.input.type == "NoneType"
            if row.step == step and is_kept:
                return private_copy(row.input.value)
        raise MagicError(
            f"what step {step!r} received in event {self.event_id} is not kept; "
            "give the body yourself: --with EXPR"
        )


ANSWER_COLUMNS = {
    **attributes("event_id"),
    "status": lambda answer: answer.status_code,
    **attributes("body"),
}
COLUMNS = {
    **attributes("event_id"),
    "time": lambda record: record.time.strftime("%H:%M:%S.%f")[:-3],
    **attributes("status", "step", "body"),
    "error": lambda record: said(record.error) if record.error else None,
}


OPENED_ANEW = "the graph was opened anew since"


def _doubt(record: EventRecord, first: EventRecord) -> str:
    """Return why steps may have kept more than those before it have brought."""
    if first.nth:
        return "steps keep state of events that are not recorded any more"
    if record.revision != first.revision:
        return "steps keep state from before the graph was changed"
    return ""


class Events(deque[EventRecord]):
    """A bounded ring of records, oldest first."""

    def __init__(self) -> None:
        super().__init__(maxlen=LONGEST_RING)

    def add(self, graph: str, body: Any, answer: Answer, **request: Any) -> EventRecord:
        """Remember an event by the body it entered with and its answer."""
        error = answer.error
        record = EventRecord(
            event_id=str(answer.event_id),
            time=datetime.now(UTC),
            graph=graph,
            body=body,
            step=error.step if isinstance(error, StepError) else None,
            error=error,
            status=answer.status_code,
            answer=answer,
            raw=answer.raw,
            **request,
        )
        self._keep(record)
        return record

    def _keep(self, record: EventRecord) -> None:
        self.append(record)
        if len(self) > TRACES_KEPT:
            self[-TRACES_KEPT - 1].shrink()

    def save(self, graph: str, path: Path, effects: Collection[str] = ()) -> int:
        """Write the events of a graph to a file; return how many there are.

        Args:
            graph: the graph's name.
            path: the file.
            effects: the steps with effects outside.

        Raises:
            EventFileError: one of them cannot be written.
            OSError: the file cannot be written.
        """
        from jupyter_graph.session.recorded.event_files import write_events

        return write_events(
            path, [record.recorded(effects) for record in self.of(graph)]
        )

    def load(self, graph: str, path: Path) -> int:
        """Add the events of a file to those of a graph; return how many are new.

        Raises:
            EventFileError: the file cannot be read; nothing of it is added.
        """
        from jupyter_graph.session.recorded.event_files import read_events

        known = {record.event_id for record in self.of(graph)}
        new = [
            event for _, event in read_events(path) if event.input.event_id not in known
        ]
        for event in new[-LONGEST_RING:]:
            self._keep(EventRecord.of_recorded(graph, event))
        return len(new)

    def of(self, graph: str) -> Table[EventRecord]:
        """Return the records of one graph, oldest first."""
        return Table(
            [record for record in self if record.graph == graph],
            COLUMNS,
            empty="no events yet: %graph run sends one",
        )

    def inputs(
        self,
        graph: GraphSpec,
        effects: Collection[str] = (),
        *,
        is_current: bool = True,
    ) -> list[RecordedInput]:
        """Return what entered a graph as a whole and what came of it, oldest first.

        Those before the runner that is open now are not sent again. Of later ones it is
        said where steps kept something that a fresh function does not have.

        Args:
            graph: the graph.
            effects: its steps with effects outside.
            is_current: nothing of it has changed since the last event.
        """
        whole = [record for record in self.of(graph.name) if record.is_whole]
        if not whole:
            return []
        now = whole[-1].runner
        first = next(record for record in whole if record.runner == now)
        keeps_state = any(step.class_name for step in graph.all_steps())
        found = []
        for record in whole:
            doubt = _doubt(record, first) if keeps_state else ""
            if not is_current or record.revision != whole[-1].revision:
                doubt = doubt or "it ran before the graph was changed"
            skip = OPENED_ANEW if record.runner != now else ""
            found.append(record.input(effects, doubt=doubt, skip=skip))
        return found

    def find(self, graph: str, wanted: str = "last") -> EventRecord:
        """Return one record: ``last``, ``-1``, ``-2`` … or an event's id.

        Raises:
            MagicError: there is no such event.
        """
        records = self.of(graph)
        if not records:
            raise MagicError(f"graph {graph!r} has seen no event yet: %graph run …")
        if wanted == "last":
            return records[-1]
        if wanted.startswith("-") and wanted[1:].isdigit():
            if 1 <= int(wanted[1:]) <= len(records):
                return records[int(wanted)]
            raise MagicError(
                f"event {wanted} of graph {graph!r} is not kept: it has {len(records)}"
            )
        matching = [record for record in records if record.event_id == wanted]
        if not matching:
            ids = [record.event_id for record in records]
            raise MagicError(
                f"graph {graph!r} has no event {wanted!r}{did_you_mean(wanted, ids)}; "
                "write last, -2 or an id that %graph events shows"
            )
        return matching[-1]
