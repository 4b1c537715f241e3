"""One step's own limits: time per attempt, retries, a thread of its own."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS, is_interrupt
from jupyter_graph.compile.runtime.overlap import in_turn
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import DeadlineError, StatusError
from jupyter_graph.run.deadline.step_threads import pool
from jupyter_graph.spec.model import StepSpec

Call = Callable[..., Any]
DRIVERS.add(__file__)


def with_limits(call: Call, code: StepCode) -> Call:
    """Return the call with the limits its step asks for; without any, the call itself.

    It returns a coroutine where ``code.is_awaited`` says so.
    """
    step = code.step
    if code.is_stream:
        return call
    limited = _in_time(call, code)
    if not code.is_awaited:
        limited = _few(limited, step.concurrency) if step.concurrency else limited
        return _retried(limited, step) if step.retries else limited
    if step.concurrency is not None:
        from jupyter_graph.run.micro_batch import at_once

        limited = at_once(limited, step.concurrency)
    if step.batch is not None:
        from jupyter_graph.run.micro_batch import Batcher

        limited = Batcher(limited, step)
    if step.retries:
        limited = _retried_async(limited, step)
    if step.concurrency is not None or step.batch is not None:
        return in_turn(limited)
    return limited


def _in_time(call: Call, code: StepCode) -> Call:
    """Return the call of one attempt, in the place and within the time it may have."""
    timeout_s = code.step.timeout_s
    if code.in_process:
        return call  # the processes keep the time
    if code.is_async:
        return _timed_async(call, timeout_s) if timeout_s else call
    if code.in_thread:
        return in_thread(call, timeout_s)
    if code.is_awaited:
        return _at_once(call)  # only the pauses around it are awaited
    return functools.partial(pool.run, timeout_s, call) if timeout_s else call


def _few(call: Call, limit: int) -> Call:
    """Return the call, run by at most so many threads at the same time."""
    from jupyter_graph.threads.slots import Slots

    slots = Slots(limit)

    def few(*args: Any) -> Any:
        slot = slots.slot()
        with slot, slot:
            slot.take()
            return call(*args)

    return few


def in_thread(call: Call, timeout_s: float | None) -> Call:
    """Return a coroutine function that runs the call in a thread of the pool."""
    import asyncio

    async def run_in_thread(*args: Any) -> Any:
        outcome, worker = pool.submit(call, *args)
        try:
            async with asyncio.timeout(timeout_s):
                await outcome.waited()
        except TimeoutError:  # the work may have ended in this very moment
            if not outcome.is_done:
                pool.leave(outcome, worker)
                raise DeadlineError(f"took longer than {timeout_s:g} s") from None
        except asyncio.CancelledError:
            pool.leave(outcome, worker)
            raise
        return outcome.result()

    return run_in_thread


def _at_once(call: Call) -> Call:
    async def at_once(*args: Any) -> Any:
        return call(*args)

    return at_once


def _timed_async(call: Call, seconds: float) -> Call:
    import asyncio

    async def timed(*args: Any) -> Any:
        try:
            async with asyncio.timeout(seconds) as limit:
                return await call(*args)
        except TimeoutError:
            if limit.expired():
                raise DeadlineError(f"took longer than {seconds:g} s") from None
            raise

    return timed


def _retried(call: Call, step: StepSpec) -> Call:
    def retried(*args: Any) -> Any:
        for wait_s in waits(step):
            try:
                return call(*args)
            except BaseException as error:
                if is_final(error):
                    raise
            time.sleep(wait_s)
        return call(*args)

    return retried


def _retried_async(call: Call, step: StepSpec) -> Call:
    import asyncio

    async def retried(*args: Any) -> Any:
        for wait_s in waits(step):
            try:
                return await call(*args)
            except BaseException as error:
                if is_final(error):
                    raise
            await asyncio.sleep(wait_s)
        return await call(*args)

    return retried


def waits(step: StepSpec) -> list[float]:
    """Return the seconds before each retry, doubled each time.

    >>> waits(StepSpec(name="a", retries=3, backoff_s=0.1))
    [0.1, 0.2, 0.4]
    """
    return [step.backoff_s * 2**attempt for attempt in range(step.retries)]


def is_final(error: BaseException) -> bool:
    """Tell whether another attempt is pointless: the caller's fault, or a stop."""
    if is_interrupt(error) or not isinstance(error, Exception):
        return True
    return isinstance(error, StatusError) and error.status_code < 500
