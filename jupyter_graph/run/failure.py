"""What a caller gets for the exception that ended an event."""

from __future__ import annotations

import sys
from typing import NoReturn

from jupyter_graph.compile.prelude import DeadlineInterrupt, is_interrupt, said_by
from jupyter_graph.errors import (
    ClosedError,
    DeadlineError,
    JupyterGraphError,
    RunError,
    StepError,
    said,
)


def fail(
    error: BaseException, event_id: str | None, graph: str, limit_s: float
) -> NoReturn:
    """Raise it as an error of ours that names the step, the cause behind it.

    The user's own stop, and the cancellation of the caller, are raised as they are.
    """
    if isinstance(error, DeadlineInterrupt):
        late(said_by(error), event_id, graph, limit_s)
    if isinstance(error, StepError | ClosedError) or _is_stop(error):
        raise error
    if step := said_by(error):
        raise StepError(step, event_id or new_id(), error) from error
    if isinstance(error, JupyterGraphError):
        raise error
    raise RunError(f"graph {graph!r} failed: {said(error)}") from error


def late(step: str, event_id: str | None, graph: str, limit_s: float) -> NoReturn:
    """Raise what the caller gets when the event's time was up in this step."""
    if step:
        cause = DeadlineError(f"took longer than {limit_s:g} s")
        raise StepError(step, event_id or new_id(), cause) from cause
    raise DeadlineError(
        f"an event of graph {graph!r} took longer than {limit_s:g} s"
    ) from None


def new_id() -> str:
    """Give a fresh event id."""
    from uuid import uuid4

    return uuid4().hex


def _is_stop(error: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio")
    cancelled = asyncio is not None and isinstance(error, asyncio.CancelledError)
    if cancelled and not is_interrupt(error):
        return False  # a step raised it by itself
    return cancelled or (isinstance(error, KeyboardInterrupt) and is_interrupt(error))
