"""A graph as a PNG image, drawn by Graphviz or its port."""

from __future__ import annotations

from jupyter_graph.errors import SpecError
from jupyter_graph.picture.forms import dot_source
from jupyter_graph.picture.layout import graphviz_engine
from jupyter_graph.picture.layout.graphviz_engine import (
    INSTALL_LINE,
    GraphvizFailedError,
)
from jupyter_graph.spec.model import GraphSpec


def png(spec: GraphSpec, source: str | None = None) -> bytes:
    """Draw a graph as a PNG image with ``dot``, else with ``graphviz-pure``.

    Args:
        spec: the graph.
        source: its document in the DOT language, when it is not the usual one.

    Raises:
        SpecError: neither program is there, or both fail; the text ends with the
            line that installs one.
    """
    return image(source or dot_source.source(spec), "png")


def image(source: str, format_: str) -> bytes:
    """Draw a DOT document in a format that ``dot`` or ``graphviz-pure`` knows.

    Raises:
        SpecError: neither program is there, or both fail.
    """
    failures = []
    for name in graphviz_engine.PROGRAMS:
        if graphviz_engine.program(name):
            try:
                return graphviz_engine.run(name, source, format_)
            except GraphvizFailedError as error:
                failures.append(f"{error}")
    why = "; ".join(failures) or "neither dot nor graphviz-pure is there"
    raise SpecError(f"cannot draw a {format_} picture: {why}; {INSTALL_LINE}")
