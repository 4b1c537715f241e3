"""Where the notebook's cells and the steps of a graph are not the same any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_graph.cells.notebook_files import cells_from_notebook
from jupyter_graph.cells.source import Cell, with_header_first
from jupyter_graph.errors import CellError
from jupyter_graph.session.findings.step_headers import (
    StepHeader,
    defines,
    step_headers,
    words_of,
)
from jupyter_graph.session.graph_hints import Advice
from jupyter_graph.session.step_sources import StepSource, StepSources
from jupyter_graph.spec.builder import Graph


@dataclass(frozen=True)
class SavedCells:
    """The code cells of a notebook's file.

    Attributes:
        cells: the cells, in their order.
        saved_s: when the file was written, in seconds since 1970. What ran later may
            stand in the notebook and not yet in the file.
    """

    cells: Sequence[Cell]
    saved_s: float

    @classmethod
    def of(cls, path: Path | None) -> SavedCells | None:
        """Return the cells of a notebook; None where there is no file to read."""
        if path is None or path.suffix != ".ipynb":
            return None
        try:
            return cls(cells_from_notebook(path), path.stat().st_mtime)
        except (CellError, OSError):
            return None

    @cached_property
    def headers(self) -> list[StepHeader]:
        return step_headers(self.cells)

    def same_as(self, cell: Cell) -> Cell | None:
        """Return the cell of the same id, else one of the same text."""
        by_id = (one for one in self.cells if cell.id and one.id == cell.id)
        return next(by_id, None) or next(
            (one for one in self.cells if _text(one) == _text(cell)), None
        )


@dataclass(frozen=True)
class NotebookCells:
    """The cells of a notebook, beside a graph that was made of some of them.

    Attributes:
        graph: the graph.
        sources: which cell each step comes from.
        ran: the cells that ran, in that order, each as it is now.
        saved: those of the file, where it is known.
        default_name: the graph of cells that name none.
        needed: numbers of the cells whose code the graph needs.
        names: what the notebook's names stand for now.
    """

    graph: Graph
    sources: StepSources
    ran: Sequence[Cell]
    saved: SavedCells | None = None
    default_name: str = "notebook"
    needed: frozenset[int | None] = frozenset()
    names: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def own(self) -> list[StepSource]:
        """The sources of steps that are in the graph."""
        steps = {step.name for step in self.graph.spec.every_step()}
        sources = self.sources.of_graph(self.graph.name)
        return [source for source in sources if source.step in steps]


def cell_hints(notebook: NotebookCells) -> list[Advice]:
    """Return what there is to say about the cells of a graph."""
    return [note for rule in RULES for note in rule(notebook)]


def cells_are_there(notebook: NotebookCells) -> Iterator[Advice]:
    """Steps whose cell has been deleted from the saved notebook."""
    saved = notebook.saved
    if saved is None:
        return
    defined = {header.step for header in saved.headers}
    # Without an id it ran inside another cell: %run, %%capture.
    for source in (source for source in notebook.own if source.cell.id):
        is_older = saved.saved_s < source.ran_s
        if is_older or saved.same_as(source.cell) or source.step in defined:
            continue
        yield Advice(
            f"the cell that defined step {source.step!r} is no longer in the notebook; "
            "the graph still has the step",
            source.step,
            f"%graph remove {source.step}; or put the cell back, %graph code "
            f"{source.step} shows it",
            "warning",
        )


def cells_have_their_header(notebook: NotebookCells) -> Iterator[Advice]:
    """Steps whose cell says ``%%graph_step`` no more."""
    for source in notebook.own:
        cell = _without_header(notebook, source)
        if cell is None:
            continue
        which = "its cell" if _is_same(cell, source.cell) else "another cell"
        where = f" (cell {cell.number})" if which == "another cell" else ""
        yield Advice(
            f"step {source.step!r} is still what it was: {which}{where} defines "
            f"{source.code_name!r} now without a %%graph_step line",
            source.step,
            f"put %%graph_step {source.step} above it and run it, or take the step "
            f"away: %graph remove {source.step}",
            "warning",
        )


def _without_header(notebook: NotebookCells, source: StepSource) -> Cell | None:
    """Return the cell that took a step's code over and is no step cell."""
    saved = notebook.saved
    if saved is not None and saved.saved_s >= source.ran_s and source.cell.id:
        now = next((one for one in saved.cells if one.id == source.cell.id), None)
        if now is not None and words_of(now) is None:
            return now if defines(now, source.code_name) else None
    later = (source.cell.number or 0, source.cell.id)
    for cell in notebook.ran:
        is_own = cell.id is not None and cell.id == later[1]
        is_later = (cell.number or 0) > later[0]
        is_plain = (is_own or is_later) and "%%graph_step" not in cell.source
        if is_plain and defines(cell, source.code_name):
            return cell
    return None


