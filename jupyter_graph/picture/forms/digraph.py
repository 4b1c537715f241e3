"""A graph as a ``graphviz.Digraph`` that shows itself with or without ``dot``.

Import this module inside functions only: it imports ``graphviz``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphviz

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.picture.forms import dot_source
from jupyter_graph.picture.forms.mermaid import mermaid
from jupyter_graph.picture.forms.mimebundle import mimebundle
from jupyter_graph.picture.forms.svg import svg
from jupyter_graph.picture.forms.text_picture import text
from jupyter_graph.picture.layout.graphviz_engine import image, program
from jupyter_graph.spec.model import GraphSpec

TEXT_FORMATS = ("svg", "mermaid", "mmd", "text", "txt", "dot", "gv")


class GraphPicture(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """A ``graphviz.Digraph`` in MLRun's visual grammar.

    Everything a Digraph can do works where ``dot`` is installed. Displayed in a
    notebook without it, our own SVG is shown.
    """

    def __init__(self, spec: GraphSpec, **attributes: str) -> None:
        words = {name: str(value) for name, value in attributes.items()}
        super().__init__(spec.name, body=dot_source.body(spec, words))
        self.spec = spec

    def __repr__(self) -> str:
        return f"<picture of graph {self.spec.name!r}>"

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> dict[str, Any]:
        bundle = mimebundle(self.spec)
        if program("dot"):
            bundle["image/svg+xml"] = image(self.source, "svg").decode()
        return {
            mime: value
            for mime, value in bundle.items()
            if (include is None or mime in include) and mime not in (exclude or ())
        }

    def save_as(self, path: str | Path, format_: str | None = None) -> Path:
        """Write the picture to a file; its ending is the format unless one is given.

        ``svg``, ``mermaid``, ``text`` and ``dot`` need no other program; ``png`` needs
        ``dot`` or ``graphviz-pure``, ``pdf`` and others need ``dot``.

        Raises:
            SpecError: no program here draws that format, or the file cannot be written.
        """
        path = Path(path)
        chosen = (format_ or path.suffix[1:] or "png").lower()
        if path.suffix[1:].lower() != chosen:
            path = path.with_name(f"{path.name}.{chosen}")
        content = self._content(chosen)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise SpecError(f"cannot write the picture: {error}") from error
        return path

    def _content(self, chosen: str) -> bytes:
        if chosen == "svg" and not program("dot"):
            return svg(self.spec).encode()
        if chosen in ("mermaid", "mmd"):
            return mermaid(self.spec).encode()
        if chosen in ("text", "txt"):
            return f"{text(self.spec)}\n".encode()
        if chosen in ("dot", "gv"):
            return str(self.source).encode()
        known = (*TEXT_FORMATS, "png", "jpg", "jpeg", "pdf", "ps", "webp", "gif")
        if chosen not in known:
            raise SpecError(
                f"unknown picture format {chosen!r}{did_you_mean(chosen, known)} "
                f"(known: {', '.join(known)})"
            )
        return image(self.source, chosen)
