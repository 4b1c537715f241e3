"""Steps that pick which of their followers get the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError


class ChoiceByField:
    """Send a body to the follower, or followers, that one of its fields names.

    Body in, body out: ``{field_name: "step" | ["step", ...], ...}``, unchanged.

    Args:
        field_name: the key that holds a name or a list of names.

    Raises:
        BadRequestError: (from ``select_outlets``) the field is missing or holds
            neither a name nor names.

    >>> ChoiceByField("to").select_outlets({"to": "big"})
    'big'
    """

    def __init__(self, field_name: str) -> None:
        self.field_name = field_name

    def select_outlets(self, body: Mapping[str, Any]) -> str | list[str]:
        is_object = type(body) is dict or isinstance(body, Mapping)
        if not is_object or self.field_name not in body:
            raise BadRequestError(
                f"the body has no field {self.field_name!r} that names the next step"
            )
        chosen = body[self.field_name]
        if isinstance(chosen, str):
            return chosen
        is_list = isinstance(chosen, list | tuple) and len(chosen) > 0
        if is_list and all(isinstance(name, str) for name in chosen):
            return list(chosen)
        raise BadRequestError(
            f"field {self.field_name!r} must name a step or a list of steps, "
            f"got {chosen!r}"
        )
