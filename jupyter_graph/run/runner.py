"""A compiled graph, opened: steps built, events going through."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.runtime.streams import drain_async
from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.run.dispatch import Working, get_ident, in_thread
from jupyter_graph.run.event_errors import fail
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.event import Event
    from jupyter_graph.run.answer_factory import AnswerFactory
    from jupyter_graph.run.batch.batch_result import BatchResult
    from jupyter_graph.run.emit import BackgroundEvents
    from jupyter_graph.threads.outcome import Outcome

__all__ = ["Runner"]
EMIT_THREADS = 8
Leave = Callable[..., Any]
"""What a front makes of a graph's result, on the way out."""


class Runner(Working):
    """Runs events through a graph; each event fails alone, and none hangs for ever.

    Safe from several threads. Steps of a synchronous graph run in the caller's thread
    when that is the main thread, else in a thread of their own. An asynchronous graph
    has a loop in a thread of its own; opened by ``async with`` in the main thread,
    outside of a notebook's kernel, ``arun`` uses the loop it is awaited on, where
    events cost a tenth and what steps share with their caller belongs.

    Open it in a ``with`` statement, or call ``open`` and ``close``. One that is
    garbage-collected unclosed gives a ResourceWarning, as a file does: its threads and
    processes end, but its steps are not closed and what they kept is lost. In a
    notebook, a cell that opens one again closes the one before it.

    Args:
        graph: a graph, a spec or a compiled graph.
        namespace: further names that the graph's steps may stand for.
        parameters: what ``context.get_param`` gives.
        secrets: what ``context.get_secret`` gives.
        timeout_s: seconds an event may take; None = no limit.
        own_loop: False lets all events run on the calling loop, as a host with a loop
            of its own wants it, those of a synchronous graph included.
        is_parity: steps see ``context.is_parity``.
        mlrun_status: a failed step answers 400, as in MLRun, instead of 500.
        logger: what ``context.logger`` gives.
        worker_id: the number of the worker of a deployed function.
        load_mode: how models are loaded: ``sync``, or ``async`` in threads.
        current_function: the function whose steps run; ``*`` = all of them.
        from_step: the step that events begin with.
        is_mock: steps see ``context.is_mock``.
        is_deployed: steps see ``context.is_deployed``.
        front: what stands before the graph: ``frontend.factory.make_frontend``.
        push_error: called with event, text and step for errors that no caller sees.

    Raises:
        SpecError: the graph breaks rules.

    >>> from jupyter_graph.spec.builder import Graph
    >>> graph = Graph("math")
    >>> _ = graph.to(name="double", handler=lambda x: x * 2)
    >>> with Runner(graph) as runner:
    ...     runner.run(21)
    42
    """

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
            NoSeatError: the graph was full all that time.
            ClosedError: the runner is not open.
        """
        # The arguments are not keyword-only: filling those in takes CPython 3.11 as
        # long as a step.
        # Nothing is marked either: the watchdog knows a call by its frame.
        if get_ident() == self._fast_id:
            try:
                found = self._function(body)
                if found is not NOTHING:
                    return found
            except BaseException as error:
                fail(error, event_id, self.spec.name, self.timeout_s, self)
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
            NoSeatError: no event ended within the time of one.
            ClosedError: the runner is not open.
        """
        self._opened()
        event, order = _event(body, facts), self._order
        if order is not None:
            order.reserve(event)
        try:
            return self._emitted_().send(event)
        except BaseException:
            self._has_ended(event)
            raise

    def _has_ended(self, event: Event) -> None:
        """Let the next of its key come, also when this one never began its work."""
        if self._order is not None:
            self._order.cancel(event)

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

    def _emitted_(self) -> BackgroundEvents:
        from jupyter_graph.run.emit import BackgroundEvents
        from jupyter_graph.threads.thread_pool import Threads

        with self._lock:
            if self._emitted is None:
                threads = None
                if not self._plan.is_async:
                    threads = Threads(EMIT_THREADS, "jupyter_graph-emit")
                self._emitted = BackgroundEvents(
                    partial(threads.submit, self.handle)
                    if threads
                    else self._start_on_loop,
                    limit=self.spec.max_in_flight,
                    context=self._context,
                    timeout_s=self.timeout_s,
                    ended=self._has_ended,
                    threads=threads,
                )
            return self._emitted

    def _start_on_loop(self, event: Event) -> Outcome:
        return self._tasks_().submit(self._whole_answer(event))

    async def _whole_answer(self, event: Event) -> Answer:
        answer = await self.ahandle(event)
        if isinstance(answer.value, AsyncIterator):
            await drain_async(answer.value)  # nobody reads it
        return answer

    async def arun(self, body: Any = None, **facts: Any) -> Any:
        """Run one event from a coroutine; arguments and errors as of ``run``.

        On a loop of its own no step keeps the calling loop waiting; see the class.
        """
        tasks, quick = self._kept.tasks, self._quick
        lane = tasks.callers_lane if tasks and quick and not facts else None
        if tasks and quick and lane and lane.free and lane.loop is lane.get_loop():
            # What `tasks.run` does, in one frame: a further one would be made for each
            # event, and passed each time that it wakes up.
            lane.free -= 1
            function, takes_event = quick
            event = _event(body, facts) if takes_event else None
            if not lane.is_ticking:
                lane.tick()
            number = lane.last = lane.last + 1
            bucket = lane.young
            bucket[number] = lane.get_task(lane.loop)
            try:
                found = await function(body if event is None else event)
            except BaseException as error:
                tasks.failed(error, lane.discard(bucket, number), event)
            finally:
                try:
                    del bucket[number]
                except KeyError:  # its time was up
                    lane.discard(bucket, number)
                if lane.waiting:
                    lane.leave()
                else:
                    lane.free += 1
            if found is NOTHING:
                return self._unanswered(None if event is None else event.id)
            return found
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
        from jupyter_graph.run.tracer import end_trace, start_trace

        answers, (tracer, function) = self._answers(), self._twin()
        trace, token = start_trace(tracer)
        try:
            value = leave(self._run_event(event, function), whole=True)
            return answers.collected(value, event, trace, tracer.outputs(trace))
        except JupyterGraphError as error:
            return answers.failed(error, event, trace)
        finally:
            end_trace(token)

    def _wait_traced(
        self, event: Event, answers: AnswerFactory, leave: Leave
    ) -> Answer:
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
                return await in_thread(self._handle_traced, event, leave)
            if traced:
                return self._handle_traced(event, leave)
            return answers.ok(leave(await self._arun_event(event)), event, None, {})
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    async def _await_traced(
        self, event: Event, answers: AnswerFactory, leave: Leave
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
        """Return value, error, trace, and what the last steps gave."""
        from jupyter_graph.run.tracer import end_trace, start_trace

        tracer, function = self._twin()
        trace, token = start_trace(tracer)
        work = self._tasks_().run
        try:
            if (order := self._order) is None:
                value = await work(function, self._it(event), event)
            else:
                turn = order.turn_of(event)
                try:
                    await order.wait_on_loop(turn, event)
                    value = await work(function, self._it(event), event)
                finally:
                    order.leave(turn)
        except JupyterGraphError as error:
            return None, error, trace, {}
        finally:
            end_trace(token)
        return value, None, trace, tracer.outputs(trace)

    def _answers(self) -> AnswerFactory:
        """Return what makes the answers of the graph that runs now."""
        if self._made_answers is None:
            from jupyter_graph.run.answer_factory import AnswerFactory

            self._made_answers = AnswerFactory(
                responds=self._plan.responder is not None,
                mlrun_status=self._mlrun_status,
                front=self._front,
            )
        return self._made_answers

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
        >>> from jupyter_graph.spec.builder import Graph
        >>> graph = Graph("math")
        >>> _ = graph.to(name="ratio", handler=lambda row: {"r": row["a"] // row["b"]})
        >>> with Runner(graph) as runner:
        ...     result = runner.run_batch(pd.DataFrame({"a": [6, 7], "b": [2, 0]}))
        >>> result.frame.to_dict("index"), result.errors[0].type
        ({0: {'r': 3}}, 'ZeroDivisionError')
        """
        from jupyter_graph.run.batch.batch_options import BatchOptions
        from jupyter_graph.run.batch.batch_run import run_batch

        options = BatchOptions(target, on_error, progress, batch_rows, check, meta)
        run = object()
        try:
            self._in_batches.add(run)  # a swap meanwhile closes no step of this one
            return run_batch(self, data, options)
        finally:
            self._in_batches.discard(run)

    async def arun_batch(self, data: Any, **options: Any) -> BatchResult:
        """``run_batch`` from a coroutine, in a thread of its own."""
        from jupyter_graph.run.batch.batch_options import BatchOptions
        from jupyter_graph.run.batch.batch_run import run_batch

        stopped, run = threading.Event(), object()
        self._in_batches.add(run)
        try:
            chosen = BatchOptions(**options)
            return await in_thread(run_batch, self, data, chosen, stopped)
        finally:
            self._in_batches.discard(run)
            stopped.set()


Runner.codes_of_run = Runner.run.__code__, Runner._run_it.__code__


def _as_it_is(value: Any, *, whole: bool = False) -> Any:
    """Stand for a front where there is none."""
    return value


def _event(body: Any, facts: dict[str, Any]) -> Event:
    from jupyter_graph.event import Event

    if "event_id" in facts:
        facts["id"] = facts.pop("event_id")
    return Event(body, **facts)


def _checked(answer: Answer, silent: bool) -> Answer:
    if answer.error is not None and not silent:
        raise answer.error
    return answer
