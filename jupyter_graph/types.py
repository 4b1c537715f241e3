"""The words that every room shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = Any
"""The decoded content of an event: what a step receives and gives."""

Headers: TypeAlias = Mapping[str, str]
"""Header names to values, as the caller sent them."""

Clock: TypeAlias = Callable[[], float]
"""Seconds that only grow, such as ``time.monotonic``."""

Namespace: TypeAlias = Mapping[str, Any]
"""Names to the functions and classes that a notebook or module defined."""
