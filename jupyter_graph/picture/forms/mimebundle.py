"""A graph in every form that a notebook front end may want."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.picture.counter_texts import Snapshot
from jupyter_graph.picture.forms.png import png
from jupyter_graph.picture.forms.svg import svg
from jupyter_graph.picture.forms.text_picture import text
from jupyter_graph.picture.layout.graphviz_engine import available
from jupyter_graph.spec.model import GraphSpec

_LARGEST_PNG = 150


def mimebundle(spec: GraphSpec, counters: Snapshot | None = None) -> dict[str, Any]:
    """Return the picture as SVG and text, and as PNG where a program draws one.

    GitHub does not show SVG outputs of notebooks; the PNG, without counts, is for it.

    >>> sorted(mimebundle(GraphSpec(name="g")))[-1]
    'text/plain'
    """
    bundle: dict[str, Any] = {
        "image/svg+xml": svg(spec, counters),
        "text/plain": text(spec, counters),
    }
    if available() and len(spec.every_step()) <= _LARGEST_PNG:
        try:
            bundle["image/png"] = b64encode(png(spec)).decode("ascii")
        except SpecError:
            return bundle  # the SVG and the text are enough
    return bundle
