"""A progress bar for batch runs."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

from jupyter_graph.connectors.extras import needed
from jupyter_graph.errors import SpecError


def progress_bar(wanted: bool | None, *, name: str, total: int | None) -> Any:
    """Return a bar that shows how many rows are done, for a ``with`` statement.

    None stands there where there is no bar.

    Args:
        wanted: True, False, or None: in a terminal or a notebook, where tqdm is there.
        name: what stands before the bar.
        total: how many rows there are, if that is known.

    Raises:
        SpecError: it is wanted and tqdm is missing.
    """
    if wanted is False or (wanted is None and not _is_seen()):
        return nullcontext()
    try:
        tqdm = needed("tqdm.auto", "batch", "a progress bar").tqdm
    except SpecError:
        if wanted is None:
            return nullcontext()
        raise
    return tqdm(total=total, desc=name, unit="row", unit_scale=True)


def _is_seen() -> bool:
    """Tell whether somebody looks: a terminal, or a notebook's kernel."""
    if "ipykernel.zmqshell" in sys.modules and "IPython" in sys.modules:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
