"""The environment variables that a deployed function has on this computer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from jupyter_graph.cells.shipping.secret_text import is_secret_name
from jupyter_graph.host.bundle_loader import variables_of

OF_THE_SYSTEM: Final = frozenset(
    {
        "PATH", "HOME", "LANG", "TZ", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH",
        "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS",
        *(f"{scheme}_proxy" for scheme in ("http", "https", "no", "all")),
        *(f"{scheme}_PROXY" for scheme in ("HTTP", "HTTPS", "NO", "ALL")),
    }
)  # fmt: skip
"""What a function on another computer has too, or what it must share with this one."""

SHORTEST_SECRET: Final = 8
_PREFIXES: Final = ("LC_", "JUPYTER_GRAPH_")


def is_given(name: str) -> bool:
    """Tell whether every function on this computer has a variable, if the system does.

    >>> is_given("PATH"), is_given("LC_ALL"), is_given("MODE")
    (True, True, False)
    """
    return name in OF_THE_SYSTEM or name.startswith(_PREFIXES)


def system_environment() -> dict[str, str]:
    """Return the variables of this process that do not belong to the notebook.

    The time zone is the one that the process began with: a notebook that sets ``TZ``
    says so in a line that ships.
    """
    found = {name: value for name, value in os.environ.items() if is_given(name)}
    if (first := _first_environment()) is not None:
        found.pop("TZ", None)
        found |= {"TZ": first["TZ"]} if "TZ" in first else {}
    return found


def secret_sources(references: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process that may hold secrets of a function.

    Args:
        references: the function's variable to ``NAME/KEY``, the place of the secret.
    """
    names = {one for key, at in references.items() for one in (key, *variables_of(at))}
    return {name: os.environ[name] for name in sorted(names) if name in os.environ}


def secret_variables() -> dict[str, str]:
    """Return the variables of this process that hold secrets by their names.

    Short values are left out: they stand in texts by chance.
    """
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if len(value) >= SHORTEST_SECRET and is_secret_name(name)
    }


@lru_cache(maxsize=1)
def _first_environment() -> Mapping[str, str] | None:
    """Return the variables that this process began with, None where nobody tells."""
    try:
        text = Path("/proc/self/environ").read_bytes()
    except OSError:
        return None
    rows = (os.fsdecode(row).partition("=") for row in text.split(b"\0") if row)
    return {name: value for name, _, value in rows}
