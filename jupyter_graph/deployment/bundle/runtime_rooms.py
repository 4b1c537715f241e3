"""The part of this package that travels inside a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

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


def released_requirement() -> str:
    """Return the requirement that installs this very version of the package."""
    try:
        return f"jupyter_graph=={metadata.version('jupyter_graph')}"
    except metadata.PackageNotFoundError:
        return "jupyter_graph==0"
