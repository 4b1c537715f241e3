"""All statements of the cells, in the order they ran, and who binds which name."""

from __future__ import annotations

import ast
import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyter_graph.cells.scope.imported_modules import exports
from jupyter_graph.cells.scope.step_decorators import StepDecorators
from jupyter_graph.cells.scope.usage import Change, Names
from jupyter_graph.cells.scope.visitor import names_of
from jupyter_graph.cells.source import Cell, ParsedCell, awaits, parse_cell
from jupyter_graph.cells.syntax import DEFINITION
from jupyter_graph.errors import CellError

RUN_MAGICS = frozenset({"time", "prun"})  # line magics that run Python and keep names


@dataclass(frozen=True, eq=False)
class Statement:
    """One top-level statement of a cell.

    Args:
        index: its place in the program.
        parsed: the cell.
        node: its syntax tree, with the cell's line numbers.
        names: what it does with global names.
        futures: the ``from __future__`` features in force.
    """

    index: int
    parsed: ParsedCell
    node: ast.stmt
    names: Names
    futures: frozenset[str]

    @property
    def number(self) -> int | None:
        return self.parsed.cell.number

    @property
    def line(self) -> int:
        return first_line(self.node)

    def shell_lines(self, node: ast.AST | None = None) -> Iterator[tuple[int, str]]:
        """Yield the lines of the statement that are in IPython's own syntax."""
        node = node or self.node
        first, last = first_line(node), getattr(node, "end_lineno", 0)
        for line, text in sorted(self.parsed.shell_lines.items()):
            if first <= line <= last:
                yield line, text

    def is_plain_python(self, node: ast.AST | None = None) -> bool:
        """Tell whether it has no shell line and awaits nothing."""
        return not any(self.shell_lines(node)) and not awaits(node or self.node)


def first_line(node: ast.AST) -> int:
    """Return the line where a statement begins, its decorators included."""
    lines = [getattr(node, "lineno", 1)]
    lines += [item.lineno for item in getattr(node, "decorator_list", ())]
    return min(lines)


@dataclass
class Program:
    """Every statement that ran, and the order in which names were bound.

    Args:
        statements: in the order they ran.
        bindings: name → indexes of the statements that bind or delete it.
        broken: cells that are not valid Python, as the errors that say so.
    """

    statements: list[Statement] = field(default_factory=list)
    bindings: dict[str, list[int]] = field(default_factory=dict)
    broken: list[CellError] = field(default_factory=list)

    def before(self, name: str, index: float) -> Statement | None:
        """Return the statement whose binding of a name counts at a place."""
        indexes = self.bindings.get(name, [])
        at = bisect.bisect_left(indexes, index)
        return self._binding(name, indexes[at - 1]) if at else None

    def last(self, name: str) -> Statement | None:
        """Return the statement that bound a name last; None if it was deleted since."""
        return self.before(name, len(self.statements))

    def all_of(self, name: str) -> list[Statement]:
        """Return every statement that binds a name, the latest first."""
        indexes = reversed(self.bindings.get(name, []))
        return [s for i in indexes if (s := self._binding(name, i)) is not None]

    def deleted(self, name: str) -> Statement | None:
        """Return the statement that deleted a name for good."""
        indexes = self.bindings.get(name)
        return self.statements[indexes[-1]] if indexes and not self.last(name) else None

    def changes(self, name: str, since: Statement) -> list[tuple[Statement, Change]]:
        """Return the top-level changes to what a statement bound to a name."""
        return [
            (statement, change)
            for statement in self.statements[since.index :]
            for change in statement.names.changes
            if change.name == name
            and change.depth == 0
            and (statement is since or self.before(name, statement.index) is since)
        ]

    def _binding(self, name: str, index: int) -> Statement | None:
        statement = self.statements[index]
        return statement if name in statement.names.binds else None


def read_program(cells: Sequence[Cell], folder: Path, *, is_live: bool) -> Program:
    """Read cells in the order they ran; a cell that is not Python is noted.

    Args:
        cells: the cells.
        folder: where the notebook's own modules lie.
        is_live: the cells ran in a kernel; otherwise the last of several cells with
            one id replaces the others.
    """
    program = Program()
    decorators = StepDecorators()
    futures: frozenset[str] = frozenset()
    for position, cell in enumerate(cells if is_live else _last_runs(cells), 1):
        if cell.number is None:
            cell = replace(cell, number=position)
        try:
            parsed = decorators.without(parse_cell(cell))
        except CellError as error:
            program.broken.append(error)
            continue
        futures = futures.union(*map(_futures, parsed.tree.body))
        for node, names in _read_statements(parsed, futures, folder):
            index = len(program.statements)
            program.statements.append(Statement(index, parsed, node, names, futures))
            for name in {*names.binds, *names.deletes}:
                program.bindings.setdefault(name, []).append(index)
    return program


def _last_runs(cells: Sequence[Cell]) -> list[Cell]:
    last = {cell.id: cell for cell in cells if cell.id is not None}
    return [cell for cell in cells if cell.id is None or last[cell.id] is cell]


def _read_statements(
    parsed: ParsedCell, futures: frozenset[str], folder: Path
) -> Iterator[tuple[ast.stmt, Names]]:
    lazy = "annotations" in futures
    for node in parsed.tree.body:
        names = names_of(node, lazy_annotations=lazy)
        for part in _same_scope(node):
            for binding in _magic_bindings(part):
                names.binds.setdefault(binding, []).append(part)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            for binding in exports(node.module or "", folder):
                names.binds.setdefault(binding, []).append(node)
        yield node, names
    for name, line in parsed.captured.items():
        place = ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0)
        yield place, Names(binds={name: [place]})


def _futures(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return {alias.name for alias in node.names}
    return set()


def _same_scope(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield a statement and those in its blocks, not those in functions or classes."""
    inner = DEFINITION | ast.expr
    if isinstance(node, ast.stmt):
        yield node
    for child in () if isinstance(node, inner) else ast.iter_child_nodes(node):
        yield from _same_scope(child)


def _magic_bindings(node: ast.stmt) -> list[str]:
    """Return the names that ``%time x = f()`` binds."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return []
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    if call.func.attr != "run_line_magic" or len(words) != 2:
        return []
    name, code = words
    if name not in RUN_MAGICS or not isinstance(code, str):
        return []
    try:
        body = ast.parse(code.strip()).body
    except (SyntaxError, ValueError):
        return []
    return [name for inner in body for name in names_of(inner).binds]
