"""Modules beside the notebook: they travel as files, with what they import."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jupyter_graph.cells.scope.imported_modules import local_modules
from jupyter_graph.errors import BundleError
from jupyter_graph.host.bundle_loader import MODULES, STEPS

MOST_FILES = 500


def collect(
    modules: Iterable[str], folder: Path | None = None
) -> tuple[dict[str, bytes], set[str]]:
    """Collect local modules and, by their imports, the local modules they need.

    Args:
        modules: names, of installed modules too.
        folder: where modules are looked for first, the working folder by default.

    Returns:
        Files to ship, by their path in the bundle, and the installed modules.

    Raises:
        BundleError: a package has too many files to travel, a name is ours, or a
            file is gone.
    """
    local, others = local_modules(modules, folder or Path.cwd())
    if STEPS in local:
        raise BundleError(
            f"{local[STEPS]} has the name under which a function loads the code of its "
            "steps; rename your module"
        )
    for module, path in local.items():
        if not path.exists():
            raise BundleError(
                f"the file of module {module!r} ({path}) is gone, so it cannot travel; "
                "put it back, or restart the kernel and run the cells that need it"
            )
    files: dict[str, bytes] = {}
    for module, path in local.items():
        files |= module_files(module, path)
    return files, others


def module_files(module: str, path: Path) -> dict[str, bytes]:
    """Return the files of one local module or package by their path in the bundle."""
    if not path.is_dir() and path.name != "__init__.py":
        return {f"{MODULES}/{module}{path.suffix}": path.read_bytes()}
    root = path if path.is_dir() else path.parent
    paths = [file for file in sorted(root.rglob("*")) if _travels(file, root)]
    if len(paths) > MOST_FILES:
        raise BundleError(
            f"package {module!r} has {len(paths)} files in {root}, more than "
            f"{MOST_FILES} would travel in the bundle; install it as a package"
        )
    return {
        f"{MODULES}/{module}/{file.relative_to(root).as_posix()}": file.read_bytes()
        for file in paths
    }


def _travels(path: Path, root: Path) -> bool:
    """Return whether a file goes along: no caches, nothing hidden, no links."""
    parts = path.relative_to(root).parts
    is_hidden = any(part == "__pycache__" or part.startswith(".") for part in parts)
    return path.is_file() and not path.is_symlink() and not is_hidden
