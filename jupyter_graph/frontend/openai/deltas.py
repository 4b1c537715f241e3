"""The forms in which a graph may return a model's answer, read into one.

A text; a message or a piece of one (``content``, ``tool_calls``, perhaps
``finish_reason`` and ``usage``); what the block ``LLM`` gives; a whole completion or
chunk with ``choices``; or what the ``openai`` package calls so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_graph.errors import AnswerError, short

_SAYS: Final = frozenset(
    ("content", "tool_calls", "function_call", "refusal", "audio", "reasoning_content")
)
_ABOUT: Final = frozenset(("finish_reason", "usage", "logprobs", "model", "id"))
_OF_MESSAGE: Final = _SAYS | _ABOUT | {"role", "name", "annotations"}
_OF_BLOCK: Final = frozenset(("answer", "data"))  # a block's words for text and JSON


def as_plain(value: Any) -> Any:
    """Return the mapping of a pydantic object, such as the ``openai`` package gives."""
    dump = getattr(value, "model_dump", None)
    if dump is None or isinstance(value, type):
        return value
    # Fields that the sender did not set would be nulls here, and end texts that grow.
    return dump(mode="json", exclude_unset=True)


def is_message(value: Any) -> bool:
    """Tell whether a value is a text, or a message with content.

    >>> is_message("hi"), is_message({"content": "hi"}), is_message({"body": "hi"})
    (True, True, False)
    """
    if isinstance(value, str):
        return True
    if not isinstance(value, Mapping) or not value.keys() <= _OF_MESSAGE | _OF_BLOCK:
        return False
    return "answer" in value or not _SAYS.isdisjoint(value)


def _of_block(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message in the protocol's words."""
    if "answer" not in item:
        return item
    rest = {key: value for key, value in item.items() if key not in _OF_BLOCK}
    return {"content": item["answer"], **rest}


@dataclass(slots=True)
class Delta:
    """A piece of one choice: what it adds to the message, and whether that ends."""

    index: int = 0
    message: dict[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    logprobs: Any = None


def deltas_of(item: Any) -> tuple[list[Delta], dict[str, Any]]:
    """Return the pieces that an item is made of, and its fields about the whole.

    Raises:
        AnswerError: the item is no answer of a model.

    >>> [delta], about = deltas_of({"content": "hi", "finish_reason": "stop"})
    >>> delta.message, delta.finish_reason, about
    ({'content': 'hi'}, 'stop', {})
    """
    item = as_plain(item)
    if isinstance(item, str):
        return [Delta(message={"content": item})], {}
    if isinstance(item, Mapping) and "choices" in item:
        return [_of_choice(*pair) for pair in enumerate(item["choices"])], _about(item)
    item = _of_block(item) if isinstance(item, Mapping) else item
    if isinstance(item, Mapping) and item and item.keys() <= _OF_MESSAGE:
        fields = {key: value for key, value in item.items() if key not in _ABOUT}
        finish, logprobs = item.get("finish_reason"), item.get("logprobs")
        delta = Delta(0, _without_nulls(fields), finish, logprobs)
        return [delta] if delta.message or finish else [], _about(item)
    raise AnswerError(
        "a model's answer is made of texts, of messages with 'content' or "
        f"'tool_calls', or of objects with 'choices', got {short(item)}"
    )


def _of_choice(position: int, choice: Any) -> Delta:
    choice = as_plain(choice)
    if not isinstance(choice, Mapping):
        raise AnswerError(f"choices[{position}] is an object, got {choice!r}")
    message = _without_nulls(choice.get("delta") or choice.get("message") or {})
    index = choice.get("index", position)
    return Delta(index, message, choice.get("finish_reason"), choice.get("logprobs"))


def _about(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("usage", "model", "id") if item.get(key)}


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


class Gathered:
    """The message that the pieces of one choice make together."""

    def __init__(self) -> None:
        self.text = ""
        self.tool_calls: dict[int, dict[str, Any]] = {}
        self.more: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def add(self, delta: Delta) -> None:
        """Add one piece; texts grow, of other fields the last value counts."""
        self.finish_reason = delta.finish_reason or self.finish_reason
        for key, value in delta.message.items():
            if key == "content" and isinstance(value, str):
                self.text += value
            elif key == "tool_calls":
                for position, call in enumerate(value or ()):
                    self._call(as_plain(call), position)
            elif isinstance(value, str) and isinstance(self.more.get(key), str):
                grows = key in ("refusal", "reasoning_content")
                self.more[key] = self.more[key] + value if grows else value
            elif value is not None:
                self.more[key] = value

    def _call(self, call: Mapping[str, Any], position: int) -> None:
        # The first piece of a call has its id and name, later ones more of its
        # arguments; they belong together by their index.
        index = call.get("index", position)
        empty = {"id": None, "type": "function", "function": {"arguments": ""}}
        known = self.tool_calls.setdefault(index, empty)
        function = dict(call.get("function") or {})
        arguments = function.pop("arguments", None) or ""
        known["function"] |= _without_nulls(function)
        known["function"]["arguments"] += arguments
        rest = {k: v for k, v in call.items() if k not in ("index", "function")}
        known |= _without_nulls(rest)

    @property
    def ends(self) -> str:
        """Why the model stopped."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    def message(self) -> dict[str, Any]:
        """Return the whole message."""
        content = self.more.get("content", self.text or None)
        has_no_text = self.tool_calls or "refusal" in self.more
        if content is None and not has_no_text:
            content = ""
        whole = {"role": "assistant", "refusal": None, **self.more, "content": content}
        if self.tool_calls:
            whole["tool_calls"] = [call for _, call in sorted(self.tool_calls.items())]
        return whole


def gather(items: Iterator[Any]) -> tuple[dict[int, Gathered], dict[str, Any]]:
    """Return the messages that items make, by their choice, and fields about the whole.

    Raises:
        AnswerError: an item is no answer of a model.

    >>> messages, _ = gather(iter(["he", "llo"]))
    >>> messages[0].message()["content"]
    'hello'
    """
    choices: dict[int, Gathered] = {}
    about: dict[str, Any] = {}
    for item in items:
        deltas, of_item = deltas_of(item)
        about |= of_item
        for delta in deltas:
            choices.setdefault(delta.index, Gathered()).add(delta)
    return choices, about
