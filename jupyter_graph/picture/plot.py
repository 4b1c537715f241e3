"""``plot(graph)``: the picture of a graph as an object that shows itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import GraphSpec

if TYPE_CHECKING:
    from jupyter_graph.picture.forms.digraph import GraphPicture
    from jupyter_graph.spec.builder import Graph


def plot(
    graph: Graph | GraphSpec,
    filename: str | Path | None = None,
    format: str | None = None,
    **attributes: Any,
) -> GraphPicture:
    """Return the picture of a graph, a ``graphviz.Digraph`` in MLRun's visual grammar.

    Args:
        graph: the graph or its description.
        filename: write the picture there too, in the format of its ending.
        format: ``svg png mermaid text dot`` or what ``dot`` knows, where the file name
            does not say it.
        **attributes: graph attributes of graphviz, such as ``rankdir="TB"``.

    Raises:
        SpecError: it is no graph, the format is unknown, or no program here draws it.

    >>> plot(GraphSpec(name="g"))
    <picture of graph 'g'>
    """
    from jupyter_graph.picture.forms.digraph import GraphPicture

    spec = graph if isinstance(graph, GraphSpec) else getattr(graph, "spec", None)
    if not isinstance(spec, GraphSpec):
        raise SpecError(f"plot takes a Graph or a GraphSpec, got {graph!r}")
    picture = GraphPicture(spec, **attributes)
    if filename is not None:
        picture.save_as(filename, format)
    return picture
