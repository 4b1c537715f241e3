"""Everything that is wrong with a graph or worth knowing, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_graph.cells.lint import Finding, lint
from jupyter_graph.cells.source import Cell
from jupyter_graph.compile.plan import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.session.program import shipped_names
from jupyter_graph.session.sources import StepSources
from jupyter_graph.session.tables import Table
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.topology import leaves, responder_of
from jupyter_graph.spec.validate import problems
from jupyter_graph.spec.values import value_names

SEVERITIES = ("error", "warning", "note")
COLUMNS = {
    "severity": lambda finding: finding.severity,
    "step": lambda finding: finding.step,
    "cell": lambda finding: finding.cell,
    "line": lambda finding: finding.line,
    "message": lambda finding: finding.message,
    "fix": lambda finding: finding.fix,
}


def check(
    graph: Graph,
    sources: StepSources,
    cells: Sequence[Cell],
    namespace: Mapping[str, Any],
    folder: Path | None = None,
) -> Table[Finding]:
    """Give all findings: of the spec, of its code, and of the cells that would ship.

    Args:
        graph: the graph.
        sources: which cell each step comes from.
        cells: the cells it is made of, in the order they ran.
        namespace: what their names stand for now.
        folder: where the notebook's own modules lie.
    """
    found = [*_spec(graph, sources), *_answering(graph)]
    if not any(finding.severity == "error" for finding in found):
        found += _code(graph)
    if graph.spec.every_step():
        steps = _steps_of_names(graph)
        roots = shipped_names(graph, namespace)
        for finding in lint(cells, roots, namespace, folder=folder):
            found.append(replace(finding, step=steps.get(finding.step or "")))
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Table(found, COLUMNS, empty=f"graph {graph.name!r}: nothing to mend")


def _steps_of_names(graph: Graph) -> dict[str, str]:
    """Give the step that each function, class and variable belongs to."""
    steps = graph.spec.every_step()
    values = {name: step.name for step in steps for name in value_names(step)}
    return values | {step.code_name: step.name for step in steps}


def _finding(message: str, step: str | None, sources: StepSources, graph: str) -> Any:
    source = sources.of(graph, step) if step else None
    return Finding(
        severity="error",
        message=message,
        cell=source.cell.number if source else None,
        line=1 if source else None,
        step=step,
    )


def _spec(graph: Graph, sources: StepSources) -> Iterator[Finding]:
    for problem in problems(graph.spec):
        yield _finding(str(problem), problem.step, sources, graph.name)


def _answering(graph: Graph) -> Iterator[Finding]:
    spec = graph.spec
    ends = leaves(spec)
    if spec.router is None and responder_of(spec) is None and len(ends) > 1:
        yield Finding(
            severity="warning",
            message=f"nobody answers the caller: the flow ends in {', '.join(ends)}",
            cell=None,
            line=None,
            fix="say --respond at one step",
        )


def _code(graph: Graph) -> Iterator[Finding]:
    try:
        compile_graph(graph)
    except SpecError as error:
        for text in error.problems:
            yield Finding(severity="error", message=text, cell=None, line=None)