def cells_define_their_own_step(notebook: NotebookCells) -> Iterator[Advice]:
    """Steps that two cells of the notebook define: one of them is a copy."""
    saved = notebook.saved
    headers = saved.headers if saved else _with_ids(step_headers(notebook.ran))
    steps = {source.step: source for source in notebook.own}
    for step, source in steps.items():
        same = [header for header in headers if _is_of(header, source, notebook)]
        if len(same) < 2:
            continue
        numbers = ", ".join(str(header.cell.number) for header in same)
        of_file = " of the saved notebook" if saved else ""
        yield Advice(
            f"cells {numbers}{of_file} all define step {step!r}; the one that runs "
            "last counts",
            step,
            "delete the copies, or give each step a name of its own",
            "warning",
        )


def _with_ids(headers: list[StepHeader]) -> list[StepHeader]:
    # Without ids, as in a terminal, a cell that was edited looks like two.
    return [header for header in headers if header.cell.id is not None]


def _is_of(header: StepHeader, source: StepSource, notebook: NotebookCells) -> bool:
    if header.step not in (source.step, source.defined_as):
        return False
    known = notebook.sources.owned_by(header.cell.id)
    if known is not None:
        return (known.graph, known.step) == (source.graph, source.step)
    return (header.graph or notebook.default_name) == source.graph


def cells_ran_in_their_order(notebook: NotebookCells) -> Iterator[Advice]:
    """Cells that ran in another order than they stand in the notebook."""
    if notebook.saved is None:
        return
    saved = enumerate(notebook.saved.cells)
    places: dict[str | None, int] = {cell.id: at for at, cell in saved if cell.id}
    wanted = notebook.needed | {source.cell.number for source in notebook.own}
    ran = [cell for cell in notebook.ran if cell.id in places]
    ran = [cell for cell in ran if cell.number in wanted]
    last: Cell | None = None  # the one that stands lowest of those that ran so far
    for cell in ran:
        if last is None or places[cell.id] > places[last.id]:
            last = cell
            continue
        yield Advice(
            f"cell {cell.number} ran after cell {last.number}, which stands below it "
            "in the notebook",
            next((own.step for own in notebook.own if own.cell == cell), None),
            "restart the kernel and run all cells to see whether the graph stays",
        )
        return


def helpers_are_those_of_the_step(notebook: NotebookCells) -> Iterator[Advice]:
    """Steps that were brought back, and what they use was not."""
    from jupyter_graph.session.code_dependencies import changed_names

    for source in notebook.own:
        if source.cell in notebook.ran:
            continue  # its cell is as it ran: what it uses now is what it shall use
        changed = changed_names(source.helpers, notebook.names)
        if changed:
            named = ", ".join(map(repr, changed))
            yield Advice(
                f"step {source.step!r} is what cell {source.cell.number} defined, and "
                f"{named} {'are' if len(changed) > 1 else 'is'} not what it used then",
                source.step,
                f"run the cells of step {source.step!r} and of {named} again, each as "
                f"it should be; %graph code {source.step} shows the step's",
                "warning",
            )


RULES = (
    cells_are_there,
    cells_have_their_header,
    cells_define_their_own_step,
    cells_ran_in_their_order,
    helpers_are_those_of_the_step,
)


def _is_same(one: Cell, other: Cell) -> bool:
    return one.id is not None and one.id == other.id


def _text(cell: Cell) -> str:
    return with_header_first(cell.source).strip()
