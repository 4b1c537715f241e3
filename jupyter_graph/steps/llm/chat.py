"""The chat completions protocol that OpenAI's and most other servers speak.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import GatewayTimeoutError, StatusError
from jupyter_graph.http_client.client import HttpRequest, read
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.server_events import data_of
from jupyter_graph.http_client.urls import plain_url, shown_url
from jupyter_graph.steps.remote.http_step import HttpStep, excerpt, json_payload

if TYPE_CHECKING:
    from aiohttp import ClientResponse

AGAIN = frozenset((408, 409, 425, 429))
"""Answers below 500 after which another attempt may help."""


class ChatStep(HttpStep):
    """A step that sends chat requests to one server.

    Args:
        base_url: the server's URL up to ``/v1``.
        retries: how often and how long.
        **http: those of ``HttpStep``.
    """

    _key: str | None = None  # sent as a bearer token; never shown

    def __init__(self, base_url: str, retries: RetryPolicy, **http: Any) -> None:
        self._url = f"{str(base_url).rstrip('/')}/chat/completions"
        super().__init__(self._url, argument="base_url: ", **http)
        self._shown = shown_url(plain_url(self._url))
        self._retries = retries

    async def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the server's answer to a request.

        Raises:
            StatusError: 502 or 503, the server failed, refused, or gave no JSON.
            GatewayTimeoutError: 504, it took too long.
        """

        async def once(_: int) -> dict[str, Any]:
            async with self._client.open(self._request(request)) as response:
                payload = await read(response)
                self._check(response, payload)
            return self._object(payload)

        return await self._retries.attempt(once, shown=self._shown, note=self._note)

    async def stream(
        self, request: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the pieces of the server's answer as they come.

        Only the beginning is tried again. ``timeout_s`` holds for the first piece and
        for each further one.

        Raises:
            StatusError: as of ``complete``, or the answer broke off.
        """
        streamed = self._request({**request, "stream": True})
        async with AsyncExitStack() as opened:

            async def once(_: int) -> ClientResponse:
                # kept open beyond this attempt: the pieces are read after it
                response = await opened.enter_async_context(self._client.open(streamed))
                if response.status >= 400:
                    self._check(response, await read(response))
                return response

            response = await self._retries.attempt(
                once, shown=self._shown, note=self._note
            )
            # a connection that breaks off looks like an end; only [DONE] or a
            # finish_reason is one
            is_finished = False
            async for data in data_of(self._chunks(response)):
                if data.strip() == "[DONE]":
                    return
                piece = self._object(data.encode())
                if "error" in piece:
                    raise self._broken(self._message(data.encode()))
                is_finished = is_finished or has_end(piece)
                yield piece
            if not is_finished:
                raise self._broken("the stream ended before the answer")

    def _broken(self, why: str) -> StatusError:
        return StatusError(f"{self._shown} broke off: {why}", status_code=502)

    async def _chunks(self, response: ClientResponse) -> AsyncIterator[bytes]:
        import asyncio

        import aiohttp

        while True:
            try:
                async with asyncio.timeout(self._retries.timeout_s):
                    chunk = await response.content.readany()
            except TimeoutError:
                raise GatewayTimeoutError(
                    f"{self._shown} sent nothing for {self._retries.timeout_s:g} s"
                ) from None
            except (aiohttp.ClientError, OSError) as error:
                raise self._broken(f"{error}") from error
            if not chunk:
                return
            yield chunk

    def _request(self, request: Mapping[str, Any]) -> HttpRequest:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return HttpRequest("POST", self._url, headers, json_payload(request))

    def _check(self, response: ClientResponse, payload: bytes) -> None:
        status = response.status
        if status < 400:
            return
        message = f"{self._shown} answered {status}: {self._message(payload)}"
        is_spent = b"insufficient_quota" in payload  # OpenAI's 429 that stays one
        if (status in AGAIN or status >= 500) and not is_spent:
            raise RetryableError(
                message,
                status_code=503 if status in (429, 503) else 502,
                wait_s=asked_wait_s(response.headers),
            )
        raise StatusError(message, status_code=502)

    def _message(self, payload: bytes) -> str:
        """Return a failed answer's message, without the key, which some repeat."""
        try:
            error = json.loads(payload)["error"]
            text = str(error["message"] if isinstance(error, Mapping) else error)
        except (ValueError, LookupError, TypeError):
            text = payload.decode("utf-8", "replace")
        if self._key:
            text = text.replace(self._key, "***")
        return excerpt(text.encode())

    def _object(self, payload: bytes) -> dict[str, Any]:
        try:
            content = json.loads(payload)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise StatusError(
                f"{self._shown} speaks no chat completions: {self._message(payload)}",
                status_code=502,
            )
        return content


def result_of(answer: Mapping[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Return what matters of an answer.

    Args:
        answer: what the server gave.
        as_json: also give the text read as JSON, as ``data``.

    Raises:
        StatusError: 502, the answer has no choice, or its text should be JSON.

    >>> result_of(
    ...     {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]},
    ...     as_json=False,
    ... )
    {'answer': 'hi', 'usage': {}, 'model': None, 'finish_reason': 'stop'}
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text = message.get("content")
    except (LookupError, TypeError, AttributeError):
        raise StatusError(
            f"the model's answer has no choice: {answer!s:.200}", status_code=502
        ) from None
    result = {
        "answer": text,
        "usage": answer.get("usage") or {},
        "model": answer.get("model"),
        "finish_reason": choice.get("finish_reason"),
    }
    for key in ("tool_calls", "refusal"):
        if message.get(key):
            result[key] = message[key]
    if as_json and text is not None:
        result["data"] = _read_json(text, result["finish_reason"])
    return result


def _read_json(text: str, finish_reason: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        cut = ", it was cut at max_tokens" if finish_reason == "length" else ""
        raise StatusError(
            f"the model's answer is not JSON{cut}: {error}: {text:.200}",
            status_code=502,
        ) from None


def text_of(piece: Mapping[str, Any]) -> str:
    """Return the text in a piece of a streamed answer, "" where there is none.

    >>> text_of({"choices": [{"delta": {"content": "he"}}]}), text_of({"choices": []})
    ('he', '')
    """
    choices = piece.get("choices") or [{}]
    delta = choices[0].get("delta") or {}
    return delta.get("content") or ""


def has_end(piece: Mapping[str, Any]) -> bool:
    """Tell whether a piece of a streamed answer ends it.

    >>> has_end({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    True
    """
    choices = piece.get("choices") or [{}]
    return choices[0].get("finish_reason") is not None
