"""Names for the arguments that JSON cannot hold, under which they travel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jupyter_graph.deployment.named_code import block_of, is_code
from jupyter_graph.errors import BundleError
from jupyter_graph.spec.argument_values import named_value, value_of
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec, map_steps

RUNNER_KEYS = (
    "models", "shared_models", "model_runner_selector", "model_selector",
)  # fmt: skip
"""Arguments of a model runner that name classes."""


def with_named_values(spec: GraphSpec) -> tuple[GraphSpec, dict[str, Any]]:
    """Return the spec with names for what JSON cannot hold, and name → value."""
    values: dict[str, Any] = {}

    def named(step: StepSpec, key: str, value: Any) -> Any:
        if named_value(value) is not None or _is_json(value):
            return value
        name = _free(f"_{step.name}_{key}", values)
        values[name] = value
        return value_of(name)

    return _map_arguments(spec, named), values


def _map_arguments(
    spec: GraphSpec, change: Callable[[StepSpec, str, Any], Any]
) -> GraphSpec:
    def changed(step: StepSpec) -> StepSpec:
        args = {key: change(step, key, value) for key, value in step.class_args.items()}
        return replace(step, class_args=args)

    return map_steps(spec, changed)


def _free(wanted: str, taken: Mapping[str, Any]) -> str:
    name = "".join(sign if sign.isalnum() else "_" for sign in wanted)
    number = 2
    while name in taken:  # steps of two flows may be called alike
        name, number = f"{name}_{number}", number + 1
    return name


def with_named_code(graph: Graph) -> Graph:
    """Return a graph whose arguments name their functions and classes.

    In Python arguments may be the objects themselves: ``fn=double``, or the classes
    of a model runner's models.

    Raises:
        BundleError: an object has no name, or two have the same.
    """
    names = dict(graph.namespace)
    registered: list[str] = []

    def register(code: Any, step: StepSpec) -> str:
        name = str(getattr(code, "__name__", ""))
        if not name.isidentifier() or names.get(name, code) is not code:
            raise BundleError(
                f"step {step.name!r}: the argument {code!r} has no name of its own "
                "under which it could travel; write it as a function or class in a "
                "cell of its own"
            )
        names[name] = code
        registered.append(name)
        return name

    def named(step: StepSpec, key: str, value: Any) -> Any:
        if key in RUNNER_KEYS and block_of(step) is not None:
            return _by_name(value, lambda code: register(code, step))
        return value_of(register(value, step)) if is_code(value) else value

    spec = _map_arguments(graph.spec, named)
    return graph.with_spec(spec, names) if registered else graph


def _by_name(value: Any, register: Any) -> Any:
    """Return the value with names for its classes, also those with parameters."""
    if inspect.isclass(value):
        return register(value)
    if isinstance(value, list | tuple) and value and inspect.isclass(value[0]):
        return [register(value[0]), *value[1:]]
    if isinstance(value, Mapping):
        return {key: _by_name(item, register) for key, item in value.items()}
    return value


def _is_json(value: Any) -> bool:
    """Return whether JSON gives this very value back, types included."""
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is float:
        return value == value and abs(value) != float("inf")
    return value is None or type(value) in (str, int, bool)
