"""What a reader of the steps' code would point out before it ships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jupyter_graph.cells.lint_rules import RULES, Hint
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.slice.module_slice import collect
from jupyter_graph.cells.source import Cell

_ORDER = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something to mend or to know.

    Args:
        severity: an error keeps the steps from shipping, a warning will likely
            surprise, a note is worth knowing.
        message: what it is.
        cell: number of the cell.
        line: line in that cell.
        fix: what to do, if anything.
        step: the root whose code it is, if it stands there.
    """

    severity: Literal["error", "warning", "note"]
    message: str
    cell: int | None
    line: int | None
    fix: str | None = None
    step: str | None = None


def lint(
    cells: Sequence[Cell],
    roots: Iterable[str],
    namespace: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
) -> list[Finding]:
    r"""Return all findings about the code that the roots need, the worst first.

    Nothing of the notebook is run and nothing is raised: what would keep the code from
    shipping is a finding too.

    Args:
        cells: in the order they ran.
        roots: names of the steps' functions and classes.
        namespace: the live names; None for saved cells.
        folder: where the notebook's own modules lie; the working folder by default.

    >>> cells = [Cell("import time\nasync def f(x): time.sleep(1)", 1)]
    >>> [finding.message for finding in lint(cells, ["f"])]
    ['time.sleep blocks the event loop that all events of the worker share']
    """
    place = Path(folder) if folder is not None else Path.cwd()
    wanted = list(dict.fromkeys(roots))
    walk = collect(cells, wanted, namespace, place)
    fragments = list(walk.fragments.values())
    found = [
        Finding(
            severity="error",
            message=problem.message,
            cell=problem.cell,
            line=problem.line,
            step=_step_at(problem.cell, problem.line, fragments, wanted),
        )
        for problem in walk.problems
    ]
    found += _hints(fragments, walk.analysis, wanted)
    unique = dict.fromkeys(found)
    return sorted(
        unique, key=lambda f: (_ORDER.index(f.severity), f.cell or 0, f.line or 0)
    )


def _hints(
    fragments: list[Fragment], analysis: ShippingAnalysis, roots: list[str]
) -> Iterator[Finding]:
    for rule in RULES:
        for fragment, hint in rule(fragments, analysis):
            yield _finding(fragment, hint, roots)


def _finding(fragment: Fragment, hint: Hint, roots: list[str]) -> Finding:
    step = next((root for root in roots if root in fragment.binds), None)
    return Finding(
        severity=hint.severity,
        message=hint.message,
        cell=fragment.cell,
        line=hint.line if hint.line is not None else fragment.line,
        fix=hint.fix,
        step=step,
    )


def _step_at(
    cell: int | None, line: int | None, fragments: list[Fragment], roots: list[str]
) -> str | None:
    for fragment in fragments:
        last = getattr(fragment.node, "end_lineno", fragment.line)
        is_there = (
            fragment.cell == cell and line is not None and fragment.line is not None
        )
        if is_there and last is not None and fragment.line <= line <= last:  # type: ignore[operator]
            return next((root for root in roots if root in fragment.binds), None)
    return None
