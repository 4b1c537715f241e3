"""From an event to its answer: run, traced where somebody looks, failed perhaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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

Traced = tuple[Any, Any, Any, Any]
"""Value, error and trace of an event, and what the last steps returned."""
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
            if traced and dispatcher.compiled.is_async:
                result = dispatcher.tasks().wait(self._run_traced(event), event)
                return self._answered(result, event, leave, whole=True)
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
                result = await dispatcher.tasks().hop(self._run_traced(event), event)
                return self._answered(result, event, leave, whole=False)
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
        compiled = self._dispatcher.compiled
        # A swap may change which step responds.
        if self._made is None or self._made[0] is not compiled:
            from jupyter_graph.run.answer_factory import AnswerFactory

            answers = AnswerFactory(
                responds=compiled.responder is not None,
                mlrun_status=self._mlrun_status,
                front=self._front,
            )
            self._made = compiled, answers
            return answers
        return self._made[1]

    # -- traced -----------------------------------------------------------------

    def _handle_traced(self, event: Event, leave: Leave) -> Answer:
        from jupyter_graph.run.tracer import end_trace, start_trace

        answers, (tracer, function) = self._answers(), self._instance.traced()
        trace, token = start_trace(tracer)
        try:
            value = leave(self._dispatcher.run(event, function), whole=True)
            return answers.collected(value, event, trace, tracer.outputs(trace))
        except JupyterGraphError as error:
            return answers.failed(error, event, trace)
        finally:
            end_trace(token)

    def _answered(
        self, traced: Traced, event: Event, leave: Leave, *, whole: bool
    ) -> Answer:
        """Answer a traced event; a ``whole`` answer has read its stream."""
        answers = self._answers()
        value, error, trace, outputs = traced
        if error is not None:
            return answers.failed(error, event, trace)
        if isinstance(value, AsyncIterator):
            tasks = self._dispatcher.tasks()
            value = (tasks.iterated if whole else tasks.aiterated)(value, event)
        try:
            answer = answers.collected if whole else answers.ok
            return answer(leave(value, whole=whole), event, trace, outputs)
        except JupyterGraphError as wrong:
            return answers.failed(wrong, event, trace)

    async def _run_traced(self, event: Event) -> Traced:
        from jupyter_graph.run.tracer import end_trace, start_trace

        tracer, function = self._instance.traced()
        trace, token = start_trace(tracer)
        dispatcher = self._dispatcher
        work, it = dispatcher.tasks().run, dispatcher.argument_of
        try:
            if (order := dispatcher.order) is None:
                value = await work(function, it(event), event)
            else:
                turn = order.turn_of(event)
                with turn:
                    await order.wait_on_loop(turn, event)
                    value = await work(function, it(event), event)
        except JupyterGraphError as error:
            return None, error, trace, {}
        finally:
            end_trace(token)
        return value, None, trace, tracer.outputs(trace)


def _as_it_is(value: Any, *, whole: bool = False) -> Any:
    """Stand for a front where there is none."""
    return value
