"""The session: one notebook's graphs, step cells, events and runners."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.cells.source import Cell
from jupyter_graph.errors import DeployError
from jupyter_graph.session.graph_program import cells_of, code_of, shipped_names
from jupyter_graph.session.graphs import Graphs
from jupyter_graph.session.recorded.event_ring import (
    ANSWER_COLUMNS,
    REQUEST,
    EventRecord,
    Events,
)
from jupyter_graph.session.recorded.guarded_events import send_guarded
from jupyter_graph.session.shown_table import Table
from jupyter_graph.session.step_cells import StepPlaced, StepPlan, plan_step, put_step
from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.session.subgraph import part
from jupyter_graph.session.watchers import Watchers
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.codec import read_document
from jupyter_graph.spec.mlrun.function_document import graph_in
from jupyter_graph.spec.validate import validate

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.cells.lint import Finding
    from jupyter_graph.deployment.sources import Sources
    from jupyter_graph.run.record import RecordedInput
    from jupyter_graph.session.open_runners import Runners

AS_RECORDED: Any = object()


class Session:
    """What one notebook holds; the Python side of the magics.

    Args:
        user_ns: the notebook's names.
        cells: returns the cells executed so far, in that order.
        notebook_path: the notebook's file, when it is known.
    """

    def __init__(
        self,
        user_ns: dict[str, Any],
        cells: Callable[[], list[Cell]] = list,
        notebook_path: Path | None = None,
    ) -> None:
        self.user_ns = user_ns
        self.cells = cells
        self.notebook_path = notebook_path
        self.graphs = Graphs(default_name=graph_name_of(notebook_path))
        self.event_ring = Events()
        self.watchers = Watchers()
        self._placed: dict[tuple[str, str], StepPlaced] = {}

    def __repr__(self) -> str:
        names = ", ".join(self.graphs.names()) or "no graph yet"
        return f"<session of {self.notebook_path or 'a notebook'}: {names}>"

    @property
    def folder(self) -> Path:
        """The folder that relative paths mean."""
        return self.notebook_path.parent if self.notebook_path else Path.cwd()

    def path(self, name: str) -> Path:
        """Return a file that is named from the notebook's folder."""
        return self.folder / Path(name).expanduser()

    @cached_property
    def runners(self) -> Runners:
        """The open runners; the engine is imported by the first event."""
        from jupyter_graph.session.open_runners import Runners

        return Runners(self.event_ring, self.user_ns)

    # -- steps ------------------------------------------------------------------

    def plan_step(self, options: StepOptions, cell: Cell) -> StepPlan:
        """Check what a step cell says, before it runs."""
        was_empty = self.graphs.current_name is None
        try:
            return plan_step(self.graphs, options, cell)
        except BaseException:
            if was_empty:
                self.graphs.clear()
            raise

    def put_step(self, plan: StepPlan) -> StepPlaced:
        """Put the step of a cell that has run into its graph."""
        placed = put_step(self.graphs, plan, self.user_ns)
        self.changed(plan.graph)
        # The notebook keeps what a cell gave: of a cell that says the same each time
        # it runs, that shall be one object.
        known = self._placed.get((plan.graph, plan.name))
        if known is not None and known.says_the_same(placed):
            return known
        self._placed[plan.graph, plan.name] = placed
        return placed

    def with_example(self, placed: StepPlaced, body: Any) -> StepPlaced:
        """Run the graph up to and with a step; its answer is shown with the step."""
        name = placed.step.name
        graph = part(self.graph(placed.graph), until=name)
        instead = f"run it: %graph run EXPR --until {name}"
        sources = _sources_of(self, graph)
        answer = send_guarded(graph, sources, self.event_ring, body, instead)
        if answer.error is not None:
            raise answer.error
        return replace(placed, answer=answer)

    # -- events -----------------------------------------------------------------

    def graph(self, name: str | None = None) -> Graph:
        """Return the current graph, or the one of this name, ready to run.

        Variables that its arguments name, and the functions and classes that
        ``%graph add`` or an imported document names, are those of the notebook now.
        """
        self.graphs.borrow(self.user_ns)  # a graph inside another one brings its names
        self.graphs.embed_again()
        self.graphs.borrow(self.user_ns)
        return self.graphs.named(name)

    def import_graph(self, path: Path, allow_imports: Iterable[str] = ()) -> Graph:
        """Read a graph document, name it after its file, and make it current.

        Its names stand for what the notebook defines; nothing is imported or run. A
        file of a whole MLRun function, or a serving spec, holds a graph too;
        ``graph.notes`` lists what else stands there.

        Raises:
            SpecError: the file cannot be read, or is no graph document.
        """
        document, notes = graph_in(read_document(path))
        graph = Graph.from_dict(
            document, allow_imports=allow_imports, name=graph_name_of(path)
        )
        graph.notes = notes
        with self.graphs.change(f"%graph import {path.name}"):
            graph = self.graphs.adopt(graph, borrows=True)
        self.changed(graph.name)
        return graph

    def run(
        self,
        body: Any = None,
        path: str = "/",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        silent: bool = False,
        *,
        graph: str | None = None,
        until: str | None = None,
    ) -> Answer:
        """Send one event through the graph and remember it.

        Args:
            body: what the first step receives.
            path: the path of the request.
            method: the method of the request.
            headers: the headers of the request.
            silent: give a failed event's answer instead of raising.
            graph: the graph's name, the current one by default.
            until: the step that answers; what follows it is left out.

        Raises:
            SpecError: the graph breaks a rule; all that is wrong is listed.
            StepError: a step failed; the event is remembered all the same.
        """
        target = self.graph(graph)
        if until is not None:
            target = part(target, until=until)
        request = {"path": path, "method": method, "headers": headers}
        return self._send(target, body, request, silent=silent)

    def run_each(
        self, bodies: Iterable[Any], silent: bool = False, **request: Any
    ) -> Table[Answer]:
        """Send one event after the other; options as those of ``run``.

        Raises:
            StepError: one failed; those after it are not sent.
        """
        with self.watchers.seldom():
            answers = [self.run(body, silent=silent, **request) for body in bodies]
        return Table(
            answers, ANSWER_COLUMNS, empty="no event was sent: the list is empty"
        )

    def replay(
        self,
        id: str = "last",
        from_step: str | None = None,
        body: Any = AS_RECORDED,
        *,
        graph: str | None = None,
        silent: bool = False,
        effects: bool = False,
    ) -> Answer:
        """Send a recorded event again, as a new event.

        Without effects it runs in a process of its own, from fresh state, and nothing
        outside is changed; steps with effects outside are not called and give what they
        gave then.

        Args:
            id: ``last``, ``-2`` or an event's id.
            from_step: begin with this step, with the body it received then.
            body: use this body instead of the recorded one.
            graph: the graph's name, the current one by default.
            silent: give a failed event's answer instead of raising.
            effects: run it here, with all that its steps do.

        Raises:
            StepError: a step failed, unless ``silent``.
            RunError: it cannot run apart from the notebook; the text says why.
        """
        target = self.graph(graph)
        validate(target)
        record = self.event_ring.find(target.name, id)
        if body is AS_RECORDED:
            body = record.body if from_step is None else record.input_of(from_step)
        if from_step is not None:
            target = part(target, from_step=from_step)
        if effects:
            request = {key: getattr(record, key) for key in REQUEST}
            return self._send(target, body, request, silent=silent)
        instead = "replay it with its effects: --effects (effects=True)"
        sources = _sources_of(self, target)
        ring = self.event_ring
        answer = send_guarded(target, sources, ring, body, instead, record)
        if answer.error is not None and not silent:
            raise answer.error
        return answer

    def _send(
        self, graph: Graph, body: Any, request: Mapping[str, Any], *, silent: bool
    ) -> Answer:
        is_whole = graph is self.graphs.named(graph.name)
        answer = self.runners.send(graph, body, request, is_whole=is_whole)
        self.changed(graph.name)
        if answer.error is not None and not silent:
            raise answer.error
        return answer

    def events(self, graph: str | None = None) -> Table[EventRecord]:
        """Return the events that went through a graph, oldest first."""
        return self.event_ring.of(self.graphs.named(graph).name)

    def deploy(self, graph: str | None = None, **options: Any) -> Any:
        """Deploy a graph of this notebook, from its live cells and recorded events.

        Args:
            graph: the graph's name, the current one by default.
            **options: those of ``jupyter_graph.deploy``.

        Raises:
            DeployError: it could not be built, checked or started.
            SpecError: the graph breaks a rule.
        """
        target = self.graph(graph)
        if not target.spec.every_step():
            raise DeployError(
                f"graph {target.name!r} has no steps yet: write one with %%graph_step"
            )
        from jupyter_graph.deployment.deploy import deploy

        sources, events = self.view(target)
        return deploy(target, sources=sources, events=events, **options)

    def view(self, graph: Graph) -> tuple[Sources, Sequence[RecordedInput]]:
        """Return the cells and names a graph is made of, and what it was asked here."""
        from jupyter_graph.compile.effect_steps import effect_steps

        sources = _sources_of(self, graph)
        effects = effect_steps(graph.spec, sources.namespace)
        # Without a runner there has been no event.
        is_current = "runners" not in vars(self) or self.runners.is_current(graph)
        ring = self.event_ring
        return sources, ring.inputs(graph.spec, effects, is_current=is_current)

    # -- checks and life --------------------------------------------------------

    def check(self, graph: str | Graph | None = None) -> Table[Finding]:
        """Return all findings about a graph, the worst first."""
        from jupyter_graph.session.check import check
        from jupyter_graph.session.findings.cell_hints import (
            NotebookCells,
            SavedCells,
            cell_hints,
        )
        from jupyter_graph.session.graph_program import needed_cells

        target = graph if isinstance(graph, Graph) else self.graph(graph)
        cells, names = self.cells_for(target), self.names_for(target)
        sources, folder = self.graphs.sources, self.folder
        notebook = NotebookCells(
            graph=target,
            sources=sources,
            ran=self.cells(),
            saved=SavedCells.of(self.notebook_path),
            default_name=self.graphs.default_name,
            needed=needed_cells(target, cells, names, folder),
            names=self.user_ns,
        )
        return check(target, sources, cells, names, folder, cell_hints(notebook))

    def cells_for(self, graph: Graph) -> list[Cell]:
        """Return the cells a graph is built from, in the order they ran."""
        return cells_of(graph, self.graphs.sources, self.cells())

    def names_for(self, graph: Graph) -> dict[str, Any]:
        """Return what the names in those cells stand for: first the graph's own."""
        return {**self.user_ns, **graph.namespace}

    def code_of(self, step: str, graph: str | None = None) -> str:
        """Return the text of the cell that defined a step."""
        return code_of(self.graphs.named(graph), self.graphs.sources, step)

    def program(self, graph: str | None = None) -> str:
        """Return the program that the graph's cells make up: what would ship.

        Raises:
            CellError: a line that is needed cannot run outside of a notebook.
        """
        from jupyter_graph.cells.slice.module_slice import slice_cells

        target = self.graph(graph)
        cells, names = self.cells_for(target), self.names_for(target)
        roots = shipped_names(target, names)
        return slice_cells(cells, roots, names, folder=self.folder).source

    def changed(self, graph: str) -> None:
        """Call whoever shows this graph: it, or its counters, changed."""
        self.watchers.tell((graph, *self.graphs.holding(graph)))

    def reset(self) -> None:
        """Forget all graphs and events and close all runners."""
        self.close()
        self.graphs.clear()
        self.event_ring.clear()

    def close(self) -> None:
        """Close all runners; the next event opens them again."""
        if "runners" in vars(self):
            self.runners.close()


def _sources_of(session: Session, graph: Graph) -> Sources:
    from jupyter_graph.deployment.sources import Sources

    path = session.notebook_path
    return Sources(
        cells=session.cells_for(graph),
        namespace=session.names_for(graph),
        notebook=str(path) if path is not None else None,
        check=partial(session.check, graph),
    )


def graph_name_of(path: Path | None) -> str:
    """Return the name of a graph that comes from this file.

    >>> graph_name_of(Path("01 Fraud-model.ipynb")), graph_name_of(None)
    ('_01_Fraud-model', 'notebook')
    """
    if path is None:
        return "notebook"
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)
    stem = stem if stem[:1].isalpha() or stem[:1] == "_" else f"_{stem}"
    return stem[:63] if stem not in ("start", "graph") else f"{stem}_"
