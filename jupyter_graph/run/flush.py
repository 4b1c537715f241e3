"""What steps give later than they got it: batches that are due, rests at the end."""

from __future__ import annotations

import copy
import inspect
import logging
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.compile.generated_module import Functions
from jupyter_graph.compile.runtime.streams import drain, drain_async
from jupyter_graph.errors import said
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.run.instantiate import StepInstances
from jupyter_graph.run.storey.storey_step import StoreyStep
from jupyter_graph.spec.topology import order
from jupyter_graph.threads.start import join, start_thread
from jupyter_graph.types import NOTHING

logger = logging.getLogger("jupyter_graph")
LAST_S = 10.0
GoOn = Callable[[Event], Any]
"""Takes an event on behind a step; gives the answer, a coroutine in async graphs."""


@dataclass(frozen=True)
class BufferedStep:
    """A step that keeps bodies, and where they go on; None where nothing follows."""

    name: str
    instance: Any
    go_on: GoOn | None


def keepers(
    plan: CompiledGraph, built: StepInstances, functions: Functions
) -> Iterator[BufferedStep]:
    """Yield the steps that keep bodies, each after those before it in the flow."""
    for name in order(plan.spec):
        step = built.steps[name]
        behind = _behind(plan, functions.resumes.get(name))
        if isinstance(step.instance, StepInstances):
            inside = step.functions
            assert inside is not None  # built together with its steps
            for inner in keepers(plan.inner[name], step.instance, inside):
                yield BufferedStep(
                    inner.name, inner.instance, _then(plan, inner, behind)
                )
        elif step.code.keeps:
            yield BufferedStep(name, step.instance, behind)


def _behind(plan: CompiledGraph, resume: Callable[..., Any] | None) -> GoOn | None:
    if resume is None:
        return None
    has_parts = plan.main.fused.has_parts

    def go_on(event: Event) -> Any:
        it = event if plan.takes_event else event.body
        return resume(it, {}) if has_parts else resume(it)

    return go_on


def _then(plan: CompiledGraph, inner: BufferedStep, outer: GoOn | None) -> GoOn | None:
    """Give the way on of a step in a flow inside: to its end, then behind the flow."""
    first = inner.go_on
    if first is None or outer is None:
        return outer if first is None else first

    def go_on(event: Event) -> Any:
        found = first(event)
        if found is NOTHING:
            return NOTHING
        event.body = found
        return outer(event)

    async def go_on_async(event: Event) -> Any:
        found = await first(event)
        if found is NOTHING:
            return NOTHING
        event.body = found
        return await outer(event)

    return go_on_async if plan.is_async else go_on


class Flusher:
    """Takes on what the steps of one runner kept.

    A failure there has no caller; it goes to the log and to ``context.push_error``.
    """

    def __init__(
        self, found: list[BufferedStep], context: Context, *, is_async: bool = False
    ) -> None:
        self.keepers = found
        self.is_async = is_async
        self._context = context
        for keeper in found:
            if isinstance(keeper.instance, StoreyStep):
                keeper.instance.later = self._sender(keeper)

    def only(self, instances: set[int]) -> Flusher | None:
        """Return the part for the steps with these instances' ids, None without any."""
        part = copy.copy(self)
        part.keepers = [k for k in self.keepers if id(k.instance) in instances]
        return part if part.keepers else None

    @property
    def has_an_end(self) -> bool:
        """Whether a step gives something at the end though no event came."""
        found = (keeper.instance for keeper in self.keepers)
        return any(isinstance(one, StoreyStep) and one.reduces for one in found)

    @property
    def every_s(self) -> float | None:
        """How often steps want to be asked what is due, None = never."""
        wanted = [getattr(k.instance, "flush_every_s", None) for k in self.keepers]
        return min((seconds for seconds in wanted if seconds), default=None)

    def flush(self, *, end: bool = False) -> Any:
        """Take on what is due, at the ``end`` all; give what nothing follows."""
        last = None
        for keeper in self.keepers:
            for body in self._given(keeper, end):
                if keeper.go_on is None:
                    last = body
                    continue
                event = Event(body)
                try:
                    self._ended(keeper.go_on(event))
                except BaseException as error:
                    self._report(keeper.name, event, error)
        return last

    async def flush_async(self, *, end: bool = False, ends_steps: bool = True) -> Any:
        """``flush`` on the loop of an asynchronous graph.

        At the end storey's steps end too, unless ``ends_steps`` is False: they take no
        event after that.
        """
        last = None
        for keeper in self.keepers:
            if isinstance(keeper.instance, StoreyStep):
                found = await self._end(keeper) if end and ends_steps else None
                last = found if last is None else last
                continue
            for body in self._given(keeper, end):
                if keeper.go_on is None:
                    last = body
                else:
                    await self._send(keeper, Event(body))
        return last

    def _given(self, keeper: BufferedStep, end: bool) -> list[Any]:
        try:
            return list(keeper.instance.flush(end=end))
        except BaseException as error:
            self._report(keeper.name, Event(), error)
            return []

    async def _end(self, keeper: BufferedStep) -> Any:
        try:
            return await keeper.instance.end()
        except BaseException as error:
            self._report(keeper.name, Event(), error)
            return None

    def _sender(self, keeper: BufferedStep) -> Callable[[Event], Any]:
        async def send(event: Event) -> None:
            await self._send(keeper, event)

        return send

    async def _send(self, keeper: BufferedStep, event: Event) -> None:
        if keeper.go_on is None:
            return
        try:
            found = await keeper.go_on(event)
            if hasattr(found, "__anext__"):
                await drain_async(found)
        except BaseException as error:
            self._report(keeper.name, event, error)

    def _ended(self, found: Any) -> None:
        if inspect.isgenerator(found):
            drain(found)

    def _report(self, step: str, event: Event, error: BaseException) -> None:
        if is_interrupt(error):
            raise error
        text = f"what step {step!r} kept failed later on: {said(error)}"
        self._context.named(step).push_error(event, text, step)


class Ticker:
    """Calls a method every so many seconds, in a thread of its own, until closed.

    It does not keep the method's object alive.
    """

    def __init__(self, seconds: float, method: Callable[[], None]) -> None:
        self._stopped: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._seconds, self._method = seconds, weakref.WeakMethod(method)
        self._thread = start_thread(self._run, "jupyter_graph-flush")

    def _run(self) -> None:
        while not self._is_stopped():
            call = self._method()
            if call is None:
                return
            try:
                call()
            except Exception:
                logger.exception("what steps kept could not go on")
            del call

    def _is_stopped(self) -> bool:
        try:
            self._stopped.get(timeout=min(self._seconds, threading.TIMEOUT_MAX))
        except queue.Empty:
            return False
        return True

    def end(self) -> None:
        """Call it no more, without waiting for a call that is under way."""
        self._stopped.put(None)

    def close(self) -> None:
        """Call it no more; wait some seconds for a call that is under way."""
        self.end()
        join(self._thread, LAST_S)
