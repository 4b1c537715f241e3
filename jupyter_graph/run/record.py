"""What is kept of an event that came in, so that it can be run again."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jupyter_graph.event import Event

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.answer.raw_response import RawResponse
    from jupyter_graph.run.runner import Runner


SENT: Final = ("body", "path", "method", "headers", "content_type", "event_id")
"""What comes with an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInput:
    """One event as its caller sent it, and what came of it; the body is a copy.

    Attributes:
        answer: its answer, None where that is not kept.
        outputs: what steps with effects outside got, as short texts, and gave, by step.
        rows: step and result, as a short text, of each call of a step.
        cell: the number of the cell that sent it.
        time: when it ran, with a zone.
        doubt: why a fresh function may rightly answer otherwise.
        skip: why it cannot be sent again at all.

    >>> RecordedInput.of({"a": 1}).event().body
    {'a': 1}
    """

    body: Any = None
    path: str = "/"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    event_id: str | None = None
    answer: RawResponse | None = None
    outputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: Sequence[tuple[str, str]] = ()
    cell: int | None = None
    time: datetime | None = None
    doubt: str = ""
    skip: str = ""

    @classmethod
    def of(cls, body: Any, **facts: Any) -> RecordedInput:
        """Keep a copy of a body; one that cannot be copied is kept itself."""
        return cls(body=private_copy(body), **facts)

    @classmethod
    def ran(cls, runner: Runner, body: Any, **facts: Any) -> RecordedInput:
        """Run one event, whether it fails or not, and keep it with its answer.

        Args:
            runner: an open runner.
            body: what the first steps get.
            **facts: path, method, headers, event_id, content_type as of ``answer``.
        """
        kept = cls.of(body, **facts)
        answer = runner.answer(body, silent=True, traced=True, **facts)
        facts = {"event_id": answer.event_id, "time": datetime.now(UTC)}
        return replace(kept, **came_of(answer), **facts)

    def event(self) -> Event:
        """Return a fresh event with the same content."""
        return Event.of_request(
            private_copy(self.body),
            path=self.path,
            method=self.method,
            headers=self.headers,
            content_type=self.content_type,
            id=self.event_id,
        )


def came_of(answer: Answer, effects: Collection[str] = ()) -> dict[str, Any]:
    """Return what is kept of an answer: fields of a ``RecordedInput``.

    Args:
        answer: the answer, traced perhaps.
        effects: the steps with effects outside.
    """
    rows = [row for row in answer.trace or () if row.output is not None or row.error]
    outputs: dict[str, list[Any]] = {}
    for row in rows:
        output = row.output
        if row.step in effects and output is not None:
            is_kept = output.value is not None or output.type == "NoneType"
            pair = (row.input.text, output.value)
            outputs.setdefault(row.step, []).extend([pair] if is_kept else [])
    return {
        "answer": answer.raw,
        "outputs": outputs,
        "rows": tuple((row.step, row.error or str(row.output)) for row in rows),
    }


def private_copy(body: Any) -> Any:
    """Return a copy that steps cannot change; the object itself when it has none."""
    try:
        return copy.deepcopy(body)
    except Exception:
        return body
