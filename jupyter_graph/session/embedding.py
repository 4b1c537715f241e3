"""Graphs that stand inside another one as a single step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from jupyter_graph.errors import MagicError
from jupyter_graph.spec import edit
from jupyter_graph.spec.builder import Graph

Embedded = dict[tuple[str, str], str]
"""Graph and step to the name of the graph that the step is."""


def check_names(graph: Graph, inner: Graph, own: Iterable[str] | None = None) -> None:
    """Raise a MagicError when two graphs mean different things by one name.

    Args:
        graph: the graph that holds the other one.
        inner: the other one.
        own: the names of its own cells, which must not change their meaning; by
            default all of its names.
    """
    kept = set(graph.namespace if own is None else own)
    for name, code in inner.namespace.items():
        if name in kept and graph.namespace.get(name, code) is not code:
            raise MagicError(
                f"graphs {graph.name!r} and {inner.name!r} mean different things by "
                f"{name!r}; give one of them another name in its cell"
            )


def embed_again(
    embedded: Embedded,
    graphs: Mapping[str, Graph],
    own_names: Callable[[str], Iterable[str]],
) -> None:
    """Bring every step that is a graph up to date.

    A graph that is gone, or has no steps, leaves its steps as they are.

    Args:
        embedded: which steps are graphs.
        graphs: all graphs.
        own_names: returns the names that a graph's own cells define.

    Raises:
        MagicError: a graph now means something else by a name of the other's cells.
    """
    for _ in range(len(embedded)):  # a graph in a graph in a graph
        again = [
            home
            for (home, step), source in embedded.items()
            if _refreshed(graphs.get(home), step, graphs.get(source), own_names(home))
        ]
        if not again:
            break


def _refreshed(
    graph: Graph | None, name: str, inner: Graph | None, own: Iterable[str]
) -> bool:
    if graph is None or inner is None or not inner.spec.every_step():
        return False
    if all(step.name != name for step in graph.written.every_step()):
        return False
    written = edit.embed(graph.written, name, inner.spec)
    names = inner.namespace
    # The spec may be equal while a cell defined the function anew.
    is_same = all(graph.namespace.get(n, names) is code for n, code in names.items())
    if written == graph.written and is_same:
        return False
    check_names(graph, inner, own)
    graph.namespace.update(names)
    graph.written = written
    return True
