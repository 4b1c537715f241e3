"""Bodies that steps hold back: flushed when they are due, and at the end."""

from __future__ import annotations

import copy
import inspect
import logging
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.compile.generated_module import Functions
from jupyter_graph.compile.runtime.streams import drain, drain_async
from jupyter_graph.errors import said
from jupyter_graph.event import Event
from jupyter_graph.run.built_steps.step_instances import StepInstances
from jupyter_graph.run.context import Context
from jupyter_graph.run.storey.storey_step import StoreyStep
from jupyter_graph.spec.topology import order
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.start import join, start_thread
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.run.aio.event_tasks import EventTasks

logger = logging.getLogger("jupyter_graph")
LAST_S = 10.0
GoOn = Callable[[Event], Any]
"""Runs the graph behind a step; returns the answer, a coroutine in async graphs."""


@dataclass(frozen=True)
class BufferedStep:
    """A step that holds bodies back; ``go_on`` is None where nothing follows."""

    name: str
    instance: Any
    go_on: GoOn | None


def buffered_steps(
    compiled: CompiledGraph, steps: StepInstances, functions: Functions
) -> Iterator[BufferedStep]:
    """Yield the steps that hold bodies back, each after those before it in the flow."""
    for name in order(compiled.spec):
        step = steps.steps[name]
        behind = _behind(compiled, functions.resumes.get(name))
        if isinstance(step.instance, StepInstances):
            inside = step.functions
            assert inside is not None  # built together with its steps
            for inner in buffered_steps(compiled.inner[name], step.instance, inside):
                yield BufferedStep(
                    inner.name, inner.instance, _then(compiled, inner, behind)
                )
        elif step.code.keeps:
            yield BufferedStep(name, step.instance, behind)


def _behind(compiled: CompiledGraph, resume: Callable[..., Any] | None) -> GoOn | None:
    if resume is None:
        return None
    # A flushed body is an event of its own: what it leaves at merges and joins behind
    # is in a dict of its own, too.
    has_parts = compiled.main.fused.has_parts

    def go_on(event: Event) -> Any:
        it = event if compiled.takes_event else event.body
        return resume(it, {}) if has_parts else resume(it)

    return go_on


def _then(
    compiled: CompiledGraph, inner: BufferedStep, outer: GoOn | None
) -> GoOn | None:
    """Return what runs behind a step of a flow inside: its rest, then the outer one."""
    first = inner.go_on
    if first is None or outer is None:
        return outer if first is None else first

    def go_on(event: Event) -> Any:
        result = first(event)
        if result is NOTHING:
            return NOTHING
        event.body = result
        return outer(event)

    async def go_on_async(event: Event) -> Any:
        result = await first(event)
        if result is NOTHING:
            return NOTHING
        event.body = result
        return await outer(event)

    return go_on_async if compiled.is_async else go_on


