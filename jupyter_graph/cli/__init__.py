"""``python -m jupyter_graph``: the same calls from a shell or CI."""

from jupyter_graph.cli.commands import main

__all__ = ["main"]
