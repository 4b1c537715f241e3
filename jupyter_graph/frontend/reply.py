"""How a reply leaves: whole, or event by event (server-sent events)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from typing import Any, Final, Protocol

from jupyter_graph.values.json_form import to_json

EVENTS: Final = "text/event-stream; charset=utf-8"


class Reply(Protocol):
    """Writes the answer to one request of OpenAI's API."""

    def completed(self, value: Any) -> Any:
        """Return the API's object for a graph's result; what is none stays as it is."""

    def collected(self, items: Iterator[Any]) -> Any:
        """Return the API's object for all items of a stream."""

    def frames(self, item: Any) -> str:
        """Return the events of one item; the first brings the opening events too."""

    def end(self) -> str:
        """Return the closing events."""

    def failed(self, error: BaseException) -> str:
        """Return the event that ends a broken stream; "" before the first item."""


def events(items: Generator[Any], reply: Reply) -> Iterator[str]:
    """Yield the server-sent events of a stream.

    What fails before the first item leaves as an error with its status; later, as an
    event, and then the connection ends.
    """
    try:
        with closing(items):
            for item in items:
                if text := reply.frames(item):
                    yield text
        yield reply.end()
    except Exception as error:
        # The status has been sent, so the client learns of the failure by an event; the
        # server still gets the error, for its log and to close the connection.
        if text := reply.failed(error):
            yield text
        raise


async def events_async(items: AsyncGenerator[Any], reply: Reply) -> AsyncIterator[str]:
    """``events`` of an asynchronous stream."""
    try:
        async with aclosing(items):
            async for item in items:
                if text := reply.frames(item):
                    yield text
        yield reply.end()
    except Exception as error:
        if text := reply.failed(error):
            yield text
        raise


async def gathered(items: AsyncGenerator[Any]) -> list[Any]:
    """Read an asynchronous stream to its end."""
    async with aclosing(items):
        return [item async for item in items]


def frame(data: Mapping[str, Any], event: str = "") -> str:
    r"""Return one server-sent event.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html

    >>> frame({"a": 1}), frame({"a": 1}, "response.created")
    ('data: {"a": 1}\n\n', 'event: response.created\ndata: {"a": 1}\n\n')
    """
    text = to_json(data).decode()
    return f"event: {event}\ndata: {text}\n\n" if event else f"data: {text}\n\n"
