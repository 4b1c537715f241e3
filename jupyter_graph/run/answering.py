"""From an event to its answer: run, traced where somebody looks, failed perhaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.runtime.aside import ASIDE, Aside
from jupyter_graph.compile.runtime.streams import drain_async
from jupyter_graph.errors import JupyterGraphError, StatusError
from jupyter_graph.run.dispatch import Dispatcher, in_thread
from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.run.put_off import aside_of, finish

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.compile.compiled_graph import CompiledGraph
    from jupyter_graph.event import Event
    from jupyter_graph.frontend.interface import Frontend
    from jupyter_graph.run.answer_factory import AnswerFactory
    from jupyter_graph.run.emit import BackgroundEvents
    from jupyter_graph.threads.outcome import Outcome

Leave = Callable[..., Any]
"""What a front makes of a graph's result, on the way out."""


class Answering:
    """Answers the events of one graph; a failed event has an answer, too.

    Args:
        instance: the graph.
        front: what stands before it, or None.
        mlrun_status: a failed step answers 400 instead of 500.

    Attributes:
        dispatcher: what runs the events.
    """

    def __init__(
        self, instance: GraphInstance, *, front: Frontend | None, mlrun_status: bool
    ) -> None:
        self._instance, self.dispatcher = instance, instance.dispatcher
        self._front, self._mlrun_status = front, mlrun_status
        self._made: tuple[CompiledGraph, AnswerFactory] | None = None

    def handle(
        self,
        event: Event,
        *,
        traced: bool = False,
        live: bool = False,
        at_once: bool = False,
    ) -> Answer:
        """Answer one event; see ``Runner.handle``."""
        aside = self._aside_of(event, at_once=at_once and not traced)
        if aside is None:
            return self._handle(event, traced=traced, live=live)
        token = ASIDE.set(aside)
        try:
            answer = self._handle(event, traced=traced, live=live, aside=aside)
        finally:
            ASIDE.reset(token)
            self._finish(aside, waits=True)
        answer.notes = tuple(aside.failures)
        return answer

    async def ahandle(
        self, event: Event, *, traced: bool = False, at_once: bool = False
    ) -> Answer:
        """``handle`` from a coroutine; the value of a stream is left unread."""
        aside = self._aside_of(event, at_once=at_once and not traced)
        if aside is None:
            return await self._ahandle(event, traced=traced)
        token = ASIDE.set(aside)
        try:
            answer = await self._ahandle(event, traced=traced, aside=aside)
        finally:
            ASIDE.reset(token)
            self._finish(aside, waits=not self.dispatcher.compiled.is_async)
        if aside.rest:
            await self.background().room()  # the caller waits, not the loop
        answer.notes = tuple(aside.failures)
        return answer

    def read(self, event: Event) -> Answer | None:
        """Decode a body of bytes; return the answer where it cannot be read."""
        if not isinstance(event.body, bytes | bytearray | memoryview):
            return None
        from jupyter_graph.event import read_event

        try:
            read_event(event)
        except StatusError as error:
            return self._answers().failed(error, event, None)
        return None

    # -- beside the answer ------------------------------------------------------

    def _aside_of(self, event: Event, *, at_once: bool) -> Aside | None:
        if not self.dispatcher.compiled.has_beside:
            return None
        owner = self._instance.context
        return aside_of(self.dispatcher, owner, event, at_once=at_once)

    def _finish(self, aside: Aside, *, waits: bool) -> None:
        """Begin what the event has left to be done."""
        if aside.rest:
            finish(self.dispatcher, self.background(), aside, waits=waits)

    def _until_answered(self, aside: Aside | None) -> Callable[[Any], Any] | None:
        """Return the graph's function for an event that may leave something."""
        if aside is None or not aside.puts_off:
            return None
        dispatcher = self.dispatcher
        is_async = dispatcher.compiled.is_async
        function: Callable[[Any], Any] = dispatcher.function
        return aside.until_answered(function, is_async=is_async)

    def background(self) -> BackgroundEvents:
        """Return the events that nobody waits for; each keeps the runner alive."""
        from jupyter_graph.run.emit import EMIT_NAME, EMIT_THREADS, BackgroundEvents
        from jupyter_graph.threads.thread_pool import Threads

        dispatcher = self.dispatcher

        def in_thread(event: Event) -> Outcome:
            assert threads is not None
            return threads.submit(_handled, dispatcher.owner(), self, event)

        def on_loop(event: Event) -> Outcome:
            work = _answered(dispatcher.owner(), self, event)
            return dispatcher.tasks().submit(work)

        with dispatcher.lock:
            if dispatcher.background is None:
                is_async = dispatcher.compiled.is_async
                threads = None if is_async else Threads(EMIT_THREADS, EMIT_NAME)
                dispatcher.background = BackgroundEvents(
                    on_loop if is_async else in_thread,
                    limit=dispatcher.compiled.spec.max_in_flight,
                    context=self._instance.context,
                    timeout_s=dispatcher.timeout_s,
                    ended=partial(has_ended, dispatcher),
                    threads=threads,
                )
            return dispatcher.background

    # -- the answer -------------------------------------------------------------

    def _handle(
        self, event: Event, *, traced: bool, live: bool, aside: Aside | None = None
    ) -> Answer:
        answers, dispatcher = self._answers(), self.dispatcher
        try:
            leave = self._enter(event)
            if traced:
                return self._handle_traced(event, leave)
            function = self._until_answered(aside)
            value = leave(dispatcher.run(event, function), whole=True)
            return answers.collected(value, event, None, {}, live=live)
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    async def _ahandle(
        self, event: Event, *, traced: bool, aside: Aside | None = None
    ) -> Answer:
        answers, dispatcher = self._answers(), self.dispatcher
        try:
            leave = self._enter(event)
            if traced and dispatcher.compiled.is_async:
                return await self._ahandle_traced(event, leave)
            if traced and dispatcher.own_loop:
                return await in_thread(dispatcher, self._handle_traced, event, leave)
            if traced:
                return self._handle_traced(event, leave)
            function = self._until_answered(aside)
            value = leave(await dispatcher.arun(event, function))
            return answers.ok(value, event, None, {})
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    def _enter(self, event: Event) -> Leave:
        """Let the event in; return what becomes of the graph's result."""
        return _as_it_is if self._front is None else self._front.enter(event).leave

    def _answers(self) -> AnswerFactory:
        """Return what makes the answers of the graph that runs now."""
        compiled, made = self.dispatcher.compiled, self._made
        # A swap may change which step responds.
        if made is None or made[0] is not compiled:
            from jupyter_graph.run.answer_factory import AnswerFactory

            responds, status = compiled.responder is not None, self._mlrun_status
            answers = AnswerFactory(
                responds=responds, mlrun_status=status, front=self._front
            )
            made = self._made = compiled, answers
        return made[1]

    # -- traced -----------------------------------------------------------------

    def _handle_traced(self, event: Event, leave: Leave) -> Answer:
        from jupyter_graph.run.tracer import tracing

        answers, (tracer, function) = self._answers(), self._instance.traced()
        watched = tracing(tracer)
        with watched as trace:
            try:
                value = self.dispatcher.run(event, function)
                outputs = tracer.outputs(trace)
                if self.dispatcher.compiled.is_async:
                    watched.end()  # `ahandle` sees no items of a stream either
                value = leave(value, whole=True)
                return answers.collected(value, event, trace, outputs)
            except JupyterGraphError as error:
                return answers.failed(error, event, trace)

    async def _ahandle_traced(self, event: Event, leave: Leave) -> Answer:
        """``_handle_traced`` for asynchronous graphs; a stream is left unread."""
        from jupyter_graph.run.tracer import tracing

        answers, (tracer, function) = self._answers(), self._instance.traced()
        with tracing(tracer) as trace:
            try:
                value = leave(await self.dispatcher.arun(event, function))
                return answers.ok(value, event, trace, tracer.outputs(trace))
            except JupyterGraphError as error:
                return answers.failed(error, event, trace)


def _handled(_owner: Any, answering: Answering, event: Event) -> Answer:
    return answering.handle(event)


async def _answered(_owner: Any, answering: Answering, event: Event) -> Answer:
    """Answer an event whose answer nobody reads: its stream is run to the end."""
    answer = await answering.ahandle(event)
    if isinstance(answer.value, AsyncIterator):
        await drain_async(answer.value)
    return answer


def has_ended(dispatcher: Dispatcher, event: Event) -> None:
    """Let the next of its key come, also when this one never began its work."""
    if dispatcher.order is not None:
        dispatcher.order.cancel(event)


def _as_it_is(value: Any, *, whole: bool = False) -> Any:
    """Stand for a front where there is none."""
    return value
