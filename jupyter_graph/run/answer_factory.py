"""From the result of an event to its Answer."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from jupyter_graph.answer.answer import Answer
from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import Response, collected, encode, is_stream
from jupyter_graph.errors import AnswerError, JupyterGraphError
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_graph.event import Event
    from jupyter_graph.frontend.interface import Frontend

INFERENCE: Final = "/v2/"
"""Below this path the Open Inference Protocol wants a failure's text as ``error``."""


class AnswerFactory:
    """Makes the answers of one graph.

    Args:
        responds: whether a step of the graph answers.
        mlrun_status: a failed step answers 400 instead of 500.
        front: what stands before the graph; it may put failures into its own form.
    """

    def __init__(
        self, *, responds: bool, mlrun_status: bool, front: Frontend | None = None
    ) -> None:
        self.front = front
        self.responds = responds
        self.mlrun_status = mlrun_status

    def ok(self, value: Any, event: Event, trace: Any, outputs: Any) -> Answer:
        """Return the answer of a result; a stream is left unread."""
        try:
            raw = RawResponse() if is_stream(value) else self._raw(value, event)
        except AnswerError as error:
            return self.failed(error, event, trace)
        return Answer(raw, event.id, value, None, trace, outputs)

    def collected(
        self,
        value: Any,
        event: Event,
        trace: Any,
        outputs: Any,
        *,
        live: bool = False,
    ) -> Answer:
        """Return the answer of a result; a stream is read to its end.

        Args:
            value: the result.
            event: whose result it is.
            trace: its trace.
            outputs: what the last steps returned.
            live: the value itself is wanted, not its bytes. Where a stream breaks
                off, answer with the items so far and the error; one without items has
                failed.
        """
        if not is_stream(value):
            if live and value is not NOTHING:
                raw = RawResponse(status_code=_status_of(value))
                return Answer(raw, event.id, value, None, trace, outputs)
            return self.ok(value, event, trace, outputs)
        items: list[Any] = []
        broken: JupyterGraphError | None = None
        stream = getattr(value, "body", value)

        def read() -> Iterator[Any]:
            nonlocal broken
            try:
                for item in stream:
                    items.append(item)
                    yield item
            except JupyterGraphError as error:
                if not (live and items):
                    raise
                broken = error

        try:
            with closing(stream):  # an item that has no form ends it early
                raw = _unread(value, read()) if live else collected(value, read())
        except JupyterGraphError as error:
            return self.failed(error, event, trace)
        return Answer(raw, event.id, items, None, trace, outputs, True, broken)

    def failed(self, error: JupyterGraphError, event: Event, trace: Any) -> Answer:
        """Return the answer of a failed event."""
        raw = problem(
            error,
            event_id=event.id,
            mlrun_status=self.mlrun_status,
            says_error=event.path.startswith(INFERENCE),
        )
        if self.front is not None:
            raw = self.front.problem(error, event, raw)
        return Answer(raw, event.id, None, error, trace, {})

    def _raw(self, value: Any, event: Event) -> RawResponse:
        if value is not NOTHING:
            return encode(value)
        if self.responds:
            return RawResponse(status_code=204)
        return encode(Response({"id": event.id}, 202))


def _status_of(value: Any) -> int:
    return value.status_code if isinstance(value, Response) else 200


def _unread(value: Any, items: Iterator[Any]) -> RawResponse:
    """Read a stream to its end for its items alone; return its status and headers."""
    for _ in items:
        pass
    response = value if isinstance(value, Response) else Response()
    return RawResponse(
        status_code=response.status_code,
        headers=dict(response.headers),
        content_type=response.content_type or "",
    )
