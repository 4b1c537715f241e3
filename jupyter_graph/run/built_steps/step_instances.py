"""The built steps of a graph: their instances, and what is called per event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jupyter_graph.compile.generated_module import Functions
from jupyter_graph.compile.step_code import StepCode

Call = Callable[..., Any]


class BuiltStep(NamedTuple):
    """One built step: what it was built from, its instance, what is called.

    The instance of a flow inside a graph is what was built of its own steps, and
    ``functions`` is its generated code.
    """

    code: StepCode
    arguments: Mapping[str, Any]
    instance: Any
    call: Call | None
    functions: Functions | None = None


@dataclass(frozen=True)
class StepInstances:
    """All built steps of a graph, routes included, by name."""

    steps: Mapping[str, BuiltStep] = field(default_factory=dict)

    @property
    def instances(self) -> dict[str, Any]:
        return {name: step.instance for name, step in self.steps.items()}

    @property
    def calls(self) -> dict[str, Call]:
        return {name: step.call for name, step in self.steps.items() if step.call}

    def everything(self) -> Iterator[tuple[str, BuiltStep]]:
        """Yield all steps, those of flows inside this one too, each after its flow."""
        for name, step in self.steps.items():
            yield name, step
            if isinstance(step.instance, StepInstances):
                yield from step.instance.everything()
