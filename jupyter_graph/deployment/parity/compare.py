"""Two answers side by side: what differs, and what differs by its nature."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
TOLERANCE = 1e-9
CANCELLED = 1e-15
"""What may be left of a sum that is 0."""
ABSENT = "(absent)"


Place = tuple[Any, ...]
Difference = tuple[Place, Any, Any]


def differences(
    one: RawResponse, two: RawResponse, *, tolerance: float = TOLERANCE
) -> Iterator[Difference]:
    """Yield place and both values of everything that differs between two answers.

    Args:
        one: an answer.
        two: another one.
        tolerance: what floats may differ by, absolute and as a part of them.

    >>> one = RawResponse(b'{"a": 1.0, "b": 2}', 200, "application/json")
    >>> two = RawResponse(b'{"a": 1.0000000000001, "b": 3}', 200, "application/json")
    >>> list(differences(one, two))
    [(('body', 'b'), 2, 3)]
    """
    for name in ("status_code", "content_type"):
        if getattr(one, name) != getattr(two, name):
            yield (name,), getattr(one, name), getattr(two, name)
    for place, left, right in _differences(one.decoded(), two.decoded(), ("body",)):
        if not _is_close(left, right, tolerance):
            yield place, left, right


def _differences(one: Any, two: Any, place: Place) -> Iterator[Difference]:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in [*one, *(key for key in two if key not in one)]:
            if key not in one or key not in two:
                yield (*place, key), one.get(key, ABSENT), two.get(key, ABSENT)
            else:
                yield from _differences(one[key], two[key], (*place, key))
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from _differences(left, right, (*place, number))
    elif not _is_equal(one, two):
        yield place, one, two


def _is_equal(one: Any, two: Any) -> bool:
    if isinstance(one, bool) or isinstance(two, bool):  # True == 1 in Python only
        return one is two
    if isinstance(one, int) and isinstance(two, int):
        return one == two
    # The repr of an object holds its address, which no two processes share.
    if isinstance(one, str) and isinstance(two, str):
        return ADDRESS.sub("0x", one) == ADDRESS.sub("0x", two)
    return bool(one == two)


def _is_close(one: Any, two: Any, tolerance: float) -> bool:
    """Tell whether two numbers are equal but for the order of sums in a library."""
    if isinstance(one, bool) or isinstance(two, bool):
        return False
    is_float = isinstance(one, float) or isinstance(two, float)
    if not is_float or not isinstance(one, int | float):
        return False
    return isinstance(two, int | float) and math.isclose(
        one, two, rel_tol=tolerance, abs_tol=min(tolerance, CANCELLED)
    )


def shown(place: Place) -> str:
    """Write a place as a user would.

    >>> shown(("body", "users", 0, "name"))
    "body['users'][0]['name']"
    """
    return str(place[0]) + "".join(f"[{part!r}]" for part in place[1:])


def is_within(place: Place, left_out: set[Place]) -> bool:
    """Return whether a place, or one that holds it, is left out."""
    return any(place[:length] in left_out for length in range(1, len(place) + 1))
