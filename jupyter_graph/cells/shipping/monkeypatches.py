"""What was changed on a class, function or module after its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jupyter_graph.cells.scope.usage import Change, chain_of
from jupyter_graph.cells.shipping.live_changes import (
    Found,
    LiveChanges,
    code_of,
    has_plain_arguments,
    is_plain_change,
)
from jupyter_graph.cells.shipping.shipping_analysis import FUNCTION, ShippingAnalysis
from jupyter_graph.cells.slice.fragments import Fragment, Problem
from jupyter_graph.cells.slice.program import Statement


class Patches:
    """Finds the lines, and the silent changes, that belong to a definition.

    Args:
        judge: knows the namespace and the cells.
    """

    def __init__(self, judge: ShippingAnalysis) -> None:
        self.judge = judge
        self.program = judge.program
        self.live = LiveChanges(judge)

    def of(self, name: str, item: Fragment) -> Iterator[Found]:
        """Yield the pieces that change what an item binds to a name, and problems."""
        statement, node = item.statement, item.node
        if statement is None or node is None:
            return
        changes = self.program.changes(name, statement)
        if item.kind == "import":
            yield from self._of_module(name, changes)
        elif isinstance(node, FUNCTION | ast.ClassDef):
            yield from self._registered(name, changes)
            yield from self._subclasses(name, statement, node)
            if statement is self.judge.final(name) and self.judge.has_live(name):
                yield from self.live.of(name, item, changes)
            else:
                yield from self._written_changes(name, changes)

    def _of_module(self, name: str, changes: list[tuple[Statement, Change]]) -> Any:
        for statement, change in changes:
            if change.how == "attribute":
                yield self._as_written(statement, name, change)

    def _registered(
        self, name: str, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        """Take ``@area.register`` functions and ``Base.register(Impl)`` lines."""
        for statement, change in changes:
            node = statement.node
            if change.how != "method" or change.line != _own_line(node, change):
                continue
            if isinstance(node, FUNCTION | ast.ClassDef):
                if node.name != name or node.decorator_list:
                    yield code_of(statement)
            elif (
                isinstance(node, ast.Expr)
                and change.chain[-1] == "register"
                and has_plain_arguments(self.judge, statement, node.value)
            ):
                yield code_of(statement)

    def _subclasses(
        self, name: str, statement: Statement, node: Any
    ) -> Iterator[Found]:
        """Take the subclasses where the class keeps a list of them."""
        if not isinstance(node, ast.ClassDef) or not self._counts_subclasses(
            name, node
        ):
            return
        for other in self.program.statements[statement.index + 1 :]:
            base = other.node
            if not isinstance(base, ast.ClassDef) or other is not self.judge.final(
                base.name
            ):
                continue
            names = {chain_of(b)[0] for b in base.bases}
            if name in names and self.program.before(name, other.index) is statement:
                yield code_of(other)

    def _counts_subclasses(self, name: str, node: ast.ClassDef) -> bool:
        if any(getattr(part, "name", "") == "__init_subclass__" for part in node.body):
            return True
        metaclass = [w.value for w in node.keywords if w.arg == "metaclass"]
        if any(self.judge.final(m.id) for m in metaclass if isinstance(m, ast.Name)):
            return True
        uses = (use for s in self.program.statements for use in s.names.uses)
        return any(u.name == name and "__subclasses__" in u.chain for u in uses)

    def _written_changes(
        self, name: str, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        for statement, change in changes:
            if change.how in ("attribute", "item"):
                yield self._as_written(statement, name, change)

    def _as_written(self, statement: Statement, name: str, change: Change) -> Found:
        """Take a changing line as it is when it is plain, else say what to do."""
        if is_plain_change(self.judge, statement):
            return code_of(statement)
        dotted = ".".join((name, *map(str, change.chain)))
        message = (
            f"this line changes {dotted!r}, which a step needs, with something that "
            "cannot travel as code; put the value into a variable of its own and let "
            "the step use that"
        )
        return (
            ("problem", statement.index),
            None,
            Problem(message, statement.number, change.line),
        )


def _own_line(node: ast.AST, change: Change) -> int:
    """Return the line of the decorator or call, so that none inside is meant."""
    if isinstance(node, FUNCTION | ast.ClassDef):
        lines = [decorator.lineno for decorator in node.decorator_list]
        return change.line if change.line in lines else -1
    return node.lineno if isinstance(node, ast.Expr) else -1
