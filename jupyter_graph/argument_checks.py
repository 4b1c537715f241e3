"""Numbers among the arguments of steps: what counts as one, and how small it may be."""

from __future__ import annotations

import math
from typing import Any

from jupyter_graph.errors import SpecError, did_you_mean


def at_least(argument: str, value: Any, least: int) -> None:
    """Check a whole number.

    Raises:
        SpecError: it is none, or smaller than ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(
            f"{argument} must be a whole number of {least} or more, got {value!r}"
        )


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number.

    >>> is_number(0.5), is_number(True), is_number(float("nan"))
    (True, False, False)
    """
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def is_positive(value: Any) -> bool:
    """Tell whether a value is a number above 0.

    >>> is_positive(0.5), is_positive(True), is_positive("1")
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def is_count(value: Any, least: int = 1) -> bool:
    """Tell whether a value is a whole number of ``least`` or more.

    >>> is_count(1), is_count(0), is_count(True)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def one_of(key: str, value: Any, known: Any) -> None:
    """Refuse an argument that is none of the known words.

    Raises:
        SpecError: it is not; the text lists those that are.
    """
    if not (isinstance(value, str) and value in known):
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise SpecError(f"{key} must be one of {', '.join(known)}, got {value!r}{hint}")


def whole(key: str, value: Any, least: int) -> int:
    """Return an argument that is a whole number.

    Raises:
        SpecError: it is none, or smaller than ``least``.
    """
    if type(value) is not int or value < least:
        raise SpecError(f"{key} must be a whole number, {least} or more, got {value!r}")
    return value
