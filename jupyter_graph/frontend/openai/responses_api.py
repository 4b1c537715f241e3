"""Responses: from what a graph gives to what OpenAI's clients read.

Source: https://platform.openai.com/docs/api-reference/responses, and the page
``responses-streaming`` beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jupyter_graph.frontend.openai.deltas import (
    Gathered,
    as_plain,
    deltas_of,
    gather,
    is_message,
)
from jupyter_graph.frontend.openai.openai_errors import error_object
from jupyter_graph.frontend.reply import frame

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


_EMPTY: Final[Mapping[str, Any]] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
}
"""What an output item is when it begins."""


class ResponsesReply:
    """Writes one response, whole or event by event.

    Args:
        request: the request's body.
        event_id: part of the ids of the response and its items.

    >>> response = ResponsesReply({"model": "m"}, "e1").completed("hello")
    >>> response["id"], response["status"], response["output"][0]["content"][0]["text"]
    ('resp_e1', 'completed', 'hello')
    >>> reply = ResponsesReply({"model": "m"}, "e1")
    >>> reply.frames("hi").count("event: "), reply.end().count("event: ")
    (5, 4)
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
        self._message = Gathered()
        self._about: dict[str, Any] = {}
        self._count = 0
        self._given: Mapping[str, Any] | None = None  # a whole response of the graph's
        self._is_own = False  # the graph writes the events itself
        self._has_text = False

    def completed(self, value: Any) -> Any:
        """Return the response of a text, a message, or an object with ``output``."""
        value = as_plain(value)
        if isinstance(value, Mapping) and "output" in value:
            return {**self.head, **value}
        return self.collected(iter([value])) if is_message(value) else value

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
        says = whole["content"] is not None or whole["refusal"] is not None
        items = [self.message_item(_parts(whole))] if says else []
        calls = enumerate(whole.get("tool_calls", ()))
        return items + [self._call_item(*call) for call in calls]

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

    # -- streams ----------------------------------------------------------------

    def frames(self, item: Any) -> str:
        """Return the events of one item; events of the API itself pass as they are."""
        item = as_plain(item)
        if isinstance(item, Mapping) and str(item.get("type")).startswith("response."):
            self._is_own = True  # no closing events of ours after the graph's
            return self._event(str(item["type"]), **item)
        text = "" if self._count else self._opening()
        if isinstance(item, Mapping) and "output" in item:
            self._given = {**self.head, **item}
            return text
        deltas, about = deltas_of(item)
        self._about |= about
        for delta in deltas:
            if delta.index:
                continue  # a response has one message, other choices have no place
            self._message.add(delta)
            content = delta.message.get("content")
            if isinstance(content, str) and content:
                fields = {**self._place(), "delta": content, "logprobs": []}
                text += self._open_text()
                text += self._event("response.output_text.delta", **fields)
        return text

    def end(self) -> str:
        """Return the events that end the message, the calls and the response."""
        if self._is_own:
            return ""
        text = "" if self._count else self._opening()
        response = self._given or self.response(self._message, self._about)
        for position, item in enumerate(response["output"]):
            text += self._item(position, item)
        return text + self._event(f"response.{response['status']}", response=response)

    def failed(self, error: BaseException) -> str:
        """Return the event of a failure after the first one."""
        if not self._count:
            return ""
        failure = error_object(error, self.event_id)
        code = failure["code"] or "server_error"
        about = {"code": code, "message": failure["message"]}
        response = {**self.head, "status": "failed", "error": about, "output": []}
        return self._event("response.failed", response=response)

    def _opening(self) -> str:
        response = {**self.head, "status": "in_progress", "output": [], "usage": None}
        names = ("response.created", "response.in_progress")
        return "".join(self._event(name, response=response) for name in names)

    def _place(self, item: int = 0, part: int = 0) -> dict[str, Any]:
        item_id = f"msg_{self.event_id}"
        return {"item_id": item_id, "output_index": item, "content_index": part}

    def _open_text(self) -> str:
        if self._has_text:
            return ""
        self._has_text = True
        item, part = self.message_item([], "in_progress"), text_part("")
        text = self._output_item("added", 0, item)
        place = self._place()
        return text + self._event("response.content_part.added", **place, part=part)

    def _item(self, position: int, item: Mapping[str, Any]) -> str:
        """Return the events of an output item that have not been sent before."""
        began = self._has_text and not position
        started = {**item, **_EMPTY.get(item["type"], {}), "status": "in_progress"}
        text = "" if began else self._output_item("added", position, started)
        if item["type"] == "message":
            for at, part in enumerate(item["content"]):
                place = {**self._place(position, at), "item_id": item.get("id")}
                text += self._part(part, place, began=began and not at)
        elif item["type"] == "function_call":
            text += self._arguments(position, item)
        return text + self._output_item("done", position, item)

    def _output_item(self, what: str, position: int, item: Mapping[str, Any]) -> str:
        event = f"response.output_item.{what}"
        return self._event(event, output_index=position, item=item)

    def _part(
        self, part: Mapping[str, Any], place: dict[str, Any], *, began: bool
    ) -> str:
        kind, text = str(part["type"]), ""
        is_text = kind == "output_text"
        more: dict[str, Any] = {"logprobs": []} if is_text else {}
        field = "text" if is_text else "refusal"
        value = part.get(field)
        if not began:
            empty = {**part, field: ""}
            text = self._event("response.content_part.added", **place, part=empty)
            text += self._event(f"response.{kind}.delta", **place, delta=value, **more)
        text += self._event(f"response.{kind}.done", **place, **{field: value}, **more)
        return text + self._event("response.content_part.done", **place, part=part)

    def _arguments(self, position: int, item: Mapping[str, Any]) -> str:
        place = {"item_id": item.get("id"), "output_index": position}
        event, arguments = "response.function_call_arguments", item.get("arguments", "")
        text = self._event(f"{event}.delta", **place, delta=arguments)
        done = {**place, "arguments": arguments, "name": item.get("name")}
        return text + self._event(f"{event}.done", **done)

    def _event(self, event: str, **data: Any) -> str:
        number, self._count = self._count, self._count + 1
        return frame({"sequence_number": number, **data, "type": event}, event)


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
