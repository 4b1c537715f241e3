"""What both steps of language models share: prompt, server, count of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.client import HttpClient, connections_of
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryPolicy
from jupyter_graph.http_client.secrets import no_value, read_secret
from jupyter_graph.http_client.urls import plain_url
from jupyter_graph.steps.llm.chat import ChatServer
from jupyter_graph.steps.llm.chat_request import Prompt, request_fields
from jupyter_graph.steps.llm.token_usage import Usage

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"


class Chat:
    """Asks a chat model; what the steps of language models are made of."""

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
        self.name = name
        self.usage = Usage()
        self._prompt = Prompt(prompt, system)
        self.fields = request_fields(
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            response_format=response_format,
            tools=tools,
            tool_choice=tool_choice,
            options=options,
        )
        self._context = context
        self.is_cut_off = bool(getattr(context, "is_parity", False))
        url = f"{str(base_url).rstrip('/')}/chat/completions"
        self._client = HttpClient(
            _rules(url, allow_hosts, context),
            connections=connections_of(max_in_flight),
            verify=verify,
        )
        key = None if self.is_cut_off else _key(url, api_key_secret, context)
        patience = RetryPolicy(retries, backoff_factor, timeout)
        self.server = ChatServer(
            self._client, patience, url, api_key=key, note=self._note
        )

    def asked(self, body: Any) -> dict[str, Any]:
        return {**self.fields, "messages": self._prompt.messages(body)}

    def _note(self, text: str) -> None:
        if self._context is not None:
            self._context.logger.warning(f"step {self.name!r}: {text}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _rules(url: str, allow_hosts: Iterable[str], context: Any) -> HostRules:
    allow_local = not getattr(context, "is_deployed", False)
    try:
        host = plain_url(url).raw_host or ""
        rules = HostRules(allow_hosts, allow_local=allow_local, own_host=host.lower())
        rules.check_url(url)
    except AccessDeniedError as error:
        raise SpecError(f"base_url: {error}") from None
    return rules


def _key(url: str, name: str | None, context: Any) -> str | None:
    """Return the key of a server; OpenAI's goes to nobody else unless it is named."""
    if name is None:
        if not url.startswith(f"{OPENAI}/"):
            return None
        name = OPENAI_KEY
    if not isinstance(name, str) or not name.isidentifier():
        raise SpecError(
            "api_key_secret takes the name of a secret, such as 'OPENAI_API_KEY', "
            "never the key itself"
        )
    found = read_secret(context, name)
    if found is None:
        raise SpecError(no_value([name]))
    if not found.isascii() or not found.isprintable():
        raise SpecError(f"secret {name} holds a line break or another odd character")
    return found
