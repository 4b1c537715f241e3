"""What a reader of the steps' code would point out before it ships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jupyter_graph.cells.lint_rules import RULES, Hint
from jupyter_graph.cells.shipping.fragments import Fragment, Problem
from jupyter_graph.cells.slice.dependency_walk import DependencyWalk
from jupyter_graph.cells.slice.module_slice import collect
from jupyter_graph.cells.source import Cell, place

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

    def __str__(self) -> str:
        where = place(self.cell, self.line) if self.cell or self.line else ""
        parts = (self.severity, where, self.message)
        fix = f" ({self.fix})" if self.fix else ""
        return ": ".join(filter(None, parts)) + fix


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
    where = Path(folder) if folder is not None else Path.cwd()
    wanted = list(dict.fromkeys(roots))
    walk = collect(cells, wanted, namespace, where)
    findings = [
        Finding(
            severity="error",
            message=problem.message,
            cell=problem.cell,
            line=problem.line,
            step=_step_at(problem, walk, wanted),
        )
        for problem in walk.problems
    ]
    for rule in RULES:
        findings += [_finding(*row, wanted) for row in rule(walk)]
    unique = dict.fromkeys(findings)
    return sorted(
        unique, key=lambda f: (_ORDER.index(f.severity), f.cell or 0, f.line or 0)
    )


def _finding(fragment: Fragment, hint: Hint, roots: list[str]) -> Finding:
    return Finding(
        severity=hint.severity,
        message=hint.message,
        cell=fragment.cell,
        line=hint.line if hint.line is not None else fragment.line,
        fix=hint.fix,
        step=_root_in(fragment, roots),
    )


def _step_at(problem: Problem, walk: DependencyWalk, roots: list[str]) -> str | None:
    """Return the root whose code holds the line of a problem."""
    for fragment in walk.fragments.values():
        first, line = fragment.line, problem.line
        if first is None or line is None or fragment.cell != problem.cell:
            continue
        last = getattr(fragment.node, "end_lineno", first)
        if last is not None and first <= line <= last:
            return _root_in(fragment, roots)
    return None


def _root_in(fragment: Fragment, roots: list[str]) -> str | None:
    return next((root for root in roots if root in fragment.binds), None)
