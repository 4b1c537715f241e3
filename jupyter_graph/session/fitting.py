"""Whether a step's code fits what the options say about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jupyter_graph.compile.code import look_at
from jupyter_graph.errors import MagicError, SpecError
from jupyter_graph.spec.model import StepSpec


def check_fit(step: StepSpec, code: Any) -> None:
    """Raise a MagicError when the step could not be built or called.

    >>> check_fit(StepSpec(name="double", handler="double"), lambda: 1)
    Traceback (most recent call last):
      ...
    jupyter_graph.errors.MagicError: step 'double': double() takes no argument; ...
    """
    check_arguments_travel(step.class_args)
    try:
        look_at(step, code)
    except SpecError as error:
        raise MagicError(str(error)) from None


def check_arguments_travel(args: Mapping[str, Any]) -> None:
    """Raise a MagicError when an argument cannot be written into the graph."""
    for name, value in args.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise MagicError(
                f"argument {name!r} is of type {type(value).__name__}, which cannot "
                f"be written into the graph ({error}); name a variable of the "
                f"notebook instead: --arg {name}=$VARIABLE"
            ) from None
