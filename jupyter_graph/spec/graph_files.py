"""Graphs that are read from files: graph documents, and what holds one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.codec import name_in, read_document
from jupyter_graph.spec.mlrun.function_document import graph_in
from jupyter_graph.spec.names import graph_name


def load_graph(
    path: str | Path,
    namespace: Mapping[str, Any] | None = None,
    allow_imports: tuple[str, ...] = (),
) -> Graph:
    """Read a graph from a JSON or YAML file; nothing is imported or run.

    The file holds a graph document, or an MLRun function or serving spec with one;
    what else stands in those is not used, and the graph's ``notes`` say so.

    Args:
        path: the file; a document without a name is named after it.
        namespace: the functions and classes that the steps' names stand for.
        allow_imports: modules that dotted names may be taken from.

    Raises:
        SpecError: the file cannot be read, or is no graph document.
    """
    document, notes = graph_in(read_document(path))
    name = name_in(document) or graph_name(Path(path).stem)
    graph = Graph.from_dict(document, namespace, allow_imports, name=name)
    graph.notes = notes
    return graph
