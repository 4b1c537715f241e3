"""From import names to pinned requirements."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_graph.cells.scope.imported_modules import OURS, is_installed, spec_of


def requirements(imports: Iterable[str]) -> list[str]:
    """Return the distributions of imported modules, pinned to what is installed here.

    The standard library, this package, the user's own files and modules that are not
    installed are left out.

    >>> requirements(["json", "yaml"])
    ['PyYAML==...']
    """
    pinned: dict[str, str] = {}
    for module in imports:
        for distribution in _distributions(module.partition(".")[0]):
            version = metadata.version(distribution).partition("+")[0]
            pinned[canonicalize_name(distribution)] = f"{distribution}=={version}"
    return [pinned[name] for name in sorted(pinned)]


def _distributions(module: str) -> list[str]:
    if module in sys.stdlib_module_names or module in (OURS, "__main__", ""):
        return []
    owners = sorted(set(installed_modules().get(module, ())))
    own = canonicalize_name(module)
    named = [owner for owner in owners if canonicalize_name(owner) == own]
    return named or [owner for owner in owners if _is_here(module)]


def installed_modules() -> Mapping[str, list[str]]:
    """Return the top-level modules of everything installed, and who brings each."""
    places = [Path(place) for place in sys.path if place]
    return _installed(tuple((p, p.stat().st_mtime_ns) for p in places if p.is_dir()))


@lru_cache(maxsize=1)  # reading all metadata takes half a second
def _installed(state: tuple[tuple[Path, int], ...]) -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _is_here(module: str) -> bool:
    """Tell whether the module that would be imported is the installed one."""
    spec = spec_of(module)
    if spec is None or spec.origin is None or not spec.has_location:
        return spec is not None  # a namespace package, or built in
    return is_installed(Path(spec.origin))
