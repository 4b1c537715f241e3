"""What goes on beside an answer that is there already: done at once, or put off."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.compile.runtime.cycles import landed, landed_async
from jupyter_graph.compile.runtime.streams import drain, drain_async, is_stream
from jupyter_graph.errors import said

__all__ = ["beside", "beside_async"]

logger = logging.getLogger("jupyter_graph")

Noted = Callable[[BaseException], None]
"""Takes the failure of a step beside the answer; raises what no event may keep."""


def log_it(error: BaseException) -> None:
    """Log a failure beside an answer, where nobody else takes it."""
    if is_interrupt(error):
        raise error
    logger.error("a step beside the answer failed: %s", said(error))


class PutOff(NamedTuple):
    """A call that is made once its event has been answered."""

    noted: Noted
    function: Callable[..., Any]
    args: tuple[Any, ...]


class Aside:
    """What one event has beside its answer.

    Args:
        owner: whose event it is; an event of another one inside a step keeps its own.
        event: the event.
        puts_off: calls that only go on beside the answer wait until it is given.

    Attributes:
        rest: the calls that wait.
        failures: the texts of what failed beside the answer so far.
    """

    __slots__ = ("event", "failures", "owner", "puts_off", "rest")

    def __init__(self, owner: Any, event: Any, *, puts_off: bool) -> None:
        self.owner = owner
        self.event = event
        self.puts_off = puts_off
        self.rest: list[PutOff] = []
        self.failures: list[str] = []

    def until_answered(
        self, function: Callable[[Any], Any], *, is_async: bool
    ) -> Callable[[Any], Any]:
        """Return a function that puts off no more calls once it has returned."""

        def run(it: Any) -> Any:
            try:
                return function(it)
            finally:
                self.puts_off = False

        async def run_async(it: Any) -> Any:
            try:
                return await function(it)
            finally:  # branches under way append to nothing that nobody reads any more
                self.puts_off = False

        return run_async if is_async else run


ASIDE: ContextVar[Aside | None] = ContextVar("jupyter_graph_aside", default=None)
"""What the event under way has beside its answer; None where nobody asks."""


def aside_of(noted: Noted) -> Aside | None:
    """Return what the event under way has beside its answer, if calls are put off."""
    aside = ASIDE.get()
    if aside is None or not aside.puts_off:
        return None
    return aside if aside.owner is getattr(noted, "owner", None) else None


def beside(noted: Noted, function: Callable[..., Any], *args: Any) -> None:
    """Call what only goes on beside the answer; its failure is noted, not raised.

    Args:
        noted: takes the failure.
        function: a function of generated code, or what calls several of them.
        *args: what it is called with; the parts of the event come last.
    """
    if (aside := aside_of(noted)) is not None:
        aside.rest.append(PutOff(noted, function, args))
        return
    try:
        given = landed(function(*args), *args[-1:])
        if is_stream(given):
            drain(given)
    except BaseException as error:
        noted(error)


async def beside_async(noted: Noted, function: Callable[..., Any], *args: Any) -> None:
    """As ``beside``, in an asynchronous graph."""
    if (aside := aside_of(noted)) is not None:
        aside.rest.append(PutOff(noted, function, args))
        return
    try:
        given = await landed_async(await function(*args), *args[-1:])
        if is_stream(given):
            await drain_async(given)
    except BaseException as error:
        noted(error)


def go_on(aside: Aside) -> None:
    """Make the calls that were put off, in their order."""
    ASIDE.set(aside)
    for noted, function, args in aside.rest:
        beside(noted, function, *args)


async def go_on_async(aside: Aside) -> None:
    """As ``go_on``, in an asynchronous graph."""
    ASIDE.set(aside)
    for noted, function, args in aside.rest:
        await beside_async(noted, function, *args)
