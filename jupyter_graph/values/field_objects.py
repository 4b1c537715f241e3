"""Objects that are their fields: of dataclasses, attrs and pydantic's models."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

from jupyter_graph.errors import ValueShipError
from jupyter_graph.values.json_rules import names_of

NOTEBOOK: Final = "__main__"

_BUILT_IN: Final = (
    dict, list, tuple, set, frozenset, str, bytes, bytearray, int, float, complex,
    type, BaseException,
)  # fmt: skip


def fields_of(value: Any) -> dict[str, Any] | None:
    """Return what an object holds by its names, None where that is not all of it.

    >>> from dataclasses import make_dataclass
    >>> fields_of(make_dataclass("Row", ["n"])(3)), fields_of([3])
    ({'n': 3}, None)
    """
    kind = type(value)
    if isinstance(value, _BUILT_IN):  # what it is beside its fields would be lost
        return None
    if isinstance(value, SimpleNamespace):
        return vars(value)
    if "pydantic.BaseModel" in names_of(kind):
        return dict(value.__getstate__())
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__"):
        slots = {name: getattr(value, name) for name in _slots(value)}
        return {**slots, **getattr(value, "__dict__", {})}
    return None


def _slots(value: Any) -> Iterator[str]:
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            is_private = name.startswith("__") and not name.endswith("__")
            known = f"_{base.__name__.lstrip('_')}{name}" if is_private else name
            if known not in ("__dict__", "__weakref__") and hasattr(value, known):
                yield known


def place_of_class(kind: type) -> list[str]:
    """Return module and name of a class, by which it is found again.

    Raises:
        ValueShipError: nothing is found there, or something else.
    """
    if _found(kind.__module__, kind.__qualname__) is not kind:
        raise ValueShipError(f"its class is not {kind.__qualname__} of a module")
    return [kind.__module__, kind.__qualname__]


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module) or import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def is_member(value: Any) -> bool:
    """Return whether a value is a member of an Enum, found by its name."""
    return isinstance(value, Enum) and value.name in type(value).__members__


def member(content: list[Any], main: str) -> Any:
    """Return the member of an Enum of this module, class and name."""
    module, name, own = content
    return _found(main if module == NOTEBOOK else module, name)[own]


def made(content: list[Any], main: str) -> Any:
    """Return an object with its fields; no code of its class is run.

    Args:
        content: module and name of the class, and the fields by their names.
        main: the module that holds what the notebook defines.
    """
    module, name, fields = content
    kind = _found(main if module == NOTEBOOK else module, name)
    is_plain = issubclass(kind, SimpleNamespace)  # object's own refuses to make it
    value = (SimpleNamespace if is_plain else object).__new__(kind)
    # Past the class: one that is frozen refuses, and pydantic keeps them apart.
    for key, field in fields.items():
        object.__setattr__(value, key, field)
    return value
