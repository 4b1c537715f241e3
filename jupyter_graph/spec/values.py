"""Constructor arguments that stand for a variable of the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.spec.model import GraphSpec, StepSpec

VALUE_KEY = "$value"


def value_of(name: str) -> dict[str, str]:
    """Give the argument that stands for the notebook's variable ``name``.

    >>> value_of("clf")
    {'$value': 'clf'}
    """
    return {VALUE_KEY: name}


def named_value(argument: Any) -> str | None:
    """Give the variable's name when an argument stands for one, else None."""
    if isinstance(argument, Mapping) and set(argument) == {VALUE_KEY}:
        return str(argument[VALUE_KEY])
    return None


def function_argument(step: StepSpec, key: str, value: Any) -> str | None:
    """Give the plain name of an argument of a storey step that names a function.

    Source: MLRun, ``{"class_name": "storey.Map", "class_args": {"_fn": "double"}}``.

    >>> function_argument(StepSpec(name="m", class_name="storey.Map"), "_fn", "double")
    'fn'
    """
    is_storey = (step.class_name or "").startswith("storey.")
    is_name = isinstance(value, str) and key.startswith("_") and len(key) > 1
    return key[1:] if is_storey and is_name else None


def value_names(of: StepSpec | GraphSpec) -> tuple[str, ...]:
    """Give the names of all variables that the arguments stand for."""
    steps = of.every_step() if isinstance(of, GraphSpec) else (of, *of.routes)
    found = [named_value(v) for step in steps for v in step.class_args.values()]
    return tuple(dict.fromkeys(name for name in found if name))
