"""What steps keep during a batch run and give later, with its answers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.errors import JupyterGraphError, StepError
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.run.flush import BufferedStep, Flusher
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.run.runner import Runner


class KeptAnswers(Flusher):
    """Takes on what steps kept, and holds the answers that come of it.

    Attributes:
        answers: in the order in which they came.
        errors: of what failed on its way on.
    """

    def __init__(self, later: Flusher, context: Context, plan: CompiledGraph) -> None:
        super().__init__(later.keepers, context)
        self.answers: list[Any] = []
        self.errors: list[JupyterGraphError] = []
        self._responder, self._is_async = plan.responder, plan.is_async

    def _given(self, keeper: BufferedStep, end: bool) -> list[Any]:
        bodies = super()._given(keeper, end)
        is_sent = self._is_async and keeper.go_on is not None
        if keeper.name == self._responder and not is_sent:
            self.answers += bodies
        return bodies

    def _ended(self, found: Any) -> None:
        """Hold the answer of one body, each item of a stream."""
        if inspect.isgenerator(found):
            self.answers += list(found)
        elif found is not NOTHING:
            self.answers.append(found)

    async def _send(self, keeper: BufferedStep, event: Event) -> None:
        if keeper.name == self._responder:
            self.answers.append(event.body)
        if keeper.go_on is None:
            return
        try:
            found = await keeper.go_on(event)
            if hasattr(found, "__anext__"):
                self.answers += [item async for item in found]
            elif found is not NOTHING:
                self.answers.append(found)
        except Exception as error:
            self._report(keeper.name, event, error)

    async def _end(self, keeper: BufferedStep) -> Any:
        """End a step of storey's; what storey calls its result may be the answer."""
        found = await super()._end(keeper)
        if found is not None and keeper.name == self._responder:
            self.answers.append(found)
        return found

    def _report(self, step: str, event: Event, error: BaseException) -> None:
        self.errors.append(StepError(step, None, error))


@contextmanager
def kept_answers(runner: Runner) -> Iterator[KeptAnswers | None]:
    """Let what steps keep go on into the batch meanwhile; None where none keeps any."""
    later = runner._later
    if later is None:
        yield None
        return
    plan = runner.compiled
    own = KeptAnswers(later, runner._context, plan)
    runner._later = own
    try:
        yield own
    finally:
        if runner._later is own:
            runner._later = Flusher(later.keepers, runner._context)
