"""That the fields of a graph and of its steps have their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.names import step_name_problem
from jupyter_graph.spec.rules.graph_problem import Problem, shown
from jupyter_graph.spec.step_fields import (
    DEFAULTS,
    GRAPH_DEFAULTS,
    OF_GRAPH,
    STEP_FIELDS,
    Field,
)


def fields_have_their_types(graph: GraphSpec) -> Iterator[Problem]:
    """Yield a problem for each field of the graph and of its steps of a wrong type."""
    for step in graph.every_step():
        if not isinstance(step.name, str):
            yield Problem(str(step_name_problem(step.name)), str(step.name), "name")
        grouped = {**step.queue, **step.runner}
        where = f" of step {step.name!r}"
        for row in STEP_FIELDS:
            if row.group is None:
                value, default = getattr(step, row.key), DEFAULTS[row.key]
                yield from _wrong(row, value, default, str(step.name), where)
            elif row.key in grouped:
                yield from _wrong(row, grouped[row.key], ..., str(step.name), where)
        if isinstance(step.class_args, Mapping):
            yield from _names_of_arguments(step)
    for row in OF_GRAPH:
        value, default = getattr(graph, row.key), getattr(GRAPH_DEFAULTS, row.key)
        yield from _wrong(row, value, default)


def _wrong(
    row: Field, value: object, default: object, step: str | None = None, where: str = ""
) -> Iterator[Problem]:
    if not (value is None and default is None) and not row.type.fits(value):
        yield Problem(
            f"{row.called or row.key}{where} must be {row.type.must}, "
            f"got {shown(value)}",
            step,
            row.key,
        )


def _names_of_arguments(step: StepSpec) -> Iterator[Problem]:
    for key in step.class_args:
        if not isinstance(key, str):
            yield Problem(
                f"class_args of step {step.name!r} must have texts as names, "
                f"got {shown(key)}",
                str(step.name),
                "class_args",
            )
