"""A compiled graph, opened: steps built, events going through."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

from jupyter_graph.compile.plan import CompiledGraph, compile_graph
from jupyter_graph.errors import (
    ClosedError,
    DeadlineError,
    JupyterGraphError,
    RunError,
)
from jupyter_graph.run.build import Built, build
from jupyter_graph.run.context import Context, Pushed
from jupyter_graph.run.deadline import MainThreadInterrupter, unwatch, watch
from jupyter_graph.run.failure import fail, late, new_id
from jupyter_graph.run.kept import Kept, refuse, seconds_of
from jupyter_graph.run.pool import pool
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.parts import EVERYWHERE
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from jupyter_graph.run.answer import Answer
    from jupyter_graph.run.answers import Answers
    from jupyter_graph.run.api.front import Front
    from jupyter_graph.run.api.twins import Twins
    from jupyter_graph.run.batch_result import BatchResult
    from jupyter_graph.run.emitted import Emitted
    from jupyter_graph.run.event import Event
    from jupyter_graph.run.later import Later, Ticker
    from jupyter_graph.run.tasks import Tasks
    from jupyter_graph.run.trace import Counters, Tracer

Result = TypeVar("Result")
Leave = Callable[..., Any]
"""What a front makes of a graph's result, on the way out."""

FREE: AbstractContextManager[None] = nullcontext()
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
        load_mode: how models are loaded: ``sync``, or ``async`` in threads.
        current_function: the function whose steps run; ``*`` = all of them.
        from_step: the step that events begin with.
        is_mock: steps see ``context.is_mock``.
        is_deployed: steps see ``context.is_deployed``.
        front: what stands before the graph: ``run.api.openai_front.front_of``.
        push_error: called with event, text and step for errors that no caller sees.

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
        load_mode: str = "sync",
        current_function: str = EVERYWHERE,
        from_step: str | None = None,
        is_mock: bool = False,
        is_deployed: bool = False,
        push_error: Pushed | None = None,
        front: Front | None = None,
    ) -> None:
        self.timeout_s = seconds_of(timeout_s)
        self._front = front
        self._twins: Twins | None = None
        self._namespace = namespace
        self._part = current_function, from_step
        self._plan: CompiledGraph = (
            graph if isinstance(graph, CompiledGraph) else self._compiled(graph)
        )
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
            push=push_error,
        )
        self.termination: Any = None
        self._own_loop = own_loop
        self._mlrun_status = mlrun_status
        self._built: Built | None = None
        self._function: Callable[[Any], Any] = refuse
        self._is_plain = False
        self._is_quick = False  # events of the caller's loop may go the short way
        self._traced: tuple[Tracer, Callable[[Any], Any]] | None = None
        self._counters: Counters | None = None
        self._later: Later | None = None
        self._ticker: Ticker | None = None
        self._emitted: Emitted | None = None
        self._kept = Kept()
        self._seats = threading.Semaphore()
        self._main_id = -1
        self._fast_id = -1  # the main thread, while its events may go the short way
        self._mark = 0
        self._count = 0
        self._lock = threading.RLock()

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
                    self._fast_id = self._main_id if self._is_plain else -1
                    self._kept.has_signal = True
                watch(self)
                self._forgotten = weakref.finalize(self, self._kept.let_go)
                self._forgotten.atexit = False
        return self

    def close(self) -> None:
        """Let go of steps, threads and the signal; calling it twice is harmless.

        Events that are still under way end in a ClosedError where they can be ended.
        """
        if self._emitted is not None and self._built is not None:
            self._emitted.wait(self.timeout_s)
        with self._lock:
            built = self._built
            if built is None:
                return
            if self._ticker is not None:
                self._ticker.close()
                self._ticker = None
            if self._later is not None and not self._plan.is_async:
                self.termination = self._later.flush(end=True)
            self._built = self._traced = None
            self._function, self._main_id, self._fast_id = refuse, -1, -1
            unwatch(self)
            self._forgotten.detach()
            self._kept.let_go(self._end_kept)
            for name, step in reversed(list(built.everything())):  # routers first
                self._close_step(name, step.instance)

    async def aclose(self) -> None:
        """``close`` from the loop that events run on; what steps kept goes on first."""
        later, is_here = self._later, not self._own_loop
        if self.is_open and later is not None and self._plan.is_async and is_here:
            self.termination = await later.flush_async(end=True)
        self.close()

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

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
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
        from jupyter_graph.run.trace import Counters

        if self._counters is None:
            self._counters = Counters()
        return self._counters

    def step(self, name: str) -> Any:
        """Give the instance of a step's class, as it runs now; None for a function.

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
        """Give the names of the model servers that are still loading."""
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
        with self._lock:
            if self._built is None:
                self._plan = plan
            else:
                self._take(plan, build(plan, self._context, self._built))

    def _compiled(self, graph: Graph | GraphSpec) -> CompiledGraph:
        function, from_step = self._part
        compiling = compile_graph
        if self._front is not None:  # its functions take the parameters of a request
            from jupyter_graph.run.api.twins import Twins

            self._twins = self._twins or Twins()
            compiling = self._twins.compile
        return compiling(
            graph, self._namespace, current_function=function, from_step=from_step
        )

    def _take(self, plan: CompiledGraph, built: Built) -> None:
        functions = plan.functions(built.calls, built.instances)
        limit = plan.spec.max_in_flight
        if self._built is None or limit != self._plan.spec.max_in_flight:
            self._seats = threading.Semaphore(max(1, limit - 1))  # one is the main's
            self._kept.bound(limit)
        self._plan, self._built, self._function = plan, built, functions.run
        self._traced = None
        self._watch_keepers(plan, built, functions)
        takes_bodies = not (plan.takes_event or plan.streams)
        self._is_quick = plan.is_async and takes_bodies and not self._own_loop
        is_plain = not plan.is_async and takes_bodies
        self._is_plain = is_plain and limit > 1
        self._fast_id = self._main_id if self._is_plain else -1

    # -- what steps keep --------------------------------------------------------

    def _watch_keepers(self, plan: CompiledGraph, built: Built, functions: Any) -> None:
        if self._ticker is not None:
            self._ticker.close()
            self._ticker = None
        self._later = None
        if not plan.keeps:
            return
        from jupyter_graph.run.later import Later, Ticker, keepers

        found = list(keepers(plan, built, functions))
        self._later = Later(found, self._context, plan.spec.name)
        if every_s := self._later.every_s:
            name = f"{plan.spec.name} flush"
            self._ticker = Ticker(every_s, self._flush_due, name)

    def _flush_due(self) -> None:
        later, tasks = self._later, self._kept.tasks
        if later is None:
            return
        if not self._plan.is_async:
            later.flush()
        elif tasks is not None and tasks.loop is not None:
            tasks.submit(later.flush_async())

    def _end_kept(self, thread: Any) -> None:
        """Take on all that steps kept, at the end."""
        if self._later is None:
            return
        try:
            self.termination = thread.start(self._later.flush_async(end=True)).result(
                30
            )
        except Exception:
            self._context.logger.exception("the flow did not end well")

    def _twin(self) -> tuple[Tracer, Callable[[Any], Any]]:
        """Give the traced function, made when somebody first looks."""
        from jupyter_graph.run.trace import Tracer

        with self._lock:
            if self._traced is None:
                built, tracer = self._opened(), Tracer(self._plan.spec, self.counters)
                calls = tracer.wrap_all(built)
                function = self._plan.function(calls, built.instances)
                self._traced = tracer, function
            return self._traced

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
        MainThreadInterrupter.throw(lambda: self._mark == mark, self)

    # -- one event --------------------------------------------------------------

    def run(
        self,
        body: Any = None,
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
        # The arguments are not keyword-only: filling those in takes CPython 3.11 as
        # long as a step.
        if not self._mark and get_ident() == self._fast_id:
            self._mark = self._count = self._count + 1
            function = self._function
            try:
                found = function(body)
                if found is not NOTHING:
                    return found
            except BaseException as error:
                fail(error, event_id, self.spec.name, self.timeout_s, self)
            finally:
                self._mark = 0
            return self._unanswered(event_id)
        facts = {"path": path, "method": method, "headers": headers}
        event = _event(body, {**facts, "id": event_id, "content_type": content_type})
        found = self._run_event(event)
        return found if found is not NOTHING else self._unanswered(event.id)

    def emit(self, body: Any = None, **facts: Any) -> str:
        """Send one event without waiting; give its id.

        At most ``max_in_flight`` events are on their way at once; a further one waits
        here. A failure goes to the log and to ``push_error``.

        Args:
            body: what the first steps get.
            **facts: path, method, headers, event_id, content_type as of ``run``.

        Raises:
            DeadlineError: no event ended within the time of one.
            ClosedError: the runner is not open.
        """
        self._opened()
        return self._emitted_().send(_event(body, facts))

    def wait_for_completion(self, timeout_s: float | None = None) -> bool:
        """Wait until no emitted event is on its way, and take on what steps kept.

        Args:
            timeout_s: seconds to wait at most; None = as long as it takes.

        Returns:
            False when the time was up before.
        """
        self._opened()
        if self._emitted is not None and not self._emitted.wait(timeout_s):
            return False
        later, tasks = self._later, self._kept.tasks
        if later is not None and not self._plan.is_async:
            later.flush(end=True)
        elif later is not None and tasks is not None and tasks.loop is not None:
            work = later.flush_async(end=True, ends_steps=False)
            tasks.submit(work).result(timeout_s)
        return True

    def _emitted_(self) -> Emitted:
        from jupyter_graph.run.emitted import Emitted, thread_starter

        with self._lock:
            if self._emitted is None:
                in_threads = thread_starter(self.handle, self.spec.name)
                self._emitted = Emitted(
                    self._start_on_loop if self._plan.is_async else in_threads,
                    limit=self.spec.max_in_flight,
                    context=self._context,
                    timeout_s=self.timeout_s,
                )
            return self._emitted

    def _start_on_loop(self, event: Event) -> Future[Answer]:
        return self._tasks_().submit(self._whole_answer(event))

    async def _whole_answer(self, event: Event) -> Answer:
        answer = await self.ahandle(event)
        if isinstance(answer.value, AsyncIterator):
            async for _ in answer.value:  # nobody reads it: its effects alone
                pass
        return answer

    async def arun(self, body: Any = None, **facts: Any) -> Any:
        """Run one event from a coroutine; arguments and errors as of ``run``.

        The calling loop is never kept waiting by a step, unless ``own_loop=False``.
        """
        if not facts and self._is_quick:
            tasks = self._kept.tasks
            if tasks is not None:
                found = await tasks.run_here(self._function, body)
                return found if found is not NOTHING else self._unanswered(None)
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

    def handle(
        self, event: Event, *, traced: bool = False, partly: bool = False
    ) -> Answer:
        """Answer one event; a failed event has an answer too, with its error.

        Args:
            event: the event.
            traced: keep each step's input, output and time.
            partly: give the items of a stream that broke off, and its error.
        """
        answers = self._answers()
        try:
            leave = self._enter(event)
            if traced and self._plan.is_async:
                return self._wait_traced(event, answers, leave)
            if traced:
                return self._handle_traced(event, leave)
            value = leave(self._run_event(event), whole=True)
            return answers.collected(value, event, None, {}, partly=partly)
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    def _enter(self, event: Event) -> Leave:
        """Let the event in; give what becomes of the graph's result."""
        return _as_it_is if self._front is None else self._front.enter(event).leave

    def _handle_traced(self, event: Event, leave: Leave) -> Answer:
        from jupyter_graph.run.trace import end_trace, start_trace

        answers, (tracer, function) = self._answers(), self._twin()
        trace, token = start_trace(tracer)
        try:
            value = leave(self._run_event(event, function), whole=True)
            return answers.collected(value, event, trace, tracer.outputs(trace))
        except JupyterGraphError as error:
            return answers.failed(error, event, trace)
        finally:
            end_trace(token)

    def _wait_traced(self, event: Event, answers: Answers, leave: Leave) -> Answer:
        tasks = self._tasks_()
        value, error, trace, outputs = tasks.wait(self._run_traced(event), event)
        if error is not None:
            return answers.failed(error, event, trace)
        if isinstance(value, AsyncIterator):
            value = tasks.iterated(value, event)
        try:
            left = leave(value, whole=True)
            return answers.collected(left, event, trace, outputs)
        except JupyterGraphError as wrong:
            return answers.failed(wrong, event, trace)

    async def ahandle(self, event: Event, *, traced: bool = False) -> Answer:
        """``handle`` from a coroutine; the value of a stream is left unread."""
        answers = self._answers()
        try:
            leave = self._enter(event)
            if traced and self._plan.is_async:
                return await self._await_traced(event, answers, leave)
            if traced and self._own_loop:
                return await _in_thread(self._handle_traced, event, leave)
            if traced:
                return self._handle_traced(event, leave)
            return answers.ok(leave(await self._arun_event(event)), event, None, {})
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    async def _await_traced(
        self, event: Event, answers: Answers, leave: Leave
    ) -> Answer:
        tasks = self._tasks_()
        value, error, trace, outputs = await tasks.hop(self._run_traced(event), event)
        if error is not None:
            return answers.failed(error, event, trace)
        if isinstance(value, AsyncIterator):
            value = tasks.aiterated(value, event)
        try:
            return answers.ok(leave(value), event, trace, outputs)
        except JupyterGraphError as wrong:
            return answers.failed(wrong, event, trace)

    async def _run_traced(self, event: Event) -> tuple[Any, Any, Any, Any]:
        """Give value, error, trace, and what the last steps gave."""
        from jupyter_graph.run.trace import end_trace, start_trace

        tracer, function = self._twin()
        trace, token = start_trace(tracer)
        try:
            value = await self._tasks_().run(function, self._it(event), event)
        except JupyterGraphError as error:
            return None, error, trace, {}
        finally:
            end_trace(token)
        return value, None, trace, tracer.outputs(trace)

    def _answers(self) -> Answers:
        from jupyter_graph.run.answers import Answers

        responds = self._plan.responder is not None
        return Answers(
            responds=responds, mlrun_status=self._mlrun_status, front=self._front
        )

    # -- many rows --------------------------------------------------------------

    def run_batch(
        self,
        data: Any,
        *,
        target: Any = None,
        on_error: str = "collect",
        progress: bool | None = None,
        batch_rows: int | None = None,
        check: bool = False,
        meta: Any = None,
    ) -> BatchResult:
        """Run all rows of a table; a row that fails does not stop the others.

        Vectorised steps that the graph begins with get whole frames, the others one
        row after the other. A stream gives a row for each of its items; what steps kept
        comes last, under the label of the last row.

        Args:
            data: a DataFrame (pandas, Arrow, Polars, Dask), a path or URL of Parquet,
                CSV or JSON lines, or an iterable of bodies.
            target: where to write the answers as they come: a path or URL, or a target;
                by default they are kept for ``frame``.
            on_error: ``collect`` failures, or ``raise`` the first one.
            progress: show a bar; None: in a terminal or notebook, if tqdm is there.
            batch_rows: rows read at once, 1 or more: 32,768 where vectorised steps come
                first, else 8,192.
            check: compare vectorised steps with themselves, row by row, on 20 rows.
            meta: for Dask, a frame with the columns of the answers; by default a few
                rows are run.

        Raises:
            SpecError: nothing reads the data, or an argument has a wrong value.
            RunError: a vectorised step gave other rows than it got, or does not agree
                with itself; with ``raise`` whatever fails a row.
            OSError: the data cannot be read, or the target not be written.

        >>> import pandas as pd
        >>> graph = Graph("math")
        >>> _ = graph.to(name="ratio", handler=lambda row: {"r": row["a"] // row["b"]})
        >>> with Runner(graph) as runner:
        ...     result = runner.run_batch(pd.DataFrame({"a": [6, 7], "b": [2, 0]}))
        >>> result.frame.to_dict("index"), result.errors[0].type
        ({0: {'r': 3}}, 'ZeroDivisionError')
        """
        from jupyter_graph.run.batch import BatchOptions, run_batch

        options = BatchOptions(target, on_error, progress, batch_rows, check, meta)
        return run_batch(self, data, options)

    async def arun_batch(self, data: Any, **options: Any) -> BatchResult:
        """``run_batch`` from a coroutine, in a thread of its own."""
        from jupyter_graph.run.batch import BatchOptions, run_batch

        stopped = threading.Event()
        try:
            chosen = BatchOptions(**options)
            return await _in_thread(run_batch, self, data, chosen, stopped)
        finally:
            stopped.set()

    # -- threads and loops ------------------------------------------------------

    def _it(self, event: Event) -> Any:
        return event if self._plan.takes_event else event.body

    def _tasks_(self) -> Tasks:
        from jupyter_graph.run.tasks import Tasks

        with self._lock:
            self._opened()
            if self._kept.tasks is None:
                self._kept.tasks = Tasks(
                    graph=self.spec.name,
                    limit_s=self.timeout_s,
                    max_in_flight=self.spec.max_in_flight,
                    own_loop=self._own_loop,
                )
            return self._kept.tasks

    def _run_event(self, event: Event, function: Any = None) -> Any:
        self._opened()
        _check_time_left(event)
        if self._plan.is_async:
            tasks = self._tasks_()
            work = tasks.run(function or self._function, self._it(event), event)
            found = tasks.wait(work, event)
            is_stream = isinstance(found, AsyncIterator)
            return tasks.iterated(found, event) if is_stream else found
        return self._run_sync(function or self._function, event)

    def _run_sync(self, function: Callable[[Any], Any], event: Event) -> Any:
        found = self._limited(function, self._it(event), event, takes_seat=True)
        if self._plan.streams and isinstance(found, Iterator):
            return self._guarded(found, event)
        return found

    def _limited(
        self,
        function: Callable[[Any], Any],
        it: Any,
        event: Event,
        *,
        takes_seat: bool = False,
    ) -> Any:
        """Call a function of the graph within the event's time."""
        is_main = get_ident() == self._main_id
        try:
            if is_main and self._mark:
                return function(it)  # a step of this graph runs the graph again
            with self._seat() if takes_seat and not self._is_seated(is_main) else FREE:
                if not is_main:
                    return self._elsewhere(function, it, event)
                self._mark = self._count = self._count + 1
                try:
                    return function(it)
                finally:
                    self._mark = 0
        except BaseException as error:
            fail(error, event.id, self.spec.name, self.timeout_s, self)

    def _elsewhere(self, function: Callable[[Any], Any], it: Any, event: Event) -> Any:
        outcome, worker = pool.submit(function, it)
        step = pool.wait(self.timeout_s, outcome, worker)
        if step is None:
            return outcome.result()
        late(step, event.id, self.spec.name, self.timeout_s)

    def _is_seated(self, is_main: bool) -> bool:
        """The main thread has a seat of its own, unless there is only one."""
        return is_main and self.spec.max_in_flight > 1

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(timeout=self.timeout_s):
            raise DeadlineError(f"found no seat within {self.timeout_s:g} s")
        try:
            yield
        finally:
            self._seats.release()

    async def _arun_event(self, event: Event) -> Any:
        self._opened()
        _check_time_left(event)
        if self._plan.is_async:
            tasks = self._tasks_()
            work = tasks.run(self._function, self._it(event), event)
            found = await tasks.hop(work, event)
            is_stream = isinstance(found, AsyncIterator)
            return tasks.aiterated(found, event) if is_stream else found
        if not self._own_loop:
            return self._run_sync(self._function, event)
        return await _in_thread(self._run_event, event)

    def _guarded(self, items: Iterator[Any], event: Event) -> Iterator[Any]:
        """Give a stream; each item has the time of an event, a failure is ours."""

        def following(rest: Iterator[Any]) -> Any:
            return next(rest, NOTHING)

        while (item := self._limited(following, items, event)) is not NOTHING:
            yield item

    def _unanswered(self, event_id: str | None) -> Any:
        """Give what the caller gets when no step answered."""
        return {"id": event_id or new_id()} if self._plan.responder is None else None


def _check_time_left(event: Event) -> None:
    """Refuse an event that nobody waits for any more."""
    if event.deadline is not None and event.deadline < time.monotonic():
        raise DeadlineError(
            "the event's time was up before it came here (X-Event-Time-Left-Ms)"
        )


def _as_it_is(value: Any, *, whole: bool = False) -> Any:
    """Stand for a front where there is none."""
    return value


async def _in_thread(call: Callable[..., Result], *args: Any) -> Result:
    import asyncio

    return await asyncio.to_thread(call, *args)


def _event(body: Any, facts: dict[str, Any]) -> Event:
    from jupyter_graph.run.event import Event

    if "event_id" in facts:
        facts["id"] = facts.pop("event_id")
    return Event(body, **facts)


def _checked(answer: Answer, silent: bool) -> Answer:
    if answer.error is not None and not silent:
        raise answer.error
    return answer
