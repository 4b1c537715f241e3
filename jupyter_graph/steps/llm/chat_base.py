"""The base of the steps of language models: prompt, server, count of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from jupyter_graph.errors import SpecError
from jupyter_graph.http_client.retry import RetryPolicy
from jupyter_graph.http_client.secrets import no_value, read_secret
from jupyter_graph.steps.llm.chat import ChatServer
from jupyter_graph.steps.llm.chat_request import Prompt, request_fields
from jupyter_graph.steps.llm.token_usage import Usage
from jupyter_graph.steps.remote.http_step import HttpStep

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"


class ChatArguments(TypedDict, total=False):
    """The arguments that the steps of language models share."""

    system: str | None
    base_url: str
    api_key_secret: str | None
    temperature: float | None
    max_tokens: int | None
    response_format: str | Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]] | None
    tool_choice: str | Mapping[str, Any] | None
    options: Mapping[str, Any] | None
    timeout: float | None
    retries: int
    backoff_factor: float
    max_in_flight: int | None
    allow_hosts: Iterable[str]
    verify: bool
    name: str
    context: Any


class Chat(HttpStep):
    """Asks a chat model; the base of the steps of language models."""

    def __init__(
        self,
        model: str,
        prompt: str | Sequence[Mapping[str, Any]] | None = None,
        *,
        system: str | None = None,
        base_url: str = OPENAI,
        api_key_secret: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        response_format: str | Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        timeout: float | None = 60.0,
        retries: int = 2,
        backoff_factor: float = 1.0,
        max_in_flight: int | None = None,
        allow_hosts: Iterable[str] = (),
        verify: bool = True,
        name: str = "llm",
        context: Any = None,
    ) -> None:
        self.usage = Usage()
        self._prompt = Prompt(prompt, system)
        self.fields = request_fields(
            {
                "model": model,
                "temperature": temperature,
                "max_tokens": max_tokens,
                "response_format": response_format,
                "tools": tools,
                "tool_choice": tool_choice,
            },
            options,
        )
        url = f"{str(base_url).rstrip('/')}/chat/completions"
        super().__init__(
            url,
            max_in_flight=max_in_flight,
            allow_hosts=allow_hosts,
            verify=verify,
            argument="base_url: ",
            name=name,
            context=context,
        )
        self.server = ChatServer(
            self._client,
            RetryPolicy(retries, backoff_factor, timeout),
            url,
            api_key=None if self.is_cut_off else _key(url, api_key_secret, context),
            note=self._note,
        )

    def request(self, body: Any) -> dict[str, Any]:
        """Return the chat request for a body."""
        return {**self.fields, "messages": self._prompt.messages(body)}


def _key(url: str, name: str | None, context: Any) -> str | None:
    """Return the key of a server; OpenAI's goes to no other unless it is named."""
    if name is None:
        # another server must not get OpenAI's key just because it is in the environment
        if not url.startswith(f"{OPENAI}/"):
            return None
        name = OPENAI_KEY
    if not isinstance(name, str) or not name.isidentifier():
        raise SpecError(
            "api_key_secret takes the name of a secret, such as 'OPENAI_API_KEY', "
            "never the key itself"
        )
    key = read_secret(context, name)
    if key is None:
        raise SpecError(no_value([name]))
    if not key.isascii() or not key.isprintable():
        raise SpecError(f"secret {name} holds a line break or another odd character")
    return key
