"""Steps that ask a language model behind an OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Unpack

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.llm.chat import result_of, text_of
from jupyter_graph.steps.llm.chat_base import Chat, ChatArguments, wants_json


class LLM(Chat):
    """Ask a chat model; its whole answer is the next body.

    Body in: whatever the prompt takes its fields from; without a prompt a text, a list
    of messages, or ``{"messages": [...]}``. Body out: ``{"answer": str, "usage":
    {"prompt_tokens": int, "completion_tokens": int, "total_tokens": int}, "model":
    str, "finish_reason": str}``, with ``data`` when JSON was asked for and
    ``tool_calls`` when the model calls tools; with ``result_field`` the body in with
    this in that field. During a parity check nothing is sent and the body goes on as
    it came.

    Args:
        model: the model's name, as the server knows it.
        prompt: a template such as ``Plan {{days}} days in {{city}}``, or a list of
            messages whose texts are templates.
        system: a template for the system's message.
        base_url: the server's URL up to ``/v1``.
        api_key_secret: the name of the secret, or environment variable, that holds the
            key; by default ``OPENAI_API_KEY`` for OpenAI's own server and no key for
            any other.
        result_field: the field of the body that gets the result; by default the result
            is the body.
        temperature: 0 to 2.
        max_tokens: of the answer, 1 or more.
        response_format: ``text``, ``json``, or an object such as a JSON schema's.
        parse_json: read the answer's text as ``data``; by default when
            ``response_format`` asks for JSON.
        tools: tools that the model may call, as the protocol writes them.
        tool_choice: which of them.
        options: further fields of the request, such as ``{"seed": 1}``.
        timeout: seconds of one attempt, above 0.
        retries: attempts after the first, 0 to 100, on 408, 409, 429 and 5xx answers,
            on timeouts, and when the server cannot be reached.
        backoff_factor: seconds before the second attempt, doubled before each further
            one, 120 at most; longer where the server asks for it.
        max_in_flight: connections at once, 1 or more; by default 100.
        allow_hosts: as of ``RemoteStep``.
        verify: check the certificates of https hosts.
        stream: only False is taken; ``LLMStream`` gives the text as it comes.
        name: the step's own name.
        context: the surroundings; None outside a graph.

    Raises:
        SpecError: an argument has a wrong value, or the key's secret has none.
        UnprocessableError: (from ``do``) 422, the body lacks a field of the prompt.
        StatusError: (from ``do``) 502 the server failed or refused the request, or
            gave no JSON; 503 it is too busy.
        GatewayTimeoutError: (from ``do``) 504, it took too long.

    State: open connections; ``usage``, the sums of all tokens so far, in memory: each
    worker has its own, and a restart begins at 0.

    Source: https://platform.openai.com/docs/api-reference/chat

    >>> step = LLM("qwen3", "Greet {{name}}.", base_url="http://localhost:11434/v1")
    >>> step.usage.totals()
    {'requests': 0, 'prompt_tokens': 0, 'completion_tokens': 0, 'total_tokens': 0}
    """

    @takes_arguments_of(Chat)
    def __init__(
        self,
        model: str,
        prompt: str | Sequence[Mapping[str, Any]] | None = None,
        *,
        result_field: str | None = None,
        parse_json: bool | None = None,
        stream: bool = False,
        **chat: Unpack[ChatArguments],
    ) -> None:
        if stream:
            raise SpecError(
                "LLM gives whole answers; with class_name LLMStream the text comes "
                "as it is written"
            )
        super().__init__(model, prompt, **chat)
        self.result_field = result_field
        self._as_json = wants_json(self.fields) if parse_json is None else parse_json

    async def do(self, body: Any) -> Any:
        if self.is_cut_off:
            return body
        request = self.request(body)
        if self.result_field is not None and not isinstance(body, Mapping):
            kind = type(body).__name__
            raise TypeError(f"result_field needs a body that is an object, got {kind}")
        answer = await self.complete(request)
        self.usage.add(answer.get("usage"))
        result = result_of(answer, as_json=self._as_json)
        if self.result_field is None:
            return result
        return {**body, self.result_field: result}


class LLMStream(Chat):
    """Ask a chat model; give its answer's text piece by piece, as it is written.

    Body in: as of ``LLM``. Body out: texts, one for each piece; each goes on by itself.
    During a parity check nothing is sent and nothing is yielded.

    Args:
        model: as of ``LLM``, as are ``prompt``, ``system``, ``base_url``,
            ``api_key_secret``, ``temperature``, ``max_tokens``, ``response_format``,
            ``options``, ``backoff_factor``, ``max_in_flight``, ``allow_hosts``,
            ``verify``, ``name`` and ``context``.
        prompt: as of ``LLM``.
        timeout: seconds until the answer begins, and between two of its pieces.
        retries: attempts after the first, before the answer begins.
        count_tokens: ask the server for the count of tokens, which some do not know.

    Raises:
        SpecError: an argument has a wrong value, or the key's secret has none.
        UnprocessableError, StatusError, GatewayTimeoutError: (from ``do``) as of
            ``LLM``; also 502 when the answer breaks off.

    State: as of ``LLM``.

    Source: https://platform.openai.com/docs/api-reference/chat-streaming

    >>> LLMStream("qwen3", base_url="http://localhost:11434/v1").name
    'llm'
    """

    @takes_arguments_of(Chat, without=("tools", "tool_choice"))
    def __init__(
        self,
        model: str,
        prompt: str | Sequence[Mapping[str, Any]] | None = None,
        *,
        count_tokens: bool = True,
        **chat: Unpack[ChatArguments],
    ) -> None:
        super().__init__(model, prompt, **chat)
        if count_tokens:
            self.fields.setdefault("stream_options", {"include_usage": True})

    async def do(self, body: Any) -> AsyncGenerator[str, None]:
        if self.is_cut_off:
            return
        usage: Any = None
        async with aclosing(self.stream(self.request(body))) as pieces:
            async for piece in pieces:
                usage = piece.get("usage") or usage
                if text := text_of(piece):
                    yield text
        self.usage.add(usage)
