"""Steps that pick which of their followers get the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError


class NoChoiceError(BadRequestError):
    """400: a body does not name the next step; MLRun answers 500."""

    mlrun_status_code = 500


class ChoiceByField:
    """Send a body to the follower, or followers, that one of its fields names.

    Body in, body out: ``{field_name: "step" | ["step", ...], ...}``, unchanged.

    Args:
        field_name: the key that holds a name or a list of names.

    Raises:
        BadRequestError: (from ``select_outlets``) the body is no object, the field is
            missing (``NoChoiceError``) or holds neither a name nor names.

    >>> ChoiceByField("to").select_outlets({"to": "big"})
    'big'
    """

    def __init__(self, field_name: str) -> None:
        self.field_name = field_name

    def select_outlets(self, body: Mapping[str, Any]) -> str | list[str]:
        if not (type(body) is dict or isinstance(body, Mapping)):
            kind = type(body).__name__
            raise BadRequestError(
                f"argument of type {kind!r} is not a body that names the next step: "
                f"{kind!r} object has no attribute 'keys'"
            )
        field = self.field_name
        if field not in body:
            keys = ", ".join(map(repr, body)) or "none"
            raise NoChoiceError(
                f"field {field!r}, which names the next step, is not contained in the "
                f"event keys: {keys}"
            )
        chosen = body[field]
        if isinstance(chosen, str):
            return chosen
        if not isinstance(chosen, list | tuple):
            raise BadRequestError(
                f"field {field!r} exists but its value {chosen!r} must be a string or "
                f"list of strings, it is instead of type {type(chosen).__name__!r}"
            )
        if not chosen:
            raise NoChoiceError(
                f"the value of the key {field!r} cannot be an empty "
                f"{type(chosen).__name__}; it names the next step"
            )
        if not all(isinstance(name, str) for name in chosen):
            raise BadRequestError(
                f"field {field!r} must be a list of strings, got {chosen!r}"
            )
        return list(chosen)
