"""A graph that a script builds: ``FILE.py:GRAPH``."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from jupyter_graph.errors import SpecError, did_you_mean


def is_script(where: str) -> bool:
    """Tell whether a word names a graph in a script.

    >>> is_script("shop.py:graph"), is_script("shop.json")
    (True, False)
    """
    return where.rpartition(":")[0].endswith(".py")


def graph_of_script(where: str) -> Any:
    """Run a script and return its graph of this name.

    Raises:
        SpecError: there is no such file, or it has no such graph.
    """
    return script_and_graph(where)[1]


def script_and_graph(where: str) -> tuple[ModuleType, Any]:
    """Run a script; return its module, and its graph of this name."""
    from jupyter_graph.spec.builder import Graph

    file, _, name = where.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise SpecError(f"there is no file {str(path)!r}")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    # Known before it runs, so that its classes can be pickled by name.
    module = sys.modules[path.stem] = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    graph = getattr(module, name, None)
    if not isinstance(graph, Graph):
        known = [key for key, value in vars(module).items() if isinstance(value, Graph)]
        raise SpecError(
            f"{str(path)!r} has no graph {name!r}{did_you_mean(name, known)} "
            f"(its graphs: {', '.join(known) or 'none'})"
        )
    return module, graph
