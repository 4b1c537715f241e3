"""That the fields of a graph and of its steps have their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.names import step_name_problem
from jupyter_graph.spec.rules.graph_problem import Problem, shown
from jupyter_graph.spec.step_fields import (
    DEFAULTS,
    OF_GRAPH,
    STEP_FIELDS,
    Field,
    default_of,
)


def fields_have_their_types(graph: GraphSpec) -> Iterator[Problem]:
    """Yield a problem for each field of the graph and of its steps of a wrong type."""
    for step in graph.every_step():
        if not isinstance(step.name, str):
            yield Problem(str(step_name_problem(step.name)), str(step.name), "name")
        grouped = {**step.queue, **step.runner}
        for row in STEP_FIELDS:
            if row.group is None:
                yield from _problems_of(row, step, getattr(step, row.key))
            elif row.key in grouped:
                yield from _problems_of(row, step, grouped[row.key])
        if isinstance(step.class_args, Mapping):
            yield from _names_of_arguments(step)
    for row in OF_GRAPH:
        value = getattr(graph, row.key)
        is_open = value is None and default_of(GraphSpec, row.key) is None
        if not is_open and not row.type.fits(value):
            yield Problem(
                f"{row.called or row.key} must be {row.type.must}, got {shown(value)}",
                field=row.key,
            )


def _problems_of(row: Field, step: StepSpec, value: object) -> Iterator[Problem]:
    is_open = value is None and row.group is None and DEFAULTS[row.key] is None
    if not is_open and not row.type.fits(value):
        yield Problem(
            f"{row.key} of step {step.name!r} must be {row.type.must}, "
            f"got {shown(value)}",
            step.name,
            row.key,
        )


def _names_of_arguments(step: StepSpec) -> Iterator[Problem]:
    for key in step.class_args:
        if not isinstance(key, str):
            yield Problem(
                f"class_args of step {step.name!r} must have texts as names, "
                f"got {shown(key)}",
                step.name,
                "class_args",
            )
