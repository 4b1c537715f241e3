"""Recorded events as a caller would send them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_graph.deployment.wire_body import arrived, wire_body, wire_change
from jupyter_graph.errors import AnswerError
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.run.recorded_outputs import tagged


@dataclass(frozen=True)
class SentEvent:
    """One recorded event and the message that sends it again.

    Attributes:
        number: which event, from 1.
        record: the event.
        message: what the clean process is asked; None where it cannot be sent.
        why_not: why it cannot be sent.
        change: what callers cannot send as it is, and how it arrives instead.
    """

    number: int
    record: RecordedInput
    message: Mapping[str, Any] | None = None
    why_not: str = ""
    change: str = ""

    @property
    def event_id(self) -> str:
        """The event's id."""
        return self.record.event_id or f"parity-{self.number}"


def sent_events(events: Sequence[RecordedInput]) -> list[SentEvent]:
    """Return the events with their bodies in wire form."""
    return [_sent(number, event) for number, event in enumerate(events, 1)]


def _sent(number: int, event: RecordedInput) -> SentEvent:
    if event.skip:
        return SentEvent(number, event, why_not=event.skip)
    try:
        payload, content_type = wire_body(event.body, event.content_type)
    except AnswerError as error:
        return SentEvent(number, event, why_not=f"its body cannot be sent: {error}")
    message = {
        "payload": base64.b64encode(payload).decode("ascii"),
        "content_type": content_type,
        "path": event.path,
        "method": event.method,
        "headers": dict(event.headers or {}),
        "id": event.event_id or f"parity-{number}",
        "outputs": tagged(event.outputs),
    }
    change = wire_change(event.body, arrived(payload, content_type))
    return SentEvent(number, event, message, change=change)
