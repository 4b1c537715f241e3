"""Compile a definition as its cell did, to recognise it in the kernel."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from jupyter_graph.cells.shipping.unchanged import inner_code, same_code
from jupyter_graph.cells.slice.program import Program, Statement

IMPORT = ast.Import | ast.ImportFrom


class Codes:
    """Gives the code objects that a definition may have in the kernel.

    Python 3.11 compiles a call of an attribute in another way when the name is imported
    in the same text. IPython compiles most cells statement by statement, but a cell
    below a cell magic as a whole, and a script is one text; so there are up to three.

    Args:
        program: the statements.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._found: dict[tuple[int, int], tuple[CodeType, ...]] = {}
        self._imports: dict[int, tuple[str, ...]] = {}

    def of(self, node: Any, statement: Statement) -> tuple[CodeType, ...]:
        """Return the codes of a function, a lambda or the body of a class."""
        key = (statement.index, id(node))
        if key not in self._found:
            self._found[key] = tuple(self._compile(node, statement))
        return self._found[key]

    def is_of(self, live: Any, node: ast.AST, statement: Statement) -> bool:
        """Tell whether a live function has the code of a definition in a cell."""
        if not isinstance(live, FunctionType):
            return False
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        return any(same_code(live.__code__, code) for code in self.of(node, statement))

    def _compile(self, node: Any, statement: Statement) -> Iterator[CodeType]:
        flags = 0
        for future in statement.futures:
            flags |= getattr(sys.modules["__future__"], future).compiler_flag
        name = getattr(node, "name", "<lambda>")
        for imports in self._texts(statement):
            known = ast.parse("".join(f"import {name}\n" for name in imports)).body
            module = ast.Module([*known, _bare(node)], [])
            try:
                code = compile(module, "<cell>", "exec", flags, dont_inherit=True)
            except (SyntaxError, ValueError):
                return
            yield next(c for c in inner_code(code) if c.co_name == name)

    def _texts(self, statement: Statement) -> Iterable[tuple[str, ...]]:
        everything = self.program.statements
        cell = [s for s in everything if s.parsed is statement.parsed]
        found = ((), self._names(cell), self._names(everything))
        return dict.fromkeys(found)

    def _names(self, statements: list[Statement]) -> tuple[str, ...]:
        key = id(statements[0].parsed) if len(statements) < len(self.program) else 0
        if key not in self._imports:
            found = {
                name
                for statement in statements
                for name, nodes in statement.names.binds.items()
                if name.isidentifier() and any(isinstance(n, IMPORT) for n in nodes)
            }
            self._imports[key] = tuple(sorted(found))
        return self._imports[key]


def _bare(node: Any) -> ast.stmt:
    """Return a definition without its decorators, a lambda as a statement."""
    if isinstance(node, ast.Lambda):
        return ast.copy_location(ast.Expr(node), node)
    fields = {**dict(ast.iter_fields(node)), "decorator_list": []}
    bare: ast.stmt = type(node)(**fields)
    return ast.copy_location(bare, node)
