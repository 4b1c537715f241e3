"""A compiled graph, opened: steps built, events going through."""

from __future__ import annotations

import asyncio
import threading
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, NoReturn, Self

from jupyter_graph.compile.plan import CompiledGraph, compile_graph
from jupyter_graph.compile.prelude import NOTHING, DeadlineInterrupt, said_by
from jupyter_graph.errors import (
    AnswerError,
    ClosedError,
    DeadlineError,
    JupyterGraphError,
    RunError,
    StepError,
    said,
)
from jupyter_graph.run.answer import Answer
from jupyter_graph.run.build import Built, build
from jupyter_graph.run.context import Context
from jupyter_graph.run.deadline import (
    MainThreadInterrupter,
    pool,
    step_in_thread,
    unwatch,
    watch,
)
from jupyter_graph.run.event import Event
from jupyter_graph.run.flow import Flow
from jupyter_graph.run.loop import CallersLoop, Deadlines, LoopThread
from jupyter_graph.run.response import Response, Wire, encode, is_stream, problem
from jupyter_graph.run.trace import Counters, Tracer, end_trace, start_trace
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec

GRACE = 1.1  # a caller is let go at the latest after 1.1 times the limit
NO_LIMIT_S = 86_400.0 * 365

get_ident = threading.get_ident


