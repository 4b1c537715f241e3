"""The OpenAI front end: an API handler whose answers OpenAI's clients read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import Response, header_pairs, is_stream
from jupyter_graph.event import Event
from jupyter_graph.frontend.api_handler import (
    ApiExchange,
    ApiFrontend,
    is_response,
    mapped,
    with_body,
)
from jupyter_graph.frontend.body_mappings import FieldMap
from jupyter_graph.frontend.handler_config import ApiHandlerConfig
from jupyter_graph.frontend.interface import Exchange, is_over_http
from jupyter_graph.frontend.openai.chat_completions import ChatReply
from jupyter_graph.frontend.openai.openai_endpoints import (
    CHAT,
    RESPONSES,
    OpenAIOptions,
)
from jupyter_graph.frontend.openai.openai_errors import with_error_object
from jupyter_graph.frontend.openai.responses_api import ResponsesReply
from jupyter_graph.frontend.parameters import MappedBody
from jupyter_graph.frontend.reply import EVENTS, Reply, events, events_async, gathered
from jupyter_graph.values.decode import JSON
from jupyter_graph.values.json_form import to_json

MakeReply: TypeAlias = Callable[[Mapping[str, Any], str], Reply]

_REPLIES: Final[Mapping[str, MakeReply]] = {CHAT: ChatReply, RESPONSES: ResponsesReply}


class OpenAIFrontend(ApiFrontend):
    """A front end with OpenAI's endpoints, and those of an API handler beside them.

    Args:
        options: which of OpenAI's endpoints, and below which path.
        config: further endpoints; OpenAI's go before them where they are the same.

    Raises:
        SpecError: endpoints contradict each other.

    State: none.
    """

    def __init__(
        self, options: OpenAIOptions, config: ApiHandlerConfig | None = None
    ) -> None:
        own = config if config is not None and config.enabled else ApiHandlerConfig()
        table = options.table()
        super().__init__(own.adding(*table))
        self._own = frozenset(endpoint.key for endpoint in table)
        prefix = options.prefix or ""
        self._replies = {
            f"POST:{prefix}{path}": make for path, make in _REPLIES.items()
        }

    def enter(self, event: Event) -> Exchange:
        """Let a request in; errors as of ``ApiFrontend.enter``."""
        if not is_over_http(event):
            return super().enter(event)
        request = event.body
        match = self.admit(event)
        endpoint = match.endpoints[0]
        if endpoint.key in self._own and isinstance(event.body, MappedBody):
            event.body.is_lenient = True  # clients send more than most handlers name
        output = self.maps(match).output
        make = self._replies.get(endpoint.key)
        if make is None or output is None or not isinstance(request, Mapping):
            return ApiExchange(output)
        is_stream = request.get("stream") is True
        return _OpenAIExchange(make(request, event.id), output, is_stream=is_stream)

    def problem(
        self, error: BaseException, event: Event, response: RawResponse
    ) -> RawResponse:
        """Return a problem document that holds OpenAI's error object too."""
        return with_error_object(super().problem(error, event, response), error)


class _OpenAIExchange:
    """One request that a model answers, whole or as a stream."""

    __slots__ = ("_is_stream", "_map", "_reply")

    def __init__(self, reply: Reply, output: FieldMap, *, is_stream: bool) -> None:
        self._reply = reply
        self._map = output
        self._is_stream = is_stream

    def leave(self, value: Any, *, whole: bool = False) -> Any:
        """Return OpenAI's object, or its stream when the request asks for one.

        Raises:
            UnprocessableError: the result has no place in OpenAI's object.
            AnswerError: an item of a stream is no answer of a model.
        """
        if is_response(value):
            if value.status_code >= 300 or (value.content_type and is_stream(value)):
                return value
            left = self.leave(value.body, whole=whole)
            if isinstance(left, Response):  # headers of both, those of the graph win
                pairs = header_pairs(value.headers)
                own = {name.lower() for name, _ in pairs}
                kept = header_pairs(left.headers)
                left.headers = [*(p for p in kept if p[0].lower() not in own), *pairs]
                return left
            return with_body(value, left)
        # Four cases: the graph gave one value or a stream, the client wants one object
        # or events. A stream is read when the answer is sent (``_soon``, ``_late``);
        # ``whole`` is for callers that send no streams.
        if not is_stream(value):
            answer = mapped(self._reply.completed(value), self._map)
            return self._streamed(it for it in [answer]) if self._is_stream else answer
        if self._is_stream:
            return self._streamed(value)
        if inspect.isasyncgen(value):
            return Response(self._late(value), content_type=JSON)
        if whole:
            return self._mapped(value)
        return Response(self._soon(value), content_type=JSON)

    def _streamed(self, items: Any) -> Response:
        encode: Any = events_async if inspect.isasyncgen(items) else events
        headers = {"Cache-Control": "no-cache"}
        return Response(encode(items, self._reply), 200, headers, EVENTS)

    def _mapped(self, items: Iterator[Any]) -> Any:
        return mapped(self._reply.collected(items), self._map)

    def _soon(self, items: Iterator[Any]) -> Iterator[str]:
        """Read a stream when the answer is sent; it is one piece."""
        yield to_json(self._mapped(items)).decode()

    async def _late(self, items: Any) -> Any:
        yield to_json(self._mapped(iter(await gathered(items)))).decode()
