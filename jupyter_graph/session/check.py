"""Everything that is wrong with a graph or worth knowing, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_graph.cells.lint import Finding, lint
from jupyter_graph.cells.source import Cell
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.errors import CellError, JupyterGraphError, SpecError
from jupyter_graph.session.program import shipped_names
from jupyter_graph.session.sources import StepSources
from jupyter_graph.session.tables import Table
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.topology import leaves, responder_of
from jupyter_graph.spec.validate import problems

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
) -> Table[Finding]:
    """Give all findings: of the spec, of its code, and of the cells that would ship."""
    found = [*_spec(graph, sources), *_answering(graph)]
    if not any(finding.severity == "error" for finding in found):
        found += _code(graph)
        found += _cells(graph, sources, cells, namespace)
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Table(found, COLUMNS, empty=f"graph {graph.name!r}: nothing to mend")


def _spec(graph: Graph, sources: StepSources) -> Iterator[Finding]:
    for problem in problems(graph.spec):
        source = sources.of(graph.name, problem.step) if problem.step else None
        yield Finding(
            severity="error",
            message=str(problem),
            cell=source.cell.number if source else None,
            line=1 if source else None,
            fix=None,
            step=problem.step,
        )


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
            step=None,
        )


def _code(graph: Graph) -> Iterator[Finding]:
    resolver = Resolver(graph.namespace, graph.allow_imports, is_trusted=True)
    try:
        resolve(graph.spec, resolver)
    except SpecError as error:
        for text in error.problems:
            yield Finding(
                severity="error", message=text, cell=None, line=None, fix=None
            )


def _cells(
    graph: Graph,
    sources: StepSources,
    cells: Sequence[Cell],
    namespace: Mapping[str, Any],
) -> Iterator[Finding]:
    roots = shipped_names(graph, namespace)
    steps = {s.code_name: s.step for s in sources.of_graph(graph.name)}
    try:
        yield from lint(cells, roots, namespace)
    except CellError as error:
        yield Finding(
            severity="error",
            message=str(error),
            cell=error.cell,
            line=error.line,
            fix=None,
            step=steps.get(str(error)),
        )
    except JupyterGraphError as error:
        yield Finding(
            severity="error", message=str(error), cell=None, line=None, fix=None
        )