class Flusher:
    """Flushes the buffered steps of one graph.

    A failure there has no caller; it goes to the log and to ``context.push_error``.
    """

    def __init__(
        self, steps: list[BufferedStep], context: Context, *, is_async: bool = False
    ) -> None:
        self.steps = steps
        self.is_async = is_async
        self._context = context
        for step in steps:
            if isinstance(step.instance, StoreyStep):
                step.instance.send_late = partial(self._send, step)

    def only(self, instances: set[int]) -> Flusher | None:
        """Return the part for the steps with these instances' ids, None without any."""
        part = copy.copy(self)
        part.steps = [step for step in self.steps if id(step.instance) in instances]
        return part if part.steps else None

    @property
    def has_an_end(self) -> bool:
        """Whether a step has a result at the end though no event came."""
        instances = (step.instance for step in self.steps)
        return any(isinstance(one, StoreyStep) and one.reduces for one in instances)

    @property
    def every_s(self) -> float | None:
        """How often steps want to be asked what is due, None = never."""
        wanted = [getattr(step.instance, "flush_every_s", None) for step in self.steps]
        return min((seconds for seconds in wanted if seconds), default=None)

    def flush(self, *, end: bool = False) -> Any:
        """Run what is due through the rest of the graph, at the ``end`` all.

        Returns:
            the last body behind whose step nothing follows.
        """
        last = None
        for step in self.steps:
            for body in self._bodies(step, end):
                if step.go_on is None:
                    last = body
                    continue
                event = Event(body)
                try:
                    self._ended(step.go_on(event))
                except BaseException as error:
                    self._report(step.name, event, error)
        return last

    def begin(
        self, tasks: EventTasks | None, *, end: bool = False, ends_steps: bool = True
    ) -> Outcome:
        """Begin to flush where the steps run.

        Args:
            tasks: what has the loop of an asynchronous graph.
            end: flush all, not only what is due.
            ends_steps: see ``flush_async``.

        Returns:
            what the flush will return, done already where the graph is synchronous;
            done, and nothing flushed, where there is no loop, or the caller is on it
            and cannot wait.
        """
        done = Outcome()
        done.settle(None if self.is_async else self.flush(end=end))
        if not self.is_async or tasks is None or tasks.is_here():
            return done
        if end and ends_steps:
            # Closing, or replaced: a caller's loop may have ended, ours surely turns.
            if tasks.has_thread:
                return tasks.thread.start(self.flush_async(end=True))
        elif tasks.loop is not None:
            return tasks.submit(self.flush_async(end=end, ends_steps=ends_steps))
        return done

    async def flush_async(self, *, end: bool = False, ends_steps: bool = True) -> Any:
        """``flush`` on the loop of an asynchronous graph.

        At the end storey's steps end too, unless ``ends_steps`` is False: they take no
        event after that.
        """
        last = None
        for step in self.steps:
            if isinstance(step.instance, StoreyStep):
                result = await self._end(step) if end and ends_steps else None
                last = result if last is None else last
                continue
            for body in self._bodies(step, end):
                if step.go_on is None:
                    last = body
                else:
                    await self._send(step, Event(body))
        return last

    def _bodies(self, step: BufferedStep, end: bool) -> list[Any]:
        try:
            return list(step.instance.flush(end=end))
        except BaseException as error:
            self._report(step.name, Event(), error)
            return []

    async def _end(self, step: BufferedStep) -> Any:
        try:
            return await step.instance.end()
        except BaseException as error:
            self._report(step.name, Event(), error)
            return None

    async def _send(self, step: BufferedStep, event: Event) -> None:
        if step.go_on is None:
            return
        try:
            await self._ended_on_loop(await step.go_on(event))
        except BaseException as error:
            self._report(step.name, event, error)

    async def _ended_on_loop(self, result: Any) -> None:
        if hasattr(result, "__anext__"):
            await drain_async(result)

    def _ended(self, result: Any) -> None:
        if inspect.isgenerator(result):
            drain(result)

    def _report(self, step: str, event: Event, error: BaseException) -> None:
        if is_interrupt(error):
            raise error
        self._failed(step, event, error)

    def _failed(self, step: str, event: Event, error: BaseException) -> None:
        text = f"what step {step!r} kept failed later on: {said(error)}"
        self._context.named(step).push_error(event, text, step)


class Ticker:
    """Calls a method every so many seconds, in a thread of its own, until closed.

    It does not keep the method's object alive.
    """

    def __init__(self, seconds: float, method: Callable[[], None]) -> None:
        # Not an Event, which an interrupt may leave locked.
        self._stopped: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._seconds, self._method = seconds, weakref.WeakMethod(method)
        self._thread = start_thread(self._run, "jupyter_graph-flush")

    def _run(self) -> None:
        while True:
            with suppress(queue.Empty):
                self._stopped.get(timeout=min(self._seconds, threading.TIMEOUT_MAX))
                return
            call = self._method()
            if call is None:
                return
            try:
                call()
            except Exception:
                logger.exception("what steps kept could not go on")
            del call  # it would hold the object through the next wait

    def end(self) -> None:
        """Call it no more, without waiting for a call that is under way."""
        self._stopped.put(None)

    def close(self) -> None:
        """Call it no more; wait some seconds for a call that is under way."""
        self.end()
        join(self._thread, LAST_S)
