"""What type a step asks its body to be, by the annotation of its first parameter."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints, is_typeddict

_NO_BODY = ("self", "context")


def typed_body(function: Callable[..., Any]) -> Any:
    """Return the annotation of a body that is to be made, None for any other.

    That is one with a pydantic model, a dataclass or a TypedDict in it; plain types
    such as ``dict`` say what comes, and ask for nothing.

    >>> @dataclasses.dataclass
    ... class Order:
    ...     n: int
    >>> def price(body: list[Order]): ...
    >>> def plain(body: dict): ...
    >>> typed_body(price), typed_body(plain)
    (list[...Order], None)
    """
    annotations = getattr(inspect.unwrap(function), "__annotations__", None)
    if not annotations:
        return None
    try:
        parameters = list(inspect.signature(function).parameters)
        hints = get_type_hints(inspect.unwrap(function))
    except Exception:  # a hint may name what only a type checker knows
        return None
    first = next((name for name in parameters if name not in _NO_BODY), None)
    hint = hints.get(first or "")
    return hint if is_made(hint) else None


def is_made(hint: Any, depth: int = 0) -> bool:
    """Tell whether a type is one that pydantic makes of a body, or holds one."""
    if isinstance(hint, type) and not get_args(hint):
        is_model = callable(getattr(hint, "model_validate", None))
        return is_model or dataclasses.is_dataclass(hint) or is_typeddict(hint)
    return depth < 5 and any(is_made(part, depth + 1) for part in get_args(hint))
