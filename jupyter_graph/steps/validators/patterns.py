"""Texts that must match a regular expression as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from jupyter_graph.argument_checks import (
    is_finite,
    is_positive,
    require,
    telling,
    whole,
)
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.field_rules import (
    FieldOptions,
    FieldsValidator,
    Rule,
)
from jupyter_graph.steps.validators.regex_cost import can_explode


class PatternValidator(FieldsValidator):
    r"""Let texts pass that match a regular expression as a whole.

    Body in, body out: an object, a list of objects or a DataFrame, unchanged when
    valid. What is no text is a violation.

    No text can hold up a worker: a pattern that can take exponential time is refused
    when the step is built, and longer texts than ``max_length`` are violations without
    being matched. Other patterns may still need time that grows with a power of the
    length (``\d+\d+x``: the square); ``timeout_s`` bounds the time itself.

    Args:
        fields: a dotted path, a list of them, or an object of paths to a pattern or
            to own values of the options from ``pattern`` to ``severity``. "" is the
            body itself.
        pattern: a regular expression as in Python's ``re``; ``(?i)`` at its beginning
            ignores case.
        max_length: as many characters a text may have, 1 or more.
        timeout_s: seconds that one match may take; a text that needs more is a
            violation. It needs the extra ``validate``, and any pattern is taken then.
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
        SpecError: an argument is wrong, or the pattern can take exponential time.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    >>> codes = PatternValidator({"zip": r"\d{5}"}, on_violation="tag")
    >>> codes.do({"zip": "1234"})["violations"][0]["message"]
    "field 'zip' is '1234', must match '\\\\d{5}'"
    """

    @takes_arguments_of(FieldsValidator)
    def __init__(
        self,
        fields: str | Sequence[str] | Mapping[str, Any],
        *,
        pattern: str | None = None,
        max_length: int = 1000,
        timeout_s: float | None = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        own = {
            "pattern": pattern,
            "max_length": max_length,
            "timeout_s": timeout_s,
        }
        super().__init__(fields, pattern_rule, _pattern_alone, own, **options)


def _pattern_alone(own: Any) -> dict[str, Any] | None:
    return {"pattern": own} if isinstance(own, str) else None


def pattern_rule(
    path: str,
    *,
    pattern: str | None = None,
    max_length: int = 1000,
    timeout_s: float | None = None,
    **options: Any,
) -> Rule:
    """Return the rule that a text matches as a whole.

    Raises:
        SpecError: the pattern is none, or can take exponential time.
    """
    whole("max_length", max_length, 1)
    matches = _matcher(pattern, timeout_s)

    def holds(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= max_length and matches(value)

    def quick(value: Any) -> bool:
        return type(value) is str and len(value) <= max_length and matches(value)

    text = f"must match {pattern!r}"
    if timeout_s is not None:
        text += f" within {timeout_s:g} s"
    if max_length != 1000:
        text += f" and have {max_length} characters at most"
    return Rule(path, text, holds=holds, quick=quick, **options)


def _matcher(pattern: Any, timeout_s: float | None) -> Callable[[str], bool]:
    require(isinstance(pattern, str), "pattern must be a regular expression", pattern)
    problem = f"pattern {pattern!r} is no regular expression"
    with telling(problem, re.error, RecursionError, OverflowError):
        match = re.compile(pattern).fullmatch
        explodes = can_explode(pattern)
    if timeout_s is not None:
        return _timed(pattern, timeout_s)
    if explodes:
        raise SpecError(
            f"pattern {pattern!r} can take exponential time, since a repeated part of "
            "it can read one text in several ways; make the parts distinct, use a "
            "possessive repeat such as a++, or give timeout_s"
        )
    return lambda text: match(text) is not None


def _timed(pattern: str, timeout_s: float) -> Callable[[str], bool]:
    is_right = is_positive(timeout_s) and is_finite(timeout_s)
    require(is_right, "timeout_s must be above 0 seconds", timeout_s)
    try:
        import regex
    except ImportError:
        raise SpecError(
            'timeout_s needs the package regex: pip install "jupyter_graph[validate]"'
        ) from None
    with telling(f"pattern {pattern!r} is no regular expression", regex.error):
        compiled = regex.compile(pattern)

    def matches(text: str) -> bool:
        try:
            return compiled.fullmatch(text, timeout=timeout_s) is not None
        except TimeoutError:
            return False

    return matches
