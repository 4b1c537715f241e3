"""The base of the steps of language models: prompt, server, count of tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from jupyter_graph.argument_checks import is_count, is_real, require
from jupyter_graph.errors import SpecError
from jupyter_graph.http_client.retry import RetryPolicy
from jupyter_graph.http_client.secrets import no_value, read_secret
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.llm.chat import ChatStep
from jupyter_graph.steps.llm.prompts import Prompt
from jupyter_graph.steps.remote.http_step import HttpStep

OPENAI = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")

OWN = ("messages", "model", "stream")
"""Fields of a request that ``options`` may not set."""

FORMATS: Mapping[str, Mapping[str, Any] | None] = {
    "text": None,
    "json": {"type": "json_object"},
}


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


class Chat(ChatStep):
    """Asks a chat model; the base of the steps of language models."""

    @takes_arguments_of(HttpStep, without=("url", "argument"), name="llm")
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
        **http: Any,
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
        policy = RetryPolicy(retries, backoff_factor, timeout)
        super().__init__(base_url, policy, **http)
        if not self.is_cut_off:
            self._key = _key(self._url, api_key_secret, self._context)

    def request(self, body: Any) -> dict[str, Any]:
        """Return the chat request for a body."""
        return {**self.fields, "messages": self._prompt.messages(body)}


def request_fields(
    given: Mapping[str, Any], options: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the fields that all requests of a step have.

    Args:
        given: those that are arguments of the step, None for what is not said.
        options: further ones.

    Raises:
        SpecError: one has a wrong value.
    """
    model, tools = given["model"], given["tools"]
    if not isinstance(model, str) or not model:
        raise SpecError(f"model must be the name of a model, got {model!r}")
    temperature, max_tokens = given["temperature"], given["max_tokens"]
    is_number = is_real(temperature) and 0 <= temperature <= 2
    is_right = temperature is None or is_number
    require(is_right, "temperature must be 0 to 2", temperature)
    is_right = max_tokens is None or is_count(max_tokens)
    require(is_right, "max_tokens must be 1 or more", max_tokens)
    if tools is not None and (not isinstance(tools, list | tuple) or not tools):
        raise SpecError(f"tools must be a list of tools, got {tools!r:.80}")
    if given["tool_choice"] is not None and not tools:
        raise SpecError("tool_choice chooses among tools, and there are none")
    if not isinstance(options or {}, Mapping):
        raise SpecError(f"options must be an object, got {options!r:.80}")
    for name in OWN:
        if name in (options or {}):
            raise SpecError(f"options may not hold {name!r}, which the step sets")
    fields = {**given, "response_format": _format(given["response_format"])}
    set_ = {key: value for key, value in fields.items() if value is not None}
    return {**set_, **(options or {})}


def _format(wanted: Any) -> Mapping[str, Any] | None:
    if wanted is None or isinstance(wanted, Mapping):
        return wanted
    if wanted not in FORMATS:
        raise SpecError(
            "response_format must be 'text', 'json' or an object such as "
            f"{{'type': 'json_schema', …}}, got {wanted!r:.80}"
        )
    return FORMATS[wanted]


def wants_json(fields: Mapping[str, Any]) -> bool:
    """Tell whether the fields of a request ask for JSON."""
    kind = (fields.get("response_format") or {}).get("type")
    return kind in ("json_object", "json_schema")


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


class Usage:
    """Counts requests and tokens; safe from several threads.

    >>> usage = Usage()
    >>> usage.add({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
    >>> usage.totals()
    {'requests': 1, 'prompt_tokens': 7, 'completion_tokens': 2, 'total_tokens': 9}
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._tokens = dict.fromkeys(COUNTS, 0)

    def add(self, usage: Any) -> None:
        """Add one request; what the server did not count stays as it is."""
        counted = usage if isinstance(usage, Mapping) else {}
        with self._lock:
            self._requests += 1
            for key in COUNTS:
                value = counted.get(key)
                if isinstance(value, int):
                    self._tokens[key] += value

    def totals(self) -> dict[str, int]:
        """Return the sums so far."""
        with self._lock:
            return {"requests": self._requests, **self._tokens}

    def __repr__(self) -> str:
        return f"Usage({self.totals()})"
