"""How the steps of a graph hang together: edges, order, ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import START, GraphSpec, StepSpec

EdgeKind = Literal["flow", "error", "route"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one step to the next; ``source`` is ``start`` before the first."""

    source: str
    target: str
    kind: EdgeKind = "flow"


def edges(graph: GraphSpec) -> tuple[Edge, ...]:
    """Return every edge, in the order of the steps they lead to.

    An ``error`` edge leads from a step to its error handler; the handler of the
    whole graph hangs on ``$start``, as first steps do. A ``route`` edge leads from a
    router to a route.

    >>> flow = GraphSpec(steps=(StepSpec(name="a"), StepSpec(name="b", after=("a",))))
    >>> [(edge.source, edge.target) for edge in edges(flow)]
    [('$start', 'a'), ('a', 'b')]
    """
    return tuple(_edges(graph))


def _edges(graph: GraphSpec) -> Iterator[Edge]:
    if graph.router is not None:
        yield Edge(START, graph.router.name)
        yield from _routes(graph.router)
    handlers = handler_names(graph)
    for step in graph.steps:
        for upstream in step.after:
            yield Edge(upstream, step.name)
        is_first = set(step.after) <= set(step.cycle_from)
        if is_first and step.name not in handlers:
            yield Edge(START, step.name)
        yield from _routes(step)
    for step in graph.steps:
        if step.on_error:
            yield Edge(step.name, step.on_error, "error")
        for following in step.before:
            yield Edge(step.name, following)
    if graph.on_error:
        yield Edge(START, graph.on_error, "error")


def _routes(router: StepSpec) -> Iterator[Edge]:
    for route in router.routes:
        yield Edge(router.name, route.name, "route")


def handler_names(graph: GraphSpec) -> frozenset[str]:
    """Return the names of the steps that only errors reach."""
    named = {step.on_error for step in graph.steps if step.on_error}
    kinds = {step.name for step in graph.steps if step.is_error_handler}
    return frozenset(named | kinds | ({graph.on_error} if graph.on_error else set()))


def ordinary_names(graph: GraphSpec) -> tuple[str, ...]:
    """Return the names of the steps that are no error handlers, as they were added."""
    handlers = handler_names(graph)
    return tuple(name for name in graph.names() if name not in handlers)


def followers(graph: GraphSpec) -> dict[str, tuple[str, ...]]:
    """Return, for ``start`` and each step, the steps that flow edges lead to."""
    top = (*graph.names(), *((graph.router.name,) if graph.router else ()))
    targets_of: dict[str, list[str]] = {START: [], **{name: [] for name in top}}
    for edge in edges(graph):
        if edge.kind == "flow":
            targets_of.setdefault(edge.source, []).append(edge.target)
    return {name: tuple(targets) for name, targets in targets_of.items()}


def roots(graph: GraphSpec) -> tuple[str, ...]:
    """Return the first steps."""
    return followers(graph)[START]


def leaves(graph: GraphSpec) -> tuple[str, ...]:
    """Return the steps that nothing follows, error handlers left out."""
    after = followers(graph)
    return tuple(name for name in ordinary_names(graph) if not after[name])


def is_linear(graph: GraphSpec) -> bool:
    """Tell whether the ordinary steps are one chain from the first to the last."""
    handlers = handler_names(graph)
    ordinary = (step for step in graph.steps if step.name not in handlers)
    has_ends = graph.router is None and len(leaves(graph)) == len(roots(graph)) == 1
    return has_ends and all(len(step.after) <= 1 for step in ordinary)


def responder_of(graph: GraphSpec) -> str | None:
    """Return the step whose result answers the caller, None when nobody does.

    A root router answers for itself; in MLRun's sync engine the last step of a
    chain answers, whatever is flagged.
    """
    if graph.router is not None:
        return graph.router.name
    if graph.engine == "sync" and is_linear(graph):
        return leaves(graph)[0]
    for step in graph.steps:
        if step.responder:
            return step.name
    if graph.engine == "sync" and len(ends := leaves(graph)) == 1:
        return ends[0]
    return None


def cycle_in(graph: GraphSpec) -> tuple[str, ...]:
    """Return the steps of one cycle in flow order, () when there is none.

    >>> loop = (StepSpec(name="a", after=("b",)), StepSpec(name="b", after=("a",)))
    >>> cycle_in(GraphSpec(steps=loop))
    ('a', 'b', 'a')
    """
    return _cycle(graph, _ways(graph))


def back_edges(graph: GraphSpec) -> frozenset[tuple[str, str]]:
    """Return the edges that lead back: without them the graph has no cycle.

    Those that a step names in ``cycle_from`` come first, then any that closes a cycle
    in the order of the steps.
    """
    ways = _ways(graph)
    back = {(source, s.name) for s in graph.steps for source in s.cycle_from}
    for source, target in back:
        ways[source] = tuple(name for name in ways.get(source, ()) if name != target)
    while cycle := _cycle(graph, ways):
        source, target = cycle[-2:]
        back.add((source, target))
        ways[source] = tuple(name for name in ways[source] if name != target)
    return frozenset(back)


def steps_in_cycles(graph: GraphSpec) -> frozenset[str]:
    """Return the steps that an event may come to more than once."""
    ways = _ways(graph)
    inside: set[str] = set()
    for source, target in back_edges(graph):
        ahead = reached(target, ways)
        inside |= {name for name in ahead if source in reached(name, ways)}
    return frozenset(inside)


def reached(first: str, ways: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return a step and all that comes after it on these ways."""
    seen: set[str] = set()
    todo = [first]
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo += ways.get(name, ())
    return seen


def _ways(graph: GraphSpec) -> dict[str, tuple[str, ...]]:
    ways = followers(graph)
    for step in graph.steps:  # a handler that leads back to its step is a loop too
        if step.on_error:
            ways[step.name] = (*ways[step.name], step.on_error)
    return ways


def _cycle(graph: GraphSpec, ways: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    done: set[str] = set()
    walks = (_walk(name, ways, done) for name in graph.names() if name not in done)
    return next(filter(None, walks), ())


def _walk(
    first: str, after: dict[str, tuple[str, ...]], done: set[str]
) -> tuple[str, ...]:
    path: list[str] = [first]
    todo = [iter(after.get(first, ()))]
    while todo:
        following = next(todo[-1], None)
        if following is None:
            done.add(path.pop())
            todo.pop()
        elif following in path:
            return (*path[path.index(following) :], following)
        elif following not in done:
            path.append(following)
            todo.append(iter(after.get(following, ())))
    return ()


def order(graph: GraphSpec) -> tuple[str, ...]:
    """Return the names of all steps so that each comes after its upstream steps.

    Edges that lead back count for nothing in a graph that allows cycles.

    Raises:
        SpecError: the graph has a cycle and does not allow any; the text shows it.
    """
    cycle = cycle_in(graph)
    if cycle and not graph.allow_cyclic:
        raise SpecError(f"the graph has a cycle: {' → '.join(cycle)}")
    back = back_edges(graph) if cycle else frozenset()
    sorter = TopologicalSorter({step.name: () for step in graph.top_steps()})
    for source, targets in followers(graph).items():
        for target in targets:
            if source != START and (source, target) not in back:
                sorter.add(target, source)
    return tuple(sorter.static_order())
