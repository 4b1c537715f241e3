"""Open runners, one per graph; a changed graph is taken over by the next event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec


@dataclass(frozen=True, slots=True)
class _Open:
    runner: Runner
    spec: GraphSpec
    namespace: Mapping[str, Any]

    def fits(self, graph: Graph) -> bool:
        same_names = self.namespace.keys() == graph.namespace.keys()
        return (
            self.spec == graph.spec
            and same_names
            and all(self.namespace[n] is graph.namespace[n] for n in self.namespace)
        )


class Runners:
    """The runners of one notebook, opened when an event needs them."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def of(self, graph: Graph) -> Runner:
        """Return the graph's open runner, with the code that the graph has now.

        Raises:
            SpecError: the graph breaks a rule; a runner that is open stays as it was.
        """
        held = self._open.get(graph.name)
        if held is None:
            runner = Runner(graph)
            runner.open()
        elif held.fits(graph):
            return held.runner
        else:
            runner = held.runner
            runner.swap(graph)
        self._open[graph.name] = _Open(runner, graph.spec, dict(graph.namespace))
        return runner

    def peek(self, name: str) -> Runner | None:
        """Return the graph's runner if one is open."""
        held = self._open.get(name)
        return held.runner if held else None

    def close(self) -> None:
        """Close all runners."""
        for name in list(self._open):
            if held := self._open.pop(name, None):
                held.runner.close()
