"""Graphs that stand inside another one as a single step."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_graph.errors import MagicError
from jupyter_graph.spec import edit
from jupyter_graph.spec.builder import Graph


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


def refreshed(
    graph: Graph | None, name: str, inner: Graph | None, own: Iterable[str]
) -> bool:
    """Bring a step that is a graph up to date, and tell whether it was not.

    A graph that is gone, or has no steps, leaves its steps as they are.

    Args:
        graph: the graph that holds the other one.
        name: the step.
        inner: the graph that the step is.
        own: the names that the first one's own cells define.

    Raises:
        MagicError: the first graph means something else by a name of the other's cells.
    """
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
