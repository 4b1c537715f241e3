"""What a caller gets for the exception that ended an event."""

from __future__ import annotations

from typing import Any, NoReturn

from jupyter_graph.compile.failing_step import (
    DeadlineInterrupt,
    as_raised,
    failed_step,
    is_interrupt,
    untag,
)
from jupyter_graph.errors import (
    ClosedError,
    DeadlineError,
    JupyterGraphError,
    RunError,
    StepDeadlineError,
    StepError,
    said,
)


def fail(
    error: BaseException,
    event_id: str | None,
    graph: str,
    limit_s: float,
    owner: Any = None,
) -> NoReturn:
    """Raise it as an error of ours that names the step, the cause behind it.

    The user's own stop, the cancellation of the caller, and the deadline of another
    runner's event are raised as they are.
    """
    if isinstance(error, DeadlineInterrupt):
        # One runner inside another one's step: the outer time was up, and the outer
        # runner is to say so.
        if error.owner is not None and error.owner is not owner:
            raise error
        late(failed_step(error), event_id, graph, limit_s)
    if is_interrupt(error):
        raise error
    step, error = failed_step(error), as_raised(error)
    untag(error)  # the same error may be raised again, by another step
    if step:
        from jupyter_graph.event import new_id

        raise StepError(step, event_id or new_id(), error) from error
    if isinstance(error, JupyterGraphError):
        raise error
    raise RunError(f"graph {graph!r} failed: {said(error)}") from error


def late(step: str, event_id: str | None, graph: str, limit_s: float) -> NoReturn:
    """Raise what the caller gets when the event's time was up in this step."""
    if step:
        from jupyter_graph.event import new_id

        cause = DeadlineError(f"took longer than {limit_s:g} s")
        raise StepDeadlineError(step, event_id or new_id(), cause) from cause
    raise DeadlineError(
        f"an event of graph {graph!r} took longer than {limit_s:g} s"
    ) from None


def settable(error: BaseException) -> BaseException:
    """Return what a future can raise: these two it cannot."""
    if isinstance(error, StopIteration | GeneratorExit):
        turned = RuntimeError(f"the step raised {said(error)}")
        turned.__cause__ = error
        return turned
    return error


def cancelled_itself() -> RunError:
    """Return the error of an event in which a step cancelled the task it runs in."""
    return RunError("a step cancelled the task that its event runs in")


def closed(graph: str) -> ClosedError:
    """Return the error of an event whose runner was closed under it."""
    return ClosedError(f"the runner of graph {graph!r} was closed meanwhile")
