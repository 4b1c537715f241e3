"""How a batch is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_graph.argument_checks import is_count
from jupyter_graph.errors import SpecError


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; see ``Runner.run_batch``.

    Raises:
        SpecError: one of them has a wrong value.
    """

    target: Any = None
    on_error: str = "collect"
    progress: bool | None = None
    batch_rows: int | None = None
    check: bool = False
    meta: Any = None

    def __post_init__(self) -> None:
        if self.on_error not in ("collect", "raise"):
            raise SpecError(
                f"on_error must be 'collect' or 'raise', got {self.on_error!r}"
            )
        rows = self.batch_rows
        if rows is not None and not is_count(rows):
            raise SpecError(f"batch_rows must be 1 row or more, got {rows!r}")
        for name, known in (
            ("progress", (True, False, None)),
            ("check", (True, False)),
        ):
            value = getattr(self, name)
            if value not in known:
                raise SpecError(f"{name} must be True or False, got {value!r}")
