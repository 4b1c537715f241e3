"""The live picture of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any

import anywidget
import traitlets

from jupyter_graph.picture import theme
from jupyter_graph.picture.counter_texts import Snapshot
from jupyter_graph.picture.drawing import drawing
from jupyter_graph.picture.forms.mimebundle import mimebundle
from jupyter_graph.picture.layout.layout import layout
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.types import Clock
from jupyter_graph.widgets.step_detail import StepDetail, sendable, sent

HERE = Path(__file__).parent
LEAST_SECONDS = 0.05
"""Seconds between two messages to the browser; what comes sooner is put together."""


class GraphView(anywidget.AnyWidget):
    """State shared with ``graph_view.js``; the drawing happens there.

    Safe to use from several threads; starts none. Where no front end draws widgets,
    the picture is shown as an image or a text.

    Traits:
        drawing: boxes, lines and texts with their places (``picture.drawing``).
        counters: ``{"steps": {name: {...}}, "edges": {"a→b": {...}}}``.
        details: step name → texts of the panel.
        selected: name of the step whose panel is open, "" for none.

    Args:
        spec: the graph.
        details: what the panel shows, by step name.
        clock: seconds that only grow.
    """

    _esm = HERE / "graph_view.js"
    _css = theme.stylesheet() + (HERE / "graph_view.css").read_text(encoding="utf-8")

    drawing = traitlets.Dict().tag(sync=True)
    counters = traitlets.Dict().tag(sync=True)
    details = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        spec: GraphSpec,
        details: Mapping[str, StepDetail] | None = None,
        *,
        clock: Clock = monotonic,
    ) -> None:
        self.spec = spec
        self._clock = clock
        self._gate = RLock()  # who observes a trait may ask for the next picture
        self._waiting: Snapshot | None = None
        self._shown_at = float("-inf")
        super().__init__(
            drawing=_drawn(spec),
            details=sent(spec, details),
            counters={"steps": {}, "edges": {}},
        )

    def show(self, snapshot: Snapshot) -> None:
        """Show these counters now, or with the next call that comes late enough.

        At most 20 messages a second leave, however often this is called. After the
        last event call ``flush``.
        """
        with self._gate:
            self._waiting = snapshot
            if self._clock() - self._shown_at >= LEAST_SECONDS:
                self._send_waiting()

    def flush(self) -> None:
        """Send what is still waiting."""
        with self._gate:
            self._send_waiting()

    def _send_waiting(self) -> None:
        if self._waiting is not None:
            self.counters, self._waiting = _sendable(self._waiting), None
            self._shown_at = self._clock()

    def set_spec(
        self, spec: GraphSpec, details: Mapping[str, StepDetail] | None = None
    ) -> None:
        """Show another state of the graph; counters of steps that stay are kept."""
        # One message to the browser, so that it never draws half of the change.
        with self._gate, self.hold_sync():
            if spec != self.spec:
                self.spec, self.drawing = spec, _drawn(spec)
            self.details = sent(spec, details)
            if self.selected not in self.details:
                self.selected = ""

    def __repr__(self) -> str:
        return f"<view of graph {self.spec.name!r}>"

    def _repr_mimebundle_(
        self, **words: Any
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        # GitHub and exports draw no widgets: they find a picture beside it.
        shown = super()._repr_mimebundle_(**words)
        if shown is None:
            return None
        data, metadata = shown
        static = mimebundle(self.spec, self.counters)
        return {**data, **static}, metadata


def _sendable(snapshot: Snapshot) -> dict[str, Any]:
    edges = {
        name: {**edge, "last": sendable(str(last))}
        if (last := edge.get("last"))
        else edge
        for name, edge in (snapshot.get("edges") or {}).items()
    }
    return {"steps": dict(snapshot.get("steps") or {}), "edges": edges}


def _drawn(spec: GraphSpec) -> dict[str, Any]:
    return drawing(spec, layout(spec, roomy=True))
