"""A progress bar for batch runs."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_graph.errors import SpecError


class Progress:
    """Shows how many rows are done.

    Args:
        wanted: True, False, or None: in a terminal or a notebook, where tqdm is there.
        name: what stands before the bar.
        total: how many rows there are, if that is known.

    Raises:
        SpecError: it is wanted and tqdm is missing.
    """

    def __init__(self, wanted: bool | None, *, name: str, total: int | None) -> None:
        self._bar: Any = None
        if wanted is False or (wanted is None and not _is_seen()):
            return
        try:
            from tqdm.auto import tqdm
        except ImportError as missing:
            if wanted is None:
                return
            raise SpecError(
                'a progress bar needs tqdm: pip install "jupyter_graph[batch]"'
            ) from missing
        self._bar = tqdm(total=total, desc=name, unit="row", unit_scale=True)

    def add(self, rows: int) -> None:
        """Note that so many more rows are done."""
        if self._bar is not None:
            self._bar.update(rows)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def _is_seen() -> bool:
    """Tell whether somebody looks: a terminal, or a notebook's kernel."""
    if "ipykernel.zmqshell" in sys.modules and "IPython" in sys.modules:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
