"""Responses: from what a graph gives to what OpenAI's clients read.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jupyter_graph.frontend.openai.deltas import (
    Gathered,
    as_plain,
    gather,
    is_message,
)

_ECHOED: Final[Mapping[str, Any]] = {
    "instructions": None,
    "metadata": {},
    "model": None,
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "background": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": None,
    "safety_identifier": None,
    "service_tier": None,
    "store": None,
    "text": None,
    "top_logprobs": None,
    "truncation": None,
}
"""Fields of the request that a response repeats, and their values without one."""

_CUT_SHORT: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why a model stopped early: a completion's word to a response's."""


class ResponseObject:
    """Makes the object of one response.

    Args:
        request: the request's body.
        event_id: part of the ids of the response and its items.

    >>> response = ResponseObject({"model": "m"}, "e1").completed("hello")
    >>> response["id"], response["status"], response["output"][0]["content"][0]["text"]
    ('resp_e1', 'completed', 'hello')
    """

    def __init__(self, request: Mapping[str, Any], event_id: str) -> None:
        self.event_id = event_id
        self.head: dict[str, Any] = {
            "id": f"resp_{event_id}",
            "object": "response",
            "created_at": int(time.time()),
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            **{
                key: default if request.get(key) is None else request[key]
                for key, default in _ECHOED.items()
            },
        }

    def completed(self, value: Any) -> Any:
        """Return the response of a text, a message, or an object with ``output``."""
        value = as_plain(value)
        if isinstance(value, Mapping) and "output" in value:
            return {**self.head, **value}
        if is_message(value):
            return self.collected(iter([value]))
        return value

    def collected(self, items: Iterator[Any]) -> Any:
        """Return the response that all items of a stream make."""
        choices, about = gather(items)
        return self.response(choices.get(0) or Gathered(), about)

    def response(self, message: Gathered, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response whose output is this message."""
        response = {
            **self.head,
            "output": self._output(message),
            "output_text": message.text or None,
            "usage": _usage_of(about.get("usage")),
            "model": about.get("model") or self.head["model"],
            "completed_at": int(time.time()),
        }
        if reason := _CUT_SHORT.get(message.ends):
            response["status"] = "incomplete"
            response["incomplete_details"] = {"reason": reason}
        return response

    def _output(self, message: Gathered) -> list[dict[str, Any]]:
        whole = message.message()
        items = []
        if whole["content"] is not None or whole["refusal"] is not None:
            items.append(self.message_item(_parts(whole)))
        for position, call in enumerate(whole.get("tool_calls", ())):
            items.append(self._call_item(position, call))
        return items

    def message_item(self, parts: list[Any], status: str = "completed") -> Any:
        """Return the output item of a message."""
        return {
            "id": f"msg_{self.event_id}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": parts,
        }

    def _call_item(self, position: int, call: Mapping[str, Any]) -> dict[str, Any]:
        function = call["function"]
        return {
            "id": f"fc_{self.event_id}_{position}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.get("id") or f"call_{self.event_id}_{position}",
            "name": function.get("name"),
            "arguments": function.get("arguments", ""),
        }


def text_part(text: str) -> dict[str, Any]:
    """Return the part of a message that is text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _parts(message: Mapping[str, Any]) -> list[Any]:
    if message["refusal"] is not None:
        return [{"type": "refusal", "refusal": message["refusal"]}]
    content = message["content"]
    return [text_part(content)] if isinstance(content, str) else list(content)


def _usage_of(given: Any) -> Any:
    """Return a response's usage; a chat's is translated, None stays None.

    >>> _usage_of({"prompt_tokens": 3, "completion_tokens": 4})["total_tokens"]
    7
    """
    given = as_plain(given)
    if not isinstance(given, Mapping):
        return None
    taken = given.get("input_tokens", given.get("prompt_tokens")) or 0
    gave = given.get("output_tokens", given.get("completion_tokens")) or 0
    return {
        "input_tokens": taken,
        "input_tokens_details": given.get("input_tokens_details")
        or {"cached_tokens": 0},
        "output_tokens": gave,
        "output_tokens_details": given.get("output_tokens_details")
        or {"reasoning_tokens": 0},
        "total_tokens": given.get("total_tokens") or taken + gave,
    }
