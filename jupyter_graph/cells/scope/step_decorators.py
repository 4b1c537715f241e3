"""``@step`` in cells: it says where a step stands, which the graph knows by now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from jupyter_graph.cells.scope.imported_modules import OURS
from jupyter_graph.cells.scope.visitor import names_of
from jupyter_graph.cells.source import ParsedCell
from jupyter_graph.cells.syntax import DEFINITION, IMPORT, bound_by

_HOMES = (OURS, f"{OURS}.spec.decorator")


class StepDecorators:
    """Takes ``@step`` away from the cells that it is given, in the order they ran.

    So a step ships without the graph object that its decorator names.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()

    def without(self, parsed: ParsedCell) -> ParsedCell:
        """Return the cell without ``@step``, its other lines where they were."""
        lines = list(parsed.lines)
        for node in parsed.tree.body:
            if isinstance(node, DEFINITION):
                ours = [one for one in node.decorator_list if self._is_step(one)]
                for one in ours:
                    node.decorator_list.remove(one)
                    last = one.end_lineno or one.lineno
                    lines[one.lineno - 1 : last] = [""] * (last - one.lineno + 1)
            self._note(node)
        return replace(parsed, lines=tuple(lines))

    def _is_step(self, decorator: ast.expr) -> bool:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        return ast.unparse(called) in self._known

    def _note(self, node: ast.stmt) -> None:
        """Note the names by which a statement imports ``step``, or sets anew."""
        for name in names_of(node).binds:
            self._known -= {name, f"{name}.step"}
        self._known |= set(_imported(node) if isinstance(node, IMPORT) else ())


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            if alias.name == OURS:
                yield f"{bound_by(alias)}.step"
        elif node.module in _HOMES and alias.name in ("step", "*"):
            yield alias.asname or "step"
