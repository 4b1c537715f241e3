"""Everything that is wrong with a graph or worth knowing, in one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jupyter_graph.cells.lint import Finding, lint
from jupyter_graph.cells.source import Cell
from jupyter_graph.deployment.named_code import argument_names
from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.openai.client_parameters import compile_for_clients
from jupyter_graph.session.graph_hints import Advice, advice
from jupyter_graph.session.graph_program import shipped_names
from jupyter_graph.session.shown_table import Table, attributes
from jupyter_graph.session.step_sources import StepSource, StepSources
from jupyter_graph.spec.argument_values import value_names
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.validate import problems

SEVERITIES = ("error", "warning", "note")
COLUMNS = attributes("severity", "step", "cell", "line", "message", "fix")


def check(
    graph: Graph,
    sources: StepSources,
    cells: Sequence[Cell],
    namespace: Mapping[str, Any],
    folder: Path | None = None,
    hints: Iterable[Advice] = (),
) -> Table[Finding]:
    """Return all findings: of the spec, of its code, and of the cells that would ship.

    Args:
        graph: the graph.
        sources: which cell each step comes from.
        cells: the cells it is made of, in the order they ran.
        namespace: what their names stand for now.
        folder: where the notebook's own modules lie.
        hints: what else there is to say.
    """
    notes = [Advice(f"{it}", it.step, severity="error") for it in problems(graph.spec)]
    if not notes:
        notes = [*_code(graph), *advice(graph, namespace)]
    notes += hints
    findings = [_finding(note, sources.of(graph.name, note.step)) for note in notes]
    if graph.spec.every_step():
        steps = _steps_of_names(graph)
        roots = shipped_names(graph, namespace)
        for finding in lint(cells, roots, namespace, folder=folder):
            findings.append(replace(finding, step=steps.get(finding.step or "")))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Table(findings, COLUMNS, empty=f"graph {graph.name!r}: nothing to mend")


def _steps_of_names(graph: Graph) -> dict[str, str]:
    """Return the step that each function, class and variable belongs to."""
    step_of: dict[str, str] = {}
    for step in graph.spec.every_step():  # what is inside a flow belongs to the flow
        for part in step.inside():
            names = (*value_names(part), *argument_names(part), part.code_name)
            step_of |= dict.fromkeys(names, step.name)
    return step_of


def _finding(note: Advice, source: StepSource | None) -> Finding:
    cell, line = (source.cell.number, 1) if source else (None, None)
    return Finding(cell=cell, line=line, **asdict(note))


def _code(graph: Graph) -> Iterator[Advice]:
    try:
        _, needs_a_front = compile_for_clients(graph)
    except SpecError as error:
        for text in error.problems:
            yield Advice(text, severity="error")
        return
    if needs_a_front:
        yield Advice(
            "a function takes parameters of a request beside the body: events reach it "
            "through OpenAI's endpoints only, below /v1",
            fix="%graph run … --path /v1/chat/completions, %deploy --openai",
        )
