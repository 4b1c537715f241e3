"""Limits of lengths."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import Any, Unpack

from jupyter_graph.argument_checks import whole
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.field_rules import (
    FieldOptions,
    FieldsValidator,
    Rule,
    low_and_high,
)
from jupyter_graph.steps.validators.ranges import Fields, limits_text


class LengthValidator(FieldsValidator):
    """Let texts, lists and objects pass whose length lies between two limits.

    Body in, body out: an object, a list of objects or a DataFrame, unchanged when
    valid. The length of a text is in characters, of bytes in bytes.

    Args:
        fields: a dotted path, a list of them, or an object of paths to
            ``[min, max]`` or to own values of the options from ``min`` to
            ``severity``. "" is the body itself.
        min: the least length, 0 or more; None for no limit. It is valid itself.
        max: the greatest length; None for no limit. It is valid itself.
        required: a body without the field is a violation.
        allow_none: None and NaN are valid.
        message: used instead of the standard text.
        severity: ``info``, ``warning`` or ``error``.
        on_violation: ``reject``, ``route``, ``tag``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: an argument is wrong.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    >>> LengthValidator("name", min=1, max=40).do({"name": "Ada"})
    {'name': 'Ada'}
    """

    @takes_arguments_of(FieldsValidator)
    def __init__(
        self,
        fields: Fields,
        *,
        min: int | None = None,
        max: int | None = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        own = {
            "min": min,
            "max": max,
        }
        super().__init__(fields, length_rule, low_and_high, own, **options)


def length_rule(
    path: str, *, min: int | None = None, max: int | None = None, **options: Any
) -> Rule:
    """Return the rule that a length lies between two limits.

    Raises:
        SpecError: the limits are no whole numbers of 0 or more in order.
    """
    for key, limit in (("min", min), ("max", max)):
        if limit is not None:
            whole(key, limit, 0)
    if min is None and max is None:
        raise SpecError("a length needs min or max")
    least, most = min or 0, sys.maxsize if max is None else max
    if least > most:
        raise SpecError(f"min must not be above max, got {min!r} and {max!r}")
    text = limits_text(min, max, True, True, "").replace(
        "must be", "must have a length of", 1
    )
    return Rule(
        path,
        text.replace("of from", "from"),
        holds=lambda value: isinstance(value, Sized) and least <= len(value) <= most,
        quick=lambda value: type(value) is str and least <= len(value) <= most,
        **options,
    )
