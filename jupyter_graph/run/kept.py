"""What a runner has outside itself, and the limits it was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_graph.errors import ClosedError, RunError
from jupyter_graph.run.deadline import MainThreadInterrupter

if TYPE_CHECKING:
    from jupyter_graph.run.tasks import Tasks

NO_LIMIT_S = 86_400.0 * 365


@dataclass
class Kept:
    """What a runner has outside itself; let go even when nobody closes the runner."""

    tasks: Tasks | None = None
    has_signal: bool = False

    def let_go(self, last: Callable[[Any], None] | None = None) -> None:
        """Give back the signal and end the loop; ``last`` may use it once more."""
        tasks, self.tasks = self.tasks, None
        if self.has_signal:
            self.has_signal = False
            MainThreadInterrupter.uninstall()
        if tasks is not None:
            tasks.close(last)

    def bound(self, limit: int) -> None:
        """Let so many events be inside at once from now on."""
        if self.tasks is not None:
            self.tasks.bound(limit)


def refuse(_: Any) -> NoReturn:
    """Stand in for the graph's function while the runner is closed."""
    raise ClosedError("the runner is closed")


def seconds_of(limit: Any) -> float:
    """Give the seconds of a limit; None is as good as none.

    >>> seconds_of(2)
    2.0
    """
    if limit is None:
        return NO_LIMIT_S
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if not is_number or math.isnan(limit) or limit <= 0:
        raise RunError(f"timeout_s must be above 0 seconds, got {limit!r}")
    return float(min(limit, NO_LIMIT_S))
