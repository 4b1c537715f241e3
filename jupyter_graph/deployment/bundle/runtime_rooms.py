"""The part of this package that travels inside a bundle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jupyter_graph.cells.scope.imported_modules import OURS, imported_modules
from jupyter_graph.cells.syntax import IMPORT
from jupyter_graph.deployment.bundle.bundle_folder import bundle_files

PACKAGE = Path(__file__).parents[2]
ROOMS = (
    "__init__.py",
    "errors.py",
    "types.py",
    "argument_checks.py",
    "event.py",
    "threads",
    "values",
    "http_client",
    "spec",
    "steps",
    "connectors",
    "processes",
    "compile",
    "answer",
    "frontend",
    "run",
    "mlrun_names.py",
    "host",
    "picture",
)
HOST_MODULES = ("uvicorn", "httptools", "uvloop", "prometheus_client")
"""What the embedded host imports; Nuclio brings a server of its own."""


def runtime_files() -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file that a function needs of this package."""
    for room in ROOMS:
        source = PACKAGE / room
        for path in [source] if source.is_file() else bundle_files(source):
            name = path.relative_to(PACKAGE).as_posix()
            yield f"jupyter_graph/{name}", path.read_bytes()


def rooms_left_out(text: str | bytes) -> Iterator[tuple[int, str]]:
    r"""Yield line and module of each import, run with the code, that no room holds.

    What is imported in functions, or tried, may never be needed.

    >>> list(rooms_left_out("import jupyter_graph.magics.display\nimport json"))
    [(1, 'jupyter_graph.magics.display')]
    """
    held = {room.removesuffix(".py") for room in ROOMS}
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        return  # told where the code is compiled
    for node in statements:
        for module in imported_modules([node] if isinstance(node, IMPORT) else []):
            package, _, rest = module.partition(".")
            if package == OURS and rest and rest.partition(".")[0] not in held:
                yield node.lineno, module


def released_requirement() -> str:
    """Return the requirement that installs this very version of the package."""
    try:
        return f"jupyter_graph=={metadata.version('jupyter_graph')}"
    except metadata.PackageNotFoundError:
        return "jupyter_graph==0"
