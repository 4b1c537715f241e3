"""Whether a step's code fits what the options say about it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from jupyter_graph.compile.inspect_step import inspect_step
from jupyter_graph.errors import MagicError, SpecError
from jupyter_graph.frontend.openai.client_parameters import code_for_clients
from jupyter_graph.run.context import Context
from jupyter_graph.spec.model import StepSpec

HARMLESS = "jupyter_graph.steps."
REACHING = ("LLM", "LLMStream", "LLModel", "Model", "ModelRunnerStep")


def check_fit(
    step: StepSpec, code: Any, arguments: Mapping[str, Any] | None = None
) -> None:
    """Raise a MagicError when the step could not be built or called.

    >>> check_fit(StepSpec(name="double", handler="double"), lambda: 1)
    Traceback (most recent call last):
      ...
    jupyter_graph.errors.MagicError: step 'double': double() takes no argument; ...
    """
    check_arguments_travel(step.class_args)
    try:
        inspect_step(step, code, arguments)
    except SpecError as error:
        if not _fits_a_request(step, code, arguments):
            raise MagicError(f"{error}") from None


def _fits_a_request(
    step: StepSpec, code: Any, arguments: Mapping[str, Any] | None
) -> bool:
    """Tell whether a step takes the parameters of a request beside the body."""
    adapted = code_for_clients(step, code)
    if adapted is None:
        return False
    try:
        inspect_step(step, adapted, arguments)
    except SpecError:
        return False
    return True


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


def check_block_builds(step: StepSpec, code: Any, arguments: Mapping[str, Any]) -> None:
    """Raise a MagicError when a block of ours does not take these arguments.

    It is built and released; those that would load a model or ask for a secret are left
    to the first event.
    """
    if not inspect.isclass(code) or not code.__module__.startswith(HARMLESS):
        return
    parameters = inspect.signature(code).parameters
    if "routes" in parameters or code.__name__ in REACHING:
        return  # a router needs its routes, which come later
    known = {"name": step.name, "context": Context(is_parity=True, name=step.name)}
    given = {key: value for key, value in known.items() if key in parameters}
    try:
        built = code(**{**given, **arguments})
    except SpecError as error:
        raise MagicError(f"step {step.name!r}: {error}") from None
    except TypeError as error:
        raise MagicError(f"step {step.name!r}: {step.code_name}: {error}") from None
    if callable(close := getattr(built, "close", None)):
        close()
