"""The steps that hot swaps replaced, until they can be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_graph.run.built_steps.step_instances import StepInstances
    from jupyter_graph.run.flush import Flusher


class ReplacedSteps:
    """What events may still be in; it is closed when none is under way."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Any]] = []
        self._flushers: list[Flusher] = []

    def add(
        self, before: StepInstances, now: StepInstances, flusher: Flusher | None
    ) -> None:
        """Note the steps that are no longer there, and what flushes them."""
        # By identity: a step that a swap carried over is in both.
        instances = {id(step.instance) for _, step in now.everything()}
        gone = [
            (name, step.instance)
            for name, step in before.everything()
            if step.instance is not None and id(step.instance) not in instances
        ]
        self._steps += gone
        part = flusher and flusher.only({id(instance) for _, instance in gone})
        if part:
            self._flushers.append(part)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def take_flushers(self) -> list[Flusher]:
        """Return what flushes them, once."""
        flushers, self._flushers = self._flushers, []
        return flushers

    def take_steps(self) -> list[tuple[str, Any]]:
        """Return names and instances, once."""
        steps, self._steps = self._steps, []
        return steps
