"""Every rule a graph must obey, one function each."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.names import graph_name_problem, step_name_problem
from jupyter_graph.spec.topology import cycle_in, handler_names

if TYPE_CHECKING:
    from jupyter_graph.spec.builder import Graph

KINDS = ("task", "router", "error_step")
LONGEST_S = 365 * 24 * 3600.0
TEXTS = (
    "kind", "class_name", "handler", "on_error", "base_step", "input_path",
    "result_path", "comment", "shape",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a graph.

    Attributes:
        message: what is wrong and what would be right; names step and field.
        step: the step it stands at, None for the graph itself.
        field: the field of that step or of the graph.
    """

    message: str
    step: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        return self.message


Rule = Callable[[GraphSpec], Iterator[Problem]]


def the_graph_has_a_name(graph: GraphSpec) -> Iterator[Problem]:
    if problem := graph_name_problem(graph.name):
        yield Problem(problem, field="name")


def has_steps(graph: GraphSpec) -> Iterator[Problem]:
    if not graph.steps and graph.router is None:
        yield Problem(f"graph {graph.name!r} has no steps yet", field="steps")


def names_follow_the_rule(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.steps:
        if problem := step_name_problem(step.name):
            yield Problem(problem, str(step.name), "name")
    for router in graph.every_step():
        for route in router.routes:
            if problem := step_name_problem(route.name, route=True):
                yield Problem(problem, str(route.name), "name")


def names_are_unique(graph: GraphSpec) -> Iterator[Problem]:
    for name, count in Counter(step.name for step in graph.every_step()).items():
        if count > 1:
            yield Problem(f"{count} steps are named {name!r}", name, "name")


def kinds_are_known(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind not in KINDS:
            yield Problem(
                f"step {step.name!r} is of kind {step.kind!r}"
                f"{did_you_mean(step.kind, KINDS)}, known are {', '.join(KINDS)}",
                step.name,
                "kind",
            )


def steps_have_code(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind != "router" and not step.class_name and not step.handler:
            yield Problem(
                f"step {step.name!r} has neither class_name nor handler; "
                "name a class or a function",
                step.name,
                "handler",
            )


def after_names_exist(graph: GraphSpec) -> Iterator[Problem]:
    yield from _known(graph, "after", "comes after")


def before_names_exist(graph: GraphSpec) -> Iterator[Problem]:
    yield from _known(graph, "before", "goes on before")


def _known(graph: GraphSpec, field: str, verb: str) -> Iterator[Problem]:
    names = graph.names()
    for step in graph.steps:
        for missing in dict.fromkeys(getattr(step, field)):
            if missing not in names:
                yield Problem(
                    f"step {step.name!r} {verb} {missing!r}, which does not exist"
                    f"{did_you_mean(missing, names)}",
                    step.name,
                    field,
                )


def before_belongs_to_error_handlers(graph: GraphSpec) -> Iterator[Problem]:
    handlers = handler_names(graph)
    for step in graph.steps:
        if step.before and step.name not in handlers:
            yield Problem(
                f"step {step.name!r} has 'before', which only an error handler may; "
                f"put {step.name!r} into the 'after' of {', '.join(step.before)}",
                step.name,
                "before",
            )
    if graph.on_error in graph.names() and graph.step(str(graph.on_error)).before:
        yield Problem(
            f"the graph's error handler {graph.on_error!r} cannot go on before a "
            "step: its result is the answer",
            graph.on_error,
            "before",
        )


def error_handlers_exist(graph: GraphSpec) -> Iterator[Problem]:
    names = graph.names()
    for step in graph.steps:
        if step.on_error and step.on_error not in names:
            yield Problem(
                f"the error handler {step.on_error!r} of step {step.name!r} does not "
                f"exist{did_you_mean(step.on_error, names)}",
                step.name,
                "on_error",
            )
        if step.on_error == step.name:
            yield Problem(
                f"step {step.name!r} is its own error handler", step.name, "on_error"
            )
    if graph.on_error and graph.on_error not in names:
        yield Problem(
            f"the graph's error handler {graph.on_error!r} does not exist"
            f"{did_you_mean(graph.on_error, names)}",
            field="on_error",
        )


def error_handlers_are_used(graph: GraphSpec) -> Iterator[Problem]:
    used = {step.on_error for step in graph.steps} | {graph.on_error}
    for step in graph.steps:
        if step.is_error_handler and step.name not in used:
            yield Problem(
                f"error handler {step.name!r} handles the errors of no step; name it "
                "in a step's on_error",
                step.name,
                "on_error",
            )


def one_responder(graph: GraphSpec) -> Iterator[Problem]:
    responders = [step.name for step in graph.steps if step.responder]
    if len(responders) > 1:
        yield Problem(
            f"only one step may respond, found {', '.join(responders)}",
            responders[1],
            "responder",
        )


def no_cycles(graph: GraphSpec) -> Iterator[Problem]:
    if cycle := cycle_in(graph):
        yield Problem(
            f"the graph has a cycle: {' → '.join(cycle)}; take one of its edges away",
            cycle[0],
            "after",
        )


def routers_have_routes(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind == "router" and not step.routes:
            yield Problem(
                f"router {step.name!r} has no routes; add one with add_route", step.name
            )
        if step.kind != "router" and step.routes:
            yield Problem(
                f"step {step.name!r} has routes but is of kind {step.kind!r}; "
                "only a router has routes",
                step.name,
                "routes",
            )


def routes_stand_alone(graph: GraphSpec) -> Iterator[Problem]:
    """A route is reached through its router only, and fails as its router does."""
    for router in graph.every_step():
        for route in router.routes:
            for field in ("after", "before", "on_error", "responder", "routes"):
                if getattr(route, field):
                    yield Problem(
                        f"route {route.name!r} of {router.name!r} has {field!r}, which "
                        f"a route cannot have; put it at {router.name!r}",
                        route.name,
                        field,
                    )


def a_root_router_stands_alone(graph: GraphSpec) -> Iterator[Problem]:
    if graph.router is None:
        return
    for field in ("after", "before", "on_error"):
        if getattr(graph.router, field):
            yield Problem(
                f"router {graph.router.name!r} is the whole graph, so it has no "
                f"{field!r}; make it a step of a flow",
                graph.router.name,
                field,
            )
    if graph.steps:
        yield Problem(
            f"a router topology has no steps beside its router, found "
            f"{', '.join(graph.names())}",
            field="steps",
        )


def error_handlers_come_after_errors_only(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.steps:
        if step.is_error_handler and step.after:
            yield Problem(
                f"error handler {step.name!r} has 'after', but only errors lead to it; "
                "take it away",
                step.name,
                "after",
            )
        if step.base_step and step.base_step not in graph.names():
            yield Problem(
                f"error handler {step.name!r} has the base_step {step.base_step!r}, "
                f"which does not exist{did_you_mean(step.base_step, graph.names())}",
                step.name,
                "base_step",
            )


def upstream_steps_are_named_once(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.steps:
        for field in ("after", "before"):
            for name, count in Counter(getattr(step, field)).items():
                if count > 1:
                    yield Problem(
                        f"step {step.name!r} names {name!r} {count} times in "
                        f"{field!r}; once is enough",
                        step.name,
                        field,
                    )


# -- types ----------------------------------------------------------------------


def fields_have_their_types(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if not isinstance(step.name, str):
            yield Problem(str(step_name_problem(step.name)), str(step.name), "name")
        yield from _texts(step)
        yield from _names(step)
        yield from _numbers(step)
        yield from _arguments(step)
    if graph.topology not in ("flow", "router"):
        yield Problem(
            f"topology must be 'flow' or 'router', got {graph.topology!r}",
            field="topology",
        )
    if graph.engine not in ("async", "sync"):
        yield Problem(
            f"engine must be 'async' or 'sync', got {graph.engine!r}", field="engine"
        )
    if graph.copy not in ("deep", "shallow", "none"):
        yield Problem(
            f"copy must be 'deep', 'shallow' or 'none', got {graph.copy!r}",
            field="copy",
        )
    if graph.on_error is not None and not isinstance(graph.on_error, str):
        yield Problem(
            f"on_error of the graph must be a text, got {graph.on_error!r}",
            field="on_error",
        )
    if not _is_count(graph.max_in_flight, least=1):
        yield Problem(
            f"max_in_flight must be a whole number of 1 or more, "
            f"got {graph.max_in_flight!r}",
            field="max_in_flight",
        )


def _arguments(step: StepSpec) -> Iterator[Problem]:
    if not isinstance(step.class_args, Mapping):
        yield Problem(
            f"class_args of step {step.name!r} must be an object of names and "
            f"values, got {step.class_args!r}",
            step.name,
            "class_args",
        )
        return
    for key in step.class_args:
        if not isinstance(key, str):
            yield Problem(
                f"class_args of step {step.name!r} must have texts as names, "
                f"got {key!r}",
                step.name,
                "class_args",
            )


def _names(step: StepSpec) -> Iterator[Problem]:
    for field in ("after", "before"):
        value = getattr(step, field)
        if not isinstance(value, tuple) or not all(isinstance(n, str) for n in value):
            yield Problem(
                f"{field} of step {step.name!r} must be names of steps, got {value!r}",
                step.name,
                field,
            )


def _texts(step: StepSpec) -> Iterator[Problem]:
    for field in TEXTS:
        value = getattr(step, field)
        if value is not None and not isinstance(value, str):
            yield Problem(
                f"{field} of step {step.name!r} must be a text, got {value!r}",
                step.name,
                field,
            )
    for field in ("full_event", "responder", "blocking"):
        value = getattr(step, field)
        if not isinstance(value, bool):
            yield Problem(
                f"{field} of step {step.name!r} must be true or false, got {value!r}",
                step.name,
                field,
            )


def _numbers(step: StepSpec) -> Iterator[Problem]:
    if step.timeout_s is not None and not _is_seconds(step.timeout_s, above=True):
        yield Problem(
            f"timeout_s of step {step.name!r} must be a number of seconds above 0 "
            f"and within a year, got {_short(step.timeout_s)}",
            step.name,
            "timeout_s",
        )
    if not _is_count(step.retries, least=0):
        yield Problem(
            f"retries of step {step.name!r} must be a whole number of 0 or more, "
            f"got {step.retries!r}",
            step.name,
            "retries",
        )
    if not _is_seconds(step.backoff_s, above=False):
        yield Problem(
            f"backoff_s of step {step.name!r} must be 0 or more seconds and within "
            f"a year, got {_short(step.backoff_s)}",
            step.name,
            "backoff_s",
        )


def _short(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not write numbers of thousands of digits
        return "a very large number"


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_seconds(value: object, *, above: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (value > 0 if above else value >= 0) and value <= LONGEST_S


RULES: tuple[Rule, ...] = (
    the_graph_has_a_name,
    has_steps,
    names_follow_the_rule,
    names_are_unique,
    kinds_are_known,
    steps_have_code,
    upstream_steps_are_named_once,
    after_names_exist,
    before_names_exist,
    before_belongs_to_error_handlers,
    error_handlers_exist,
    error_handlers_are_used,
    error_handlers_come_after_errors_only,
    one_responder,
    routers_have_routes,
    routes_stand_alone,
    a_root_router_stands_alone,
    no_cycles,
)
"""They may trust that every field has its type."""


def problems(graph: GraphSpec) -> list[Problem]:
    """Give everything that is wrong with a graph, [] when it is fine."""
    of_types = [
        replace(problem, step=problem.step and str(problem.step))
        for problem in fields_have_their_types(graph)
    ]
    usable = _without(graph, of_types)
    return [*of_types, *(problem for rule in RULES for problem in rule(usable))]


def _without(graph: GraphSpec, wrong: list[Problem]) -> GraphSpec:
    """Give the graph with its own defaults where a field has a wrong type."""
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
        routes = tuple(mended(route) for route in step.routes)
        return StepSpec(**{**kept, "name": own, "routes": routes})

    return GraphSpec(
        name=graph.name,
        steps=tuple(mended(step) for step in graph.steps),
        router=mended(graph.router) if graph.router else None,
        on_error=None if (None, "on_error") in places else graph.on_error,
    )


def validate(graph: GraphSpec | Graph) -> None:
    """Raise one SpecError that lists every problem, or return quietly.

    >>> validate(GraphSpec(name="g", steps=(StepSpec(name="a", handler="f"),)))
    >>> validate(GraphSpec(name="g"))
    Traceback (most recent call last):
        ...
    jupyter_graph.errors.SpecError: graph 'g' has no steps yet
    """
    spec = graph if isinstance(graph, GraphSpec) else getattr(graph, "spec", None)
    if not isinstance(spec, GraphSpec):
        raise SpecError(f"a Graph or a GraphSpec is needed, got {_short(graph)}")
    SpecError.raise_all(f"invalid graph {spec.name!r}", map(str, problems(spec)))
