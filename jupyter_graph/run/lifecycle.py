"""The life of a runner: opened, its graph swapped, closed."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from jupyter_graph.compile.compiled_graph import CompiledGraph, compile_graph
from jupyter_graph.compile.failing_step import is_interrupt
from jupyter_graph.errors import ClosedError, RunError
from jupyter_graph.run.context import Context, Pushed
from jupyter_graph.run.deadline.watchdog import (
    MainThreadInterrupter,
    RunningCall,
    is_main_thread,
    is_watchdog,
    unwatch,
    watch,
)
from jupyter_graph.run.instantiate import StepInstances, build
from jupyter_graph.run.owned_resources import OwnedResources, refuse, seconds_of
from jupyter_graph.run.replaced_steps import ReplacedSteps
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.cut import EVERYWHERE
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.threads.interrupts import call_all, uninterrupted
from jupyter_graph.threads.reaper import Unclosed, do_elsewhere
from jupyter_graph.threads.reopened import close_older
from jupyter_graph.threads.slots import Slots

if TYPE_CHECKING:
    import asyncio

    from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters
    from jupyter_graph.frontend.interface import Frontend
    from jupyter_graph.run.aio.event_tasks import EventTasks
    from jupyter_graph.run.answer_factory import AnswerFactory
    from jupyter_graph.run.emit import BackgroundEvents
    from jupyter_graph.run.flush import Flusher, Ticker
    from jupyter_graph.run.order_by import OrderBy
    from jupyter_graph.run.tracer import Counters, Tracer

get_ident = threading.get_ident
LAST_FLUSH_S = 30.0
LONGEST_WAIT_S = 60.0
"""Seconds that closing waits for emitted events, where an event has no limit."""


def is_in_kernel() -> bool:
    """Tell whether this process is a notebook's kernel."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and bool(kernel.IPKernelApp.initialized())


