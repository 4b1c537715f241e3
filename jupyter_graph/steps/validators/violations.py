"""What a validator found, and the error that tells it."""

from __future__ import annotations

import logging
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import UnprocessableError
from jupyter_graph.values.dotted_path import MISSING

LEVELS: Final[Mapping[str, int]] = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
LISTED = 20
"""As many violations stand in one message; the rest is a number."""


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


@dataclass(frozen=True, slots=True)
class Violation:
    """One value that breaks one rule.

    Attributes:
        field: dotted path of the value, "" for the whole body.
        value: the value itself, ``MISSING`` when there is none.
        rule: what would be right, such as ``must be from 0 to 10``.
        severity: ``info``, ``warning`` or ``error``.
        row: position in a list or table of bodies, else None.
        label: how a table calls that row.
        message: used instead of the standard text; ``{field}``, ``{value}`` and
            ``{rule}`` in it are filled in.
        unit: what a row is called, ``item`` or ``row``.

    >>> Violation("age", 7, "must be 18 or more").text
    "field 'age' is 7, must be 18 or more"
    """

    field: str
    value: Any
    rule: str
    severity: str = "error"
    row: int | None = None
    label: Any = None
    message: str | None = None
    unit: str = "item"

    @property
    def text(self) -> str:
        """Place, value and rule in one line."""
        label = _bare(self.row if self.label is None else self.label)
        place = "" if self.row is None else f"{self.unit} {label!r}: "
        return place + (self._own() if self.message else self._standard())

    def as_dict(self) -> dict[str, Any]:
        """Return what a tagged body holds of it; JSON can hold all of that."""
        fields = {"field": self.field, "rule": self.rule, "severity": self.severity}
        if self.value is not MISSING:
            fields["value"] = _plain(self.value)
        return {**fields, "message": self.text}

    def _standard(self) -> str:
        place = f"field {self.field!r}" if self.field else "the body"
        if self.value is MISSING:
            return f"{place} is missing, {self.rule}"
        return f"{place} is {_short.repr(_bare(self.value))}, {self.rule}"

    def _own(self) -> str:
        text = (self.message or "").replace("{field}", self.field)
        text = text.replace("{rule}", self.rule)
        return text.replace("{value}", _short.repr(_bare(self.value)))


def _bare(value: Any) -> Any:
    """Return a numpy scalar as the Python value that it is."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    return value.item() if is_scalar else value


def _plain(value: Any) -> Any:
    value = _bare(value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return value[:200] if isinstance(value, str) else _short.repr(value)


class ViolationError(UnprocessableError):
    """422: fields of the body break rules; ``violations`` holds each of them.

    >>> str(ViolationError([Violation("age", 7, "must be 18 or more")]))
    "field 'age' is 7, must be 18 or more"
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        listed = [violation.text for violation in violations[:LISTED]]
        if more := len(violations) - len(listed):
            listed.append(f"and {more} more")
        head = f"{len(violations)} violations: " if len(violations) > 1 else ""
        super().__init__(head + "; ".join(listed))
        self.violations = tuple(violations)

    def __reduce__(self) -> Any:
        return (ViolationError, (self.violations,))
