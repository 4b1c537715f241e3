"""Graphs made of a graph: the part one function runs, the part after one step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.topology import followers, handler_names, reached

EVERYWHERE = "*"
"""The function in which all steps of a graph run, in one process."""


def part_of(graph: GraphSpec, function: str) -> GraphSpec:
    """Return what one function of a graph runs.

    Args:
        graph: the graph.
        function: ``*`` = all steps; ``""`` = those that name no function; else the
            steps of this function, from the first that an event comes to.

    Raises:
        SpecError: no step belongs to the function.

    >>> q = StepSpec(name="q", kind="queue", path="memory://q", after=("a",))
    >>> b = StepSpec(name="b", handler="f", function="child", after=("q",))
    >>> flow = GraphSpec(steps=(StepSpec(name="a", handler="f"), q, b))
    >>> part_of(flow, "").names(), part_of(flow, "child").names()
    (('a', 'q'), ('b',))
    """
    if function == EVERYWHERE or graph.router is not None:
        return graph
    local = {step.name for step in graph.steps if _is_local(step, function)}
    ways = followers(graph)
    if function:
        firsts = _firsts(graph, function)
    else:
        firsts = tuple(name for name in ways[START] if name in local)
    inside = {
        name: tuple(target for target in targets if target in local)
        for name, targets in ways.items()
    }
    handlers = local & handler_names(graph)
    kept = handlers.union(*(reached(name, inside) for name in firsts))
    return _only(graph, kept, firsts)


def _is_local(step: StepSpec, function: str) -> bool:
    if step.kind == "queue":
        return True
    return (step.function or "") == function or step.function == EVERYWHERE


def _firsts(graph: GraphSpec, function: str) -> tuple[str, ...]:
    own = {step.name: step for step in graph.steps if step.function == function}
    firsts = tuple(n for n, step in own.items() if own.keys().isdisjoint(step.after))
    if not firsts:
        known = {step.function for step in graph.steps if step.function}
        raise SpecError(
            f"did not find steps pointing to current function ({function})"
            f"{did_you_mean(function, known)}"
        )
    return firsts


def starting_from(graph: GraphSpec, name: str) -> GraphSpec:
    """Return a flow that begins with one of its steps.

    Source: MLRun's variable ``START_FROM_STEP``.

    Raises:
        SpecError: there is no such step.
    """
    if name not in graph.names():
        raise SpecError(
            f"from_step ({name}) specified and not found in graph steps"
            f"{did_you_mean(name, graph.names())}"
        )
    kept = reached(name, followers(graph)) | handler_names(graph)
    return _only(graph, kept, (name,))


def distinct(graph: GraphSpec) -> GraphSpec:
    """Return the graph with a name of its own for every step.

    Routes need differ only inside their router, so a route that is called as another
    step is takes its router's name before it: ``router/route``. No name that a user
    may give has a ``/``.

    >>> m = StepSpec(name="m", handler="f")
    >>> two = [StepSpec(name=n, kind="router", routes=(m,)) for n in ("r", "s")]
    >>> [step.name for step in distinct(GraphSpec(steps=tuple(two))).every_step()]
    ['r', 'r/m', 's', 's/m']
    """
    known = Counter(step.name for step in graph.every_step())
    if max(known.values(), default=1) == 1:
        return graph

    def of_router(step: StepSpec) -> StepSpec:
        routes = (
            replace(route, name=f"{step.name}/{route.name}")
            if known[route.name] > 1
            else route
            for route in step.routes
        )
        return replace(step, routes=tuple(routes))

    router = None if graph.router is None else of_router(graph.router)
    return replace(graph, steps=tuple(map(of_router, graph.steps)), router=router)


def own_name(step: StepSpec) -> str:
    """Return the name that the user gave to a step of a ``distinct`` graph."""
    return step.name.rpartition("/")[2]


def _only(graph: GraphSpec, kept: set[str], firsts: tuple[str, ...]) -> GraphSpec:
    """Return the graph with these steps alone; queues that lead nowhere go too."""
    ways = followers(graph)
    for step in graph.steps:
        goes_on = any(target in kept for target in ways.get(step.name, ()))
        if step.kind == "queue" and not step.path and not goes_on:
            kept.discard(step.name)
    back = {(s, step.name) for step in graph.steps for s in step.cycle_from}
    steps = []
    for step in graph.steps:
        if step.name not in kept:
            continue
        is_first = step.name in firsts
        after = tuple(
            name
            for name in step.after
            if name in kept and (not is_first or (name, step.name) in back)
        )
        steps.append(
            replace(
                step,
                after=after,
                before=tuple(name for name in step.before if name in kept),
                cycle_from=tuple(name for name in step.cycle_from if name in after),
                on_error=step.on_error if step.on_error in kept else None,
                base_step=step.base_step if step.base_step in kept else None,
            )
        )
    used = {step.on_error for step in steps} | {graph.on_error}
    steps = [s for s in steps if not s.is_error_handler or s.name in used]
    on_error = graph.on_error if graph.on_error in kept else None
    final = graph.final_step if graph.final_step in kept else None
    return replace(graph, steps=tuple(steps), on_error=on_error, final_step=final)
