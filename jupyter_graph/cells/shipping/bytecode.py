"""Compile a definition as its cell did, to recognise it in the kernel."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Iterable, Iterator
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any

from jupyter_graph.cells.scope.program import Program, Statement
from jupyter_graph.cells.source import ParsedCell
from jupyter_graph.cells.syntax import FUNCTION, IMPORT

_FUTURE_FLAGS = 0x1FF0000  # bits of `from __future__`, they change no code
_SHAPE = attrgetter(
    "co_code", "co_names", "co_varnames", "co_freevars",
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount",
)  # fmt: skip


class Bytecode:
    """Compiles definitions to the code objects that they may have in the kernel.

    Python 3.11 compiles a call of an attribute in another way when the name is imported
    in the same text. IPython compiles most cells statement by statement, but a cell
    below a cell magic as a whole, and a script is one text; so there are up to three.

    Args:
        program: the statements.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._compiled: dict[tuple[int, int], tuple[CodeType, ...]] = {}
        self._imports: dict[int, tuple[str, ...]] = {}

    def of(self, node: Any, statement: Statement) -> tuple[CodeType, ...]:
        """Return the codes of a function, a lambda or the body of a class."""
        key = (statement.index, id(node))
        if key not in self._compiled:
            self._compiled[key] = tuple(self._compile(node, statement))
        return self._compiled[key]

    def is_of(self, live: Any, node: ast.AST, statement: Statement) -> bool:
        """Tell whether a live function has the code of a definition in a cell."""
        if not isinstance(live, FunctionType) or not isinstance(node, FUNCTION):
            return False
        return any(same_code(live.__code__, code) for code in self.of(node, statement))

    def _compile(self, node: Any, statement: Statement) -> Iterator[CodeType]:
        flags = 0
        for future in statement.futures:
            flags |= getattr(__future__, future).compiler_flag
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
        """Return the imports of each text that may have been compiled at once."""
        return dict.fromkeys(((), self._names(statement.parsed), self._names(None)))

    def _names(self, parsed: ParsedCell | None) -> tuple[str, ...]:
        """Return the names that a cell imports, or all cells."""
        key = id(parsed)  # of a dataclass with dicts in it, which has no hash
        if key not in self._imports:
            imported = {
                name
                for statement in self.program.statements
                if parsed is None or statement.parsed is parsed
                for name, nodes in statement.names.binds.items()
                if name.isidentifier() and any(isinstance(n, IMPORT) for n in nodes)
            }
            self._imports[key] = tuple(sorted(imported))
        return self._imports[key]


def _bare(node: Any) -> ast.stmt:
    """Return a definition without its decorators, a lambda as a statement."""
    if isinstance(node, ast.Lambda):
        return ast.copy_location(ast.Expr(node), node)
    fields = {**dict(ast.iter_fields(node)), "decorator_list": []}
    bare: ast.stmt = type(node)(**fields)
    return ast.copy_location(bare, node)


def same_code(one: CodeType, two: CodeType) -> bool:
    """Tell whether two code objects do the same, wherever their lines are."""
    return (
        _SHAPE(one) == _SHAPE(two)
        and one.co_flags & ~_FUTURE_FLAGS == two.co_flags & ~_FUTURE_FLAGS
        and len(one.co_consts) == len(two.co_consts)
        and all(map(_same_constant, _constants(one), _constants(two)))
    )


def _constants(code: CodeType) -> Iterable[Any]:
    """Return the constants of some code, but for the line where a class begins.

    Python 3.13 and later keep that among those of a class body.
    """
    if "__firstlineno__" not in code.co_names:
        return code.co_consts
    line = code.co_firstlineno
    return (None if type(one) is int and one == line else one for one in code.co_consts)


def _same_constant(one: Any, two: Any) -> bool:
    if isinstance(one, CodeType) and isinstance(two, CodeType):
        return same_code(one, two)
    if isinstance(one, frozenset):
        return bool(one == two)
    # By their text: 0.0 == -0.0, and a NaN is not equal to itself.
    return type(one) is type(two) and repr(one) == repr(two)


def inner_code(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of every function inside a function, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from inner_code(constant)
