"""The steps that hot swaps replaced, until they can be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_graph.run.flush import Flusher
    from jupyter_graph.run.instantiate import StepInstances


class ReplacedSteps:
    """What events may still be in; it is closed when none is under way."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Any]] = []
        self._laters: list[Flusher] = []

    def add(
        self, before: StepInstances, now: StepInstances, later: Flusher | None
    ) -> None:
        """Note the steps that are there no more, and what lets their rest go on."""
        instances = {id(step.instance) for _, step in now.everything()}
        gone = [
            (name, step.instance)
            for name, step in before.everything()
            if step.instance is not None and id(step.instance) not in instances
        ]
        self._steps += gone
        part = later and later.only({id(instance) for _, instance in gone})
        if part:
            self._laters.append(part)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def laters(self) -> list[Flusher]:
        """Hand over what lets the rest go on, once."""
        found, self._laters = self._laters, []
        return found

    def taken(self) -> list[tuple[str, Any]]:
        """Hand over names and instances, once."""
        found, self._steps = self._steps, []
        return found
