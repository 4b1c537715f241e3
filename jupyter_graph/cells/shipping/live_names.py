"""The names of the cells beside the values that the kernel has for them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import Any

from jupyter_graph.cells.scope.program import Program, Statement
from jupyter_graph.cells.scope.usage import chain_of
from jupyter_graph.cells.shipping.bytecode import Bytecode
from jupyter_graph.cells.syntax import FUNCTION, IMPORT, bound_by

# IPython puts these into every notebook's builtins or namespace.
NOTEBOOK_ONLY = frozenset({"display", "get_ipython", "In", "Out", "_ih", "_oh", "_dh"})
# IPython hides those that end it while a cell runs, and a function may call them.
BUILTINS = (
    frozenset(dir(builtins))
    .union(("exit", "quit"))
    .difference(("display", "get_ipython", "__IPYTHON__", "_"))
)


class LiveNames:
    """Finds which statement a name, or the kernel's value of it, comes from.

    Args:
        program: the statements.
        namespace: the live values; None when the cells come from a file.
    """

    def __init__(self, program: Program, namespace: Mapping[str, Any] | None) -> None:
        self.program = program
        self.is_live = namespace is not None
        self.values: Mapping[str, Any] = namespace if namespace is not None else {}
        self.bytecode = Bytecode(program)
        self._finals: dict[str, Statement | None] = {}

    @property
    def own_module(self) -> str:
        """The ``__module__`` of what the cells define."""
        return str(self.values.get("__name__", "__main__"))

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
        if last is None or name not in self.values:
            return last
        # A later cell may have failed above its definition: the older one is live.
        live = self.values[name]
        for statement in self.program.all_of(name):
            for node in statement.names.binds[name]:
                if self.bytecode.is_of(live, node, statement):
                    return statement
        return last

    def is_from_cells(self, name: str, statement: Statement) -> bool:
        """Tell whether the live function is the one that the cell defines.

        True as well where that cannot be told: decorated functions, no kernel.
        """
        nodes = statement.names.binds[name]
        if name not in self.values or statement is not self.final(name):
            return True
        live = self.values[name]
        plain = [n for n in nodes if isinstance(n, FUNCTION) and not n.decorator_list]
        if len(plain) < len(nodes):
            return True
        return any(self.bytecode.is_of(live, node, statement) for node in plain)

    def is_settled(self, thing: Any, attribute: str) -> bool:
        """Tell whether no line sets an attribute of one of the notebook's classes."""
        name = getattr(thing, "__name__", "")
        statement = self.final(name)
        if statement is None:
            return True
        if name not in self.values or self.values[name] is not thing:
            return False  # an older class of the same name
        return not any(
            change.how in ("attribute", "item")
            and change.chain[:1] in ((attribute,), ("*",))
            for _, change in self.program.changes(name, statement)
        )

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
    module = getattr(node, "module", None)
    for alias in node.names:
        if alias.name == "*":
            return f"{module}.{name}"
        if bound_by(alias) == name:
            own = alias.name if alias.asname or module else name
            return f"{module}.{own}" if module else own
    return None


class NamesInside:
    """Finds full names in some code, by the imports in it and around it.

    Args:
        node: the code.
        names: the names around it.
    """

    def __init__(self, node: ast.AST, names: LiveNames) -> None:
        self._names = names
        self.imports = {
            name: str(imported_as(name, part))
            for part in ast.walk(node)
            if isinstance(part, IMPORT)
            for name in map(bound_by, part.names)
        }

    def dotted(self, node: ast.expr) -> str | None:
        """Return the full name of ``Path`` or ``dt.date``, None for anything else."""
        root, chain = chain_of(node)
        if root in self.imports and not isinstance(node, ast.Subscript):
            return ".".join((self.imports[root], *chain))
        return self._names.dotted(node, None)
