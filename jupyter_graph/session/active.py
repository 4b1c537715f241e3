"""Which session belongs to the running kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from jupyter_graph.deployment.notebook_file import set_notebook
from jupyter_graph.errors import RunError
from jupyter_graph.spec.named_graphs import hold

if TYPE_CHECKING:
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
    set_notebook(session.view)
    hold(partial(_changed, session))


def deactivate(session: Session) -> None:
    """Forget this session, if it is the one that ``notebook()`` returns."""
    if session in _held:
        _held.remove(session)
        set_notebook(None)
        hold(None)


@contextmanager
def _changed(session: Session, name: str | None) -> Iterator[Graph]:
    """Yield the graph of this name, or the current one, that ``@step`` changes."""
    with session.graphs.change("@step"):
        graph = session.graphs.named(name)
        yield graph
    session.changed(graph.name)
