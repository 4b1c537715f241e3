"""Rules on the structure of a graph, one function each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from jupyter_graph.errors import did_you_mean
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.names import (
    function_name_problem,
    graph_name_problem,
    step_name_problem,
)
from jupyter_graph.spec.rules.graph_problem import Problem, of_another_kind, shown
from jupyter_graph.spec.subgraphs import EVERYWHERE
from jupyter_graph.spec.topology import cycle_in, followers, handler_names, reached

KINDS = ("task", "router", "flow", "queue", "model_runner", "error_step")
FOREIGN_KINDS = {
    "hub_task": "it downloads code when it is loaded; import the class in the notebook",
    "monitoring_application": "it needs MLRun's monitoring; use a validator step",
    "choice": "MLRun never ran it; use ChoiceByField or a class with select_outlets",
}
"""Kinds of MLRun that are not to be had here, and what to do instead."""

HINT_WORK = 10_000
"""How many pairs of names a rule compares; further problems have no hint."""


class Hints:
    """Says which name was meant, as long as that costs little."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)
        self._left = max(1, HINT_WORK // max(1, len(self.known)))

    def __call__(self, word: str) -> str:
        self._left -= 1
        return did_you_mean(word, sorted(self.known)) if self._left >= 0 else ""


WITHOUT_CODE = ("router", "flow", "queue", "model_runner")
OF_CODE = ("class_name", "handler", "full_event", "class_args", "responder")
OF_PLACE = ("after", "before", "on_error")


def _without(
    step: StepSpec, fields: Iterable[str], what: str, why: str
) -> Iterator[Problem]:
    """Yield a problem for each of these fields that a step has, and should not have."""
    for field in fields:
        if getattr(step, field):
            yield Problem(f"{what} {field!r}{why}", step.name, field)


def the_graph_has_a_name(graph: GraphSpec) -> Iterator[Problem]:
    if problem := graph_name_problem(graph.name):
        yield Problem(problem, field="name")


def functions_follow_the_rule_of_names(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.function in (None, "", EVERYWHERE):
            continue
        if problem := function_name_problem(step.function):
            message = f"function of step {step.name!r}: {problem}"
            yield Problem(message, step.name, "function")


def has_steps(graph: GraphSpec) -> Iterator[Problem]:
    if not graph.steps and graph.router is None:
        yield Problem(f"graph {graph.name!r} has no steps yet", field="steps")


def names_follow_the_rule(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.top_steps():
        if problem := step_name_problem(step.name, in_document=True):
            yield Problem(problem, str(step.name), "name")
    for router in graph.every_step():
        for route in router.routes:
            if problem := step_name_problem(route.name, route=True):
                yield Problem(problem, str(route.name), "name")


def names_are_unique(graph: GraphSpec) -> Iterator[Problem]:
    groups = [("steps", graph.top_steps())]
    groups += [(f"routes of {one.name!r}", one.routes) for one in graph.every_step()]
    for what, steps in groups:
        for name, count in Counter(step.name for step in steps).items():
            if count > 1:
                yield Problem(f"{count} {what} are named {name!r}", name, "name")


def kinds_are_known(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind not in KINDS:
            why = f"{did_you_mean(step.kind, KINDS)}, known are {', '.join(KINDS)}"
            if step.kind in FOREIGN_KINDS:
                why = f", which is not to be had: {FOREIGN_KINDS[step.kind]}"
            message = f"step {step.name!r} is of kind {shown(step.kind)}{why}"
            yield Problem(message, step.name, "kind")


def steps_have_code(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        needs_code = step.kind not in WITHOUT_CODE
        if needs_code and not step.class_name and not step.handler:
            yield Problem(
                f"step {step.name!r} has neither class_name nor handler; "
                "name a class or a function",
                step.name,
                "handler",
            )


def cycle_names_exist(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.steps:
        for name in step.cycle_from:
            if name not in step.after:
                yield Problem(
                    f"step {step.name!r} has {name!r} in 'cycle_from' but not in "
                    f"'after'{did_you_mean(name, step.after)}",
                    step.name,
                    "cycle_from",
                )


def neighbours_exist(graph: GraphSpec) -> Iterator[Problem]:
    for field, verb in (("after", "comes after"), ("before", "goes on before")):
        hint = Hints(graph.names())
        for step in graph.steps:
            names = dict.fromkeys(getattr(step, field))
            for missing in (name for name in names if name not in hint.known):
                what = f"step {step.name!r} {verb} {missing!r}, which does not exist"
                yield Problem(f"{what}{hint(missing)}", step.name, field)


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
    hint = Hints(names)
    for step in graph.steps:
        if step.on_error and step.on_error not in hint.known:
            yield Problem(
                f"the error handler {step.on_error!r} of step {step.name!r} does not "
                f"exist{hint(step.on_error)}",
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


def only_error_handlers_reraise(graph: GraphSpec) -> Iterator[Problem]:
    handlers, ways = handler_names(graph), followers(graph)
    for step in graph.every_step():
        if not step.reraise:
            continue
        if step.name not in handlers:
            yield Problem(
                f"step {step.name!r} has 'reraise', which only an error handler may; "
                f"name {step.name!r} in a step's on_error",
                step.name,
                "reraise",
            )
        elif after := ways.get(step.name, ()):
            yield Problem(
                f"the error handler {step.name!r} reraises, so nothing comes after it; "
                f"take it out of the way to {', '.join(after)}",
                step.name,
                "reraise",
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
    if graph.allow_cyclic:
        if graph.engine == "sync":
            yield Problem(
                "Cyclic graphs are not supported with sync engine: engine must be "
                "'async' where allow_cyclic is true",
                field="allow_cyclic",
            )
        return
    if cycle := cycle_in(graph):
        yield Problem(
            f"the graph has a cycle: {' → '.join(cycle)}; take one of its edges away, "
            "or say allow_cyclic (and cycle_to at the step that leads back)",
            cycle[0],
            "after",
        )


def every_step_is_reached(graph: GraphSpec) -> Iterator[Problem]:
    """Only a cycle that nothing leads into is not; others come after the start."""
    ways = followers(graph)
    seen = reached(START, ways)
    for handler in handler_names(graph):
        seen |= reached(handler, ways)
    names = graph.names()
    for step in graph.steps:
        is_lost = step.name not in seen and all(name in names for name in step.after)
        if is_lost and graph.allow_cyclic:
            yield Problem(
                f"no event reaches step {step.name!r}: the cycle it stands in has no "
                "way in; name the edge that leads back in 'cycle_from'",
                step.name,
                "after",
            )


def the_final_step_exists(graph: GraphSpec) -> Iterator[Problem]:
    if graph.final_step and graph.final_step not in graph.names():
        yield Problem(
            f"final_step ({graph.final_step}) specified and not found in graph steps"
            f"{did_you_mean(graph.final_step, graph.names())}",
            field="final_step",
        )


def queues_are_mere_queues(graph: GraphSpec) -> Iterator[Problem]:
    ways = followers(graph)
    for step in graph.every_step():
        name = step.name
        if step.kind != "queue":
            if step.path or step.queue:
                field = "path" if step.path else next(iter(step.queue))
                yield of_another_kind(step, "queue", field)
            continue
        what = f"queue {name!r} has"
        yield from _without(step, OF_CODE, what, "; a queue runs no code")
        if not step.path and not ways.get(name):
            yield Problem(
                f"queue {name!r} has neither a path nor a step after it, so its "
                "events go nowhere; give it one",
                name,
                "path",
            )


def runner_fields_belong_to_runners(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.runner and step.kind != "model_runner":
            field = next(iter(step.runner))
            yield of_another_kind(step, "model_runner", field)


def joins_have_branches(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.steps:
        if step.join and len(step.after) < 2:
            yield Problem(
                f"step {step.name!r} joins ({step.join!r}), but comes after "
                f"{len(step.after)} step{'' if len(step.after) == 1 else 's'}; a join "
                "needs two or more in 'after'",
                step.name,
                "join",
            )
        if step.join_timeout_s is not None and step.join != "all":
            yield Problem(
                f"step {step.name!r} has join_timeout_s, which is only for join='all'",
                step.name,
                "join_timeout_s",
            )


def batches_take_bodies(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        wanted = {
            "batch": (step.batch is not None, "a list of bodies"),
            "vectorized": (step.vectorized, "a table of bodies"),
        }
        for field, (is_wanted, takes) in wanted.items():
            if is_wanted and (step.full_event or step.kind != "task"):
                is_a = f"is of kind {step.kind!r}"
                what = "takes the full event" if step.full_event else is_a
                yield Problem(
                    f"step {step.name!r} {what}, which does not go with {field!r}: it "
                    f"takes {takes}",
                    step.name,
                    field,
                )


def effects_are_of_code(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.side_effects and step.kind not in ("task", "error_step"):
            yield Problem(
                f"step {step.name!r} is of kind {step.kind!r}, which does not go with "
                "'side_effects': mark the steps inside it",
                step.name,
                "side_effects",
            )


def processes_run_code(graph: GraphSpec) -> Iterator[Problem]:
    hints = {
        "router": "give them to its routes",
        "flow": "give them to its steps",
        "model_runner": "give its models execution_mechanism='process_pool'",
    }
    for step in graph.every_step():
        if step.processes is not None and step.kind not in ("task", "error_step"):
            hint = hints.get(step.kind)
            yield Problem(
                f"step {step.name!r} is of kind {step.kind!r}, which takes no "
                f"processes{f'; {hint}' if hint else ''}",
                step.name,
                "processes",
            )


def routers_have_routes(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if step.kind == "router" and not step.routes:
            yield Problem(
                f"router {step.name!r} has no routes; add one with add_route", step.name
            )
        if step.kind != "router" and step.routes:
            yield of_another_kind(step, "router", "routes", "routes")


def routes_stand_alone(graph: GraphSpec) -> Iterator[Problem]:
    """A route is reached through its router only, and fails as its router does."""
    for router in graph.every_step():
        for route in router.routes:
            what = f"route {route.name!r} of {router.name!r} has"
            why = f", which a route cannot have; put it at {router.name!r}"
            yield from _without(route, (*OF_PLACE, "responder", "routes"), what, why)


def a_root_router_stands_alone(graph: GraphSpec) -> Iterator[Problem]:
    if graph.router is None:
        return
    what = f"router {graph.router.name!r} is the whole graph, so it has no"
    yield from _without(graph.router, OF_PLACE, what, "; make it a step of a flow")
    if graph.steps:
        yield Problem(
            f"a router topology has no steps beside its router, found "
            f"{', '.join(graph.names())}",
            field="steps",
        )


def error_handlers_come_after_errors_only(graph: GraphSpec) -> Iterator[Problem]:
    hint = Hints(graph.names())
    for step in graph.steps:
        if step.is_error_handler and step.after:
            yield Problem(
                f"error handler {step.name!r} has 'after', but only errors lead to it; "
                "take it away",
                step.name,
                "after",
            )
        if step.base_step and step.base_step not in hint.known:
            yield Problem(
                f"error handler {step.name!r} has the base_step {step.base_step!r}, "
                f"which does not exist{hint(step.base_step)}",
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
