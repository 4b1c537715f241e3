"""Micro-batching: one call for the bodies of several callers at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS, is_interrupt
from jupyter_graph.errors import RunError
from jupyter_graph.run.event_errors import settable
from jupyter_graph.spec.model import StepSpec

Call = Callable[..., Any]
DRIVERS.add(__file__)


class _Caller:
    """One caller's place in a batch."""

    __slots__ = ("answer", "body")

    def __init__(self, body: Any, answer: asyncio.Future[Any]) -> None:
        self.body = body
        self.answer = answer


class Batcher:
    """Collects the bodies of concurrent callers and answers each with his own result.

    A batch runs when it is full or when its first caller has waited long enough. When
    the call fails for a batch, its halves run again, and so on: so a bad body fails its
    own caller only, and the others' bodies may go through the step more than once. A
    caller who gives up leaves the batch, before it runs, without a trace.

    Args:
        call: takes a list of bodies, returns a list of as many results.
        step: its description, with ``batch`` and ``batch_wait_ms``.

    Promise: each caller gets the result at his own place of the list, on the loop that
    all callers share.

    >>> step = StepSpec(name="double", batch=8, batch_wait_ms=1)
    >>> async def main():
    ...     batcher = Batcher(lambda bodies: [2 * body for body in bodies], step)
    ...     return await asyncio.gather(*map(batcher, [1, 2, 3]))
    >>> asyncio.run(main())
    [2, 4, 6]
    """

    def __init__(self, call: Call, step: StepSpec) -> None:
        self._call = call
        self._name = step.name
        self._size = step.batch or 1
        self._wait_s = step.batch_wait_ms / 1000
        self._waiting: list[_Caller] = []
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, body: Any) -> Any:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the callers' loop ended and another one began
            self._loop, self._waiting, self._timer = loop, [], None
        caller = _Caller(body, loop.create_future())
        self._waiting.append(caller)
        if len(self._waiting) >= self._size:
            self._start()
        elif self._timer is None:
            self._timer = loop.call_later(self._wait_s, self._start)
        return await caller.answer

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        callers = self._waiting[: self._size]
        self._waiting = self._waiting[self._size :]
        task = asyncio.get_running_loop().create_task(self._run(callers))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, callers: Sequence[_Caller]) -> None:
        callers = [one for one in callers if not one.answer.done()]  # some gave up
        if not callers:
            return
        try:
            results = await self._results([caller.body for caller in callers])
        except BaseException as error:
            is_over = is_interrupt(error)  # a step may raise CancelledError itself
            if len(callers) == 1 or is_over:
                for caller in callers:
                    if not caller.answer.done():
                        caller.answer.set_exception(settable(error))
                return
            # One bad body among n costs about 2 log n calls, and nobody else's answer.
            middle = len(callers) // 2
            await self._run(callers[:middle])
            await self._run(callers[middle:])
            return
        for caller, result in zip(callers, results, strict=True):
            if not caller.answer.done():
                caller.answer.set_result(result)

    async def _results(self, bodies: list[Any]) -> list[Any]:
        result = self._call(bodies)
        if inspect.isawaitable(result):
            result = await result
        try:
            results = list(result)
        except TypeError:
            raise RunError(self._wrong(bodies, f"a {type(result).__name__}")) from None
        if len(results) != len(bodies) or isinstance(result, str | bytes | dict):
            raise RunError(self._wrong(bodies, f"{len(results)} results"))
        return results

    def _wrong(self, bodies: list[Any], got: str) -> str:
        return (
            f"step {self._name!r} runs on batches and must give a list of as many "
            f"results as it got bodies, {len(bodies)}; it gave {got}"
        )


def at_once(call: Call, limit: int) -> Call:
    """Return a coroutine function that runs at most so many calls at the same time."""
    free: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    async def limited(*args: Any) -> Any:
        loop = asyncio.get_running_loop()
        if loop not in free:
            free.clear()
            free[loop] = asyncio.Semaphore(limit)
        async with free[loop]:
            result = call(*args)
            return await result if inspect.isawaitable(result) else result

    return limited
