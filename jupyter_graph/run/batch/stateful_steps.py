"""Steps that buffer bodies in a batch run: what they flush belongs to its answers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.errors import JupyterGraphError, StepError
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.run.flush import BufferedStep, Flusher
from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.types import NOTHING


class BufferedAnswers(Flusher):
    """Flushes buffered steps, and holds the answers that come of it.

    Attributes:
        answers: in the order in which they came.
        errors: of what failed on its way on.
    """

    def __init__(
        self, steps: list[BufferedStep], context: Context, compiled: CompiledGraph
    ) -> None:
        super().__init__(steps, context, is_async=compiled.is_async)
        self.answers: list[Any] = []
        self.errors: list[JupyterGraphError] = []
        self._responder = compiled.responder

    def _bodies(self, step: BufferedStep, end: bool) -> list[Any]:
        bodies = super()._bodies(step, end)
        is_sent = self.is_async and step.go_on is not None
        if step.name == self._responder and not is_sent:
            self.answers += bodies
        return bodies

    def _ended(self, result: Any) -> None:
        """Hold the answer of one body, each item of a stream."""
        if inspect.isgenerator(result):
            self.answers += list(result)
        elif result is not NOTHING:
            self.answers.append(result)

    async def _ended_on_loop(self, result: Any) -> None:
        if hasattr(result, "__anext__"):
            self.answers += [item async for item in result]
        else:
            self._ended(result)

    async def _send(self, step: BufferedStep, event: Event) -> None:
        if step.name == self._responder:
            self.answers.append(event.body)
        await super()._send(step, event)

    async def _end(self, step: BufferedStep) -> Any:
        """End a step of storey's; what storey calls its result may be the answer."""
        result = await super()._end(step)
        if result is not None and step.name == self._responder:
            self.answers.append(result)
        return result

    def _failed(self, step: str, event: Event, error: BaseException) -> None:
        self.errors.append(StepError(step, None, error))


@contextmanager
def buffered_answers(instance: GraphInstance) -> Iterator[BufferedAnswers | None]:
    """Flush buffered steps into the batch meanwhile; None where there are none."""
    flusher, context = instance.flusher, instance.context
    if flusher is None:
        yield None
        return
    compiled = instance.dispatcher.compiled
    own = BufferedAnswers(flusher.steps, context, compiled)
    instance.flusher = own
    try:
        yield own
    finally:
        if instance.flusher is own:  # a fresh one: what storey sends late goes there
            instance.flusher = Flusher(flusher.steps, context, is_async=own.is_async)
