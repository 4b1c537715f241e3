"""Secrets of a graph, by their names."""

from __future__ import annotations

from typing import Any

from jupyter_graph.errors import SpecError


def secret_of(context: Any, name: str) -> str:
    """Return a secret of the graph.

    Raises:
        SpecError: there is none of this name.
    """
    found = context.get_secret(name) if hasattr(context, "get_secret") else None
    if not found:
        raise SpecError(f"there is no secret {name!r}; give it to the runner")
    return str(found)
