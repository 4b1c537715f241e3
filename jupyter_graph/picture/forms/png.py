"""A graph as a PNG image, drawn by Graphviz or its port."""

from __future__ import annotations

from jupyter_graph.picture.forms import dot_source
from jupyter_graph.picture.layout.graphviz_engine import image
from jupyter_graph.spec.model import GraphSpec


def png(spec: GraphSpec) -> bytes:
    """Draw a graph as a PNG image with ``dot``, else with ``graphviz-pure``.

    Raises:
        SpecError: neither program is there, or both fail.
    """
    return image(dot_source.source(spec), "png")
