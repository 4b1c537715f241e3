"""The life of a graph's steps: built, swapped, flushed, closed."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.compile.generated_module import Functions
from jupyter_graph.run.built_steps.instantiate import build
from jupyter_graph.run.built_steps.replaced_steps import ReplacedSteps
from jupyter_graph.run.built_steps.step_instances import StepInstances
from jupyter_graph.run.context import Context
from jupyter_graph.run.deadline.watchdog import is_watchdog
from jupyter_graph.run.dispatch import Dispatcher
from jupyter_graph.run.owned_resources import OwnedResources
from jupyter_graph.run.put_off import NotedFailures
from jupyter_graph.threads.interrupts import call_all, uninterrupted
from jupyter_graph.threads.reaper import Unclosed, do_elsewhere
from jupyter_graph.threads.reopened import close_older

if TYPE_CHECKING:
    from jupyter_graph.run.aio.event_tasks import EventTasks
    from jupyter_graph.run.flush import Flusher, Ticker
    from jupyter_graph.run.tracer import Counters, Tracer

LAST_FLUSH_S = 30.0
LONGEST_WAIT_S = 60.0
"""Seconds that closing waits for emitted events, where an event has no limit."""


class GraphInstance:
    """The steps of one graph: built when it is opened, closed with it.

    Safe from several threads; one at a time opens, swaps or closes.

    Args:
        dispatcher: runs events through the steps once they are built.
        context: the surroundings of the steps.

    Attributes:
        noted: takes the failures of steps beside the one that answers.
        flusher: flushes the steps that hold bodies back, None where none does.
        termination: what storey calls the flow's result, once it is closed.
        batches: stands for each batch run that is under way.
    """

    def __init__(self, dispatcher: Dispatcher, context: Context) -> None:
        self.dispatcher, self.context = dispatcher, context
        self.noted = NotedFailures(context, weakref.WeakMethod(self._count_beside))
        self.flusher: Flusher | None = None
        self.termination: Any = None
        self.batches: set[object] = set()
        self._steps: StepInstances | None = None
        self._traced: tuple[Tracer, Callable[[Any], Any]] | None = None
        self._replaced = ReplacedSteps()
        self._unclosed: Unclosed | None = None

    @cached_property
    def counters(self) -> Counters:
        """What traced events did so far."""
        from jupyter_graph.run.tracer import Counters

        return Counters()

    def _count_beside(self, step: str) -> None:
        self.counters.failed_beside(step)

    @property
    def steps(self) -> StepInstances:
        """The built steps; ClosedError where there are none."""
        if self._steps is None:
            self.dispatcher.check_open()
        steps = self._steps
        assert steps is not None  # it is set while the dispatcher is open
        return steps

    @property
    def is_open(self) -> bool:
        return self._steps is not None

    # -- opened and swapped -----------------------------------------------------

    def open(self) -> None:
        """Build the steps; see ``Runner.open``."""
        dispatcher = self.dispatcher
        with dispatcher.changing:
            if self._steps is not None:
                return
            close_older(type(dispatcher.owner()))
            try:
                self._rebuild(dispatcher.compiled)
            except BaseException:  # an interrupt perhaps, when all had been done
                self._shut()
                raise

    def swap(self, compiled: CompiledGraph, anew: Collection[Any] = ()) -> None:
        """Run the next events through another graph; equal steps keep their state.

        Args:
            compiled: the graph.
            anew: functions and classes whose steps are built anew in any case.
        """
        with self.dispatcher.changing:
            if self._steps is None:
                self.dispatcher.compiled = compiled
            else:
                self._rebuild(compiled, anew)

    def _rebuild(self, compiled: CompiledGraph, anew: Collection[Any] = ()) -> None:
        """Build the steps of a graph that are not there yet, and take it over."""
        made: list[tuple[str, Any]] = []
        try:
            before, flusher = self._steps, self.flusher
            steps = build(compiled, self.context, before, made, anew, self.noted)
            with uninterrupted():
                self._take_over(compiled, steps)
                made.clear()
                if before is None:
                    self._begin()
                else:
                    self._replaced.add(before, steps, flusher)
        except BaseException:
            call_all(closers(made, self.context.logger))
            raise
        if self._replaced and self._is_idle():
            self._flush_replaced()
            call_all(closers(self._replaced.take_steps(), self.context.logger))

    def _take_over(self, compiled: CompiledGraph, steps: StepInstances) -> None:
        functions = compiled.functions(steps.calls, steps.instances, self.noted)
        self._watch_buffered(compiled, steps, functions)  # may fail: it comes first
        self._steps, self._traced = steps, None
        self.dispatcher.take_over(compiled, functions.run)
        self.dispatcher.owned.kills = [
            step.instance.kill for _, step in steps.everything() if step.code.in_process
        ]

    def _begin(self) -> None:
        """Hold deadlines, and end what is outside when nobody closes the runner."""
        dispatcher = self.dispatcher
        dispatcher.watch()
        owner = dispatcher.owner()
        what = f"{type(owner).__name__} of graph {dispatcher.compiled.spec.name!r}"
        self._unclosed = Unclosed(owner, dispatcher.owned.end, what=what)

    def _is_idle(self) -> bool:
        """Tell whether no event is inside: none can be in a step that was replaced."""
        dispatcher = self.dispatcher
        return not (self.batches or dispatcher.compiled.streams or dispatcher.is_busy)

    def traced(self) -> tuple[Tracer, Callable[[Any], Any]]:
        """Return the traced version of the graph, made when somebody first looks."""
        with self.dispatcher.lock:
            if self._traced is None:
                from jupyter_graph.run.tracer import Tracer

                steps, compiled = self.steps, self.dispatcher.compiled
                tracer = Tracer(compiled.spec, self.counters)
                calls = tracer.wrap_all(steps)
                run = compiled.function(calls, steps.instances, self.noted)
                self._traced = tracer, run
            return self._traced

    # -- flushed ----------------------------------------------------------------

    def _watch_buffered(
        self, compiled: CompiledGraph, steps: StepInstances, functions: Functions
    ) -> None:
        flusher: Flusher | None = None
        ticker: Ticker | None = None
        if compiled.keeps:
            from jupyter_graph.run.flush import Flusher, Ticker, buffered_steps

            buffered = list(buffered_steps(compiled, steps, functions))
            flusher = Flusher(buffered, self.context, is_async=compiled.is_async)
            if every_s := flusher.every_s:
                ticker = Ticker(every_s, self._flush_due)  # it may fail: change nothing
        owned = self.dispatcher.owned
        before, owned.ticker = owned.ticker, ticker
        self.flusher = flusher
        if before is not None:
            before.end()

    def _flush_due(self) -> None:
        owner = self.dispatcher.owner()  # not collected, and so ended, in its midst
        if self.flusher is not None:
            self.flusher.begin(self.dispatcher.owned.tasks)
        del owner

    def wait_for_completion(self, timeout_s: float | None) -> bool:
        """Wait for emitted events, then flush; see ``Runner.wait_for_completion``."""
        background = self.dispatcher.background
        if background is not None and not background.wait(timeout_s):
            return False
        if self.flusher is not None:
            tasks = self.dispatcher.owned.tasks
            self.flusher.begin(tasks, end=True, ends_steps=False).result(timeout_s)
        return True

    def _flush_replaced(self) -> None:
        for flusher in self._replaced.take_flushers():
            flusher.begin(self.dispatcher.owned.tasks, end=True).wait(LAST_FLUSH_S)

    def _flush_rest(self) -> None:
        """Flush the steps of a synchronous graph, and all that swaps replaced."""
        dispatcher = self.dispatcher
        if dispatcher.owned.ticker is not None:
            dispatcher.owned.ticker.close()
        self._flush_replaced()
        flusher = self.flusher
        if flusher is not None and not flusher.is_async:
            self.termination = flusher.flush(end=True)
        elif flusher is not None and flusher.has_an_end and dispatcher.own_loop:
            _ = dispatcher.tasks().thread  # no event may have needed it so far

    def _flush_at_end(self, flusher: Flusher, tasks: EventTasks) -> None:
        """Flush all that steps of an asynchronous graph hold, on the loop of ours."""
        if tasks.is_here():
            self.context.logger.warning(
                "the runner of graph %r was closed by one of its own steps; what its "
                "steps kept is lost",
                self.dispatcher.compiled.spec.name,
            )
            return
        try:
            self.termination = flusher.begin(tasks, end=True).result(LAST_FLUSH_S)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self.context.logger.exception("the flow did not end well")

    async def _aflush_at_end(self, flusher: Flusher, tasks: EventTasks) -> None:
        """``_flush_at_end`` from a coroutine."""
        import asyncio

        try:
            begun = flusher.begin(tasks, end=True)
            async with asyncio.timeout(LAST_FLUSH_S):
                await begun.waited()
            self.termination = begun.result()
        except Exception:
            self.context.logger.exception("the flow did not end well")

    # -- closed -----------------------------------------------------------------

    def close(self) -> None:
        """Wait for emitted events, flush, and close the steps; see ``Runner.close``."""
        if is_watchdog():  # a finalizer of the user's closes it there
            do_elsewhere(self.close)
        else:
            call_all((self._wait_for_emitted, self.close_now))

    def close_now(self) -> None:
        """Close without waiting for emitted events."""
        changing = self.dispatcher.changing
        # At the very end of the process nobody releases a lock any more.
        if sys.is_finalizing() and not changing.acquire(blocking=False):
            return
        with changing:
            if self._steps is not None:
                call_all((self._flush_rest, self._shut))

    async def aclose(self) -> None:
        """``close`` from the loop that events run on, which goes on meanwhile."""
        try:
            if self.is_open:
                await self._wait_and_flush()
        except BaseException:  # a caller who gives up waits for nothing more
            self.close_now()
            raise
        self.close()

    def _wait_for_emitted(self) -> None:
        background, tasks = self.dispatcher.background, self.dispatcher.owned.tasks
        if background is None or not self.is_open:
            return
        if tasks is None or not tasks.is_here():
            background.wait(min(self.dispatcher.timeout_s, LONGEST_WAIT_S))

    async def _wait_and_flush(self) -> None:
        dispatcher = self.dispatcher
        if dispatcher.background is not None:
            limit_s = min(dispatcher.timeout_s, LONGEST_WAIT_S)
            await dispatcher.background.wait_on_loop(limit_s)
        flusher, tasks = self.flusher, dispatcher.owned.tasks
        if flusher is None or not flusher.is_async:
            return
        if not dispatcher.own_loop:
            self.termination = await flusher.flush_async(end=True)
        elif tasks is not None and tasks.has_thread and not tasks.is_here():
            dispatcher.refuse()
            self.flusher = None
            await self._aflush_at_end(flusher, tasks)

    def _shut(self) -> None:
        """Take no more events, and end everything."""
        dispatcher = self.dispatcher
        with uninterrupted(), dispatcher.lock:
            dispatcher.is_open = False
            steps, self._steps, self._traced = self._steps, None, None
            unclosed, self._unclosed = self._unclosed, None
            owned, dispatcher.owned = dispatcher.owned, OwnedResources()
            background, dispatcher.background = dispatcher.background, None
            dispatcher.refuse()
            dispatcher.unwatch()
        built = [(n, s.instance) for n, s in steps.everything()] if steps else []
        replaced = self._replaced.take_steps()
        calls = closers([*replaced, *built], self.context.logger)
        if (tasks := owned.tasks) is not None:
            calls.insert(0, tasks.close)
            flusher = self.flusher
            # At the end of the process the loop does not turn any more.
            has_loop = tasks.has_thread and not sys.is_finalizing()
            if flusher is not None and flusher.is_async and has_loop:
                calls.insert(0, partial(self._flush_at_end, flusher, tasks))
        try:
            call_all(calls)
        finally:
            with uninterrupted():
                owned.end()
                if background is not None:
                    background.close()
                if unclosed is not None:
                    unclosed.closed()


def closers(steps: list[tuple[str, Any]], logger: Any) -> list[Callable[[], None]]:
    """Return what closes these steps, the last one first: routers before routes."""
    return [
        partial(_close_step, name, instance, logger)
        for name, instance in reversed(steps)
    ]


def _close_step(name: str, instance: Any, logger: Any) -> None:
    close = getattr(instance, "close", None)
    if not callable(close):
        return
    try:
        close()
    except Exception:
        logger.exception("step %r did not close well", name)
