"""Graphs that stand inside another one as a single step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jupyter_graph.errors import MagicError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import StepSpec

Embedded = dict[tuple[str, str], str]
"""Graph and step to the name of the graph that the step is."""


def as_step(inner: Graph, step: StepSpec) -> StepSpec:
    """Give the one step that a graph is, in the place of ``step``.

    A flow becomes a step of kind ``flow``, a router a router.
    """
    spec = inner.spec
    if spec.router is None:
        return replace(step, kind="flow", steps=spec.steps, routes=())
    root = spec.router
    return replace(
        step,
        kind="router",
        class_name=root.class_name,
        class_args=root.class_args,
        routes=root.routes,
        steps=(),
    )


def check_names(graph: Graph, inner: Graph) -> None:
    """Raise a MagicError when two graphs mean different things by one name."""
    for name, code in inner.namespace.items():
        if graph.namespace.get(name, code) is not code:
            raise MagicError(
                f"graphs {graph.name!r} and {inner.name!r} mean different things by "
                f"{name!r}; give one of them another name in its cell"
            )


def check_is_no_loop(graph: str, inner: str, embedded: Embedded) -> None:
    """Raise a MagicError when a graph would stand inside itself."""
    todo, seen = [inner], set()
    while todo:
        name = todo.pop()
        if name == graph:
            where = "itself" if inner == graph else f"{inner!r}, which stands inside it"
            raise MagicError(f"graph {graph!r} cannot hold {where}")
        if name not in seen:
            seen.add(name)
            todo += [source for (home, _), source in embedded.items() if home == name]


def embed_again(embedded: Embedded, graphs: Mapping[str, Graph]) -> set[str]:
    """Bring every step that is a graph up to date; give the graphs that changed.

    A graph that is gone, or has no steps, leaves its steps as they are.
    """
    changed: set[str] = set()
    for _ in range(len(embedded)):  # a graph in a graph in a graph
        again = {
            home
            for (home, step), source in embedded.items()
            if _refreshed(graphs.get(home), step, graphs.get(source))
        }
        if not again:
            break
        changed |= again
    return changed


def _refreshed(graph: Graph | None, name: str, inner: Graph | None) -> bool:
    if graph is None or inner is None or not inner.spec.every_step():
        return False
    home, old = _found(graph, name)
    if old is None:
        return False
    new = as_step(inner, old)
    names = inner.namespace
    is_same = all(graph.namespace.get(n, names) is code for n, code in names.items())
    if new == old and is_same:
        return False
    graph.namespace.update(names)
    if home is None:
        graph.put_step(new)
    else:
        graph.put_route(home, new)
    return True


def _found(graph: Graph, name: str) -> tuple[str | None, StepSpec | None]:
    """Give a step as it was said and, when it is a route, the name of its router."""
    for step in graph._spec.top_steps():
        if step.name == name:
            return None, step
        for route in step.routes:
            if route.name == name:
                return step.name, route
    return None, None
