"""Steps that ``%graph undo`` brought back, and what they use it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_graph.session.findings.cell_hints import (
    NotebookCells,
    helpers_are_those_of_the_step,
)
from jupyter_graph.session.graph_hints import Advice

if TYPE_CHECKING:
    from jupyter_graph.session.session import Session


def stale_steps(session: Session) -> list[Advice]:
    """Return a note for each such step of all graphs."""
    sources, ran, names = session.graphs.sources, session.cells(), session.user_ns
    return [
        note
        for graph in session.graphs
        for note in helpers_are_those_of_the_step(
            NotebookCells(graph, sources, ran, names=names)
        )
    ]
