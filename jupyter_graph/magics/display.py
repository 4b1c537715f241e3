"""Small values that magics give back: they show themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_graph.spec.model import GraphSpec

FORMATS = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "mermaid": "text/vnd.mermaid",
    "text": "text/plain",
}
"""The formats of a picture, and what each is."""


class Note(str):
    """A text for the user; shows itself without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Code(Note):
    """A text of Python; shows itself with colours where there are any."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        fence = "````" if "```" in self else "```"
        return f"{fence}python\n{self}\n{fence}"


class Picture:
    """One picture of a graph in one format.

    Attributes:
        data: SVG, Mermaid or plain text, or the bytes of a PNG.
        mime: what it is.
    """

    def __init__(self, data: str | bytes, mime: str, text: str) -> None:
        self.data = data
        self.mime = mime
        self._text = text

    @classmethod
    def of(cls, spec: GraphSpec, wanted: str) -> Picture:
        """Draw a graph as ``svg``, ``png``, ``mermaid`` or ``text``."""
        from jupyter_graph.picture.forms.mermaid import mermaid
        from jupyter_graph.picture.forms.png import png
        from jupyter_graph.picture.forms.svg import svg
        from jupyter_graph.picture.forms.text_picture import text

        draw: dict[str, Callable[[GraphSpec], str | bytes]]
        draw = {"svg": svg, "png": png, "mermaid": mermaid, "text": text}
        data = draw[wanted](spec)
        shown = mermaid if wanted == "mermaid" else text
        return cls(data, FORMATS[wanted], shown(spec))

    def __str__(self) -> str:
        return self.data if isinstance(self.data, str) else self._text

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self._text, self.mime: self.data}