class Opened:
    """A compiled graph and what was built of it; ``Runner`` tells the arguments."""

    codes_of_run: ClassVar[tuple[CodeType, ...]]
    """Those of the methods that run an event in the main thread."""

    def __init__(
        self,
        graph: Graph | GraphSpec | CompiledGraph,
        *,
        namespace: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        timeout_s: float | None = 30.0,
        own_loop: bool = True,
        is_parity: bool = False,
        mlrun_status: bool = False,
        logger: Any = None,
        worker_id: str = "0",
        load_mode: str = "sync",
        current_function: str = EVERYWHERE,
        from_step: str | None = None,
        is_mock: bool = False,
        is_deployed: bool = False,
        push_error: Pushed | None = None,
        front: Frontend | None = None,
    ) -> None:
        self.timeout_s = seconds_of(timeout_s)
        self._front = front
        self._twins: EndpointAdapters | None = None
        self._namespace = namespace
        self._part = current_function, from_step
        self._plan: CompiledGraph = (
            graph if isinstance(graph, CompiledGraph) else self._compiled(graph)
        )
        self._order: OrderBy | None = None
        self._order = self._order_of(self._plan)
        if load_mode not in ("sync", "async"):
            raise RunError(f"load_mode must be 'sync' or 'async', got {load_mode!r}")
        self._context = Context(
            logger=logger,
            parameters=parameters,
            secrets=secrets,
            worker_id=worker_id,
            is_parity=is_parity,
            is_mock=is_mock,
            is_deployed=is_deployed,
            current_function=current_function,
            load_mode=load_mode,
            timeout_s=self.timeout_s,
            push=push_error,
        )
        self.termination: Any = None
        self._own_loop = own_loop
        self._lender: asyncio.AbstractEventLoop | None = None
        self._mlrun_status = mlrun_status
        self._built: StepInstances | None = None
        self._function: Callable[[Any], Any] = refuse
        self._is_plain = False
        self._quick: tuple[Callable[[Any], Any], bool] | None = None
        self._traced: tuple[Tracer, Callable[[Any], Any]] | None = None
        self._made_answers: AnswerFactory | None = None
        self._counters: Counters | None = None
        self._later: Flusher | None = None
        self._emitted: BackgroundEvents | None = None
        self._kept = OwnedResources()
        self._owner: Callable[[], Any] = weakref.ref(self)
        self._unclosed: Unclosed | None = None
        self._slots = Slots(1)
        self._replaced = ReplacedSteps()
        self._is_forked = False
        self._in_batches: set[object] = set()
        self._main_id = -1
        self._fast_id = -1  # the main thread, while its events may go the short way
        self._is_inside = False  # the main thread, with an event of this runner
        self._sighting = RunningCall(*self.codes_of_run)
        # One opens, swaps or closes at a time, and runs code of the user's meanwhile;
        # events want the other one only.
        self._changing = threading.RLock()
        self._lock = threading.RLock()

    # -- life -------------------------------------------------------------------

    def belong_to(self, owner: Any) -> Self:
        """Let another object stand for this runner: that one is to be closed."""
        self._owner = weakref.ref(owner)
        return self

    def open(self) -> Self:
        """Build the steps; calling it twice is harmless.

        In a notebook, what an earlier run of the same cell opened, and nothing but
        that cell's variables holds, is closed before.

        Raises:
            RunError: a constructor failed.
        """
        with self._changing:
            if self._built is not None:
                return self
            close_older(type(self._owner()))
            try:
                self._rebuild(self._plan)
                return self
            except BaseException:  # an interrupt perhaps, when all had been done
                self._shut()
                raise

    def _rebuild(self, plan: CompiledGraph) -> None:
        """Build the steps of a graph that are not there yet, and take it over."""
        made: list[tuple[str, Any]] = []
        try:
            before, later = self._built, self._later
            built = build(plan, self._context, before, made)
            with uninterrupted():
                self._take(plan, built)
                made.clear()
                if before is None:
                    self._begin()
                else:
                    self._replaced.add(before, built, later)
        except BaseException:
            call_all(self._closers(made))
            raise
        if self._replaced and self._is_idle():
            self._end_replaced()

    def _end_replaced(self) -> None:
        """Let go on what steps that a swap replaced have kept, and close them."""
        for later in self._replaced.laters():
            self._flush_at_end(later)
        call_all(self._closers(self._replaced.taken()))

    def _flush_at_end(self, later: Flusher) -> None:
        tasks = self._kept.tasks
        if not later.is_async:
            later.flush(end=True)
        elif tasks is not None and tasks.has_thread and not tasks.is_here():
            tasks.thread.start(later.flush_async(end=True)).wait(LAST_FLUSH_S)

    def _is_idle(self) -> bool:
        """Tell whether no event is inside: none can be in a step that was replaced."""
        tasks, emitted = self._kept.tasks, self._emitted
        return not (
            self._in_batches
            or self._plan.streams
            or self._slots.taken
            or (emitted is not None and len(emitted))
            or (tasks is not None and tasks.is_busy)
            or RunningCall(*self.codes_of_run).number(self)
        )

    def _begin(self) -> None:
        """Hold deadlines, and end what is outside when nobody closes the runner."""
        self._watch_again()
        owner = self._owner()
        kind = type(owner).__name__
        what = f"{kind} of graph {self.spec.name!r}"
        self._unclosed = Unclosed(owner, self._kept.end, what=what)

    def close(self) -> None:
        """Let go of steps, threads and the signal; calling it twice is harmless.

        Events that are still under way end in a ClosedError where they can be ended.
        An interrupt stops what it meets (a step that flushes, say); the rest is closed
        all the same.
        """
        if is_watchdog():  # a finalizer of the user's closes it there
            do_elsewhere(self.close)
        else:
            call_all((self._wait_for_emitted, self._close))

    def _wait_for_emitted(self) -> None:
        if self._emitted is not None and self.is_open and not self._is_on_its_loop():
            self._emitted.wait(min(self.timeout_s, LONGEST_WAIT_S))

    def _close(self) -> None:
        # At the very end of the process nobody gives a lock back any more.
        if sys.is_finalizing() and not self._changing.acquire(blocking=False):
            return
        with self._changing:
            if self._built is not None:
                call_all((self._flush_rest, self._shut))

    def _flush_rest(self) -> None:
        """Let go on what steps of a synchronous graph kept."""
        if self._kept.ticker is not None:
            self._kept.ticker.close()
        for replaced in self._replaced.laters():
            self._flush_at_end(replaced)
        later = self._later
        if later is not None and not self._plan.is_async:
            self.termination = later.flush(end=True)
        elif later is not None and later.has_an_end and self._own_loop:
            _ = self._tasks_().thread  # no event may have needed it so far

    def _shut(self) -> None:
        """Take no more events, and end everything."""
        with uninterrupted(), self._lock:
            built, self._built, self._traced = self._built, None, None
            kept, self._kept = self._kept, OwnedResources()
            unclosed, self._unclosed = self._unclosed, None
            emitted, self._emitted = self._emitted, None
            self._function, self._quick = refuse, None
            self._main_id = self._fast_id = -1
            unwatch(self)
            self._sighting.forget()
        steps = [(n, s.instance) for n, s in built.everything()] if built else []
        calls = self._closers([*self._replaced.taken(), *steps])
        if (tasks := kept.tasks) is not None:
            calls[:0] = [partial(self._end_kept, tasks), tasks.close]
        try:
            call_all(calls)
        finally:
            with uninterrupted():
                kept.end()
                if emitted is not None:
                    emitted.close()
                if unclosed is not None:
                    unclosed.closed()

    def _is_on_its_loop(self) -> bool:
        """Tell whether the caller keeps the loop that events run on."""
        tasks = self._kept.tasks
        return tasks is not None and tasks.is_here()

    def _closers(self, steps: list[tuple[str, Any]]) -> list[Callable[[], None]]:
        """Return what closes these steps, the last one first: routers before routes."""
        return [
            partial(self._close_step, name, instance)
            for name, instance in reversed(steps)
        ]

    async def aclose(self) -> None:
        """``close`` from the loop that events run on; what steps kept goes on first."""
        try:
            if self.is_open:
                await self._let_go_on()
        except BaseException:  # a caller who gives up waits for nothing more
            self._close()
            raise
        self.close()

    async def _let_go_on(self) -> None:
        """Wait for emitted events, and for what steps kept; this loop goes on."""
        if self._emitted is not None:
            limit_s = min(self.timeout_s, LONGEST_WAIT_S)
            await self._emitted.wait_on_loop(limit_s)
        later, tasks = self._later, self._kept.tasks
        if later is None or not self._plan.is_async:
            return
        if not self._own_loop:
            self.termination = await later.flush_async(end=True)
        elif tasks is not None and tasks.has_thread and not tasks.is_here():
            self._function, self._quick, self._later = refuse, None, None
            await self._aend_kept(later, tasks)

    def _close_step(self, name: str, instance: Any) -> None:
        close = getattr(instance, "close", None)
        if not callable(close):
            return
        try:
            close()
        except Exception:
            self._context.logger.exception("step %r did not close well", name)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.close()
        else:  # who stopped the block does not want to wait for what it sent
            self._close()

    async def __aenter__(self) -> Self:
        if not self.is_open and is_main_thread() and not is_in_kernel():
            # Nobody interrupts a step that keeps a loop in another thread, and a
            # kernel must answer while a step works.
            import asyncio

            self._lender = asyncio.get_running_loop()
        return self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<Runner of graph {self.spec.name!r}, {state}>"

    @property
    def is_open(self) -> bool:
        return self._built is not None

    @property
    def spec(self) -> GraphSpec:
        """The graph that runs."""
        return self._plan.spec

    @property
    def compiled(self) -> CompiledGraph:
        """The compiled graph that runs."""
        return self._plan

    @property
    def counters(self) -> Counters:
        """What traced events did so far."""
        from jupyter_graph.run.tracer import Counters

        if self._counters is None:
            self._counters = Counters()
        return self._counters

    def step(self, name: str) -> Any:
        """Return the instance of a step's class, as it runs now; None for a function.

        Raises:
            UnknownStepError: there is no such step.
            ClosedError: the runner is not open.
        """
        built = self._opened()
        if name not in built.steps:
            self.spec.step(name)
        return built.steps[name].instance

    @property
    def endpoints(self) -> Any:
        """The endpoints of the front, None where there is none."""
        config = getattr(self._front, "config", None)
        return None if config is None else config.endpoints

    def not_ready(self) -> list[str]:
        """Return the names of the model servers that are still loading."""
        return [
            name
            for name, step in self._opened().everything()
            if getattr(step.instance, "ready", True) is False
        ]

    def swap(self, graph: Graph | GraphSpec) -> None:
        """Take new code with the next event; unchanged steps keep their state.

        Raises:
            SpecError, RunError: the new graph does not work; the old one goes on.
        """
        plan = self._compiled(graph)
        with self._changing:
            if self._built is None:
                self._plan = plan
            else:
                self._rebuild(plan)

    def _compiled(self, graph: Graph | GraphSpec) -> CompiledGraph:
        function, from_step = self._part
        compiling = compile_graph
        if self._front is not None:  # its functions take the parameters of a request
            from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters

            self._twins = self._twins or EndpointAdapters()
            compiling = self._twins.compile
        return compiling(
            graph, self._namespace, current_function=function, from_step=from_step
        )

    def _take(self, plan: CompiledGraph, built: StepInstances) -> None:
        functions = plan.functions(built.calls, built.instances)
        self._watch_keepers(plan, built, functions)
        limit = plan.spec.max_in_flight
        if self._built is None or limit != self._plan.spec.max_in_flight:
            self._slots = Slots(max(1, limit - 1))  # one is the main's
            self._kept.bound(limit)
        self._plan, self._built, self._function = plan, built, functions.run
        self._traced = self._made_answers = None
        self._kept.kills = [
            step.instance.kill for _, step in built.everything() if step.code.in_process
        ]
        self._order = self._order_of(plan)
        runs_here = self._lend() is not None or not self._own_loop
        is_quick = plan.is_async and runs_here and not (plan.streams or self._order)
        self._quick = (functions.run, plan.takes_event) if is_quick else None
        is_plain = not (plan.is_async or plan.takes_event or plan.streams)
        self._is_plain = is_plain and limit > 1 and self._order is None
        self._fast_id = self._main_id if self._is_plain else -1

    def _lend(self) -> asyncio.AbstractEventLoop | None:
        """Let events of coroutines run on the loop that opened the runner; give it.

        Not where steps keep something: that belongs to one loop, which takes it on.
        """
        lender = None if self._plan.keeps else self._lender
        if self._kept.tasks is not None:
            self._kept.tasks.lender = lender
        return lender

    def _order_of(self, plan: CompiledGraph) -> OrderBy | None:
        order_by = plan.spec.order_by
        if order_by is None:
            return None
        if self._order is not None and self._order.order_by == order_by:
            return self._order  # those who wait there keep their places
        from jupyter_graph.run.order_by import OrderBy

        return OrderBy(order_by, self.timeout_s)

    # -- what steps keep --------------------------------------------------------

    def _watch_keepers(
        self, plan: CompiledGraph, built: StepInstances, functions: Any
    ) -> None:
        later: Flusher | None = None
        ticker: Ticker | None = None
        if plan.keeps:
            from jupyter_graph.run.flush import Flusher, Ticker, keepers

            found = list(keepers(plan, built, functions))
            later = Flusher(found, self._context, is_async=plan.is_async)
            if every_s := later.every_s:
                ticker = Ticker(every_s, self._flush_due)  # it may fail: change nothing
        before, self._kept.ticker = self._kept.ticker, ticker
        self._later = later
        if before is not None:
            before.end()

    def _flush_due(self) -> None:
        later, tasks = self._later, self._kept.tasks
        if later is None:
            return
        if not self._plan.is_async:
            later.flush()
        elif tasks is not None and tasks.loop is not None:
            tasks.submit(later.flush_async())

    def _end_kept(self, tasks: EventTasks) -> None:
        """Let go on all that steps of an asynchronous graph kept, at the end."""
        later = self._later
        if later is None or not self._plan.is_async or not tasks.has_thread:
            return
        if sys.is_finalizing():
            return  # the loop does not turn any more
        if tasks.is_here():
            self._context.logger.warning(
                "the runner of graph %r was closed by one of its own steps; what its "
                "steps kept is lost",
                self.spec.name,
            )
            return
        try:
            work = later.flush_async(end=True)
            self.termination = tasks.thread.start(work).result(LAST_FLUSH_S)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._context.logger.exception("the flow did not end well")

    async def _aend_kept(self, later: Flusher, tasks: EventTasks) -> None:
        """``_end_kept`` from a coroutine."""
        import asyncio

        begun = tasks.thread.start(later.flush_async(end=True))
        try:
            async with asyncio.timeout(LAST_FLUSH_S):
                await begun.waited()
            self.termination = begun.result()
        except Exception:
            self._context.logger.exception("the flow did not end well")

    def _twin(self) -> tuple[Tracer, Callable[[Any], Any]]:
        """Return the traced function, made when somebody first looks."""
        from jupyter_graph.run.tracer import Tracer

        with self._lock:
            if self._traced is None:
                built, tracer = self._opened(), Tracer(self._plan.spec, self.counters)
                calls = tracer.wrap_all(built)
                function = self._plan.function(calls, built.instances)
                self._traced = tracer, function
            return self._traced

    def _opened(self) -> StepInstances:
        if self._built is None:
            if self._owner() is not self:
                kind = type(self._owner()).__name__
                raise ClosedError(f"this {kind} of graph {self.spec.name!r} is closed")
            raise ClosedError(
                f"the runner of graph {self.spec.name!r} is not open; "
                "use it in a with statement, or call open()"
            )
        return self._built

    def _tasks_(self) -> EventTasks:
        from jupyter_graph.run.aio.event_tasks import EventTasks

        with self._lock:
            self._opened()
            if self._kept.tasks is None:
                self._kept.tasks = EventTasks(
                    graph=self.spec.name,
                    limit_s=self.timeout_s,
                    max_in_flight=self.spec.max_in_flight,
                    own_loop=self._own_loop,
                )
                self._lend()
            return self._kept.tasks

    def forked(self) -> None:
        """Go on in a child process, which has none of the threads.

        Locks that another thread held are taken for ever there, so all are new. What
        steps kept is not flushed by time, and processes of steps are the parent's.
        """
        self._changing, self._lock = threading.RLock(), threading.RLock()
        self._kept, self._emitted = OwnedResources(), None
        self._slots = Slots(max(1, self.spec.max_in_flight - 1))
        self._is_forked, self._main_id, self._fast_id = True, -1, -1

    def _watch_again(self) -> None:
        """Hold deadlines from now on; a child process asks for it with an event."""
        self._is_forked = False
        if self._kept.take_signal():
            self._main_id = get_ident()
            self._fast_id = self._main_id if self._is_plain else -1
        watch(self)

    # -- the watchdog's view ----------------------------------------------------

    def mark(self) -> int:
        """Return the number of the event in the main thread, 0 while there is none."""
        return self._sighting.number(self) if self._main_id >= 0 else 0

    def expire(self, mark: int) -> None:
        """Interrupt that event; the watchdog calls this."""
        seen = self._sighting
        MainThreadInterrupter.throw(lambda: seen.is_still(mark), self)
