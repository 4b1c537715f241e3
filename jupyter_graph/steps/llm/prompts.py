"""Prompt templates: texts and chat messages with fields of the body in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from jupyter_graph.errors import (
    BadRequestError,
    SpecError,
    UnprocessableError,
    did_you_mean,
)
from jupyter_graph.values.dotted_path import MISSING, find

ROLES: Final = ("assistant", "developer", "system", "tool", "user")

_FIELD = re.compile(r"\{\{\s*(\.|[\w-]+(?:\.[\w-]+)*)\s*\}\}")
_BRACES = re.compile(r"\{\{[^{}]*\}\}")


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


def render_prompt(
    template: str | Sequence[Mapping[str, Any]],
    body: Any,
    *,
    legend: Mapping[str, str] | None = None,
    missing: Literal["error", "keep"] = "error",
) -> Any:
    """Return a template, a text or messages, with its fields filled from a body.

    ``{{city}}`` is the body's field, ``{{trip.days}}`` a field of a field,
    ``{{stops.0}}`` the first of a list, ``{{.}}`` the whole body. Texts stand as they
    are, anything else as JSON. What was filled in is not looked at for fields again.

    Args:
        template: a text, or messages (``{"role": "user", "content": "…"}``) whose
            texts may hold fields.
        body: where the values come from.
        legend: a field's name in the template to its path in the body.
        missing: what to do when the body does not have a field: an ``error``, or
            ``keep`` it as it stands.

    Raises:
        UnprocessableError: 422, the body does not have a field; the text names it.

    >>> render_prompt("{{days}} days in {{trip.city}}", {"days": 3, "trip": {"city": "Rome"}})
    '3 days in Rome'
    >>> render_prompt([{"role": "user", "content": "Sum up: {{.}}"}], "a text")
    [{'role': 'user', 'content': 'Sum up: a text'}]
    """  # noqa: E501
    paths = legend or {}

    def fill(match: re.Match[str]) -> str:
        path = paths.get(match[1], match[1])
        value = body if path == "." else find(body, path)
        if value is not MISSING:
            return value if isinstance(value, str) else _json(value)
        if missing == "keep":
            return match[0]
        raise UnprocessableError(_lacks(path, body))

    return _filled(template, fill)


def _filled(part: Any, fill: Any) -> Any:
    if isinstance(part, str):
        return _FIELD.sub(fill, part)
    if isinstance(part, Mapping):
        return {key: _filled(value, fill) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(value, fill) for value in part]
    return part


def check_template(template: Any, what: str = "prompt") -> None:
    """Check a template before any event.

    Raises:
        SpecError: a pair of braces holds no path of a field, or a message has no role
            or no content.

    >>> check_template("{{a b}}")
    Traceback (most recent call last):
    jupyter_graph.errors.SpecError: prompt: {{a b}} is no field; write {{city}} or \
{{trip.days}} [JG110]
    """
    if isinstance(template, str):
        for braces in _BRACES.findall(template):
            if not _FIELD.fullmatch(braces):
                raise SpecError(
                    f"{what}: {braces} is no field; write {{{{city}}}} or "
                    "{{trip.days}}"
                )
        return
    if not isinstance(template, list | tuple) or not template:
        kind = type(template).__name__
        raise SpecError(f"{what} must be a text or a list of messages, got a {kind}")
    for at, message in enumerate(template, 1):
        if problem := problem_of_message(message):
            raise SpecError(f"{what}, message {at}: {problem}")
        for text in _texts(message):
            check_template(text, f"{what}, message {at}")


def problem_of_message(message: Any) -> str | None:
    """Return what is wrong with a chat message, None when nothing is."""
    if not isinstance(message, Mapping):
        return f"must be an object with role and content, got {message!r:.80}"
    if message.get("role") not in ROLES:
        return f"role must be one of {', '.join(ROLES)}, got {message.get('role')!r}"
    has_content = isinstance(message.get("content"), str | list | tuple)
    if not has_content and "tool_calls" not in message:
        return f"content must be a text or a list, got {message.get('content')!r:.80}"
    return None


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, list | tuple):
        return [text for inner in part for text in _texts(inner)]
    return []


def _lacks(path: str, body: Any) -> str:
    if not isinstance(body, Mapping):
        kind = type(body).__name__
        return f"the prompt needs the field {path!r} of an object, the body is a {kind}"
    names = [str(name) for name in body]
    hint = did_you_mean(path.partition(".")[0], names)
    known = ", ".join(sorted(names)[:20]) or "no field"
    return f"the prompt needs the field {path!r}{hint} (the body has {known})"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
