"""The notebook of this process, when there is one: where ``deploy`` finds its cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_graph.deployment.sources import Sources
    from jupyter_graph.run.record import RecordedInput
    from jupyter_graph.spec.builder import Graph

    View = Callable[[Graph], tuple[Sources, Sequence[RecordedInput]]]

_views: list[View] = []


def set_notebook(view: View | None) -> None:
    """Set what returns a graph's cells and recorded events in this notebook."""
    _views[:] = [view] if view is not None else []


def notebook_view() -> View | None:
    """Return what ``set_notebook`` was called with last, None outside of notebooks."""
    return _views[-1] if _views else None
