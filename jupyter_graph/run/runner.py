"""What users open to run events through a graph: one object over its parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.compiled_graph import CompiledGraph, compile_graph
from jupyter_graph.errors import RunError, UnknownStepError
from jupyter_graph.run.answering import Answering, has_ended
from jupyter_graph.run.context import Context, Pushed
from jupyter_graph.run.dispatch import Dispatcher, get_ident, in_thread
from jupyter_graph.run.event_errors import fail
from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.run.openable import Openable
from jupyter_graph.run.owned_resources import seconds_of
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.subgraphs import EVERYWHERE
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.event import Event
    from jupyter_graph.frontend.interface import Frontend
    from jupyter_graph.run.batch.batch_result import BatchResult
    from jupyter_graph.run.tracer import Counters

__all__ = ["Runner"]


class Runner(Openable):
    """Runs events through a graph; each event fails alone, and none hangs for ever.

    Safe from several threads. Steps of a synchronous graph run in the caller's thread
    when that is the main thread, else in a thread of their own. An asynchronous graph
    has a loop in a thread of its own; opened by ``async with`` in the main thread,
    outside of a notebook's kernel, ``arun`` uses the loop it is awaited on, where
    events cost a tenth and what steps share with their caller belongs.

    Open it in a ``with`` statement, or call ``open`` and ``close``. One that is
    garbage-collected unclosed gives a ResourceWarning, as a file does: its threads and
    processes end, but its steps are not closed and what they buffered is lost. In a
    notebook, a cell that opens one again closes the one before it.

    Args:
        graph: a graph, a spec or a compiled graph.
        namespace: further names that the graph's steps may stand for.
        parameters: what ``context.get_param`` returns.
        secrets: what ``context.get_secret`` returns.
        timeout_s: seconds an event may take; None = no limit.
        own_loop: False lets all events run on the calling loop, as a host with a loop
            of its own wants it, those of a synchronous graph included.
        is_parity: steps see ``context.is_parity``.
        mlrun_status: a failed step answers 400, as in MLRun, instead of 500.
        logger: what ``context.logger`` is.
        worker_id: the number of the worker of a deployed function.
        load_mode: how models are loaded: ``sync``, or ``async`` in threads.
        current_function: the function whose steps run; ``*`` = all of them.
        from_step: the step that events begin with.
        is_mock: steps see ``context.is_mock``.
        is_deployed: steps see ``context.is_deployed``.
        front: what stands before the graph: see ``frontend.factory``.
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
        self._compile = _compiler(front, namespace, current_function, from_step)
        recorded = None
        if is_parity:
            from jupyter_graph.run.recorded_outputs import (
                RecordedOutputs,
                with_recorded_steps,
            )

            recorded = RecordedOutputs()
            if not isinstance(graph, CompiledGraph):
                graph = with_recorded_steps(graph, namespace)
        self._dispatcher = Dispatcher(
            graph if isinstance(graph, CompiledGraph) else self._compile(graph),
            timeout_s=self.timeout_s,
            own_loop=own_loop,
            owner=self,
        )
        if load_mode not in ("sync", "async"):
            raise RunError(f"load_mode must be 'sync' or 'async', got {load_mode!r}")
        context = Context(
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
            recorded=recorded,
        )
        self._instance = GraphInstance(self._dispatcher, context)
        self._answering = Answering(
            self._instance, front=front, mlrun_status=mlrun_status
        )

    # -- open and closed --------------------------------------------------------

    def swap(self, graph: Graph | GraphSpec, *, anew: Collection[Any] = ()) -> None:
        """Take new code with the next event; unchanged steps keep their state.

        Args:
            graph: the graph.
            anew: functions and classes whose steps are built anew in any case.

        Raises:
            SpecError, RunError: the new graph does not work; the old one goes on.
        """
        self._instance.swap(self._compile(graph), anew)

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<Runner of graph {self.spec.name!r}, {state}>"

    # -- what it is -------------------------------------------------------------

    @property
    def spec(self) -> GraphSpec:
        """The graph that runs."""
        return self._dispatcher.compiled.spec

    @property
    def compiled(self) -> CompiledGraph:
        """The compiled graph that runs."""
        return self._dispatcher.compiled

    @property
    def counters(self) -> Counters:
        """What traced events did so far."""
        return self._instance.counters

    @property
    def termination(self) -> Any:
        """What storey calls the flow's result, once the runner is closed."""
        return self._instance.termination

    @property
    def recorded(self) -> Any:
        """What steps with effects outside gave, where ``is_parity``; else None."""
        return self._instance.context.recorded

    @property
    def endpoints(self) -> Any:
        """The endpoints of the front, None where there is none."""
        config = getattr(self._front, "config", None)
        return None if config is None else config.endpoints

    def step(self, name: str | None = None) -> Any:
        """Return the instance of a step's class, as it runs now; None for a function.

        Args:
            name: the step, or a route; None, or the graph's own name, is the router
                that the graph itself is (``topology="router"``).

        Raises:
            UnknownStepError: there is no such step.
            ClosedError: the runner is not open.
        """
        steps, spec = self._instance.steps.steps, self.spec
        router = spec.router
        if name not in steps and router is not None and name in (None, spec.name):
            name = router.name
        if name is None:
            raise UnknownStepError(
                f"graph {spec.name!r} is a flow and no router; name a step of it: "
                f"{', '.join(steps)}"
            )
        if name not in steps:
            spec.step(name)
        return steps[name].instance

    def not_ready(self) -> list[str]:
        """Return the names of the model servers that are still loading."""
        return [
            name
            for name, step in self._instance.steps.everything()
            if getattr(step.instance, "ready", True) is False
        ]

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
        """Run one event and return the bare result.

        A generator's items come as an iterator; for an event that was filtered away, or
        that nobody answers in a branch, it is None.

        Raises:
            StepError: a step failed; ``__cause__`` is what it raised.
            DeadlineError: the event took longer than the limit.
            NoSeatError: the graph was full all that time.
            ClosedError: the runner is not open.
        """
        # The arguments are not keyword-only: filling those in takes CPython 3.11 as
        # long as a step.
        # Nothing is marked either: the watchdog knows a call by its frame, and whose it
        # is by this variable.
        dispatcher = self._dispatcher
        if get_ident() == dispatcher.fast_id:
            try:
                result = dispatcher.function(body)
                if result is not NOTHING:
                    return result
            except BaseException as error:
                fail(error, event_id, self.spec.name, self.timeout_s, dispatcher)
            return dispatcher.unanswered(event_id)
        facts = {"path": path, "method": method, "headers": headers}
        event = _event(body, {**facts, "id": event_id, "content_type": content_type})
        result = dispatcher.run(event)
        return result if result is not NOTHING else dispatcher.unanswered(event.id)

    def emit(self, body: Any = None, **facts: Any) -> str:
        """Send one event without waiting; return its id.

        At most ``max_in_flight`` events are on their way at once; a further one waits
        here. A failure goes to the log and to ``push_error``.

        Args:
            body: what the first steps get.
            **facts: path, method, headers, event_id, content_type as of ``run``.

        Raises:
            NoSeatError: no event ended within the time of one.
            ClosedError: the runner is not open.
        """
        dispatcher = self._dispatcher
        dispatcher.check_open()
        event = _event(body, facts)
        if dispatcher.order is not None:
            dispatcher.order.reserve(event)
        try:
            return self._answering.background().send(event)
        except BaseException:
            has_ended(dispatcher, event)
            raise

    def wait_for_completion(self, timeout_s: float | None = None) -> bool:
        """Wait until no emitted event is on its way, and flush buffered steps.

        Args:
            timeout_s: seconds to wait at most; None = as long as it takes.

        Returns:
            False when the time was up before.
        """
        self._dispatcher.check_open()
        return self._instance.wait_for_completion(timeout_s)

    async def arun(self, body: Any = None, **facts: Any) -> Any:
        """Run one event from a coroutine; arguments and errors as of ``run``.

        On a loop of its own no step keeps the calling loop waiting; see the class.
        """
        dispatcher = self._dispatcher
        tasks, quick = dispatcher.owned.tasks, dispatcher.quick
        slots = tasks.callers_slots if tasks and quick and not facts else None
        if tasks and quick and slots and slots.free and slots.loop is slots.get_loop():
            # What `tasks.run` does, in one frame: a further one would be made for each
            # event, and passed each time that it wakes up.
            slots.free -= 1
            function, takes_event = quick
            event = _event(body, facts) if takes_event else None
            if not slots.is_ticking:
                slots.tick()
            number = slots.last = slots.last + 1
            bucket = slots.young
            bucket[number] = slots.get_task(slots.loop)
            try:
                result = await function(body if event is None else event)
            except BaseException as error:
                tasks.failed(error, slots.discard(bucket, number), event)
            finally:
                try:
                    del bucket[number]
                except KeyError:  # its time was up
                    slots.discard(bucket, number)
                if slots.waiting:
                    slots.leave()
                else:
                    slots.free += 1
            if result is NOTHING:
                return dispatcher.unanswered(None if event is None else event.id)
            return result
        event = _event(body, facts)
        result = await dispatcher.arun(event)
        return result if result is not NOTHING else dispatcher.unanswered(event.id)

    def answer(
        self,
        body: Any = None,
        *,
        silent: bool = False,
        traced: bool = False,
        **facts: Any,
    ) -> Answer:
        """Run one event and return its answer as a caller of the function gets it.

        Args:
            body: what the first steps get; bytes are what a caller sends, and are read
                by their content type, as in the function.
            silent: return a failed event's answer instead of raising.
            traced: keep each step's input, output and time.
            **facts: path, method, headers, event_id, content_type as of ``run``.
        """
        event = _event(body, facts)
        refused = self._answering.read(event)
        return _checked(refused or self.handle(event, traced=traced), silent)

    async def aanswer(
        self,
        body: Any = None,
        *,
        silent: bool = False,
        traced: bool = False,
        **facts: Any,
    ) -> Answer:
        """``answer`` from a coroutine."""
        event = _event(body, facts)
        refused = self._answering.read(event)
        return _checked(refused or await self.ahandle(event, traced=traced), silent)

    def handle(
        self,
        event: Event,
        *,
        traced: bool = False,
        live: bool = False,
        at_once: bool = False,
    ) -> Answer:
        """Answer one event; a failed event has an answer too, with its error.

        Args:
            event: the event.
            traced: keep each step's input, output and time.
            live: the answer's value is wanted as it is, not its bytes: one without a
                form is no failure, and a stream that broke off has its items and its
                error.
            at_once: answer when the step that answers has done so; what goes on beside
                it or after it is done meanwhile, and closing waits for it.
        """
        return self._answering.handle(event, traced=traced, live=live, at_once=at_once)

    async def ahandle(
        self, event: Event, *, traced: bool = False, at_once: bool = False
    ) -> Answer:
        """``handle`` from a coroutine; the value of a stream is left unread."""
        return await self._answering.ahandle(event, traced=traced, at_once=at_once)

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
        row after the other. A stream has a row for each of its items; what steps
        buffered comes last, under the label of the last row.

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
            RunError: a vectorised step returned other rows than it got, or disagrees
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
        return run_batch(self._instance, data, options, Runner)

    async def arun_batch(self, data: Any, **options: Any) -> BatchResult:
        """``run_batch`` from a coroutine, in a thread of its own."""
        from jupyter_graph.run.batch.batch_options import BatchOptions
        from jupyter_graph.run.batch.batch_run import run_batch

        stopped = threading.Event()
        batch = self._instance, data, BatchOptions(**options), Runner, stopped
        try:
            return await in_thread(self._dispatcher, run_batch, *batch)
        finally:
            stopped.set()


# The watchdog looks for the frames of this code on the main thread's stack.
Dispatcher.codes[Runner.run.__code__] = "dispatcher"


def _compiler(
    front: Frontend | None,
    namespace: Mapping[str, Any] | None,
    current_function: str,
    from_step: str | None,
) -> Callable[[Graph | GraphSpec], CompiledGraph]:
    """Return what compiles the graphs of a runner."""
    compiling: Callable[..., CompiledGraph] = compile_graph
    if front is not None:  # its functions take the parameters of a request
        from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters

        compiling = EndpointAdapters().compile
    return partial(
        compiling,
        namespace=namespace,
        current_function=current_function,
        from_step=from_step,
    )


def _event(body: Any, facts: dict[str, Any]) -> Event:
    from jupyter_graph.event import Event

    if "event_id" in facts:
        facts["id"] = facts.pop("event_id")
    path = facts.get("path", "/")
    if not facts.get("headers") and path and "?" not in path and "%" not in path:
        return Event(body, **facts)  # nothing to read in it: a call less for each event
    return Event.of_request(body, **facts)


def _checked(answer: Answer, silent: bool) -> Answer:
    if answer.error is not None and not silent:
        raise answer.error
    return answer
