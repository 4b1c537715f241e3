"""Code or value: how the binding of each name ships."""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from jupyter_graph.cells.scope.program import Program, Statement
from jupyter_graph.cells.shipping.constructors import ENVIRONMENT
from jupyter_graph.cells.shipping.environment_values import (
    holds_any,
    reads_environment,
)
from jupyter_graph.cells.shipping.evaluator import Evaluator
from jupyter_graph.cells.shipping.literal_rules import (
    always_binds,
    bound_value,
    is_definition_block,
    is_reproducible,
)
from jupyter_graph.cells.shipping.live_names import BUILTINS, LiveNames
from jupyter_graph.cells.shipping.notebook_calls import NotebookCalls
from jupyter_graph.cells.shipping.unchanged import (
    UNSURE,
    EqualObject,
    Function,
    NotReproducible,
    SameObject,
    ensure,
    is_certain,
    is_unchanged,
    tried,
    wrapped,
)
from jupyter_graph.cells.syntax import ASSIGNMENT, DEFINITION, FUNCTION, IMPORT


@dataclass(frozen=True)
class Verdict:
    """How one binding of a name ships.

    ``code``: the whole statement; ``part``: only ``node``, out of a block; ``import``;
    ``value``: not as code.
    """

    how: Literal["code", "part", "import", "value"]
    node: ast.stmt


