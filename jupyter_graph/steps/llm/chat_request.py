"""From a body to the chat request that is sent for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import is_count
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.llm.prompts import (
    check_template,
    problem_of_message,
    render_prompt,
)

OWN = ("messages", "model", "stream")
"""Fields of a request that ``options`` may not set."""

FORMATS: Mapping[str, Mapping[str, Any] | None] = {
    "text": None,
    "json": {"type": "json_object"},
}


class Prompt:
    """Makes the messages of a request.

    Args:
        template: a text (one message of the user) or a list of messages; None takes
            the messages, or the text, that the body itself is.
        system: a template for the system's message before them.

    Raises:
        SpecError: a template is wrong.

    >>> Prompt("Greet {{name}}.", system="Be brief.").messages({"name": "Ann"})
    [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': \
'Greet Ann.'}]
    """

    def __init__(self, template: Any = None, system: str | None = None) -> None:
        if template is not None:
            check_template(template)
        if system is not None and not isinstance(system, str):
            raise SpecError(f"system must be a text, got {system!r:.80}")
        check_template(system or "", "system")
        self._template = template
        self._system = system

    def messages(self, body: Any) -> list[Any]:
        """Return the messages for a body.

        Raises:
            UnprocessableError: 422, the body does not have a field of the template.
            BadRequestError: 400, there is no template and the body has no messages.
        """
        if self._template is None:
            rendered = _messages_in(body)
        else:
            rendered = render_prompt(self._template, body)
        if isinstance(rendered, str):
            rendered = [{"role": "user", "content": rendered}]
        if self._system is None:
            return list(rendered)
        system = render_prompt(self._system, body)
        return [{"role": "system", "content": system}, *rendered]


def _messages_in(body: Any) -> Any:
    messages = body.get("messages") if isinstance(body, Mapping) else body
    if isinstance(messages, str) and messages:
        return messages
    if not isinstance(messages, list | tuple) or not messages:
        raise BadRequestError(
            "without a prompt the body must be a text, a list of messages, or an "
            f"object with messages, got {type(body).__name__}"
        )
    for at, message in enumerate(messages, 1):
        if problem := problem_of_message(message):
            raise BadRequestError(f"message {at} of the body: {problem}")
    return messages


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
    _check_numbers(given["temperature"], given["max_tokens"])
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


def _check_numbers(temperature: Any, max_tokens: Any) -> None:
    is_number = isinstance(temperature, int | float)
    if temperature is not None and not (is_number and 0 <= temperature <= 2):
        raise SpecError(f"temperature must be 0 to 2, got {temperature!r}")
    if max_tokens is not None and not is_count(max_tokens):
        raise SpecError(f"max_tokens must be 1 or more, got {max_tokens!r}")


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
