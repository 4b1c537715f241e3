"""Responses as a stream of events.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.frontend.openai.deltas import Gathered, as_plain, deltas_of
from jupyter_graph.frontend.openai.openai_errors import error_object
from jupyter_graph.frontend.openai.responses_api import ResponseObject, text_part
from jupyter_graph.frontend.reply import frame

_EMPTY: Final[Mapping[str, Any]] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
}
"""What an output item is when it begins."""


class ResponsesReply(ResponseObject):
    """Writes one response, whole or event by event.

    Args:
        request: the request's body.
        event_id: part of the ids of the response and its items.

    >>> reply = ResponsesReply({"model": "m"}, "e1")
    >>> reply.frames("hi").count("event: "), reply.end().count("event: ")
    (5, 4)
    """

    def __init__(self, request: Mapping[str, Any], event_id: str) -> None:
        super().__init__(request, event_id)
        self._message = Gathered()
        self._about: dict[str, Any] = {}
        self._count = 0
        self._given: Mapping[str, Any] | None = None  # a whole response of the graph's
        self._is_own = False  # the graph writes the events itself
        self._has_text = False

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
        event = f"response.{response['status']}"
        return text + self._event(event, response=response)

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
        text = self._event("response.output_item.added", output_index=0, item=item)
        place = self._place()
        return text + self._event("response.content_part.added", **place, part=part)

    def _item(self, position: int, item: Mapping[str, Any]) -> str:
        """Return the events of an output item that have not been sent before."""
        began = self._has_text and not position
        text = ""
        if not began:
            started = {**item, **_EMPTY.get(item["type"], {}), "status": "in_progress"}
            text = self._event(
                "response.output_item.added", output_index=position, item=started
            )
        if item["type"] == "message":
            for at, part in enumerate(item["content"]):
                place = {**self._place(position, at), "item_id": item.get("id")}
                text += self._part(part, place, began=began and not at)
        elif item["type"] == "function_call":
            text += self._arguments(position, item)
        return text + self._event(
            "response.output_item.done", output_index=position, item=item
        )

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
