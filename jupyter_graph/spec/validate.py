"""Whether a graph is right: every rule asked, every problem reported at once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import fields, replace

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import GraphSpec, HasSpec, StepSpec, flow_inside
from jupyter_graph.spec.names import step_name_problem
from jupyter_graph.spec.rules import graph_rules
from jupyter_graph.spec.rules.graph_problem import Problem, of_another_kind, shown
from jupyter_graph.spec.step_fields import (
    DEFAULTS,
    GRAPH_DEFAULTS,
    GROUP_OF,
    OF_GRAPH,
    STEP_FIELDS,
    Field,
)

Rule = Callable[[GraphSpec], Iterator[Problem]]


def flows_inside_are_right(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind == "flow" and not step.steps:
            yield Problem(
                f"flow {step.name!r} has no steps; give it some in 'steps'",
                step.name,
                "steps",
            )
        elif step.kind == "flow":
            yield from _inside(step, graph)
        elif step.steps:
            yield of_another_kind(step, "flow", "steps", "steps")


def _inside(
    step: StepSpec, graph: GraphSpec, unread: Container[str | None] = ()
) -> Iterator[Problem]:
    for problem in problems(flow_inside(step, graph), unread):
        message = f"in flow {step.name!r}: {problem}"
        yield replace(problem, message=message, step=step.name)


RULES: Mapping[Rule, bool] = {
    graph_rules.the_graph_has_a_name: False,
    graph_rules.has_steps: False,
    graph_rules.names_follow_the_rule: True,
    graph_rules.names_are_unique: False,
    graph_rules.functions_follow_the_rule_of_names: True,
    graph_rules.kinds_are_known: True,
    graph_rules.steps_have_code: False,
    graph_rules.upstream_steps_are_named_once: True,
    graph_rules.neighbours_exist: True,
    graph_rules.before_belongs_to_error_handlers: False,
    graph_rules.error_handlers_exist: True,
    graph_rules.error_handlers_are_used: False,
    graph_rules.only_error_handlers_reraise: False,
    graph_rules.error_handlers_come_after_errors_only: False,
    graph_rules.one_responder: False,
    graph_rules.routers_have_routes: False,
    graph_rules.routes_stand_alone: False,
    graph_rules.a_root_router_stands_alone: False,
    graph_rules.cycle_names_exist: True,
    graph_rules.no_cycles: False,
    graph_rules.every_step_is_reached: False,
    graph_rules.the_final_step_exists: False,
    flows_inside_are_right: False,
    graph_rules.queues_are_mere_queues: False,
    graph_rules.runner_fields_belong_to_runners: False,
    graph_rules.joins_have_branches: False,
    graph_rules.batches_take_bodies: False,
    graph_rules.processes_run_code: False,
    graph_rules.effects_are_of_code: False,
}
"""They may trust that every field has its type.

True for those that speak of a value that stands there, so that what they say follows
from nothing unread.
"""


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
        args = step.class_args if isinstance(step.class_args, Mapping) else ()
        for key in args:
            if not isinstance(key, str):
                what = f"class_args of step {step.name!r} must have texts as names"
                message = f"{what}, got {shown(key)}"
                yield Problem(message, str(step.name), "class_args")
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


def problems(graph: GraphSpec, unread: Container[str | None] = ()) -> list[Problem]:
    """Return everything that is wrong with a graph, [] when it is fine.

    Args:
        graph: the graph.
        unread: steps (None = the graph) that a reader could not make out: what rules
            would say of them may only follow from that.
    """
    of_types = list(fields_have_their_types(graph))
    usable = _without(graph, of_types)  # rules compare names, count and sort
    broken = [
        problem
        for rule, is_of_a_value in RULES.items()
        for problem in rule(usable)
        if is_of_a_value or problem.step not in unread
    ]
    for step in usable.every_step():
        if step.kind == "flow" and step.steps and step.name in unread:
            broken += _inside(step, usable, unread)
    return [*of_types, *broken]


def _without(graph: GraphSpec, wrong: list[Problem]) -> GraphSpec:
    """Return the graph with its own defaults where a field has a wrong type."""
    if not wrong:
        return graph
    places = {(problem.step, problem.field) for problem in wrong}

    def mended(step: StepSpec) -> StepSpec:
        kept = {
            f.name: getattr(step, f.name)
            for f in fields(StepSpec)
            if (str(step.name), f.name) not in places or f.name == "name"
        }
        own = str(step.name)
        if (own, "class_name") in places or (own, "handler") in places:
            kept.setdefault("handler", "unknown")  # it has code, of whatever type
        if any(place in places for place in ((own, key) for key in GROUP_OF)):
            kept |= {"queue": {}, "runner": {}}
        kept["routes"] = tuple(mended(route) for route in step.routes)
        return StepSpec(**{**kept, "name": own})

    return GraphSpec(
        name=graph.name,
        steps=tuple(mended(step) for step in graph.steps),
        router=mended(graph.router) if graph.router else None,
        on_error=None if (None, "on_error") in places else graph.on_error,
        allow_cyclic=graph.allow_cyclic is True,
        final_step=None if (None, "final_step") in places else graph.final_step,
    )


def validate(graph: GraphSpec | HasSpec) -> None:
    """Raise one SpecError that lists every problem, or return quietly.

    >>> validate(GraphSpec(name="g", steps=(StepSpec(name="a", handler="f"),)))
    >>> validate(GraphSpec(name="g"))
    Traceback (most recent call last):
        ...
    jupyter_graph.errors.SpecError: graph 'g' has no steps yet [JG110]
    """
    spec = graph if isinstance(graph, GraphSpec) else getattr(graph, "spec", None)
    if not isinstance(spec, GraphSpec):
        raise SpecError(f"a Graph or a GraphSpec is needed, got {shown(graph)}")
    SpecError.raise_all(f"invalid graph {spec.name!r}", map(str, problems(spec)))
