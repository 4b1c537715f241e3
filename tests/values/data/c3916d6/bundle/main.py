"""The two functions that Nuclio and the embedded host call."""

from pathlib import Path

from jupyter_graph.host.handler import serve

init_context, handler = serve(Path(__file__).parent)
