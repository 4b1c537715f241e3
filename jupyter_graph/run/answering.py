"""From an event to its answer: run, traced where somebody looks, failed perhaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.run.dispatch import in_thread
from jupyter_graph.run.lifecycle import GraphInstance

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.compile.compiled_graph import CompiledGraph
    from jupyter_graph.event import Event
    from jupyter_graph.frontend.interface import Frontend
    from jupyter_graph.run.answer_factory import AnswerFactory

Leave = Callable[..., Any]
"""What a front makes of a graph's result, on the way out."""


class Answering:
    """Answers the events of one graph; a failed event has an answer, too.

    Args:
        instance: the graph.
        front: what stands before it, or None.
        mlrun_status: a failed step answers 400 instead of 500.
    """

    def __init__(
        self, instance: GraphInstance, *, front: Frontend | None, mlrun_status: bool
    ) -> None:
        self._instance, self._dispatcher = instance, instance.dispatcher
        self._front, self._mlrun_status = front, mlrun_status
        self._made: tuple[CompiledGraph, AnswerFactory] | None = None

    def handle(self, event: Event, *, traced: bool, partly: bool) -> Answer:
        """Answer one event; see ``Runner.handle``."""
        answers, dispatcher = self._answers(), self._dispatcher
        try:
            leave = self._enter(event)
            if traced:
                return self._handle_traced(event, leave)
            value = leave(dispatcher.run(event), whole=True)
            return answers.collected(value, event, None, {}, partly=partly)
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    async def ahandle(self, event: Event, *, traced: bool) -> Answer:
        """``handle`` from a coroutine; the value of a stream is left unread."""
        answers, dispatcher = self._answers(), self._dispatcher
        try:
            leave = self._enter(event)
            if traced and dispatcher.compiled.is_async:
                return await self._ahandle_traced(event, leave)
            if traced and dispatcher.own_loop:
                return await in_thread(dispatcher, self._handle_traced, event, leave)
            if traced:
                return self._handle_traced(event, leave)
            value = leave(await dispatcher.arun(event))
            return answers.ok(value, event, None, {})
        except JupyterGraphError as error:
            return answers.failed(error, event, None)

    def _enter(self, event: Event) -> Leave:
        """Let the event in; return what becomes of the graph's result."""
        return _as_it_is if self._front is None else self._front.enter(event).leave

    def _answers(self) -> AnswerFactory:
        """Return what makes the answers of the graph that runs now."""
        compiled, made = self._dispatcher.compiled, self._made
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
                value = self._dispatcher.run(event, function)
                outputs = tracer.outputs(trace)
                if self._dispatcher.compiled.is_async:
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
                value = leave(await self._dispatcher.arun(event, function))
                return answers.ok(value, event, trace, tracer.outputs(trace))
            except JupyterGraphError as error:
                return answers.failed(error, event, trace)


def _as_it_is(value: Any, *, whole: bool = False) -> Any:
    """Stand for a front where there is none."""
    return value
