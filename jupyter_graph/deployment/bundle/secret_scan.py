"""Secrets that somebody typed where a bundle would carry them away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyter_graph.cells.shipping.secret_text import leaks


def environment_leaks(env: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for every plain variable whose value looks like a secret."""
    for name, value in sorted(env.items()):
        for _, what in leaks(value):
            yield (
                f"env {name} looks like {what}; name its place instead: "
                f"secrets={{{name!r}: 'NAME/KEY'}}"
            )
