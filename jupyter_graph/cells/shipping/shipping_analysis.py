"""Code or value: how the binding of each name ships."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jupyter_graph.cells.shipping.bytecode import IMPORT, Codes
from jupyter_graph.cells.shipping.evaluate import Evaluator
from jupyter_graph.cells.shipping.literal_rules import (
    always_binds,
    bound_value,
    is_plain,
    is_plain_block,
)
from jupyter_graph.cells.shipping.notebook_calls import rebuild
from jupyter_graph.cells.shipping.stand_ins import NotPlain, wrapped
from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    Function,
    SameObject,
    is_certain,
    still,
)
from jupyter_graph.cells.slice.program import Program, Statement

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
# IPython puts these into every notebook's builtins or namespace.
NOTEBOOK_ONLY = frozenset({"display", "get_ipython", "In", "Out", "_ih", "_oh", "_dh"})
BUILTINS = frozenset(dir(builtins)) - {"display", "get_ipython", "__IPYTHON__", "_"}


@dataclass(frozen=True)
class Verdict:
    """How one binding of a name ships.

    ``code``: the whole statement; ``part``: only ``node``, out of a block; ``import``;
    ``value``: not as code.
    """

    how: Literal["code", "part", "import", "value"]
    node: ast.AST


class ShippingAnalysis:
    """Looks at the statements and, when there is a kernel, at the live values.

    Args:
        program: the statements.
        namespace: the live values; None when the cells come from a file.
    """

    def __init__(self, program: Program, namespace: Mapping[str, Any] | None) -> None:
        self.program = program
        self.namespace = namespace
        self.codes = Codes(program)
        self._verdicts: dict[tuple[int, str], Verdict] = {}
        self._finals: dict[str, Statement | None] = {}
        self._asking: set[tuple[int, str]] = set()

    def has_live(self, name: str) -> bool:
        """Tell whether the kernel has a value of this name."""
        return self.namespace is not None and name in self.namespace

    def live(self, name: str) -> Any:
        """Return the live value of a name."""
        assert self.namespace is not None
        return self.namespace[name]

    def version(self, name: str, at: float | None) -> Statement | None:
        """Return the binding that counts at a place, or at the end (None).

        Where nothing before the place binds the name, cells ran in another order: the
        last binding counts.
        """
        before = self.program.before(name, at) if at is not None else None
        return before or self.final(name)

    def final(self, name: str) -> Statement | None:
        """Return the binding that the live value comes from, the last as a rule."""
        if name not in self._finals:
            self._finals[name] = self._find_final(name)
        return self._finals[name]

    def _find_final(self, name: str) -> Statement | None:
        last = self.program.last(name)
        if last is None or not self.has_live(name):
            return last
        live = self.live(name)
        for statement in self.program.all_of(name):
            for node in statement.names.binds[name]:
                if self.codes.is_of(live, node, statement):
                    return statement
        return last

    def is_from_cells(self, name: str, statement: Statement) -> bool:
        """Tell whether the live function is the one that the cell defines.

        True as well where that cannot be told: decorated functions, no kernel.
        """
        nodes = statement.names.binds[name]
        if not self.has_live(name) or statement is not self.final(name):
            return True
        live = self.live(name)
        plain = [n for n in nodes if isinstance(n, FUNCTION) and not n.decorator_list]
        if len(plain) < len(nodes):
            return True
        return any(self.codes.is_of(live, node, statement) for node in plain)

    def verdict(self, name: str, statement: Statement) -> Verdict:
        """Say how what a statement binds to a name ships."""
        key = (statement.index, name)
        if key in self._asking:  # names that need each other
            return Verdict("value", statement.node)
        if key not in self._verdicts:
            self._asking.add(key)
            try:
                self._verdicts[key] = self._judge(name, statement)
            finally:
                self._asking.discard(key)
        return self._verdicts[key]

    def _judge(self, name: str, statement: Statement) -> Verdict:
        nodes, top = statement.names.binds[name], statement.node
        if any(node is top for node in nodes):
            return self._judge_node(name, statement, top, "code")
        is_known = self.has_live(name) and statement is self.final(name)
        is_sure = always_binds(top, name) or not is_known
        if is_sure and is_plain_block(top) and statement.is_plain_python():
            parts = (self._judge_node(name, statement, n, "part") for n in nodes)
            if any(part.how != "value" for part in parts):
                return Verdict("code", top)
        for node in self._candidates(name, statement):
            found = self._judge_node(name, statement, node, "part")
            is_guess = isinstance(node, ast.Assign | ast.AnnAssign) and not is_known
            if found.how != "value" and not is_guess:
                return found
        return Verdict("value", nodes[-1])

    def _candidates(self, name: str, statement: Statement) -> Iterator[ast.AST]:
        nodes = list(reversed(statement.names.binds[name]))
        if self.has_live(name):
            live = self.live(name)
            sure = [n for n in nodes if self.codes.is_of(live, n, statement)]
            nodes = [*sure, *(n for n in nodes if n not in sure)]
        yield from nodes

    def _judge_node(
        self, name: str, statement: Statement, node: ast.AST, how: Any
    ) -> Verdict:
        if isinstance(node, FUNCTION | ast.ClassDef):
            return Verdict(how, node)
        if isinstance(node, IMPORT):
            return Verdict("import", node)
        if type(node).__name__ == "TypeAlias":
            return Verdict(how, node)
        is_assignment = isinstance(node, ast.Assign | ast.AnnAssign)
        is_python = is_assignment and statement.is_plain_python(node)
        if is_python and self._is_still(name, statement, node):
            return Verdict(how, node)
        return Verdict("value", node)

    def _is_still(self, name: str, statement: Statement, node: Any) -> bool:
        """Tell whether running an assignment again gives what the name stands for."""
        if node.value is None:
            return False
        if self.namespace is None:
            return is_plain(node.value, lambda part: self.dotted(part, statement.index))
        try:
            expected = self.assigned(name, statement, node)
        except NotPlain:
            return False
        is_final = statement is self.final(name)
        if not is_final or name not in self.namespace:
            return is_certain(expected)
        return still(self.namespace[name], expected)

    def is_written_plainly(self, name: str, statement: Statement, node: Any) -> bool:
        """Tell whether an assignment is one that would ship as code if unchanged."""
        try:
            self.assigned(name, statement, node)
        except NotPlain:
            return False
        return statement.is_plain_python(node)

    def assigned(self, name: str, statement: Statement, node: Any) -> Any:
        """Work out what an assignment gives to a name; NotPlain when it is no code."""
        evaluator = self.evaluator(statement.index)
        return bound_value(node, name, evaluator.value(node.value))

    def evaluator(self, at: float) -> Evaluator:
        """Return an evaluator that reads names as they are at a place."""
        statement = self.program.statements[int(at)]
        inside = set(statement.names.binds) if hasattr(statement.node, "body") else ()

        def look(name: str) -> Any:
            if name in inside:  # a loop or block sets it itself, who knows how often
                raise NotPlain(name)
            return self.expected(name, at)

        return Evaluator(
            look,
            lambda node: self.codes.of(node, statement),
            self.build,
            self.is_settled,
        )

    def is_settled(self, thing: Any, attribute: str) -> bool:
        """Tell whether no line sets an attribute of one of the notebook's classes."""
        name = getattr(thing, "__name__", "")
        statement = self.final(name)
        if statement is None:
            return True
        if not self.has_live(name) or self.live(name) is not thing:
            return False  # an older class of the same name
        changes = self.program.changes(name, statement)
        return not any(
            change.how in ("attribute", "item")
            and change.chain[:1] in ((attribute,), ("*",))
            for _, change in changes
        )

    def build(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
        return rebuild(self, function, args, named)

    def expected(self, name: str, at: float | None) -> Any:
        """Say what a name stands for at a place; NotPlain when it does not ship."""
        statement = self.version(name, at)
        if statement is None:
            return self._expected_outside(name)
        verdict = self.verdict(name, statement)
        is_assignment = isinstance(verdict.node, ast.Assign | ast.AnnAssign)
        if is_assignment and verdict.how != "value":
            value = self.assigned(name, statement, verdict.node)
            is_class = isinstance(value, EqualObject) and isinstance(value.again, type)
            is_now = statement is self.final(name) and self.has_live(name)
            return SameObject(self.live(name)) if is_class and is_now else value
        if statement is self.final(name):
            if not self.has_live(name):
                raise NotPlain(name)
            return SameObject(self.live(name))
        if isinstance(verdict.node, FUNCTION) and not verdict.node.decorator_list:
            return Function(self.codes.of(verdict.node, statement))
        raise NotPlain(name)

    def _expected_outside(self, name: str) -> Any:
        if name == "__name__" and self.namespace is not None:
            return self.namespace.get("__name__", "__main__")
        if self.has_live(name):
            return wrapped(self.live(name))
        if name in BUILTINS:
            return wrapped(getattr(builtins, name))
        raise NotPlain(name)

    def dotted(self, node: ast.expr, at: float | None) -> str | None:
        """Return the full name of ``Path`` or ``dt.date``, by the imports in force."""
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value, at)
            return f"{owner}.{node.attr}" if owner else None
        if not isinstance(node, ast.Name):
            return None
        statement = self.version(node.id, at)
        if statement is None:
            return f"builtins.{node.id}" if node.id in BUILTINS else None
        return imported_as(node.id, statement.names.binds[node.id][-1])


def imported_as(name: str, node: ast.AST) -> str | None:
    """Return the full name of what an import statement binds to a name.

    >>> imported_as("P", ast.parse("from pathlib import Path as P").body[0])
    'pathlib.Path'
    """
    if not isinstance(node, IMPORT):
        return None
    for alias in node.names:
        module = getattr(node, "module", None)
        if alias.name == "*":
            return f"{module}.{name}"
        if (alias.asname or alias.name.partition(".")[0]) == name:
            own = alias.name if alias.asname or module else name
            return f"{module}.{own}" if module else own
    return None
