"""Lines that set something up for the code that ships, though it names none of them.

``pd.set_option("mode.copy_on_write", True)`` binds nothing, and a step that uses pandas
needs it. So do registrations and the environment variables that a notebook sets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.shipping.live_names import NamesInside
from jupyter_graph.cells.shipping.secret_text import is_secret_name
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.slice.environment_reads import keys_read
from jupyter_graph.cells.syntax import DEFINITION

_SETS_UP: Final = re.compile(
    r"(?:set|register|configure|config|enable|disable|install|use|seed|init|patch"
    r"|unregister|add|reset|activate)(?:_\w+)?"
    r"|set[a-z]+|simplefilter|filterwarnings|resetwarnings|(?:basic|dict|file)Config"
    r"|captureWarnings|addLevelName|tzset|apply|monkey_patch|\w+_register"
)
"""The last part of what is called, of modules alone."""

_EVERYWHERE: Final = frozenset({"warnings", "locale", "socket"})
"""Modules that change what others do; ``sys`` does by its ``set…`` functions."""

_FOR_OTHERS: Final = {
    "nest_asyncio": frozenset({"asyncio"}),
    "time": frozenset({"datetime", "zoneinfo", "pandas", "calendar"}),
    "multiprocessing": frozenset({"concurrent", "torch"}),
    "matplotlib": frozenset({"seaborn"}),
}
"""Module to those that it changes besides itself."""

_CLOCKS: Final = frozenset({"time", "datetime", "calendar", "zoneinfo"})


class SetupLines:
    """Finds the lines that set up the modules and variables which shipped code uses.

    Args:
        analysis: knows the namespace and the cells.
        ships: tells whether a line that changes something can ship as it is.
    """

    def __init__(
        self, analysis: ShippingAnalysis, ships: Callable[[Statement], bool]
    ) -> None:
        self.analysis = analysis
        self.names = analysis.names
        self.program = analysis.program
        self._ships = ships

    def of(
        self, fragments: Iterable[Fragment], given: Collection[str] = ()
    ) -> Iterator[Statement | Fragment]:
        """Yield the lines for what ships, as they stand or written in Python.

        Args:
            fragments: what ships.
            given: variables that the function has, whatever the notebook sets them to.
        """
        shipped = list(fragments)
        modules = {name for one in shipped for name in self._modules_of(one)}
        keys = {read.key for one in shipped for read in keys_read(one, self.names)}
        if modules & _CLOCKS:
            keys.add("TZ")
        keys.difference_update(given)
        for statement in self.program.statements:
            if self._is_setup(statement, modules) or self._sets(statement, keys):
                yield statement
            elif (fragment := _from_magic(statement, keys)) is not None:
                yield fragment

    def _modules_of(self, fragment: Fragment) -> Iterator[str]:
        """Yield the top names of the modules that a piece imports, inside it too."""
        if fragment.node is not None and fragment.kind != "value":
            for name in NamesInside(fragment.node, self.names).imports.values():
                yield name.partition(".")[0]

    def _is_setup(self, statement: Statement, modules: set[str]) -> bool:
        node: Any = statement.node
        if isinstance(node, DEFINITION):
            is_live = statement is self.names.final(node.name)
            called = [_function_of(one) for one in node.decorator_list]
            return is_live and any(
                self._sets_up(one, statement, modules, "register") for one in called
            )
        function = _called(node)
        return (
            function is not None
            and self._sets_up(function, statement, modules)
            and self._ships(statement)
        )

    def _sets_up(
        self, node: ast.expr, statement: Statement, modules: set[str], word: str = ""
    ) -> bool:
        """Tell whether a function sets up one of these modules."""
        name = self.names.dotted(node, statement.index) or ""
        top, last = name.partition(".")[0], name.rpartition(".")[2]
        if top == "sys":
            return last.startswith("set") and last not in ("settrace", "setprofile")
        is_used = top in modules | _EVERYWHERE
        is_used |= not modules.isdisjoint(_FOR_OTHERS.get(top, ()))
        is_word = last.startswith(word) if word else _SETS_UP.fullmatch(last)
        return bool(is_used and is_word)

    def _sets(self, statement: Statement, keys: set[str]) -> bool:
        """Tell whether a line sets one of these environment variables."""
        node = statement.node
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return False
        target = node.targets[0]
        if not isinstance(target, ast.Subscript):
            return False
        name = self.names.dotted(target.value, statement.index)
        key = getattr(target.slice, "value", None)
        is_asked = name == "os.environ" and key in keys
        return is_asked and not is_secret_name(str(key)) and self._ships(statement)


def _called(node: ast.stmt) -> ast.expr | None:
    """Return the function of ``pd.set_option(…)`` and of ``getcontext().prec = 5``."""
    match node:
        case ast.Expr(ast.Call(func=function)):
            return function
        case ast.Assign(targets=[ast.Attribute(value=ast.Call(func=function))]):
            # What it returns is the state of its module: the getter's own module.
            return ast.Attribute(_owner(function), "set", ast.Load())
    return None


def _owner(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) else node


def _function_of(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _from_magic(statement: Statement, keys: set[str]) -> Fragment | None:
    """Return ``%env K=V`` as Python, None for any other line."""
    match statement.node:
        case ast.Expr(ast.Call(ast.Attribute(attr="run_line_magic"), args=[a, b])):
            magic, words = getattr(a, "value", ""), getattr(b, "value", "")
        case _:
            return None
    key, mark, value = str(words).partition("=" if "=" in str(words) else " ")
    key, value = key.strip(), value.strip()
    is_set = magic in ("env", "set_env") and mark and not set("{$") & set(value)
    if not is_set or key not in keys or is_secret_name(key):
        return None
    return Fragment(
        kind="text",
        at=(statement.index, 0),
        binds=frozenset(),
        cell=statement.number,
        line=statement.line,
        text=f'__import__("os").environ[{key!r}] = {value!r}',
        note=f"%{magic}",
    )
