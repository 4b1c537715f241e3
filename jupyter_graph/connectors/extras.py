"""Packages that come with an extra: the package, or an error that says how."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from jupyter_graph.errors import SpecError


def needed(module: str, extra: str, by: str, called: str = "") -> Any:
    """Import a package of an extra.

    Args:
        module: the package or a module in it.
        extra: the extra of this project that brings it.
        by: who needs it, the first word of the error.
        called: the name of the package for people, by default the package's own.

    Raises:
        SpecError: it is not installed; the text ends with the line that installs it.

    >>> needed("json", "batch", "CSVSource").__name__
    'json'
    """
    try:
        return import_module(module)
    except ImportError as missing:
        package = called or module.partition(".")[0]
        raise SpecError(
            f'{by} needs {package}: pip install "jupyter_graph[{extra}]"'
        ) from missing
