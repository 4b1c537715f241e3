"""What a runner calls before and after its graph."""

from __future__ import annotations

from typing import Any, Protocol

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.event import Event


class Exchange(Protocol):
    """One request that was let in, and the answer it is going to get."""

    def leave(self, value: Any, *, whole: bool = False) -> Any:
        """Return the answer for a graph's result; a stream stays a stream.

        Args:
            value: the result.
            whole: a stream that is sent as one answer is read here and now.

        Raises:
            StatusError: the result cannot become the answer.
        """


class Frontend(Protocol):
    """Stands before one graph; safe from several threads."""

    def enter(self, event: Event) -> Exchange:
        """Let an event in; its body becomes what the first steps get.

        Raises:
            StatusError: the request is refused, with its status.
        """

    def problem(
        self, error: BaseException, event: Event, response: RawResponse
    ) -> RawResponse:
        """Return the answer of a failed event from the one it would have had."""


def is_over_http(event: Event) -> bool:
    """Tell whether an event came as a request: one from a queue has no endpoint."""
    return event.trigger is None or event.trigger.kind in ("", "http")
