"""The events that went through the notebook's graphs: the last thousand."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import MagicError, StepError, did_you_mean, said
from jupyter_graph.run.record import RecordedInput, private_copy
from jupyter_graph.session.shown_table import Table, attributes

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer

LONGEST_RING = 1000
TRACES_KEPT = 50


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

    @property
    def input(self) -> RecordedInput:
        """What entered the graph, for replays and parity checks."""
        facts = {row.name: getattr(self, row.name) for row in fields(RecordedInput)}
        return RecordedInput(**{**facts, "headers": dict(self.headers)})

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
            **request,
        )
        self.append(record)
        if len(self) > TRACES_KEPT:
            self[-TRACES_KEPT - 1].answer = None
        return record

    def of(self, graph: str) -> Table[EventRecord]:
        """Return the records of one graph, oldest first."""
        return Table(
            [record for record in self if record.graph == graph],
            COLUMNS,
            empty="no events yet: %graph run sends one",
        )

    def inputs(self, graph: str) -> list[RecordedInput]:
        """Return what entered a graph as a whole, for parity checks."""
        return [record.input for record in self.of(graph) if record.is_whole]

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
