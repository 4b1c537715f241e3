"""Arguments that JSON cannot hold get a name, under which they travel as values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.values import named_value, value_of


def with_named_values(spec: GraphSpec) -> tuple[GraphSpec, dict[str, Any]]:
    """Give every argument that JSON cannot hold a name, under which it travels."""
    found: dict[str, Any] = {}

    def named(step: StepSpec) -> StepSpec:
        args = {}
        for key, value in step.class_args.items():
            if named_value(value) is None and not _is_json(value):
                name = f"_{step.name}_{key}".replace("-", "_").replace(".", "_")
                name = name.replace(":", "_")
                found[name] = value
                value = value_of(name)
            args[key] = value
        routes = tuple(map(named, step.routes))
        return replace(step, class_args=args, routes=routes)

    router = named(spec.router) if spec.router else None
    steps = tuple(map(named, spec.steps))
    return replace(spec, steps=steps, router=router), found


def _is_json(value: Any) -> bool:
    """Tell whether JSON gives this very value back, types included."""
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is float:
        return value == value and abs(value) != float("inf")
    return value is None or type(value) in (str, int, bool)
