"""The live pictures in the notebook, which are redrawn when their graph changes."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from jupyter_graph.cells.source import place as cell_place
from jupyter_graph.session.session import Session
from jupyter_graph.spec.builder import Graph

if TYPE_CHECKING:
    from jupyter_graph.widgets.graph_view import GraphView
    from jupyter_graph.widgets.step_detail import StepDetail

VIEWS_KEPT = 5
EVENTS_LOOKED_AT = 10


class Views:
    """Makes views of a session's graphs and keeps the latest ones up to date."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._shown: dict[str, deque[GraphView]] = defaultdict(
            lambda: deque(maxlen=VIEWS_KEPT)
        )

    def show(self, graph: Graph) -> GraphView:
        """Return a live view of a graph."""
        from jupyter_graph.widgets.graph_view import GraphView

        view = GraphView(graph.spec)
        self._shown[graph.name].append(view)
        self._update(view, graph)
        return view

    def changed(self, name: str) -> None:
        """Bring the views of a graph up to date."""
        if name in self.session.graphs and self._shown.get(name):
            graph = self.session.graphs.named(name)
            for view in self._shown[name]:
                self._update(view, graph)

    def close(self) -> None:
        """Leave all views as they are."""
        self._shown.clear()

    def _update(self, view: GraphView, graph: Graph) -> None:
        view.set_spec(graph.spec, self._details(graph))
        runner = self.session.runners.peek(graph.name)
        if runner is not None:
            view.show(runner.counters.snapshot())
            view.flush()

    def _details(self, graph: Graph) -> dict[str, StepDetail]:
        from jupyter_graph.widgets.step_detail import StepDetail

        details, last = {}, self._last_bodies(graph.name)
        for name in [step.name for step in graph.spec.every_step()]:
            source = self.session.graphs.sources.of(graph.name, name)
            where = cell_place(source.cell, source.line) if source else ""
            code = self.session.code_of(name, graph.name)
            details[name] = StepDetail(code=code, where=where, **last[name])
        return details

    def _last_bodies(self, graph: str) -> dict[str, dict[str, Any]]:
        last: dict[str, dict[str, Any]] = defaultdict(dict)
        for record in self.session.event_ring.of(graph)[-EVENTS_LOOKED_AT:]:
            trace = record.answer.trace if record.answer is not None else None
            for row in trace or ():
                last[row.step] = {
                    "input": row.input.text,
                    "output": row.output.text if row.output is not None else "",
                    "error": row.error or "",
                }
        return last
