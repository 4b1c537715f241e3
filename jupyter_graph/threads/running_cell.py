"""Which cell of a notebook is running, asked without importing anything of it."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """One run of a cell."""

    id: str
    run: int


def shell() -> Any:
    """Return the shell of the notebook that this process is the kernel of, or None."""
    ipython = sys.modules.get("IPython")
    if ipython is None or "ipykernel" not in sys.modules:
        return None
    return ipython.get_ipython()


def running_cell() -> Cell | None:
    """Return the cell that runs now, or ran last; None outside of a notebook.

    Where a front end has no ids of cells, their text stands for it.
    """
    own_shell = shell()
    if own_shell is None or not hasattr(own_shell, "get_parent"):
        return None
    parent = own_shell.get_parent() or {}
    text = parent.get("content", {}).get("code", "")
    cell_id = parent.get("metadata", {}).get("cellId") or text
    return Cell(str(cell_id), own_shell.execution_count) if cell_id else None
