"""How a batch is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_graph.argument_checks import is_count, require


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
        rows = self.batch_rows
        for name, is_right, rule in (
            ("on_error", self.on_error in ("collect", "raise"), "'collect' or 'raise'"),
            ("batch_rows", rows is None or is_count(rows), "1 row or more"),
            ("progress", self.progress in (True, False, None), "True or False"),
            ("check", self.check in (True, False), "True or False"),
        ):
            require(is_right, f"{name} must be {rule}", getattr(self, name))