class ShippingAnalysis:
    """Looks at the statements and, when there is a kernel, at the live values.

    Args:
        program: the statements.
        namespace: the live values; None when the cells come from a file.
    """

    def __init__(self, program: Program, namespace: Mapping[str, Any] | None) -> None:
        self.program = program
        self.names = LiveNames(program, namespace)
        self.calls = NotebookCalls(self.names, self.expected)
        self._verdicts: dict[tuple[int, str], Verdict] = {}
        self._asking: set[tuple[int, str]] = set()

    def verdict(self, name: str, statement: Statement) -> Verdict:
        """Return how what a statement binds to a name ships."""
        key = (statement.index, name)
        if key in self._asking:  # names that need each other
            return Verdict("value", statement.node)
        if key not in self._verdicts:
            self._asking.add(key)
            try:
                self._verdicts[key] = self._of_statement(name, statement)
            finally:
                self._asking.discard(key)
        return self._verdicts[key]

    def _of_statement(self, name: str, statement: Statement) -> Verdict:
        nodes, top = statement.names.binds[name], statement.node
        if any(node is top for node in nodes):
            return self._of_node(name, statement, top, "code")
        is_known = self._is_live_here(name, statement)
        # A block that may leave the name unset ships only when nothing better is known.
        is_sure = always_binds(top, name) or not is_known
        if is_sure and is_definition_block(top) and statement.is_plain_python():
            parts = (self._of_node(name, statement, n, "part") for n in nodes)
            if any(part.how != "value" for part in parts):
                return Verdict("code", top)
        for node in self._candidates(name, statement):
            verdict = self._of_node(name, statement, node, "part")
            is_guess = isinstance(node, ASSIGNMENT) and not is_known
            if verdict.how != "value" and not is_guess:
                return verdict
        return Verdict("value", nodes[-1])

    def _candidates(self, name: str, statement: Statement) -> Iterator[ast.stmt]:
        """Yield the parts of a block that bind a name, the one that ran first."""
        nodes = list(reversed(statement.names.binds[name]))
        if name in self.names.values:
            live, is_of = self.names.values[name], self.names.bytecode.is_of
            nodes.sort(key=lambda node: not is_of(live, node, statement))
        yield from nodes

    def _of_node(
        self, name: str, statement: Statement, node: ast.stmt, how: Any
    ) -> Verdict:
        if isinstance(node, IMPORT):
            return Verdict("import", node)
        is_code = isinstance(node, DEFINITION) or type(node).__name__ == "TypeAlias"
        if isinstance(node, ASSIGNMENT) and statement.is_plain_python(node):
            is_code = self._is_reproduced(name, statement, node)
            is_code = is_code or self._is_of_environment(name, statement, node)
        return Verdict(how if is_code else "value", node)

    def _is_of_environment(self, name: str, statement: Statement, node: Any) -> bool:
        """Tell whether a line reads an environment variable into a name.

        Its value belongs to this computer, and may be a secret: it ships as code.
        """
        if node.value is None or not self._is_live_here(name, statement):
            return False
        dotted = partial(self.names.dotted, at=statement.index)
        parts = list(ast.walk(node.value))
        reads = any(
            dotted(part) in ENVIRONMENT
            for part in parts
            if isinstance(part, ast.Attribute | ast.Name)
        )
        if reads and is_reproducible(node.value, dotted):
            return True
        calls = [getattr(n.func, "id", "") for n in parts if isinstance(n, ast.Call)]
        names = self.names.values
        reads |= any(reads_environment(names.get(one), names) for one in calls)
        return reads and holds_any(names[name], frozenset(os.environ.values()))

    def _is_reproduced(self, name: str, statement: Statement, node: Any) -> bool:
        """Tell whether running an assignment again gives what the name stands for."""
        if node.value is None:
            return False
        if not self.names.is_live:
            dotted = partial(self.names.dotted, at=statement.index)
            return is_reproducible(node.value, dotted)
        expected = tried(self.assigned, name, statement, node)
        if not self._is_live_here(name, statement):
            return is_certain(expected)
        return is_unchanged(self.names.values[name], expected)

    def _is_live_here(self, name: str, statement: Statement) -> bool:
        """Tell whether the kernel has what this statement bound to the name."""
        return name in self.names.values and statement is self.names.final(name)

    def is_written_plainly(self, name: str, statement: Statement, node: Any) -> bool:
        """Tell whether an assignment is one that would ship as code if unchanged."""
        expected = tried(self.assigned, name, statement, node)
        return expected is not UNSURE and statement.is_plain_python(node)

    def assigned(self, name: str, statement: Statement, node: Any) -> Any:
        """Return what an assignment gives to a name.

        Raises:
            NotReproducible: running it again is not known to give the same.
        """
        return bound_value(node, name, self.evaluator(statement).value(node.value))

    def evaluator(self, statement: Statement) -> Evaluator:
        """Return an evaluator that reads names as they are at a statement."""
        inside = set(statement.names.binds) if hasattr(statement.node, "body") else ()

        def look(name: str) -> Any:
            # A loop or block sets it itself, who knows how often.
            ensure(name not in inside, name)
            return self.expected(name, statement.index)

        return Evaluator(
            look,
            lambda node: self.names.bytecode.of(node, statement),
            self.calls.result,
            self.names.is_settled,
        )

    def expected(self, name: str, at: float | None) -> Any:
        """Return what a name stands for at a place.

        Raises:
            NotReproducible: it does not ship as code.
        """
        statement = self.names.version(name, at)
        if statement is None:
            return self._expected_outside(name)
        verdict = self.verdict(name, statement)
        live = self.names.values
        if isinstance(verdict.node, ASSIGNMENT) and verdict.how != "value":
            value = self.assigned(name, statement, verdict.node)
            # namedtuple and Enum calls make a new class each time: the live one counts.
            is_class = isinstance(value, EqualObject) and isinstance(value.again, type)
            is_now = is_class and self._is_live_here(name, statement)
            return SameObject(live[name]) if is_now else value
        if statement is self.names.final(name):
            ensure(name in live, name)
            return SameObject(live[name])
        if isinstance(verdict.node, FUNCTION) and not verdict.node.decorator_list:
            return Function(self.names.bytecode.of(verdict.node, statement))
        raise NotReproducible(name)

    def _expected_outside(self, name: str) -> Any:
        if name == "__name__" and self.names.is_live:
            return self.names.own_module
        if name in self.names.values:
            return wrapped(self.names.values[name])
        if name in BUILTINS and hasattr(builtins, name):
            return wrapped(getattr(builtins, name))
        raise NotReproducible(name)
