"""The graphs that ``@step`` only names: whoever holds them says which they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from jupyter_graph.errors import SpecError

if TYPE_CHECKING:
    from jupyter_graph.spec.builder import Graph

Hold = Callable[[str | None], AbstractContextManager["Graph | None"]]
"""A name, or None for the current graph → the graph, to be changed inside."""

_holders: list[Hold] = []


def is_of_notebook() -> bool:
    """Return whether a notebook holds the graphs: its cells run again and again."""
    return bool(_holders) and _holders[-1] is not _of_document


def _of_document(name: str | None) -> AbstractContextManager[None]:
    return nullcontext()


def hold(holder: Hold | None) -> None:
    """Set what ``graph_named`` asks; None for nobody."""
    _holders[:] = [holder] if holder is not None else []


def hold_none() -> None:
    """Let ``@step`` leave code as it is, for its graph is known from a document."""
    if not _holders:
        hold(_of_document)


def graph_named(name: str | None) -> AbstractContextManager[Graph | None]:
    """Return what yields a graph by its name, or the current one, to be changed.

    It yields None in a deployed function, where the graph is known already.

    Raises:
        SpecError: nobody holds graphs here by their names.
    """
    if not _holders:
        said = "the current graph" if name is None else f"graph {name!r}"
        raise SpecError(
            f"@step means {said} of a notebook, and no notebook is loaded here: "
            "run %load_ext jupyter_graph first, or say @step(graph=…) with a Graph"
        )
    return _holders[-1](name)
