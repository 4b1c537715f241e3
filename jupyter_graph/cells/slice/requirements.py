"""From import names to pinned requirements."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from jupyter_graph.cells.scope.imported_modules import OURS, is_installed


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
            pinned[_canonical(distribution)] = f"{distribution}=={version}"
    return [pinned[name] for name in sorted(pinned)]


def _distributions(module: str) -> list[str]:
    if module in sys.stdlib_module_names or module in (OURS, "__main__", ""):
        return []
    owners = sorted(set(_owners().get(module, ())))
    named = [owner for owner in owners if _canonical(owner) == _canonical(module)]
    return named or [owner for owner in owners if _is_here(module)]


@cache
def _owners() -> dict[str, list[str]]:
    return {k: list(v) for k, v in metadata.packages_distributions().items()}


def _is_here(module: str) -> bool:
    """Tell whether the module that would be imported is the installed one."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None:
        return False
    if spec.origin is None or not spec.has_location:
        return True  # a namespace package, or built in
    return is_installed(Path(spec.origin))


def _canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it.

    >>> _canonical("Scikit_Learn"), _canonical("zope.interface")
    ('scikit-learn', 'zope-interface')
    """
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for part in parts if part)
