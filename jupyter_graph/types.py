"""The words that every room shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Body: TypeAlias = Any
"""The decoded content of an event: what a step receives and gives."""

Headers: TypeAlias = Mapping[str, str]
"""Header names to values, as the caller sent them."""

Clock: TypeAlias = Callable[[], float]
"""Seconds that only grow, such as ``time.monotonic``."""

Namespace: TypeAlias = Mapping[str, Any]
"""Names to the functions and classes that a notebook or module defined."""


class Nothing:
    """The type of ``NOTHING``."""

    def __repr__(self) -> str:
        return "NOTHING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()
"""What a step gives that drops an event or keeps it back; the caller gets a 204."""
