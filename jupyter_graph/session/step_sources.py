"""Which cell each step comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_graph.cells.source import Cell


@dataclass(frozen=True, slots=True)
class StepSource:
    """The cell that a step comes from.

    Attributes:
        graph: name of the graph.
        step: the step's name now.
        cell: the cell as it was when it defined the step.
        line: where the function or class begins; the ``%%`` line is line 1.
        code_name: the name of the function or class.
        defined_as: the step's name in the cell.
        helpers: what its code used of the notebook then.
        ran_s: when the cell ran, in seconds since 1970.
    """

    graph: str
    step: str
    cell: Cell
    line: int
    code_name: str
    defined_as: str
    helpers: Mapping[str, Any] = field(default_factory=dict, compare=False)
    ran_s: float = field(default=0.0, compare=False)


class StepSources(dict[tuple[str, str], StepSource]):
    """Sources by graph and step."""

    def of(self, graph: str, step: str | None) -> StepSource | None:
        return self.get((graph, step or ""))

    def of_graph(self, graph: str) -> list[StepSource]:
        return [source for source in self.values() if source.graph == graph]

    def code_names(self, graph: str) -> set[str]:
        """Return the names of the functions and classes that a graph's cells define."""
        return {source.code_name for source in self.of_graph(graph)}

    def owned_by(self, cell_id: str | None) -> StepSource | None:
        """Return what the cell of this id has defined, the last if several."""
        if cell_id is None:
            return None
        owned = [s for s in self.values() if s.cell.id == cell_id]
        return owned[-1] if owned else None

    def renamed_from(self, graph: str, name: str) -> StepSource | None:
        """Return the step that a cell defined under this name, renamed since."""
        renamed = (s for s in self.of_graph(graph) if s.step != name)
        return next((s for s in renamed if s.defined_as == name), None)

    def put(self, source: StepSource) -> None:
        self.pop((source.graph, source.step), None)  # the latest one stands last
        self[source.graph, source.step] = source

    def forget_graph(self, graph: str) -> None:
        for key in [key for key in self if key[0] == graph]:
            del self[key]

    def rename(self, graph: str, step: str, new: str | None) -> None:
        """Call a step by its new name, or forget it where that is None."""
        source = self.pop((graph, step), None)
        if source is not None and new is not None:
            self.put(replace(source, step=new))
