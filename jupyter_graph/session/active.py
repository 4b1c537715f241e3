"""Which session belongs to the running kernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from jupyter_graph.deployment.notebook_file import set_notebook
from jupyter_graph.errors import RunError

if TYPE_CHECKING:
    from jupyter_graph.deployment.sources import Sources
    from jupyter_graph.run.record import RecordedInput
    from jupyter_graph.session.session import Session
    from jupyter_graph.spec.builder import Graph

_held: list[Session] = []


def notebook() -> Session:
    """Return the session of this notebook: its graphs, events and runners.

    Raises:
        RunError: no notebook has loaded the extension in this process.
    """
    if not _held:
        raise RunError(
            "no notebook session here: run %load_ext jupyter_graph in a notebook; "
            "in a script use Graph and Runner"
        )
    return _held[-1]


def activate(session: Session) -> None:
    """Make this the session that ``notebook()`` returns, and ``deploy`` asks."""
    _held[:] = [session]
    set_notebook(partial(_view, session))


def _view(session: Session, graph: Graph) -> tuple[Sources, Sequence[RecordedInput]]:
    """Return a graph's cells, and what it was asked in this notebook."""
    return session.sources_for(graph), session.event_ring.inputs(graph.name)


def deactivate(session: Session) -> None:
    """Forget this session, if it is the one that ``notebook()`` returns."""
    if session in _held:
        _held.remove(session)
        set_notebook(None)
