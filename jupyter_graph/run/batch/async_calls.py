"""Coroutines called with many bodies: so many at once, the answers in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from jupyter_graph.run.aio.event_slots import DeadlineWheel
from jupyter_graph.run.aio.event_tasks import GRACE, EventTasks
from jupyter_graph.run.aio.loop_thread import LoopThread
from jupyter_graph.run.batch.calls import (
    Failure,
    Function,
    Items,
    Pass,
    error_of,
    stuck,
)
from jupyter_graph.run.deadline.step_threads import step_in_thread
from jupyter_graph.run.event_errors import cancelled_itself, closed, late
from jupyter_graph.threads.on_loop import OnLoop
from jupyter_graph.types import NOTHING

TURN = 256  # so many rows a task does before others have their turn


class CallsOnLoop:
    """A ``Caller`` for coroutine functions, on the loop of an asynchronous graph.

    Args:
        tasks: the runner's tasks; at most ``max_in_flight`` bodies are under way.
        in_order: one body after the other.
    """

    def __init__(self, tasks: EventTasks, *, in_order: bool = False) -> None:
        self._tasks = tasks
        self._at_once = 1 if in_order else tasks.max_in_flight
        self._done = 0
        self._whole: asyncio.Task[Any] | None = None

    def run(
        self, function: Function, bodies: list[Any], given: Pass | None = None
    ) -> Pass:
        """Call the function with each body, see ``Caller``."""
        thread = self._tasks.thread
        self._tasks.refuse_a_step_of_its_own(thread, "arun_batch")
        given = given or Pass()
        given.answers = [NOTHING] * len(bodies)
        self._wait(thread.start(self._all(function, bodies, given)), thread)
        given.failures.sort(key=lambda failure: failure.at)
        return given

    async def _all(self, function: Function, bodies: list[Any], given: Pass) -> None:
        todo, limit = enumerate(bodies), DeadlineWheel(self._tasks.limit_s)
        self._whole = asyncio.current_task()
        workers = [
            asyncio.ensure_future(self._some(function, todo, limit, given))
            for _ in range(min(self._at_once, len(bodies)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()

    async def _some(
        self,
        function: Function,
        todo: Iterator[tuple[int, Any]],
        limit: DeadlineWheel,
        given: Pass,
    ) -> None:
        """Take one body after the other until there are none."""
        task = asyncio.current_task()
        assert task is not None
        for at, body in todo:
            place = limit.add(task)
            try:
                result = await function(body)
                if type(result) is not dict:
                    result = await _settled(result, given)
                if task.cancelling():
                    self._check_cancelled()
                given.answers[at] = result
            except BaseException as error:
                given.is_plain = False
                was_late = limit.discard(*place)
                if task.cancelling() and not (was_late or self._is_cancelled()):
                    await _take_back(task)
                failure = error_of(self._tasks.failed, error, was_late)
                given.failures.append(Failure(at, failure))
            finally:
                limit.discard(*place)
            self._done += 1
            if given.stops and given.failures:
                return
            # Coroutines that never suspend would keep the loop for the whole batch.
            if at % TURN == 0:
                await asyncio.sleep(0)

    def _check_cancelled(self) -> None:
        """Raise RunError where a step cancelled the task."""
        if not self._is_cancelled():
            raise cancelled_itself()

    def _is_cancelled(self) -> bool:
        """Tell whether somebody gave up the run, not a step its own row."""
        return self._whole is None or self._whole.cancelling() > 0

    def _wait(self, begun: OnLoop, thread: LoopThread) -> None:
        """Wait for all bodies; a step that keeps the loop to itself ends the run."""
        graph, limit_s = self._tasks.graph, self._tasks.limit_s
        try:
            stuck_at = stuck(
                begun, lambda: self._done, limit_s / 4, limit_s * GRACE + 1
            )
        except BaseException:  # the user's stop
            begun.cancel()
            raise
        if stuck_at is not None:
            step = step_in_thread(thread.thread)
            begun.cancel()
            late(step, None, graph, limit_s)
        if begun.is_cancelled:
            raise closed(graph)
        begun.result()


async def _take_back(task: asyncio.Task[Any]) -> None:
    """Take back that a step cancelled the task, before another row has it."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    while task.cancelling():
        task.uncancel()


async def _settled(result: Any, given: Pass) -> Any:
    if hasattr(result, "__anext__") and given.streams:
        given.is_plain = False
        return Items([item async for item in result])
    return given.settled(result)
