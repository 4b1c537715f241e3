"""Chat completions: from what a graph gives to what OpenAI's clients read.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jupyter_graph.frontend.openai.deltas import (
    Delta,
    Gathered,
    as_plain,
    deltas_of,
    gather,
    is_message,
)
from jupyter_graph.frontend.openai.openai_errors import error_object
from jupyter_graph.frontend.reply import frame

_DONE: Final = "data: [DONE]\n\n"


class ChatReply:
    """Writes one chat completion.

    Args:
        request: the request's body.
        event_id: part of the completion's id.

    >>> reply = ChatReply({"model": "m"}, "e1")
    >>> completion = reply.completed("hello")
    >>> choice = completion["choices"][0]
    >>> completion["id"], completion["model"], choice["message"]["content"]
    ('chatcmpl-e1', 'm', 'hello')
    """

    def __init__(self, request: Mapping[str, Any], event_id: str) -> None:
        self._id = event_id
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{event_id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request.get("model"),
        }
        options = request.get("stream_options")
        wants_usage = isinstance(options, Mapping) and options.get("include_usage")
        self._wants_usage = bool(wants_usage)
        self._usage: Any = None
        self._open: dict[int, Gathered] = {}

    def completed(self, value: Any) -> Any:
        """Return the completion of a text, a message, several of them, or choices."""
        value = as_plain(value)
        if isinstance(value, Mapping) and "choices" in value:
            return {**self._head, **value}
        if is_message(value):
            return self.collected(iter([value]))
        if isinstance(value, list | tuple) and value and all(map(is_message, value)):
            rows = [
                {"index": at, "message": _message(one)} for at, one in enumerate(value)
            ]
            return self.collected(iter([{"choices": rows}]))
        return value

    def collected(self, items: Iterator[Any]) -> Any:
        """Return the completion that all items of a stream make."""
        choices, about = gather(items)
        rows = [
            {
                "index": index,
                "message": one.message(),
                "logprobs": None,
                "finish_reason": one.ends,
            }
            for index, one in sorted((choices or {0: Gathered()}).items())
        ]
        usage = usage_of(about.get("usage"))
        return {**self._head, "choices": rows, **about, "usage": usage}

    # -- streams ----------------------------------------------------------------

    def frames(self, item: Any) -> str:
        """Return the chunk of one item."""
        deltas, about = deltas_of(item)
        self._usage = about.get("usage") or self._usage
        self._head |= {key: about[key] for key in ("id", "model") if about.get(key)}
        return self._chunk([self._row(delta) for delta in deltas]) if deltas else ""

    def end(self) -> str:
        """Return the chunks that end every choice, the usage, and the last line."""
        # A client needs one chunk with a finish_reason for each choice, also where the
        # graph gave no item at all.
        text = self._chunk([self._row(Delta())]) if not self._open else ""
        rows = [
            _row(index, {}, one.ends)
            for index, one in sorted(self._open.items())
            if not one.finish_reason
        ]
        text += self._chunk(rows) if rows else ""
        if self._wants_usage and self._usage:
            text += self._chunk([], usage=usage_of(self._usage))
        return text + _DONE

    def failed(self, error: BaseException) -> str:
        """Return the event of a failure after the first chunk."""
        return frame({"error": error_object(error, self._id)}) if self._open else ""

    def _row(self, delta: Delta) -> dict[str, Any]:
        message = dict(delta.message)
        if delta.index not in self._open:  # clients take the role from the first chunk
            self._open[delta.index] = Gathered()
            message = {"role": "assistant", "content": "", **message}
        if calls := message.get("tool_calls"):
            message["tool_calls"] = [
                {"index": at, **as_plain(call)} for at, call in enumerate(calls)
            ]
        self._open[delta.index].add(delta)

        return _row(delta.index, message, delta.finish_reason, delta.logprobs)

    def _chunk(self, rows: list[dict[str, Any]], **more: Any) -> str:
        head = {**self._head, "object": "chat.completion.chunk"}
        return frame({**head, "choices": rows, **more})


def _row(
    index: int, delta: Any, finish: str | None, logprobs: Any = None
) -> dict[str, Any]:
    row = {"index": index, "delta": delta, "finish_reason": finish}
    return {**row, "logprobs": logprobs} if logprobs else row


def _message(value: Any) -> dict[str, Any]:
    return {"content": value} if isinstance(value, str) else dict(value)


def usage_of(given: Any) -> Any:
    """Return the usage with its sum, None where there is none.

    >>> usage_of({"prompt_tokens": 3, "completion_tokens": 4})
    {'prompt_tokens': 3, 'completion_tokens': 4, 'total_tokens': 7}
    """
    given = as_plain(given)
    if not isinstance(given, Mapping):
        return None
    counts = [given.get(name) or 0 for name in ("prompt_tokens", "completion_tokens")]
    return {**given, "total_tokens": given.get("total_tokens", sum(counts))}
