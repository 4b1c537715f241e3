"""What comes back for one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.trace import Trace
from jupyter_graph.errors import short


@dataclass(slots=True)
class Answer:
    """One event's answer: as the caller of a function gets it, and as it was.

    Attributes:
        raw: bytes, status, content type, headers.
        event_id: the event it answers.
        value: the live object (run in the notebook only).
        error: what failed, None when nothing did.
        trace: what each step took and gave, when the run was traced.
        outputs: each last step's result, when the run was traced.
        is_stream: ``value`` holds the items of a stream.
        stream_error: what broke the stream off, where the items so far were asked for.
        notes: what else is to be known: what failed beside the step that answered, a
            text for each step; an effect that was refused.
    """

    raw: RawResponse
    event_id: str
    value: Any = None
    error: BaseException | None = None
    trace: Trace | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    is_stream: bool = False
    stream_error: BaseException | None = None
    notes: tuple[str, ...] = ()

    @property
    def body(self) -> Any:
        """The decoded answer: what a caller of the deployed function reads."""
        return self.raw.decoded()

    @property
    def payload(self) -> bytes:
        """The answer's bytes."""
        return self.raw.payload

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.raw.status_code

    @property
    def content_type(self) -> str:
        """The answer's content type."""
        return self.raw.content_type

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers, those that frame it left out."""
        return self.raw.headers

    @property
    def is_ok(self) -> bool:
        """Whether the status is below 400."""
        return self.raw.status_code < 400

    def as_response(self) -> dict[str, Any]:
        """Return the keyword arguments of Nuclio's ``context.Response``."""
        return {
            "body": self.raw.payload,
            "status_code": self.raw.status_code,
            "headers": dict(self.raw.headers),
            "content_type": self.raw.content_type,
        }

    def __repr__(self) -> str:
        notes = "".join(f" note: {note}" for note in self.notes)
        return f"<Answer {self.status_code}: {short(self.body, 200)}>{notes}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        import html

        body = short(self.body, 2000)
        colour = "#1a7f37" if self.is_ok else "#cf222e"
        notes = "".join(f"<div>note: {html.escape(note)}</div>" for note in self.notes)
        answer = f'<code style="white-space:pre-wrap">{html.escape(body)}</code>'
        markup = (
            f'<div><b style="color:{colour}">{self.status_code}</b> '
            f"{answer}{notes}</div>"
        )
        lines = [f"{self.status_code}  {body}", *(f"note: {n}" for n in self.notes)]
        return {"text/plain": "\n".join(lines), "text/html": markup}
