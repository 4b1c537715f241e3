"""What a runner has outside itself, and its limit of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_graph.argument_checks import is_positive
from jupyter_graph.errors import ClosedError, RunError
from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter
from jupyter_graph.run.deadline.watchdog import look_now

if TYPE_CHECKING:
    from jupyter_graph.run.aio.event_tasks import EventTasks
    from jupyter_graph.run.flush import Ticker

NO_LIMIT_S = 86_400.0 * 365


class OwnedResources:
    """What a runner has outside itself; ended even when nobody closes the runner.

    Nothing in it refers to the runner, which could not be collected otherwise.
    """

    def __init__(self) -> None:
        self.tasks: EventTasks | None = None
        self.ticker: Ticker | None = None
        self.kills: list[Callable[[], Any]] = []

    def end(self) -> None:
        """End all of it, and wait for none of it; from any thread."""
        MainThreadInterrupter.uninstall(self)
        for one in (self.ticker, self.tasks):
            if one is not None:
                one.end()
        for kill in self.kills:
            kill()
        look_now()  # the watchdog may have nothing left to watch


def refuse(_: Any) -> NoReturn:
    """Stand in for the graph's function while the runner is closed."""
    raise ClosedError("the runner is closed")


def seconds_of(limit: Any) -> float:
    """Return the seconds of a limit; None is as good as none.

    >>> seconds_of(2)
    2.0
    """
    if limit is None:
        return NO_LIMIT_S
    if not is_positive(limit):
        raise RunError(f"timeout_s must be above 0 seconds, got {limit!r}")
    return float(min(limit, NO_LIMIT_S))
