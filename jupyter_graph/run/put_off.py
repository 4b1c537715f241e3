"""What an event leaves to be done once it has been answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from jupyter_graph.compile.failing_step import (
    as_raised,
    failed_step,
    is_interrupt,
    untag,
)
from jupyter_graph.compile.runtime.aside import ASIDE, Aside, go_on, go_on_async
from jupyter_graph.errors import NoSeatError, said
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.run.dispatch import Dispatcher

if TYPE_CHECKING:
    from jupyter_graph.run.emit import BackgroundEvents


class NotedFailures:
    """Takes the failures of steps beside the one that answers.

    They go to the log, to ``context.push_error``, to the counters, and as notes to the
    answer of who waits for all branches.

    Args:
        context: the surroundings of the steps.
        count: called with the name of each step that failed.

    Attributes:
        owner: tells whose events these are.
    """

    def __init__(
        self, context: Context, count: WeakMethod[Callable[[str], None]]
    ) -> None:
        self.owner = context
        self._count = count

    def __call__(self, error: BaseException) -> None:
        """Note a failure; raise what no event may keep to itself."""
        if is_interrupt(error):
            raise error
        step, cause = failed_step(error), as_raised(error)
        untag(error)  # the same error may be raised again, by another step
        aside, context, text = ASIDE.get(), self.owner, said(cause)
        is_own = aside is not None and aside.owner is context
        event = aside.event if aside is not None and is_own else Event()
        note = f"step {step!r} failed beside the answer: {text}"
        context.logger.error(f"event {event.id}: {note}")
        if aside is not None and is_own:
            aside.failures.append(note)
        if (count := self._count()) is not None:
            count(step)
        if context.reports:
            context.named(step).push_error(event, text, step)


def aside_of(
    dispatcher: Dispatcher, owner: Any, event: Event, *, at_once: bool
) -> Aside | None:
    """Return what an event has beside its answer, None where the graph has nothing.

    Args:
        dispatcher: runs the event.
        owner: tells whose event it is.
        event: the event.
        at_once: its caller gets the answer before the rest is done. Not where events of
            one key go in one after the other: the next one waits for all of this.
    """
    compiled = dispatcher.compiled
    if not compiled.has_beside:
        return None
    puts_off = at_once and compiled.answers_at_once and dispatcher.order is None
    return Aside(owner, event, puts_off=puts_off)


def finish(
    dispatcher: Dispatcher, background: BackgroundEvents, aside: Aside, *, waits: bool
) -> None:
    """Begin what an event has left to be done; closing the runner waits for it.

    It is bounded as events are: it takes a place of ``max_in_flight``, and has the time
    of an event.

    Args:
        dispatcher: runs it.
        background: knows it until it is done.
        aside: the event and its rest.
        waits: where many are under way, wait for one of them; not on a loop.
    """
    event, is_async = aside.event, dispatcher.compiled.is_async

    def begin() -> Any:
        if is_async:
            tasks = dispatcher.tasks()
            return tasks.submit(tasks.run(go_on_async, aside, event), here=True)
        return background.in_thread(go_on_here)

    def go_on_here() -> Any:
        return dispatcher.limited(go_on, aside, event, takes_slot=True)

    try:
        background.send(event, begin, waits=waits)
    except NoSeatError:  # it is done now, rather than not at all
        go_on_here()