class Runner:
    """Runs events through a graph; each event fails alone, and none hangs for ever.

    Safe from several threads. Steps of a synchronous graph run in the caller's thread
    when that is the main thread, else in a thread of their own; an asynchronous graph
    has a loop in a thread of its own.

    Args:
        graph: a graph, a spec or a compiled graph.
        namespace: further names that the graph's steps may stand for.
        parameters: what ``context.get_param`` gives.
        secrets: what ``context.get_secret`` gives.
        timeout_s: seconds an event may take; None = no limit.
        own_loop: False lets ``ahandle`` and ``arun`` run on the calling loop, as a host
            with a loop of its own wants it.
        is_parity: steps see ``context.is_parity``.
        mlrun_status: a failed step answers 400, as in MLRun, instead of 500.
        logger: what ``context.logger`` gives.
        worker_id: the number of the worker of a deployed function.

    Raises:
        SpecError: the graph breaks rules.

    >>> graph = Graph("math")
    >>> _ = graph.to(name="double", handler=lambda x: x * 2)
    >>> with Runner(graph) as runner:
    ...     runner.run(21)
    42
    """

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
    ) -> None:
        if timeout_s is not None and not timeout_s > 0:
            raise RunError(f"timeout_s must be above 0 seconds, got {timeout_s!r}")
        self._plan: CompiledGraph = (
            graph
            if isinstance(graph, CompiledGraph)
            else compile_graph(graph, namespace)
        )
        self._namespace = namespace
        self._context = Context(
            logger=logger,
            parameters=parameters,
            secrets=secrets,
            worker_id=worker_id,
            is_parity=is_parity,
        )
        self.timeout_s = timeout_s or NO_LIMIT_S
        self._own_loop = own_loop
        self._mlrun_status = mlrun_status
        self._built: Built | None = None
        self._function: Callable[..., Any] = self._closed
        self._traced: Callable[..., Any] | None = None
        self._tracer = Tracer(self._plan.spec)
        self._fast: Callable[[Any], Any] | None = None
        self._main_id = -1
        self._mark = 0
        self._count = 0
        self.termination: Any = None
        self._lock = threading.RLock()
        self._loop: LoopThread | None = None
        self._callers_loop: CallersLoop | None = None
        self._deadlines: dict[asyncio.AbstractEventLoop, Deadlines] = {}
        self._slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    # -- life -------------------------------------------------------------------

    def open(self) -> Self:
        """Build the steps; calling it twice is harmless.

        Raises:
            RunError: a constructor failed.
        """
        with self._lock:
            if self._built is None:
                self._take(self._plan, build(self._plan, self._context))
                if MainThreadInterrupter.install():
                    self._main_id = get_ident()
                watch(self)
        return self

    def close(self) -> None:
        """Let go of steps, threads and the signal; calling it twice is harmless."""
        with self._lock:
            if self._built is None:
                return
            unwatch(self)
            if self._main_id != -1:
                MainThreadInterrupter.uninstall()
                self._main_id = -1
            if isinstance(self._function, Flow) and self._loop is not None:
                self.termination = self._function.end(self._loop)
            if self._loop is not None:
                self._loop.close()
                self._loop = None
            if self._callers_loop is not None:
                self._callers_loop.close()
                self._callers_loop = None
            for step in self._built.steps.values():
                if callable(close := getattr(step.instance, "close", None)):
                    close()
            self._built = self._fast = self._traced = None
            self._function = self._closed
            self._deadlines.clear()
            self._slots.clear()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.open()

    async def __aexit__(self, *_: object) -> None:
        self.close()

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
        return self._tracer.counters

    def swap(self, graph: Graph | GraphSpec) -> None:
        """Take new code with the next event; unchanged steps keep their state.

        Raises:
            SpecError, RunError: the new graph does not work; the old one goes on.
        """
        plan = compile_graph(graph, self._namespace)
        with self._lock:
            if self._built is None:
                self._plan = plan
                return
            self._take(plan, build(plan, self._context, self._built))

    def _take(self, plan: CompiledGraph, built: Built) -> None:
        tracer = Tracer(plan.spec)
        tracer.counters = self._tracer.counters
        function: Callable[..., Any]
        if plan.main is None:
            function = Flow(plan, built, tracer, self._context)
        else:
            function = plan.function(built.calls, built.instances)
        self._plan, self._built, self._tracer = plan, built, tracer
        self._function, self._traced = function, None
        is_plain = not (plan.is_async or plan.takes_event or plan.streams)
        self._fast = function if is_plain else None

    def _twin(self) -> Callable[..., Any]:
        """Give the traced function, made when somebody first looks."""
        with self._lock:
            if isinstance(self._function, Flow):
                return self._function  # it looks for a trace by itself
            if self._traced is None:
                built, tracer = self._opened(), self._tracer
                calls = {
                    name: tracer.wrap(name, step.call, is_async=step.is_awaited)
                    for name, step in built.steps.items()
                    if step.call is not None
                }
                self._traced = self._plan.function(calls, built.instances)
            return self._traced

    def _closed(self, it: Any) -> NoReturn:
        self._opened()
        raise ClosedError(f"the runner of graph {self.spec.name!r} is closed")

    def _opened(self) -> Built:
        if self._built is None:
            raise ClosedError(
                f"the runner of graph {self.spec.name!r} is not open; "
                "use it in a with statement, or call open()"
            )
        return self._built

    # -- the watchdog's view ----------------------------------------------------

    def mark(self) -> int:
        """Give the number of the event in the main thread, 0 while there is none."""
        return self._mark

    def expire(self, mark: int) -> None:
        """Interrupt that event; the watchdog calls this."""
        MainThreadInterrupter.throw(lambda: self._mark == mark)

    # -- one event --------------------------------------------------------------

    def run(
        self,
        body: Any = None,
        *,
        path: str = "/",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        event_id: str | None = None,
        content_type: str = "",
    ) -> Any:
        """Run one event and give the bare result.

        A generator's items come as an iterator; an event that was filtered away, or
        that nobody answers in a branch, gives None.

        Raises:
            StepError: a step failed; ``__cause__`` is what it raised.
            DeadlineError: the event took longer than the limit.
            ClosedError: the runner is not open.
        """
        fast = self._fast
        if fast is not None and not self._mark and get_ident() == self._main_id:
            self._mark = self._count = self._count + 1
            try:
                found = fast(body)
            except BaseException as error:
                self._fail(error, event_id)
            finally:
                self._mark = 0
            return found if found is not NOTHING else self._unanswered(event_id)
        event = Event(
            body,
            path=path,
            method=method,
            headers=headers,
            id=event_id,
            content_type=content_type,
        )
        found = self._run_event(event)
        return found if found is not NOTHING else self._unanswered(event.id)

    async def arun(self, body: Any = None, **facts: Any) -> Any:
        """Run one event from a coroutine; arguments and errors as of ``run``.

        The calling loop is never kept waiting by a step, unless ``own_loop=False``.
        """
        event = _event(body, facts)
        found = await self._arun_event(event)
        return found if found is not NOTHING else self._unanswered(event.id)

    def answer(
        self,
        body: Any = None,
        *,
        silent: bool = False,
        traced: bool = False,
        **facts: Any,
    ) -> Answer:
        """Run one event and give its answer as a caller of the function gets it.

        Args:
            body: what the first steps get.
            silent: give a failed event's answer instead of raising.
            traced: keep each step's input, output and time.
            **facts: path, method, headers, event_id, content_type as of ``run``.
        """
        return _checked(self.handle(_event(body, facts), traced=traced), silent)

    async def aanswer(
        self,
        body: Any = None,
        *,
        silent: bool = False,
        traced: bool = False,
        **facts: Any,
    ) -> Answer:
        """``answer`` from a coroutine."""
        return _checked(await self.ahandle(_event(body, facts), traced=traced), silent)

    def handle(self, event: Event, *, traced: bool = False) -> Answer:
        """Answer one event; a failed event has an answer too, with its error."""
        trace, token = start_trace() if traced else (None, None)
        try:
            if traced and self._plan.is_async:
                answer: Answer = self._wait(self._ahandle_traced(event), event)
                if is_stream(answer.value):
                    items = self._iterated(answer.value)
                    return self._collected(items, event, answer.trace)
                return answer
            function = self._twin() if traced else None
            value = self._run_event(event, function)
        except (JupyterGraphError, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return self._failed_answer(error, event, trace)
        else:
            return self._collected(value, event, trace)
        finally:
            if token is not None:
                end_trace(token)

    def _collected(self, value: Any, event: Event, trace: Any) -> Answer:
        """Give an answer; a stream is read to its end first."""
        if not is_stream(value):
            return self._ok_answer(value, event, trace)
        body = value.body if isinstance(value, Response) else value
        try:
            items = list(body)
        except JupyterGraphError as error:
            return self._failed_answer(error, event, trace)
        wire = encode(item for item in items)
        return Answer(wire, event.id, items, None, trace, {})

    async def ahandle(self, event: Event, *, traced: bool = False) -> Answer:
        """``handle`` from a coroutine; the value of a stream is left unread."""
        if traced and (self._plan.is_async or not self._own_loop):
            found: Answer = await self._hop(self._ahandle_traced(event), event)
            return found
        if traced:
            return await asyncio.to_thread(self.handle, event, traced=True)
        try:
            value = await self._arun_event(event)
        except JupyterGraphError as error:
            return self._failed_answer(error, event, None)
        return self._ok_answer(value, event, None)

    async def _ahandle_traced(self, event: Event) -> Answer:
        trace, token = start_trace()
        try:
            value = await self._run_async(event, self._twin())
        except JupyterGraphError as error:
            return self._failed_answer(error, event, trace)
        finally:
            end_trace(token)
        return self._ok_answer(value, event, trace)

    def _ok_answer(self, value: Any, event: Event, trace: Any) -> Answer:
        outputs = self._tracer.outputs(trace) if trace is not None else {}
        if is_stream(value):
            wire = Wire()
        else:
            try:
                wire = self._wire(value, event)
            except AnswerError as error:
                return self._failed_answer(error, event, trace)
        return Answer(wire, event.id, value, None, trace, outputs)

    def _wire(self, value: Any, event: Event) -> Wire:
        if value is NOTHING:
            if self._plan.responder is None:
                return encode(Response({"id": event.id}, 202))
            return Wire(status_code=204)
        return encode(value)

    def _failed_answer(
        self, error: JupyterGraphError, event: Event, trace: Any
    ) -> Answer:
        wire = problem(error, event_id=event.id, mlrun_status=self._mlrun_status)
        return Answer(wire, event.id, None, error, trace, {})

    # -- threads and loops ------------------------------------------------------

    def _run_event(self, event: Event, function: Any = None) -> Any:
        self._opened()
        if self._plan.is_async:
            found = self._wait(self._run_async(event, function), event)
            return self._iterated(found) if isinstance(found, AsyncIterator) else found
        it = event if self._plan.takes_event else event.body
        found = self._run_sync(function or self._function, it, event)
        return self._guarded(found, event.id) if self._is_stream(found) else found

    def _is_stream(self, found: Any) -> bool:
        return self._plan.streams and isinstance(found, Iterator)

    def _run_sync(self, function: Any, it: Any, event: Event) -> Any:
        event_id = event.id if event._id else None
        try:
            if get_ident() != self._main_id:
                found = pool.run(self.timeout_s, _in_context(function), it)
            elif self._mark:
                found = function(it)  # a step of this graph runs the graph again
            else:
                self._mark = self._count = self._count + 1
                try:
                    found = function(it)
                finally:
                    self._mark = 0
        except BaseException as error:
            self._fail(error, event_id)
        return found

    async def _arun_event(self, event: Event) -> Any:
        self._opened()
        if self._plan.is_async:
            return await self._hop(self._run_async(event, None), event)
        if not self._own_loop:
            it = event if self._plan.takes_event else event.body
            found = self._run_sync(self._function, it, event)
            return self._guarded(found, event.id) if self._is_stream(found) else found
        return await asyncio.to_thread(self._run_event, event)

    async def _run_async(self, event: Event, function: Any) -> Any:
        """Run one event on the loop this coroutine is on."""
        loop = asyncio.get_running_loop()
        deadlines, slots = self._limits_of(loop)
        task = asyncio.current_task()
        assert task is not None
        it = event if self._plan.takes_event else event.body
        async with slots:
            deadlines.add(task)
            try:
                found = await (function or self._function)(it)
            except BaseException as error:
                if deadlines.discard(task):
                    task.uncancel()
                    self._late(said_by(error), event.id)
                self._fail(error, event.id)
            finally:
                deadlines.discard(task)
        return found

    def _limits_of(
        self, loop: asyncio.AbstractEventLoop
    ) -> tuple[Deadlines, asyncio.Semaphore]:
        if loop not in self._slots:
            self._deadlines[loop] = Deadlines(self.timeout_s)
            self._slots[loop] = asyncio.Semaphore(self.spec.max_in_flight)
        return self._deadlines[loop], self._slots[loop]

    def _loop_thread(self) -> LoopThread:
        with self._lock:
            if self._loop is None or self._loop.is_stuck:
                self._loop = LoopThread(self.timeout_s)
            return self._loop

    def _wait(self, work: Any, event: Event) -> Any:
        """Run a coroutine on the runner's own loop and wait for it."""
        thread = self._loop_thread()
        if threading.current_thread() is thread.thread:
            work.close()
            raise RunError(
                f"graph {self.spec.name!r} is run by one of its own steps; "
                "await runner.arun(...) there"
            )
        future = thread.start(work)
        try:
            return future.result(self.timeout_s * GRACE)
        except KeyboardInterrupt:
            future.cancel()
            raise
        except TimeoutError:
            if future.done():
                raise
            step = step_in_thread(thread.thread)
            future.cancel()
            self._late(step, event.id)

    async def _hop(self, work: Any, event: Event) -> Any:
        """Run a coroutine on the right loop and await it from this one."""
        if not self._own_loop:
            if self._callers_loop is None:
                self._callers_loop = CallersLoop(self.timeout_s)
            return await work
        thread = self._loop_thread()
        if asyncio.get_running_loop() is thread.loop:
            return await work
        future: Future[Any] = thread.start(work)
        try:
            async with asyncio.timeout(self.timeout_s * GRACE):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise
            self._late(step_in_thread(thread.thread), event.id)

    def _iterated(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        """Give a stream of the runner's loop to a caller without one."""
        thread = self._loop_thread()
        while True:
            future = asyncio.run_coroutine_threadsafe(_next(items), thread.loop)
            try:
                item = future.result(self.timeout_s * GRACE)
            except BaseException as error:
                self._fail(error, None)
            if item is NOTHING:
                return
            yield item

    def _guarded(self, items: Iterator[Any], event_id: str) -> Iterator[Any]:
        """Give a stream whose failure is an error of ours that names the step."""
        try:
            yield from items
        except GeneratorExit:
            raise
        except BaseException as error:
            self._fail(error, event_id)

    # -- ends -------------------------------------------------------------------

    def _unanswered(self, event_id: str | None) -> Any:
        """Give what the caller gets when no step answered."""
        if self._plan.responder is None:
            return {"id": event_id or Event().id}
        return None

    def _fail(self, error: BaseException, event_id: str | None) -> NoReturn:
        """Raise what the caller gets for an exception that ended an event."""
        if isinstance(error, DeadlineInterrupt):
            self._late(said_by(error), event_id)
        if isinstance(error, StepError | ClosedError):
            raise error
        if step := said_by(error):
            raise StepError(step, event_id or Event().id, error) from error
        if isinstance(error, JupyterGraphError | KeyboardInterrupt | CancelledError):
            raise error
        raise RunError(f"graph {self.spec.name!r} failed: {said(error)}") from error

    def _late(self, step: str, event_id: str | None) -> NoReturn:
        """Raise what the caller gets when the event's time was up in this step."""
        late = DeadlineError(f"took longer than {self.timeout_s:g} s")
        if step:
            raise StepError(step, event_id or Event().id, late) from late
        raise DeadlineError(
            f"an event of graph {self.spec.name!r} took longer than "
            f"{self.timeout_s:g} s"
        ) from None


def _in_context(function: Callable[..., Any]) -> Callable[..., Any]:
    from contextvars import copy_context

    context = copy_context()
    return lambda it: context.run(function, it)


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items, NOTHING)


def _event(body: Any, facts: dict[str, Any]) -> Event:
    event_id = facts.pop("event_id", None)
    return Event(body, id=event_id, **facts)


def _checked(answer: Answer, silent: bool) -> Answer:
    if answer.error is not None and not silent:
        raise answer.error
    return answer
