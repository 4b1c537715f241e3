"""Coroutines that other threads start on a loop, and wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

from jupyter_graph.threads.outcome import Outcome

Work = Coroutine[Any, Any, Any]
BY_US = "the event is not waited for any more"
"""The message of each cancellation of ours; a step may cancel its own task, too."""

T = TypeVar("T")


class OnLoop(Outcome):
    """The outcome of a coroutine that runs as a task of a loop.

    Like ``asyncio.run_coroutine_threadsafe``, whose future can be left locked by an
    interrupt.

    Args:
        loop: the loop.
        work: the coroutine; it is closed where it never begins.

    Attributes:
        is_cancelled: whether the task was cancelled, or never began.
        gave_up: whether the task did that itself, and nobody of ours.
    """

    __slots__ = ("_loop", "_task", "_work", "gave_up", "is_cancelled")

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Work) -> None:
        super().__init__()
        self.is_cancelled = self.gave_up = False
        self._loop = loop
        self._work: Work | None = work
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Start the coroutine, in a copy of the caller's context.

        Raises:
            RuntimeError: the loop is closed.
        """
        try:
            self._loop.call_soon_threadsafe(self._begin, copy_context())
        except RuntimeError:
            self.abandon()
            raise

    def cancel(self) -> None:
        """Cancel the task soon; nothing where it has ended."""
        if self.is_done:
            return
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            self.abandon()  # the loop has ended, and the work with it

    def abandon(self) -> None:
        """Settle it as cancelled: its loop does not run any more, or must not begin."""
        work, self._work = self._work, None
        if work is not None and self._task is None:
            work.close()
        if not self.is_done:
            self.is_cancelled = True
            self.settle(None, asyncio.CancelledError())

    # -- on the loop ------------------------------------------------------------

    def _begin(self, context: Context) -> None:
        work, self._work = self._work, None
        if work is not None:
            self._task = asyncio.Task(work, loop=self._loop, context=context)
            self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task is None:
            self.abandon()
        else:
            self._task.cancel(BY_US)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._task = None
        if task.cancelled():
            self.gave_up = not is_by_us(task)
            self.abandon()
        elif (error := task.exception()) is not None:
            self.settle(None, error)
        else:
            self.settle(task.result())


def is_by_us(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task was cancelled by us, not by what runs in it."""
    try:
        task.result()
    except asyncio.CancelledError as error:
        return BY_US in error.args
    return False


def put_by_loop(
    by_loop: dict[asyncio.AbstractEventLoop, T], loop: asyncio.AbstractEventLoop, one: T
) -> None:
    """Note what belongs to a loop, and forget what belonged to loops that have ended.

    Threads may bring their loops at once: the caller holds the lock of ``by_loop``.
    """
    for gone in [known for known in by_loop if known.is_closed()]:
        del by_loop[gone]  # its entry would keep it alive
    by_loop[loop] = one
