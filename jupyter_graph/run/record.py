"""What is kept of an event that came in, so that it can be run again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInput:
    """One event as its caller sent it; the body is a copy of its own.

    >>> RecordedInput.of({"a": 1}).event().body
    {'a': 1}
    """

    body: Any = None
    path: str = "/"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    event_id: str | None = None

    @classmethod
    def of(cls, body: Any, **facts: Any) -> RecordedInput:
        """Keep a copy of a body; one that cannot be copied is kept itself."""
        return cls(body=private_copy(body), **facts)

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


def private_copy(body: Any) -> Any:
    """Return a copy that steps cannot change; the object itself when it has none."""
    try:
        return copy.deepcopy(body)
    except Exception:
        return body
