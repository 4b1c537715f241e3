"""From this notebook's graph to a function: what the session adds to ``deploy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import DeployError
from jupyter_graph.spec.builder import Graph

if TYPE_CHECKING:
    from jupyter_graph.deployment.sources import Sources
    from jupyter_graph.session.session import Session


def deploy_graph(session: Session, graph: str | None = None, **options: Any) -> Any:
    """Deploy a graph of this notebook, from its live cells and recorded events.

    Args:
        session: the notebook's session.
        graph: the graph's name, the current one by default.
        **options: those of ``jupyter_graph.deploy``.

    Raises:
        DeployError: it could not be built, checked or started.
        SpecError: the graph breaks a rule.
    """
    target = session.graph(graph)
    if not target.spec.every_step():
        raise DeployError(
            f"graph {target.name!r} has no steps yet: write one with %%graph_step"
        )
    from jupyter_graph.deployment.deploy import deploy

    return deploy(
        target,
        sources=sources_of(session, target),
        events=session.event_ring.inputs(target.name),
        **options,
    )


def sources_of(session: Session, graph: Graph) -> Sources:
    """Return the cells and names that a graph of this notebook is made of."""
    from jupyter_graph.deployment.sources import Sources

    path = session.notebook_path
    return Sources(
        cells=session.cells_for(graph),
        namespace=session.names_for(graph),
        notebook=str(path) if path is not None else None,
    )
