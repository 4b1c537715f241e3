"""Modules beside the notebook: they travel as files, with what they import."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from jupyter_graph.errors import BundleError

MOST_FILES = 500


@dataclass
class LocalModules:
    """Files to ship, by their path in the bundle, and what they import from others."""

    files: dict[str, bytes] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)


def is_local(module: str) -> bool:
    """Tell whether a top-level module is a file of the user's, not an installed one.

    >>> is_local("json"), is_local("yaml"), is_local("jupyter_graph")
    (False, False, False)
    """
    if module in sys.stdlib_module_names or module in ("jupyter_graph", "__main__"):
        return False
    return module not in metadata.packages_distributions()


def collect(modules: Iterable[str], cwd: Path | None = None) -> LocalModules:
    """Collect local modules and, by their imports, the local modules they need.

    Args:
        modules: top-level names; installed ones are kept in ``imports``.
        cwd: the folder where modules are looked for first.

    Raises:
        BundleError: a module is neither installed nor a file, or is too large.
    """
    found = LocalModules()
    installed = set(metadata.packages_distributions()) | set(sys.stdlib_module_names)
    asked = set(modules)
    waiting = sorted(asked)
    done: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in done or module == "jupyter_graph":
            continue
        done.add(module)
        if module in installed:
            found.imports.add(module)
            continue
        if module not in asked and origin_of(module, cwd) is None:
            continue  # perhaps in a try; the clean process knows better
        files = module_files(module, cwd)
        found.files.update(files)
        for path, content in files.items():
            waiting += sorted(imported_by(content, path))
    return found


def module_files(module: str, cwd: Path | None = None) -> dict[str, bytes]:
    """Give the files of one local module or package."""
    origin = origin_of(module, cwd)
    if origin is None:
        raise BundleError(
            f"module {module!r} is not installed here and is no file beside the "
            f"notebook; install it, or add it with pip={module!r}"
        )
    if origin.name != "__init__.py":
        return {f"{module}{origin.suffix}": origin.read_bytes()}
    root = origin.parent
    paths = [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(
            part == "__pycache__" or part.startswith(".")
            for part in path.relative_to(root).parts
        )
    ]
    if len(paths) > MOST_FILES:
        raise BundleError(
            f"package {module!r} has {len(paths)} files in {root}, more than "
            f"{MOST_FILES} would travel in the bundle; install it as a package"
        )
    return {
        f"{module}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in paths
    }


def origin_of(module: str, cwd: Path | None) -> Path | None:
    """Give the file that a top-level module would be loaded from."""
    for folder in [cwd] if cwd else []:
        for path in (folder / f"{module}.py", folder / module / "__init__.py"):
            if path.is_file():
                return path
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded:
        return Path(loaded)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.has_location and spec.origin else None


def imported_by(source: bytes, path: str) -> set[str]:
    r"""Give the top-level modules that a file imports.

    >>> sorted(imported_by(b"import a.b\nfrom c.d import e\nfrom . import f", "m.py"))
    ['a', 'c']
    """
    if not path.endswith(".py"):
        return set()
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BundleError(f"{path}, line {error.lineno}: {error.msg}") from None
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
